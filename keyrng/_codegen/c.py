"""C source of the native path: one function for each algorithm and kernel, and tables that the runtime reads.

`setup.py` calls `sources` once per build. The hand-written C is in ``_executors/csrc``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from keyrng._codegen.c_maps import Maps, row, side_by_side, stores_of
from keyrng._codegen.dialects import C
from keyrng._codegen.methods import arguments_of, loops_of, selects_method, varying
from keyrng._codegen.statements import for_each_copy, needs, statements, walk
from keyrng._codegen.trace import Loop, Program, leaves, trace
from keyrng.algorithms.base import Algorithm, Words
from keyrng.kernels.bits import store
from keyrng.kernels.lane import Kernel
from keyrng.kernels.lookup import Table, tables
from keyrng.kernels.symbols import Graph, Symbol

# Vectors of blocks that are computed side by side, by words per block: of blocks at any indices as many as 16 registers
# hold; of consecutive blocks many, and few for the rest and for small draws.
_SIDE_BY_SIDE, _MANY, _FEW = {2: 4, 4: 2}, {2: 8, 4: 4}, {2: 2, 4: 2}

# Array sizes of csrc/code.h. The words of an attempt, rounded up to whole blocks, plus one more block fit the 16 rows
# of MOST_WORDS in csrc/words.h.
_MOST_BUFFERS, _MOST_KEYS, _MOST_WORDS, _MOST_COUNTS = 32, 12, 8, 2

# Conversions from a kernel's result to the requested dtype. Not listed: conversions that only reinterpret or truncate
# bits, such as narrower integers.
STORES = [
    ("float32", "float16"),
    ("float32", "bfloat16"),
    *(("uint32", narrow) for narrow in ("uint8", "uint16")),
    *(("uint64", narrow) for narrow in ("uint8", "uint16", "uint32")),
    *(("int32", wanted) for wanted in ("int64", "float16", "bfloat16", "float32", "float64")),
    ("int64", "float64"),
]


@dataclass
class _Program:
    """A traced kernel as stages; buffers are numbered, parameters first."""

    name: str
    traced: Program
    sizes: list[int]
    stages: list[str] = field(default_factory=list)
    picoseconds: int = 0  # for each element, estimated

    def buffer(self, dtype: np.dtype[Any]) -> int:
        self.sizes.append(dtype.itemsize)
        return len(self.sizes) - 1


class _Source(Maps):
    """Source under construction: functions for every instruction set, and the tables that they share."""

    def __init__(self) -> None:
        super().__init__()
        self.programs: list[_Program] = []
        self.outputs: list[int] = []

    def kernel(self, kernel: Kernel, dtype: np.dtype[Any]) -> None:
        """Print a kernel: stages for its words, its straight-line code and its loops, in order of dependency."""
        traced = trace(kernel.function, dtype, len(kernel.parameters))
        name = f"{kernel.name}_{dtype.name}"
        lanes = kernel.word_bits or (64 if dtype.itemsize == 8 else 32)
        program = _Program(f"{kernel.name}.{dtype.name}", traced, [dtype.itemsize] * len(traced.parameters))
        where = dict(zip(traced.parameters, range(len(traced.parameters)), strict=True))
        leaf = leaves(traced)
        for i, source in enumerate(traced.sources):
            symbol = leaf["word", i]
            where[symbol] = program.buffer(symbol.dtype)
            program.stages.append(_stage("WORDS", outputs=[where[symbol]], **asdict(source)))
            program.picoseconds += 20 * source.bits
        if selects_method(traced):
            self._by_method(program, name, lanes, where, kernel.abreast)
        else:
            self._value(program, name, lanes, where, traced.result, kernel.abreast)
        if len(program.sizes) > _MOST_BUFFERS or len(traced.keys) > _MOST_KEYS:
            raise ValueError(f"{program.name} needs more buffers or keys than code.h holds")
        self.outputs.append(where[traced.result])
        self.programs.append(program)

    def _value(
        self, program: _Program, name: str, lanes: int, where: dict[Symbol, int], value: Symbol, copies: int
    ) -> None:
        """Add the stages of a value: constants, loops, counts and the value itself."""
        loops = loops_of(program.traced, value)
        constants = _constants(value, arguments_of(program.traced, value))
        self._compute(program, f"{name}_constants", lanes, where, constants, copies, constant=1)
        for i, (symbol, loop) in enumerate(loops):
            self._compute(program, f"{name}_before{i}", lanes, where, loop.arguments, copies)
            where[symbol] = program.buffer(symbol.dtype)
            stage, number = self._loop(f"{name}_attempt{i}", lanes, loop, where, where[symbol], copies)
            program.stages.append(stage)
            program.picoseconds += 3000 + 3 * (self.picoseconds[number] + 20 * loop.body.bits * loop.body.words) // 2
        counts = [symbol for symbol in walk([value], where) if symbol.op == "count"]
        for i, symbol in enumerate(counts[:_MOST_COUNTS]):
            self._count(program, f"{name}_count{i}", lanes, where, symbol, copies)
        self._compute(program, name, lanes, where, [value], copies)

    def _by_method(self, program: _Program, name: str, lanes: int, where: dict[Symbol, int], copies: int) -> None:
        """Add the stages of each method between PART and WHOLE stages, for the lanes that need it."""
        result = program.traced.result
        condition, *values = result.args
        chosen = dict(where)
        self._compute(program, f"{name}_method", lanes, chosen, [condition], copies)
        end = program.buffer(result.dtype)
        for i, value in enumerate(values):
            needed = needs([value, *arguments_of(program.traced, value)], where)
            inputs = [symbol for symbol in where if symbol in needed]
            own = {symbol: program.buffer(symbol.dtype) for symbol in inputs}
            buffers = {"inputs": [chosen[condition], *(where[s] for s in inputs)], "outputs": list(own.values())}
            program.stages.append(_stage("PART", wanted=1 - i, **buffers))
            self._value(program, f"{name}_method{i}", lanes, own, value, copies)
            program.stages.append(_stage("WHOLE", inputs=[own[value]], outputs=[end]))
        where[result] = end

    def _compute(
        self,
        program: _Program,
        name: str,
        lanes: int,
        where: dict[Symbol, int],
        wanted: Iterable[Symbol],
        copies: int,
        constant: int = 0,
    ) -> None:
        """Add a map stage for the wanted symbols that are not in a buffer yet."""
        outputs = [symbol for symbol in dict.fromkeys(wanted) if symbol not in where]
        if not outputs:
            return
        needed = needs(outputs, where)
        inputs = [symbol for symbol in where if symbol in needed]
        maps = self.maps_of(name, _lanes(lanes, [*inputs, *outputs]), inputs, outputs, copies)
        program.picoseconds += self.picoseconds[maps["map"]]
        for symbol in outputs:
            where[symbol] = program.buffer(symbol.dtype)
        program.stages.append(
            _stage(
                "MAP",
                **maps,
                constant=constant,
                inputs=[where[i] for i in inputs],
                outputs=[where[o] for o in outputs],
            )
        )

    def _count(
        self, program: _Program, name: str, lanes: int, where: dict[Symbol, int], symbol: Symbol, copies: int
    ) -> None:
        """Add the stage of ``count_sums``: a map for any arguments, and one of a term for a table of the sums."""
        first, step, u, *arguments = symbol.args
        self._compute(program, f"{name}_before", lanes, where, [u, first, *arguments], copies)
        number = self.map(name, lanes, [u, first, *arguments], [symbol], copies)
        term = self.map(f"{name}_term", lanes, [*step.inputs[1:4], *step.inputs[5:]], [step.term], 1)
        where[symbol] = program.buffer(symbol.dtype)
        program.stages.append(
            _stage(
                "COUNT",
                map=number,
                constant=int(not varying([first, *arguments])),
                term=term,
                start=step.start,
                inputs=[where[a] for a in (u, first, *arguments)],
                outputs=[where[symbol]],
            )
        )
        program.picoseconds += 10 * self.picoseconds[number]

    def _loop(
        self, name: str, lanes: int, loop: Loop, where: dict[Symbol, int], result: int, copies: int
    ) -> tuple[str, int]:
        body = loop.body
        if body.words > _MOST_WORDS:
            raise ValueError(f"{name} draws more words per attempt than words.h holds")
        dtypes = [argument.dtype for argument in loop.arguments]
        inputs = [body.graph.node("word", np.dtype(f"uint{body.bits}"), i) for i in range(body.words)]
        inputs += [body.graph.node("param", dtype, i) for i, dtype in enumerate(dtypes)]
        maps = self.maps_of(name, _lanes(lanes, inputs), inputs, [body.accept, body.value], copies)
        drawn = {"key": loop.key, "bits": body.bits, "words": body.words}
        buffers = [where[argument] for argument in loop.arguments]
        return _stage("LOOP", inputs=buffers, outputs=[result], **maps, **drawn), maps["map"]

    def store(self, result: str, dtype: str) -> None:
        """Print the conversion of a result to another dtype."""
        graph = Graph()
        value = graph.node("param", np.dtype(result), 0)
        wanted = _Named(dtype) if dtype == "bfloat16" else np.dtype(dtype)
        self.map(f"store_{result}_{dtype}", 32, [value], [store(value, wanted)])

    def algorithm(self, algorithm: Algorithm) -> str:
        """Print the fill and lane functions of an algorithm and return its row of the table."""
        name = algorithm.name
        if algorithm.jax_layout:
            self._fill(f"values32_{name}", algorithm, lambda block: algorithm.values(block, 32))
            self._fill(f"values64_{name}", algorithm, lambda block: (block[1], block[0]))
            fills = [f"fill_values32_{name}", f"fill_values64_{name}", f"fill_blocks_{name}"]
        else:
            fills = [f"fill_blocks_{name}"] * 3
        self._fill(f"blocks_{name}", algorithm, lambda block: block)
        rows = []
        for bits in (32, 64):
            pair = [
                self._lanes(f"{name}_{bits}_{each}", algorithm, lambda b, w=bits: algorithm.words(b, w), each)
                for each in (0, 1)
            ]
            rows.append("{" + ", ".join(pair) + "}")
        values = [
            self._lanes(f"{name}_values_{each}", algorithm, lambda b: algorithm.values(b, 32), each)
            if algorithm.jax_layout
            else f"lanes_{name}_32_{each}"
            for each in (0, 1)
        ]
        rows.append("{" + ", ".join(values) + "}")
        vector = f"LANES_w{algorithm.word_bits}"
        group = f"{_FEW[algorithm.block_words]} * {vector}"
        return "{" + ", ".join([*fills, *rows, group, vector]) + "}"

    def _traced(self, algorithm: Algorithm, read: Any) -> tuple[list[Symbol], list[Symbol]]:
        graph = Graph()
        inputs = [graph.node("param", algorithm.dtype, i) for i in range(algorithm.key_words + 4)]
        block: Words = algorithm.at(inputs[: algorithm.key_words], *inputs[algorithm.key_words :])
        return inputs, list(read(block))

    def _fill(self, name: str, algorithm: Algorithm, read: Any) -> None:
        bits, many, few = algorithm.word_bits, _MANY[algorithm.block_words], _FEW[algorithm.block_words]
        kind, lanes = f"uint{bits}_w{bits}", f"LANES_w{bits}"
        inputs, outputs = self._traced(algorithm, read)
        leaves = [f"k{i}" for i in range(algorithm.key_words)] + ["low_@", "high", "draw", "use"]
        call = f"store_{kind}" if len(outputs) == 1 else f"store{len(outputs)}_{kind}"

        def loop(copies: int) -> list[str]:
            body, results = statements(outputs, dict(zip(inputs, leaves, strict=True)), C(bits), copies)
            size = f"{copies} * {lanes} * {len(results)} * sizeof(e_uint{bits})"
            return [
                f"    for (; i + {copies} * {lanes} <= n; i += {copies} * {lanes}) {{",
                *for_each_copy([f"        {kind} low_@ = low + @ * {lanes};"], copies),
                *(f"        {line}" for line in body),
                *for_each_copy([f"        {call}(out, i + @ * {lanes}, {', '.join(results)});"], copies),
                f"        low += {copies} * {lanes};",
                f"        FETCH_AHEAD(ahead, {size})",
                "    }",
            ]

        high = "(e_uint32)(first >> 32)" if bits == 32 else "0"
        lines = [
            f"static void fill_{name}(const void *key, uint64_t first, size_t groups, uint64_t domain, void *out,",
            "        const char *ahead) {",
            *(
                f"    {kind} k{i} = SPLAT({kind}, ((const e_uint{bits} *)key)[{i}]);"
                for i in range(algorithm.key_words)
            ),
            f"    {kind} high = SPLAT({kind}, {high}), draw = SPLAT({kind}, 0);",
            f"    {kind} use = SPLAT({kind}, (e_uint{bits})domain);",
            f"    {kind} low = SPLAT({kind}, (e_uint{bits})first) + iota_{kind}();",
            "    (void)high, (void)draw, (void)use;",
            f"    size_t i = 0, n = groups * {few} * {lanes};",
            *loop(many),
            *loop(few),
            "}",
        ]
        self.functions.append("\n".join(lines))

    def _lanes(self, name: str, algorithm: Algorithm, read: Any, each: int) -> str:
        bits, copies = algorithm.word_bits, _SIDE_BY_SIDE[algorithm.block_words]
        kind = f"uint{bits}_w{bits}"
        lines = [
            f"static void lanes_{name}(size_t n, const void *const *key, const void *low_, const void *high_,",
            "        uint64_t draw, uint64_t domain, void *const *out) {",
            f"    {kind} number = SPLAT({kind}, (e_uint{bits})draw), use = SPLAT({kind}, (e_uint{bits})domain);",
            "    (void)number, (void)use;",
        ]
        once = [f"{kind} k{i} = SPLAT({kind}, *(const e_uint{bits} *)key[{i}]);" for i in range(algorithm.key_words)]
        lines += [] if each else [f"    {line}" for line in once]

        def vectors(copies: int) -> list[str]:
            mark, at = "_@" * (copies > 1), f"i + @ * LANES_w{bits}"
            keys = [f"k{i}" + mark * each for i in range(algorithm.key_words)]
            inputs, outputs = self._traced(algorithm, read)
            leaves = dict(zip(inputs, [*keys, f"low{mark}", f"high{mark}", "number", "use"], strict=True))
            body, results = statements(outputs, leaves, C(bits), copies)
            loads = [f"{kind} {k} = load_{kind}(key[{i}], {at});" for i, k in enumerate(keys)] if each else []
            loads += [f"{kind} {word}{mark} = load_{kind}({word}_, {at});" for word in ("low", "high")]
            loads.append(f"(void)high{mark};")
            stores = stores_of(C(bits), outputs, results, at)
            return [*for_each_copy(loads, copies), *body, *for_each_copy(stores, copies)]

        lines += side_by_side(bits, vectors(1), vectors(copies), copies)
        self.functions.append("\n".join([*lines, "}"]))
        return f"lanes_{name}"


def table_definition(table: Table) -> str:
    """Return the table that `lookup_float64_w64` reads: by columns, or the rows of each four columns."""
    filled = np.zeros((-(-len(table.columns) // C.columns), C.columns, table.columns.shape[1]))
    filled.reshape(-1, table.columns.shape[1])[: len(table.columns)] = table.columns
    orders = (filled, filled.swapaxes(1, 2))
    columns, rows = (", ".join(value.hex() for value in order.ravel().tolist()) for order in orders)
    name = f"static const e_float64 {table.name}[]"
    return f"#ifdef TABLES_BY_COLUMN\n{name} = {{{columns}}};\n#else\n{name} = {{{rows}}};\n#endif"


def _lanes(lanes: int, symbols: Sequence[Symbol]) -> int:
    """The width of the lanes of a map; narrower than the kernel's if one of its methods computes in 32 bits."""
    return 32 if all(symbol.dtype.itemsize == 4 for symbol in symbols) else lanes


def _constants(value: Symbol, arguments: Sequence[Symbol]) -> list[Symbol]:
    """The values of parameters alone that loops and counts need; with numbers as parameters, they are computed once."""
    needed = needs([value, *arguments], ())
    counts = [a for symbol in needed if symbol.op == "count" for a in symbol.args if isinstance(a, Symbol)]
    wanted = dict.fromkeys([*arguments, *counts])
    return [symbol for symbol in wanted if symbol.op not in ("param", "const") and not varying([symbol])]


@dataclass(frozen=True)
class _Named:
    """Stand-in for bfloat16, which NumPy does not define."""

    name: str


def _stage(kind: str, **values: Any) -> str:
    """Return a row of the stage table."""
    return row(kind=f"STAGE_{kind}", **values)


def sources(algorithms: Sequence[Algorithm], kernels: Sequence[Kernel]) -> tuple[str, str]:
    """Return two C sources: functions, compiled for each instruction set, and tables, compiled once."""
    made = _Source()
    rows = [made.algorithm(algorithm) for algorithm in algorithms]
    for result, dtype in STORES:
        made.store(result, dtype)
    for kernel in kernels:
        for dtype in kernel.dtypes:
            made.kernel(kernel, np.dtype(dtype))
    functions = [
        "/* Generated by keyrng._codegen.c. */",
        *map(table_definition, tables().values()),
        *made.functions,
        "static const map_fn maps[] = {" + ", ".join(made.names.values()) + "};",
        "static const algorithm_code algorithms[] = {\n    " + ",\n    ".join(rows) + "\n};",
    ]
    return "\n\n".join(functions) + "\n", _tables(made, algorithms)


def _tables(made: _Source, algorithms: Sequence[Algorithm]) -> str:
    lines = ["/* Generated by keyrng._codegen.c. */", "static const algorithm_info algorithm_infos[] = {"]
    lines += [
        f'    {{"{a.name}", {a.word_bits // 8}, {a.key_words}, {a.block_words}, {int(a.jax_layout)}}},'
        for a in algorithms
    ]
    lines += ["};", "static const char *const store_names[] = {"]
    lines += [f'    "{result}.{dtype}",' for result, dtype in STORES]
    lines += ["};", "static const stage stages[] = {"]
    lines += [f"    {stage}," for program in made.programs for stage in program.stages]
    lines += ["};", "static const program programs[] = {"]
    first = 0
    for program, output in zip(made.programs, made.outputs, strict=True):
        traced = program.traced
        parents, children = ([str(k[i]) for k in traced.keys] for i in (0, 1))
        fields = [
            f'"{program.name}"',
            f'"{traced.result.dtype.name}"',
            len(traced.parameters),
            traced.dtype.itemsize,
            len(traced.keys),
            "{" + ", ".join(parents) + "}",
            "{" + ", ".join(children) + "}",
            len(program.sizes),
            "{" + ", ".join(map(str, program.sizes)) + "}",
            len(program.stages),
            first,
            output,
            traced.result.dtype.itemsize,
            program.picoseconds,
        ]
        lines.append("    {" + ", ".join(map(str, fields)) + "},")
        first += len(program.stages)
    return "\n".join([*lines, "};"]) + "\n"
