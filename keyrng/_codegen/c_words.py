"""C functions for the words of an algorithm: of consecutive blocks, and of a block per lane."""

from __future__ import annotations

from typing import Any

from keyrng._codegen.c_maps import side_by_side, stores_of
from keyrng._codegen.dialects import C
from keyrng._codegen.statements import for_each_copy, statements
from keyrng.algorithms.base import Algorithm, Words
from keyrng.kernels.symbols import Graph, Symbol

# Vectors of blocks that are computed side by side, by words per block: of blocks at any indices as many as 16 registers
# hold; of consecutive blocks many, and few for the rest and for small draws.
_SIDE_BY_SIDE, _MANY, _FEW = {2: 4, 4: 2}, {2: 8, 4: 4}, {2: 2, 4: 2}


def print_algorithm(algorithm: Algorithm, functions: list[str]) -> str:
    """Print the fill and lane functions of an algorithm and return its row of the table."""
    name = algorithm.name
    if algorithm.jax_layout:
        _fill(functions, f"values32_{name}", algorithm, lambda block: algorithm.values(block, 32))
        _fill(functions, f"values64_{name}", algorithm, lambda block: (block[1], block[0]))
        _fill(functions, f"halves_{name}", algorithm, lambda block: (block[0],))
        fills = [f"fill_{values}_{name}" for values in ("values32", "values64", "halves", "blocks")]
    else:
        fills = [*[f"fill_blocks_{name}"] * 2, "NULL", f"fill_blocks_{name}"]
    _fill(functions, f"blocks_{name}", algorithm, lambda block: block)
    rows = []
    for bits in (32, 64):
        pair = [
            _lanes(functions, f"{name}_{bits}_{each}", algorithm, lambda b, w=bits: algorithm.words(b, w), each)
            for each in (0, 1)
        ]
        rows.append("{" + ", ".join(pair) + "}")
    values = [
        _lanes(functions, f"{name}_values_{each}", algorithm, lambda b: algorithm.values(b, 32), each)
        if algorithm.jax_layout
        else f"lanes_{name}_32_{each}"
        for each in (0, 1)
    ]
    rows.append("{" + ", ".join(values) + "}")
    vector = f"LANES_w{algorithm.word_bits}"
    group = f"{_FEW[algorithm.block_words]} * {vector}"
    return "{" + ", ".join([*fills, *rows, group, vector]) + "}"


def _traced(algorithm: Algorithm, read: Any) -> tuple[list[Symbol], list[Symbol]]:
    graph = Graph()
    inputs = [graph.node("param", algorithm.dtype, i) for i in range(algorithm.key_words + 4)]
    block: Words = algorithm.at(inputs[: algorithm.key_words], *inputs[algorithm.key_words :])
    return inputs, list(read(block))


def _fill(functions: list[str], name: str, algorithm: Algorithm, read: Any) -> None:
    bits, many, few = algorithm.word_bits, _MANY[algorithm.block_words], _FEW[algorithm.block_words]
    kind, lanes = f"uint{bits}_w{bits}", f"LANES_w{bits}"
    inputs, outputs = _traced(algorithm, read)
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
        *(f"    {kind} k{i} = SPLAT({kind}, ((const e_uint{bits} *)key)[{i}]);" for i in range(algorithm.key_words)),
        f"    {kind} high = SPLAT({kind}, {high}), draw = SPLAT({kind}, 0);",
        f"    {kind} use = SPLAT({kind}, (e_uint{bits})domain);",
        f"    {kind} low = SPLAT({kind}, (e_uint{bits})first) + iota_{kind}();",
        "    (void)high, (void)draw, (void)use;",
        f"    size_t i = 0, n = groups * {few} * {lanes};",
        *loop(many),
        *loop(few),
        "}",
    ]
    functions.append("\n".join(lines))


def _lanes(functions: list[str], name: str, algorithm: Algorithm, read: Any, each: int) -> str:
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
        inputs, outputs = _traced(algorithm, read)
        leaves = dict(zip(inputs, [*keys, f"low{mark}", f"high{mark}", "number", "use"], strict=True))
        body, results = statements(outputs, leaves, C(bits), copies)
        loads = [f"{kind} {k} = load_{kind}(key[{i}], {at});" for i, k in enumerate(keys)] if each else []
        loads += [f"{kind} {word}{mark} = load_{kind}({word}_, {at});" for word in ("low", "high")]
        loads.append(f"(void)high{mark};")
        stores = stores_of(C(bits), outputs, results, at)
        return [*for_each_copy(loads, copies), *body, *for_each_copy(stores, copies)]

    lines += side_by_side(bits, vectors(1), vectors(copies), copies)
    functions.append("\n".join([*lines, "}"]))
    return f"lanes_{name}"
