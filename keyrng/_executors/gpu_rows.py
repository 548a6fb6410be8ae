"""Functions of rows of arrays in GPU memory, each one launch; `keyrng._codegen.cuda_rows` describes the functions.

CuPy's reductions add in another order than the CPU, and CuPy flushes subnormals.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np

from keyrng._codegen import cuda_rows
from keyrng._codegen.cuda_rows import MOST_THREADS, RowRequest
from keyrng._codegen.expressions import passed_as
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors import gpu
from keyrng._executors.cuda_launch import THREADS, Compiled, compiled, on
from keyrng._executors.pending import expression_of

Array: TypeAlias = Any
Shape: TypeAlias = tuple[int, ...]

_NULL: Any = np.uint64(0)
_u64, _i64 = np.uint64, np.int64


@in_default_fpenv
def apply_rows(
    function: Callable[..., Any],
    *values: Array,
    axes: int = 1,
    reduced: bool = False,
    dtype: Any = None,
    out: Array | None = None,
) -> Array:
    """Apply a function of rows to arrays that broadcast together, of which one is in GPU memory.

    A row is the last axis, or the last two as one. If it is ``reduced``, the result has one element per row. ``dtype``
    is stored, by default that of the result, in contiguous ``out`` if it is given.
    """
    given: list[Array] = []
    expressions = tuple(expression_of(value, given) for value in values)
    device = next(array.device.id for array in given if not isinstance(array, np.ndarray))
    request = RowRequest(function, tuple(array.dtype for array in given), expressions, reduced, dtype)
    full = np.broadcast_shapes(*(value.shape for value in values))
    shape = full[:-axes] if reduced else full
    with on(device):
        (launch, blocks), stored, sums = _compiled(request, device, gpu.cupy())
        out = gpu.cupy().empty(shape, stored) if out is None else out
        if out.size:
            rows, columns = prod(full[:-axes]), prod(full[-axes:])
            middle_rows, inner_rows, inner_columns, arguments = _arguments(given, full, axes)
            numbers = map(_u64, (rows, middle_rows, inner_rows, columns, inner_columns))
            width, high = _block(rows, columns, sums, blocks * THREADS)
            launch((min(-(-rows // high), blocks), 1), (width, high), (*numbers, out, *arguments))
    return out


@lru_cache(maxsize=1024)
def _compiled(request: RowRequest, device: int, cupy: Any) -> tuple[Compiled, Any, bool]:
    """Compile a function of rows; return it, the dtype of its results and whether it has sums.

    The cache is keyed by CuPy for tests.
    """
    (function,) = compiled(cuda_rows.row_source(request), cuda_rows.row_name(request))
    return function, cuda_rows.result_dtype(request), cuda_rows.has_sums(request)


_LONG = 1 << 13  # elements of a row, from which on a block has more threads


def _block(rows: int, columns: int, sums: bool, threads: int) -> tuple[int, int]:
    """Return how many threads a row has, a power of two, and how many rows a block has.

    Each thread of a row adds all sums, so with sums a row has as few threads as keep ``threads`` busy and read whole
    sectors.
    """
    widest = 1 << (max(columns, 1) - 1).bit_length()
    if not sums:
        width = min(widest, MOST_THREADS if columns >= _LONG else THREADS)
    else:
        width = min(widest, 1 if columns < 32 else 8)
        while width < min(widest, THREADS) and rows * width < threads:
            width *= 2
    return width, max(1, THREADS // width)


def _arguments(given: list[Array], full: Shape, axes: int) -> tuple[int, int, int, list[Any]]:
    """Return the lengths of the inner axes of rows and of columns, and the arguments of each value."""
    steps = [_steps(array, full) for array in given]
    cut = len(full) - axes
    rows, columns = _merged(full[:cut], [s[:cut] for s in steps], 3), _merged(full[cut:], [s[cut:] for s in steps], 2)
    if len(rows) > 3:
        cupy = gpu.cupy()
        whole = [a if a.size == 1 else cupy.ascontiguousarray(cupy.broadcast_to(a, full)) for a in given]
        return _arguments(whole, full, axes)
    lengths, by_axis = zip(*((length, each) for length, *each in (*rows, *columns)), strict=True)
    arguments: list[Any] = []
    for array, *five in zip(given, *by_axis, strict=True):
        scalar, by_value = passed_as(array.dtype).type, isinstance(array, np.ndarray)
        arguments += (_NULL, scalar(array.item())) if by_value else (array, scalar(0))
        arguments += map(_i64, five)
    return lengths[1], lengths[2], lengths[4], arguments


def _steps(array: Array, full: Shape) -> Shape:
    """Return by how many elements the next element along each axis is away; 0 along axes that are broadcast."""
    steps = (0 if n == 1 else s // array.itemsize for n, s in zip(array.shape, array.strides, strict=True))
    return (*(0,) * (len(full) - array.ndim), *steps)


def _merged(shape: Shape, steps: list[Shape], least: int) -> list[list[int]]:
    """Return length and steps of all arrays per axis; contiguous axes are merged, and there are at least ``least``."""
    merged: list[list[int]] = []
    for length, *each in zip(shape, *steps, strict=True):
        if length == 1:
            continue
        if merged and all(before == step * length for before, step in zip(merged[-1][1:], each, strict=True)):
            merged[-1] = [merged[-1][0] * length, *each]
        else:
            merged.append([length, *each])
    return [[1, *(0,) * len(steps)]] * (least - len(merged)) + merged


# Single reductions


def row_max(x: Array) -> Array:
    """Return the maximum of each row; NaN if it contains NaN, -infinity if it is empty."""
    return apply_rows(_max, x, reduced=True)


def row_sum(x: Array) -> Array:
    """Return the sum of each row, added from first to last."""
    return apply_rows(_sum, x, reduced=True)


def sum_of_products(x: Array, y: Array) -> Array:
    """Return the sums of ``x * y`` along the last axis, added from first to last."""
    return apply_rows(_sum_of_products, x, y, reduced=True)


def _max(row: Any, x: Any) -> Any:
    return row.max(x)


def _sum(row: Any, x: Any) -> Any:
    return row.sum(x)


def _sum_of_products(row: Any, x: Any, y: Any) -> Any:
    return row.sum(x * y)
