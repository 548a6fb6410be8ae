"""C source of the native path: one function for each algorithm and kernel, and tables that the runtime reads.

`setup.py` calls `sources` once per build. The hand-written C is in ``_executors/csrc``.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from keyrng._codegen.c_maps import Maps, row
from keyrng._codegen.c_words import print_algorithm
from keyrng._codegen.dialects import C
from keyrng._codegen.halves import halved
from keyrng._codegen.methods import arguments_of, loops_of, selects_method, varying
from keyrng._codegen.statements import needs, walk
from keyrng._codegen.trace import Loop, Program, leaves, trace
from keyrng.algorithms.base import Algorithm
from keyrng.kernels.bits import store
from keyrng.kernels.counting import MOST_TERMS
from keyrng.kernels.lane import Kernel
from keyrng.kernels.lookup import Table, tables
from keyrng.kernels.symbols import Graph, Symbol

# Array sizes of csrc/code.h. The words of an attempt, rounded up to whole blocks, plus one more block fit the 16 rows
# of MOST_WORDS in csrc/words.h.
_MOST_BUFFERS, _MOST_KEYS, _MOST_WORDS, _MOST_COUNTS = 32, 12, 8, 2

_FEW_OPERATIONS = 15

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
        traced = halved(trace(kernel.function, dtype, len(kernel.parameters)))
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
        """Add the stages of a value: constants, loops, counts and the value itself.

        Counts are separate stages where the parameters are numbers, because their terms are then computed once. With
        arrays, one map computes the value.
        """
        loops = loops_of(program.traced, value)
        counts, known = _constant_counts(value, where) if not loops else [], dict(where)
        only = "NUMBERS" if counts else "ANY"
        constants = _constants(value, arguments_of(program.traced, value))
        self._compute(program, f"{name}_constants", lanes, where, constants, copies, constant=1, only=only)
        for i, (symbol, loop) in enumerate(loops):
            self._compute(program, f"{name}_before{i}", lanes, where, loop.arguments, copies)
            where[symbol] = program.buffer(symbol.dtype)
            stage, number = self._loop(f"{name}_attempt{i}", lanes, loop, where, where[symbol], copies)
            program.stages.append(stage)
            program.picoseconds += 3000 + 3 * (self.picoseconds[number] + 20 * loop.body.bits * loop.body.words) // 2
        for i, symbol in enumerate(counts):
            self._count(program, f"{name}_count{i}", lanes, where, symbol, copies)
        self._compute(program, name, lanes, where, [value], copies, only=only)
        if counts:
            number = self._map(program, f"{name}_whole", lanes, known, {value: where[value]}, copies, only="ARRAYS")
            program.picoseconds += 3 * self.picoseconds[number]

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
        **when: Any,
    ) -> None:
        """Add a map stage for the wanted symbols that are not in a buffer yet."""
        outputs = {symbol: program.buffer(symbol.dtype) for symbol in dict.fromkeys(wanted) if symbol not in where}
        if outputs:
            self._map(program, name, lanes, where, outputs, copies, **when)
            where.update(outputs)

    def _map(
        self,
        program: _Program,
        name: str,
        lanes: int,
        where: dict[Symbol, int],
        outputs: dict[Symbol, int],
        copies: int,
        **when: Any,
    ) -> int:
        """Add a map stage and return the number of the map."""
        needed = needs(list(outputs), where)
        inputs = [symbol for symbol in where if symbol in needed]
        maps = self.maps_of(name, _lanes(lanes, [*inputs, *outputs]), inputs, list(outputs), copies)
        buffers = {"inputs": [where[symbol] for symbol in inputs], "outputs": list(outputs.values())}
        program.picoseconds += self.picoseconds[maps["map"]]
        program.stages.append(_stage("MAP", **maps, **when, **buffers))
        number: int = maps["map"]
        return number

    def _count(
        self, program: _Program, name: str, lanes: int, where: dict[Symbol, int], symbol: Symbol, copies: int
    ) -> None:
        """Add the stage of ``count_sums``, with the map of a term for a table of the sums."""
        first, step, u, *arguments = symbol.args
        self._compute(program, f"{name}_before", lanes, where, [u, first, *arguments], copies, only="NUMBERS")
        term = self.map(f"{name}_term", lanes, [*step.inputs[1:4], *step.inputs[5:]], [step.term], 1)
        where[symbol] = program.buffer(symbol.dtype)
        program.stages.append(
            _stage(
                "COUNT",
                only="NUMBERS",
                term=term,
                start=step.start,
                inputs=[where[a] for a in (u, first, *arguments)],
                outputs=[where[symbol]],
            )
        )

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


def table_definitions() -> list[str]:
    """Return the tables that maps read: those of `lookup`, and the inverses of the numbers of terms in a count."""
    # Divisions would take a third of the time of a count. One may start at 1.
    inverses = ", ".join((1.0 / k).hex() for k in range(1, MOST_TERMS + 2))
    return [*map(_table, tables().values()), f"static const e_float64 inverses[] = {{0.0, {inverses}}};"]


def _table(table: Table) -> str:
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


def _constant_counts(value: Symbol, known: Container[Symbol]) -> list[Symbol]:
    """The counts that a value needs and whose terms depend on parameters alone, unless there are too many."""
    counts = [symbol for symbol in walk([value], known) if symbol.op == "count"]
    terms = [a for symbol in counts for a in (symbol.args[0], *symbol.args[3:])]
    return [] if varying(terms) or len(counts) > _MOST_COUNTS else counts


def _constants(value: Symbol, arguments: Sequence[Symbol]) -> list[Symbol]:
    """The values of parameters alone that loops and counts need, or without these that take many operations.

    With numbers as parameters, they are computed once.
    """
    needed = needs([value, *arguments], ())
    counts = [a for symbol in needed if symbol.op == "count" for a in symbol.args if isinstance(a, Symbol)]
    wanted = dict.fromkeys([*arguments, *counts] or _costly(value))
    return [symbol for symbol in wanted if symbol.op not in ("param", "const") and not varying([symbol])]


def _costly(value: Symbol) -> list[Symbol]:
    """The values of parameters alone that operations on words use, and that take many operations themselves.

    With arrays as parameters they are computed for every element, and storing one costs as much as a few operations.
    """
    order, of_words = dict.fromkeys(walk([value], ())), set[Symbol]()
    used: dict[Symbol, None] = {}
    for symbol in order:
        operands = [a for a in symbol.args if isinstance(a, Symbol) and a in order]
        if symbol.op in ("word", "loop") or not of_words.isdisjoint(operands):
            of_words.add(symbol)
            used.update(dict.fromkeys(operands))
    return [symbol for symbol in used if symbol not in of_words and len(needs([symbol], ())) > _FEW_OPERATIONS]


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
    rows = [print_algorithm(algorithm, made.functions) for algorithm in algorithms]
    for result, dtype in STORES:
        made.store(result, dtype)
    for kernel in kernels:
        for dtype in kernel.dtypes:
            made.kernel(kernel, np.dtype(dtype))
    functions = [
        "/* Generated by keyrng._codegen.c. */",
        *table_definitions(),
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
