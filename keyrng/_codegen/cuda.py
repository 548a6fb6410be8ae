"""CUDA source of kernels: one function for each kernel, dtype and algorithm; a thread computes whole lanes.

`source` returns a complete translation unit for NVRTC or nvcc, with the words, child keys and rejection loops of
`keyrng._executors.numpy`. It includes no headers, because NVRTC has no standard ones, and it is deterministic.
See `keyrng._codegen.cuda_prelude` for why compiler flags cannot change its results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from keyrng._codegen.cuda_algorithm import algorithm_functions, attempt_words
from keyrng._codegen.cuda_prelude import complete, device, identifier, written
from keyrng._codegen.dialects import CUDA, literal
from keyrng._codegen.expressions import Expression, evaluate, passed_as
from keyrng._codegen.statements import extend, statements
from keyrng._codegen.trace import Attempt, Program, Source, leaves, trace
from keyrng.algorithms.base import Algorithm, Domain
from keyrng.kernels.bits import store
from keyrng.kernels.lane import Kernel
from keyrng.kernels.ops import bitcast, cast
from keyrng.kernels.symbols import BOOL, Graph, Symbol

__all__ = ["Request", "function_name", "group", "has_loops", "module", "passed_as", "source"]

Dtype: TypeAlias = np.dtype[Any]
Guard: TypeAlias = Callable[[Any], Any]

_CUDA = CUDA()


@dataclass(frozen=True)
class Request:
    """A kernel, the dtype it computes in and the dtype of its result: a NumPy dtype or an object named bfloat16.

    ``guards`` is empty or has one entry per parameter: a predicate in the kernel language, or None. Where a predicate
    is false, the kernel does not run and the element is NaN, -1 (all bits set) for integers or False for booleans.

    The kernel's parameters are given, or computed from numbers that are: ``given`` has the dtypes of these numbers, and
    ``expressions`` has one entry per parameter.
    """

    kernel: Kernel
    compute: Dtype
    dtype: Any
    guards: tuple[Guard | None, ...] = ()
    given: tuple[Any, ...] = ()
    expressions: tuple[Expression, ...] = ()

    def parameters(self, symbols: Sequence[Symbol]) -> Sequence[Symbol]:
        """Return the kernel's parameters, from the symbols of what is given."""
        return evaluate(self.expressions, symbols, self.given) if self.expressions else symbols

    @property
    def guarded(self) -> bool:
        """Whether any parameter has a guard."""
        return any(guard is not None for guard in self.guards)


def function_name(request: Request, algorithm: Algorithm) -> str:
    """The name of the function in `source`."""
    parts = (request.kernel.name, request.compute.name, request.dtype.name, algorithm.name)
    return identifier("keyrng", *parts, *(["guarded"] if request.guarded else []))


def source(request: Request, algorithm: Algorithm) -> str:
    """Return the CUDA source of a kernel that computes in one dtype and stores another, with an algorithm's words.

    The function, named by `function_name`, takes

    - ``const word *keys, u64 rows``: the words of ``rows`` keys, one after the other, one key per row of the result;
      they are not read if the kernel draws no words;
    - ``u64 start, u64 count, u64 size``: elements ``start`` to ``start + count`` of the ``size`` elements of each key;
    - ``out``: the result, C-contiguous; 16-bit floats as ``unsigned short``;
    - ``const T *p, T one, u64 repeat, u64 length`` per parameter: element ``flat`` of the result reads
      ``p[flat / repeat % length]``, or the scalar ``one`` if ``length`` is 0. For ``n`` elements, ``repeat, length`` is
      ``1, n`` for one value per element, ``1, m`` for values along the last axis and ``n / m, m`` along the first.
      Other broadcasts have to be materialized first.

    The launch geometry does not change the result: the x dimension of the grid covers the groups (`group`) of a row,
    the y dimension covers the rows.

    Raises
    ------
    TypeError
        If storing the kernel's result as the dtype needs a ``cast`` in the kernel.
    """
    return module(algorithm, [request])


def module(algorithm: Algorithm, requests: Iterable[Request]) -> str:
    """Return the source of several kernels and dtypes, as `source` does for one."""
    programs: dict[tuple[Any, ...], Program] = {}
    parts = []
    for request in dict.fromkeys(requests):
        same = request.kernel, request.compute, request.given, request.expressions
        program = programs.get(same)
        if program is None:
            program = programs[same] = _traced(request)
            parts += _value(request, program, algorithm)
        parts += [*_guards(request, program, algorithm), _fill(request, program, algorithm)]
    return complete(parts, algorithm_functions(algorithm))


def group(request: Request, algorithm: Algorithm) -> int:
    """Return the number of elements of a row that a thread computes at once, a power of two.

    As many as fill 16 bytes and whole blocks, starting at a multiple of the number. It is 1 for kernels with a
    rejection loop, where the other elements would wait for the slowest.
    """
    return _group(_traced(request), request.dtype, algorithm)


def has_loops(request: Request) -> bool:
    """Return whether the times of elements differ, because they are computed in loops."""
    return bool(_traced(request).loops)


def _traced(request: Request) -> Program:
    if not request.expressions:
        return trace(request.kernel.function, request.compute, len(request.kernel.parameters))

    def kernel(lane: Any, *given: Symbol) -> Any:
        return request.kernel(lane, *request.parameters(given))

    return trace(kernel, request.compute, [passed_as(dtype) for dtype in request.given])


def _group(program: Program, dtype: Any, algorithm: Algorithm) -> int:
    if program.loops:
        return 1
    return max(16 // _itemsize(dtype), *(algorithm.per_block(s.bits) for s in program.sources if _runs(s)), 1)


def _itemsize(dtype: Any) -> int:
    return 2 if dtype.name == "bfloat16" else int(dtype.itemsize)


def _runs(drawn: Source) -> bool:
    """Whether consecutive elements read consecutive words, and groups start at whole blocks."""
    return drawn.step == 1 and drawn.plane == 0


# Elements


def _value_name(request: Request) -> str:
    return identifier(request.kernel.name, request.compute.name)


def _value(request: Request, program: Program, algorithm: Algorithm) -> list[str]:
    """Return the functions of a kernel's loops and of its value for one element and its words."""
    leaf, parts, name = leaves(program), [], _value_name(request)
    known = {symbol: f"p{i}" for i, symbol in enumerate(program.parameters)}
    known |= {leaf["word", i]: f"w{i}" for i in range(len(program.sources))}
    inputs = [f"{_CUDA.declare(symbol)} {text}" for symbol, text in known.items()]
    if program.loops:
        inputs += [*(f"const Key &key{i}" for i in sorted({loop.key for loop in program.loops})), "u64 index"]
    body = []
    for i, loop in enumerate(program.loops):
        parts.append(_loop(f"{name}_loop{i}", loop.body, [a.dtype for a in loop.arguments], algorithm))
        body += extend(known, loop.arguments, _CUDA)
        arguments = ", ".join([f"key{loop.key}", "index", *(known[a] for a in loop.arguments)])
        body.append(f"{_CUDA.declare(leaf['loop', i])} l{i} = {name}_loop{i}({arguments});")
        known[leaf["loop", i]] = f"l{i}"
    body += extend(known, [program.result], _CUDA)
    return [*parts, device(_CUDA.declare(program.result), name, inputs, [*body, f"return {known[program.result]};"])]


def _loop(name: str, attempt: Attempt, arguments: Sequence[Dtype], algorithm: Algorithm) -> str:
    """Return a loop: attempts on the words of successive blocks, or from successive states, until one is accepted."""
    graph = attempt.graph
    known = {graph.node("param", dtype, i): f"a{i}" for i, dtype in enumerate(arguments)}
    body = []
    if attempt.words:
        per_block = algorithm.word_bits * algorithm.block_words // attempt.bits
        for block in range(-(-attempt.words // per_block)):
            body.append(f"Block b{block} = next_block(key, index, draw);")
            words = attempt_words(algorithm, attempt.bits, f"b{block}", known, body)
            for i, word in enumerate(words[: attempt.words - block * per_block]):
                known[graph.node("word", np.dtype(f"uint{attempt.bits}"), block * per_block + i)] = word
    body += extend(known, [attempt.accept, attempt.value, *attempt.state], _CUDA)
    body.append(f"if ({known[attempt.accept]}) return {known[attempt.value]};")
    body += [f"{_CUDA.declare(symbol)} next{i} = {known[symbol]};" for i, symbol in enumerate(attempt.state)]
    body += [f"a{i} = next{i};" for i in range(len(attempt.state))]
    lines = ["u64 draw = 1;", "while (true) {", *(f"    {line}" for line in body), "}"]
    inputs = ["Key key", "u64 index", *(f"{_CUDA.type(dtype)} a{i}" for i, dtype in enumerate(arguments))]
    return device(_CUDA.declare(attempt.value), name, inputs, lines)


def _guards(request: Request, program: Program, algorithm: Algorithm) -> list[str]:
    """Return the function that checks the parameters, if any has a guard."""
    if not request.guarded:
        return []
    names = {symbol: f"p{i}" for i, symbol in enumerate(program.parameters)}
    parameters = request.parameters(program.parameters)
    asked = [g(symbol) for g, symbol in zip(request.guards, parameters, strict=True) if g is not None]
    predicate = asked[0]
    for other in asked[1:]:
        predicate = predicate & other
    lines, (result,) = statements([predicate], names, _CUDA)
    inputs = [f"{_CUDA.declare(symbol)} {text}" for symbol, text in names.items()]
    return [device("bool", f"{function_name(request, algorithm)}_holds", inputs, [*lines, f"return {result};"])]


def _stored(result: Symbol, dtype: Any) -> Symbol:
    """Convert a result to the dtype that is stored."""
    kind = "f" if dtype.name == "bfloat16" else dtype.kind
    if (result.dtype == BOOL) != (kind == "b") or (result.dtype.kind == "f" and kind in "iu"):
        raise TypeError(f"kernel result {result.dtype} cannot be stored as {dtype.name}; use cast() in the kernel")
    stored: Symbol = store(result, dtype)
    return stored


def _item(stored: Symbol) -> Symbol:
    """A stored value as an unsigned integer of its size."""
    word = np.dtype(f"u{stored.dtype.itemsize}")
    item: Symbol = cast(stored, word) if stored.dtype == BOOL else bitcast(stored, word)
    return item


_NANS = {"float16": 0x7E00, "bfloat16": 0x7FC0, "float32": 0x7FC00000, "float64": 0x7FF8 << 48}


def _missing(dtype: Any) -> str:
    """The word stored for an element whose parameters are invalid."""
    bits = 8 * _itemsize(dtype)
    word = 0 if dtype.name == "bool" else _NANS.get(dtype.name, 2**bits - 1)
    return literal(np.dtype(f"uint{bits}").type(word))


# The kernel that is launched

# Keys are derived once per row, because a child costs as much as a word. Parameters that are constant within a row
# stay in registers, at the cost of one test per group.
_FILL = """
extern "C" __global__ void $name(
        $signature) {
    u64 across = (u64)gridDim.x * blockDim.x, down = (u64)gridDim.y * blockDim.y;
    for (u64 row = (u64)blockIdx.y * blockDim.y + threadIdx.y; row < rows; row += down) {
        $keys
        $parameters
        $item *to = ($item *)out + row * count;
        $elements
    }
}
"""

# A group may start before the first element of its row and end after the last.
_GROUPS = """
u64 whole = whole_groups<$group, sizeof($item)>(to, start, count);
long long first = (long long)((u64)blockIdx.x * blockDim.x + threadIdx.x) * $group - (long long)(start % $group);
for (long long at = first; at < (long long)count; at += across * $group) {
    $varying
    $words
    $item items[$group];
    #pragma unroll
    for (int i = 0; i < $group; i++) {
        $element
    }
    if ((u64)at < whole) {
        put(to + at, items);
    } else {
        #pragma unroll
        for (int i = 0; i < $group; i++)
            if ((u64)(at + i) < count) to[at + i] = items[i];
    }
}
"""

_EACH = """
for (u64 at = (u64)blockIdx.x * blockDim.x + threadIdx.x; at < count; at += across) {
    $varying
    $element
}
"""


def _fill(request: Request, program: Program, algorithm: Algorithm) -> str:
    stored = _stored(Graph().node("param", program.result.dtype, 0), request.dtype)
    size, item = _group(program, request.dtype, algorithm), _CUDA.declare(_item(stored))
    words = []
    for i, drawn in enumerate(program.sources):
        if size > 1 and _runs(drawn):
            word = _CUDA.declare(leaves(program)["word", i])
            words += [f"{word} w{i}[{size}];", f"run{drawn.bits}(key{drawn.key}, start + at, w{i});"]
    kinds = [_CUDA.declare(symbol) for symbol in program.parameters]
    each = range(len(kinds))
    parameters, varying = [], []
    for i, kind in enumerate(kinds):
        given = f"p{i}, p{i}_one, p{i}_repeat, p{i}_length, row, count"
        parameters += [f"{kind} a{i}[{size}];", f"bool varies{i} = varies(a{i}, {given});"]
        varying.append(f"    if (varies{i}) vary(a{i}, p{i}, p{i}_repeat, p{i}_length, row, count, (long long)at);")
    if varying:
        varying = [f"if ({' | '.join(f'varies{i}' for i in each)}) {{", *varying, "}"]
    elements = written(
        _GROUPS if size > 1 else _EACH,
        group=str(size),
        item=item,
        varying=varying,
        words=words,
        element=_element(request, program, algorithm, size),
    )
    signature = [
        "const word *__restrict__ keys, u64 rows, u64 start, u64 count, u64 size",
        f"{_CUDA.declare(stored)} *out",
        *(f"const {kind} *p{i}, {kind} p{i}_one, u64 p{i}_repeat, u64 p{i}_length" for i, kind in enumerate(kinds)),
    ]
    return written(
        _FILL,
        name=function_name(request, algorithm),
        signature=",\n        ".join(signature),
        keys=_keys(program, algorithm),
        parameters=parameters,
        item=item,
        elements=elements.splitlines(),
    )


def _keys(program: Program, algorithm: Algorithm) -> list[str]:
    """The statements that derive the keys that words are drawn from, parents first."""
    needed = {source.key for source in program.sources} | {loop.key for loop in program.loops}
    for key in range(len(program.keys) - 1, 0, -1):
        if key in needed:
            needed.add(program.keys[key][0])
    made = {0: f"load_key(keys + {algorithm.key_words} * row)"}
    made |= {k: f"child(key{parent}, {i}, 0, {Domain.SPLIT:d})" for k, (parent, i) in enumerate(program.keys) if k}
    return [f"Key key{key} = {made[key]};" for key in sorted(needed)]


def _element(request: Request, program: Program, algorithm: Algorithm, size: int) -> list[str]:
    """The statements that compute and store one element, of a group if ``size`` > 1."""
    to, i, index = ("to[at]", "0", "start + at") if size == 1 else ("items[i]", "i", "start + at + i")
    arguments = [f"a{number}[{i}]" for number in range(len(program.parameters))]
    words = [
        f"w{number}[i]" if size > 1 and _runs(drawn) else _direct(drawn, index)
        for number, drawn in enumerate(program.sources)
    ]
    loops = [*(f"key{key}" for key in sorted({loop.key for loop in program.loops})), index] if program.loops else []
    value = f"{_value_name(request)}({', '.join([*arguments, *words, *loops])})"
    result = Graph().node("param", program.result.dtype, 0)
    stores, (item,) = statements([_item(_stored(result, request.dtype))], {result: "value"}, _CUDA)
    make = [f"{_CUDA.declare(result)} value = {value};", *stores, f"{to} = {item};"]
    if not request.guarded:
        return make
    predicate = f"{function_name(request, algorithm)}_holds({', '.join(arguments)})"
    otherwise = ["} else {", f"    {to} = {_missing(request.dtype)};", "}"]
    return [f"if ({predicate}) {{", *(f"    {line}" for line in make), *otherwise]


def _direct(drawn: Source, index: str) -> str:
    """The expression of a single word."""
    place = index if drawn.step == 1 else f"({index}) * {drawn.step} + {drawn.place}"
    return f"direct{drawn.bits}(key{drawn.key}, {place}{f' + {drawn.plane} * size' if drawn.plane else ''})"
