"""Functions of rows and pending values on a GPU, compared with NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import HAVE_BFLOAT16, assert_same
from gpus import Gpu, host, without_waiting

from keyrng._core.dtypes import floating_dtype
from keyrng._executors import gpu_rows
from keyrng._executors.device import CPU, device_at
from keyrng.kernels.formats import conversion
from keyrng.kernels.ops import cast, where

RNG = np.random.default_rng(1)
VIEWS: tuple[Any, ...] = (lambda x: x, lambda x: x[..., ::-1], lambda x: x.T)
SHAPES = ((3,), (5, 1), (2, 3, 7), (3, 700), (300, 3), (0, 4), (3, 0), (2, 2, 2, 33), (1, 9000))


def one_nan(x: Any) -> Any:
    """The array with the same bits for each NaN."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(x), np.nan, x).astype(x.dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("busy", [False, True])
def test_maxima_and_sums(there: Gpu, dtype: str, busy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if busy:  # a row has fewer threads
        monkeypatch.setattr(gpu_rows, "THREADS", 16)
    for shape in SHAPES:
        x = (RNG.normal(size=shape) * 10.0 ** RNG.integers(-40, 30, shape)).astype(dtype)
        if x.size > 20:
            x.flat[3], x.flat[-1] = np.nan, -np.inf
        for view in VIEWS:
            on_gpu = view(there.cupy.asarray(x))
            device = device_at(on_gpu)
            with without_waiting():
                results = device.row_max(on_gpu), device.row_sum(on_gpu)
            for result, expected in zip(results, (CPU.row_max(view(x)), CPU.row_sum(view(x))), strict=True):
                assert_same(one_nan(host(result)), one_nan(expected))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_of_products_of_what_broadcasts(there: Gpu, dtype: str) -> None:
    shapes = (
        ((4, 5), (5,)),
        ((2, 1, 3, 4), (5, 1, 4)),
        ((2, 3, 1, 1, 4), (1, 3, 5, 2, 1)),
        ((2, 1, 3, 1, 9), (7, 1, 2, 9)),
    )
    for a, b in shapes:
        x, y = RNG.normal(size=a).astype(dtype), RNG.normal(size=b).astype(dtype)
        on_gpu = there.cupy.asarray(x), there.cupy.asarray(y)
        y = np.broadcast_to(y, (*y.shape[:-1], x.shape[-1]))
        assert_same(host(device_at(on_gpu[0]).sum_of_products(*on_gpu)), CPU.sum_of_products(x, y))


def largest(row: Any, word: Any) -> Any:
    value, number = row.largest(word)
    return cast(value, np.uint64) * 1000 + cast(number, np.uint64)


def all_below(row: Any, x: Any, limit: Any) -> Any:
    return row.all(x < limit)


def above_the_mean(row: Any, x: Any, count: Any) -> Any:
    return where(x > row.sum(x) / count, x, 0.0)


@pytest.mark.parametrize("dtype", ["uint32", "uint64"])
def test_the_first_of_the_largest(there: Gpu, dtype: str) -> None:
    for shape in ((7,), (20, 5), (2, 3, 400)):
        x = RNG.integers(0, 6, shape).astype(dtype)
        on_gpu = there.cupy.asarray(x)
        result = device_at(on_gpu).apply_rows(largest, on_gpu, reduced=True)
        assert_same(host(result), x.max(axis=-1).astype(np.uint64) * 1000 + x.argmax(axis=-1).astype(np.uint64))


def test_rows_of_two_axes_and_dtypes(there: Gpu) -> None:
    x = RNG.normal(size=(3, 4, 5)).astype(np.float32)
    on_gpu = there.cupy.asarray(x)
    device = device_at(on_gpu)
    limits = np.array([3.0, 0.0, -9.0], np.float32)
    result = device.apply_rows(all_below, on_gpu, there.cupy.asarray(limits)[:, None, None], axes=2, reduced=True)
    assert_same(host(result), (x < limits[:, None, None]).all(axis=(1, 2)))
    moved = on_gpu.swapaxes(1, 2)
    result = device.apply_rows(above_the_mean, moved, np.array(20.0, np.float32), axes=2, dtype=np.dtype(np.float16))
    mean = CPU.row_sum(x.swapaxes(1, 2).reshape(3, 20))[:, None, None] / np.float32(20)
    assert_same(host(result), np.where(x > mean, x, 0).swapaxes(1, 2).astype(np.float16))


def backwards(row: Any, like: Any, first: Any, last: Any) -> Any:
    return row.take(first, last - row.index)


def test_numbers_at_places(there: Gpu) -> None:
    x = RNG.normal(size=(3, 2, 70))
    on_gpu = there.cupy.asarray(x)
    device = device_at(on_gpu)
    for view in (lambda a: a, lambda a: a[:, 1], lambda a: a[::2]):
        given = view(on_gpu)
        result = device.apply_rows(backwards, given, given[..., :1], np.array(69, np.uint64))
        assert_same(host(result), np.ascontiguousarray(view(x)[..., ::-1]))


def double(x: Any) -> Any:
    return x + x


def difference(x: Any, y: Any) -> Any:
    return x - y


def test_pending_values(there: Gpu) -> None:
    x, y = RNG.normal(size=(3, 2, 4)), RNG.normal(size=4).astype(np.float32)
    on_gpu = there.cupy.asarray(x), there.cupy.asarray(y)
    device = device_at(on_gpu[0])
    doubled = device.later(double, device.later(conversion(np.dtype(np.float64)), on_gpu[1]))
    pending = device.later(difference, on_gpu[0], doubled)
    expected = x - (y.astype(np.float64) + y)
    assert (pending.shape, pending.ndim, pending.size, pending.dtype) == (expected.shape, 3, 24, expected.dtype)
    there.launches.clear()
    assert_same(host(device.now(pending)), expected)
    assert len(there.launches) == 1
    assert_same(host(device.now(pending[1, ..., None])), expected[1, ..., None])
    assert_same(host(device.now(pending.swapaxes(0, 2))), expected.swapaxes(0, 2))
    assert_same(host(device.row_max(pending)), expected.max(axis=-1))
    assert isinstance(device.later(double, np.array([1.0])), np.ndarray)


@pytest.mark.parametrize("name", ["float16", *(["bfloat16"] if HAVE_BFLOAT16 else [])])
def test_16_bit_floats(there: Gpu, name: str) -> None:
    kind = floating_dtype(name)
    words = np.arange(2**16, dtype=np.uint16)
    with np.errstate(invalid="ignore"):
        words = words[~np.isnan(words.view(kind))]
    on_gpu = there.cupy.asarray(words).view(kind)
    wide = device_at(on_gpu).apply(conversion(np.dtype(np.float32)), on_gpu)
    assert_same(host(wide).view(np.uint32), words.view(kind).astype(np.float32).view(np.uint32))

    # Middles between two of them, and what is next to these.
    near = np.sort(words.view(kind).astype(np.float64))
    with np.errstate(all="ignore"):
        middle = (near[1:] + near[:-1]) / 2
        neighbours = (np.nextafter(middle, end) for end in (np.inf, -np.inf))
        x = np.concatenate([middle, *neighbours, [1e-300, 1e300]])
        expected = x.astype(kind).astype(np.float32)
    rounded = device_at(on_gpu).apply(conversion(kind), there.cupy.asarray(x))
    assert_same(host(rounded), expected)
