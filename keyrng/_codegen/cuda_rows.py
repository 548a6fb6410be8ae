"""CUDA source of functions of rows: maxima and sums along an axis, and functions of these and of the elements.

A function of rows is ``function(row, *values)`` in the kernel language. ``row`` provides the number of an element and
reductions of expressions over the row: their results are the same for all elements. The threads of a block share rows;
sums are added from first to last, as on a CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keyrng._codegen.cuda_prelude import complete, written
from keyrng._codegen.dialects import CUDA
from keyrng._codegen.expressions import Expression, evaluate, passed_as
from keyrng._codegen.statements import extend, needs
from keyrng.kernels.bits import store
from keyrng.kernels.formats import from_ordered_word, ordered_word
from keyrng.kernels.ops import bitcast, cast, where
from keyrng.kernels.symbols import Graph, Symbol

__all__ = ["MOST_THREADS", "RowRequest", "has_sums", "result_dtype", "row_name", "row_source"]

MOST_THREADS = 512  # at most, per block

_CUDA = CUDA()


@dataclass(frozen=True)
class RowRequest:
    """A function of rows, the dtypes of what it is given, and its values as expressions of that.

    If it is ``reduced``, a row has one result and not one for each element. ``dtype`` is stored, by default that of the
    result.
    """

    function: Callable[..., Any]
    given: tuple[Any, ...]
    expressions: tuple[Expression, ...]
    reduced: bool
    dtype: Any = None


@dataclass(frozen=True)
class _Reduction:
    sums: bool
    operand: Symbol
    result: Symbol
    first: Any  # the result for no element


class Row:
    """A row that is traced."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.reductions: list[_Reduction] = []

    @property
    def index(self) -> Symbol:
        """The number of an element in its row, a uint64."""
        return self._graph.node("index", np.dtype(np.uint64))

    def max(self, x: Any) -> Any:
        """Return the largest of the words or floats of a row: NaN if one is NaN, -infinity or 0 if there is none."""
        if x.dtype.kind != "f":
            return self._reduced(False, x, x.dtype.type(0))
        least = ordered_word(np.full(1, -math.inf, x.dtype))[0]
        word = ordered_word(x)
        largest = self._reduced(False, where(x == x, word, 2 ** (8 * word.dtype.itemsize) - 1), least)
        return bitcast(from_ordered_word(largest), x.dtype)

    def sum(self, x: Any) -> Any:
        """Return the sum of the floats of a row, added from first to last to 0."""
        return self._reduced(True, x, x.dtype.type(0.0))

    def all(self, condition: Any) -> Any:
        """Return whether a condition is true for all elements of a row."""
        return self.max(cast(~condition, np.uint32)) == 0

    def largest(self, word: Any) -> tuple[Any, Any]:
        """Return the largest word of a row of less than 2**32 elements, and the number of the first such word."""
        number = ~cast(self.index, np.uint32)  # the largest belongs to the first element
        if word.dtype.itemsize == 4:  # both by one reduction
            both = self.max(cast(word, np.uint64) << 32 | cast(number, np.uint64))
            return cast(both >> 32, np.uint32), ~cast(both, np.uint32)
        largest = self.max(word)
        return largest, ~self.max(where(word == largest, number, 0))

    def take(self, first: Symbol, place: Any) -> Symbol:
        """Return the number ``place`` elements after a given one of the row, where it is in memory."""
        return self._graph.node("take", first.dtype, place, first.args[0])

    def _reduced(self, sums: bool, operand: Symbol, first: Any) -> Symbol:
        result = self._graph.node("row", operand.dtype, sums, operand)
        if all(known.result is not result for known in self.reductions):
            self.reductions.append(_Reduction(sums, operand, result, first))
        return result


def _traced(request: RowRequest) -> tuple[list[Symbol], list[_Reduction], Symbol]:
    """Return the symbols of what is given, the reductions in order, and the result."""
    graph = Graph()
    symbols = [graph.node("param", passed_as(dtype), i) for i, dtype in enumerate(request.given)]
    row = Row(graph)
    result = request.function(row, *evaluate(request.expressions, symbols, request.given))
    return symbols, row.reductions, result if request.dtype is None else store(result, request.dtype)


def result_dtype(request: RowRequest) -> Any:
    """Return the dtype of the results."""
    return request.dtype or _traced(request)[2].dtype


def has_sums(request: RowRequest) -> bool:
    """Return whether there are sums, which all threads of a row add."""
    return any(reduction.sums for reduction in _traced(request)[1])


def row_name(request: RowRequest) -> str:
    """Return the name of the function in `row_source`."""
    return f"keyrng_rows_{request.function.__name__.strip('_<>')}"


_KERNEL = """
extern "C" __global__ void __launch_bounds__($threads) $name(
        $signature) {
    __shared__ u64 shared[$threads];
    u64 width = blockDim.x, down = (u64)gridDim.x * blockDim.y;
    for (u64 first = (u64)blockIdx.x * blockDim.y; first < rows; first += down) {
        u64 row = first + threadIdx.y < rows ? first + threadIdx.y : rows - 1;
        u64 rest = row / inner_rows, high = rest / middle_rows;
        u64 middle = rest - high * middle_rows, low = row - rest * inner_rows;
        $pointers
        $reductions
        $results
    }
}
"""

_MAX = """
$kind $name = $first;
#pragma unroll 4
for (u64 index = threadIdx.x; index < columns; index += width) {
    $element
    $name = $name < $operand ? $operand : $name;
}
$name = row_max(shared, $name);
"""

# All threads of a row add the same numbers, because they all need the sum.
_SUM = """
$kind $name = $first;
if (width == 1) {
    for (u64 index = 0; index < columns; index++) {
        $element
        $name = f_add($name, $operand);
    }
} else {
    $kind *numbers = ($kind *)shared + threadIdx.y * width;
    for (u64 begin = 0; begin < columns; begin += width) {
        u64 index = begin + threadIdx.x, count = columns - begin < width ? columns - begin : width;
        if (index < columns) {
            $element
            numbers[threadIdx.x] = $operand;
        }
        __syncthreads();
        for (u64 i = 0; i < count; i++) $name = f_add($name, numbers[i]);
        __syncthreads();
    }
}
"""

_ELEMENTS = """
for (u64 index = threadIdx.x; index < columns; index += width) {
    $element
    out[row * columns + index] = $operand;
}
"""

_REDUCED = """
if (threadIdx.x == 0) {
    u64 index = 0;
    $element
    out[row] = $operand;
}
"""


def row_source(request: RowRequest) -> str:
    """Return the CUDA source of a function of rows.

    Its function, named by `row_name`, takes

    - ``u64 rows, middle_rows, inner_rows, columns, inner_columns``: the numbers of rows and of elements of a row, and
      the lengths of the last two of three axes of rows, and of the second of two axes of a row;
    - ``out``: the result, C-contiguous; 16-bit floats as ``unsigned short``;
    - ``const T *strided, T one, long long`` strides of the five axes, per value: ``one`` counts if ``strided`` is null.

    A block is as wide as a power of two, and has at most `MOST_THREADS` threads.
    """
    symbols, reductions, result = _traced(request)
    known: dict[Symbol, str] = {symbol: f"a{i}" for i, symbol in enumerate(symbols)}
    known[result.graph.node("index", np.dtype(np.uint64))] = "index"
    steps = []
    for i, each in enumerate(reductions):
        template = _SUM if each.sums else _MAX
        constant = each.operand.graph.constant(each.first, each.operand.dtype)
        parts = {"kind": _CUDA.declare(each.operand), "first": _CUDA.spell(constant, []), "name": f"r{i}"}
        steps += _step(template, each.operand, known, symbols, **parts).splitlines()
        known[each.result] = f"r{i}"
    kinds = [_CUDA.declare(symbol) for symbol in symbols]
    signature = [
        "u64 rows, u64 middle_rows, u64 inner_rows, u64 columns, u64 inner_columns",
        f"{_CUDA.declare(result)} *out",
    ]
    signature += [
        f"const {kind} *strided{i}, {kind} one{i}, " + ", ".join(f"long long step{i}_{axis}" for axis in range(5))
        for i, kind in enumerate(kinds)
    ]
    pointers = [
        f"const {kind} *p{i} = strided{i} + (long long)high * step{i}_0 + (long long)middle * step{i}_1"
        f" + (long long)low * step{i}_2;"
        for i, kind in enumerate(kinds)
    ]
    stored = _step(_REDUCED if request.reduced else _ELEMENTS, result, known, symbols)
    parts = {"name": row_name(request), "threads": str(MOST_THREADS), "signature": ",\n        ".join(signature)}
    return complete([written(_KERNEL, **parts, pointers=pointers, reductions=steps, results=stored.splitlines())], {})


def _step(template: str, operand: Symbol, known: dict[Symbol, str], given: Sequence[Symbol], **parts: str) -> str:
    """Return the code of a reduction or of the result: it reads the elements, and computes an operand of each."""
    used = needs([operand], set(known) - set(given))
    lines = ["u64 outer = inner_columns == columns ? 0 : index / inner_columns, inner = index - outer * inner_columns;"]
    for i, symbol in enumerate(given):
        if symbol in used:
            place = f"(long long)outer * step{i}_3 + (long long)inner * step{i}_4"
            lines.append(f"{_CUDA.declare(symbol)} a{i} = strided{i} ? p{i}[{place}] : one{i};")
    names = dict(known)
    lines += extend(names, [operand], _CUDA)
    return written(template, element=lines, operand=names[operand], **parts)
