"""Functions for samplers of vectors, whose elements along the last axis are drawn jointly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from keyrng._core.dtypes import Dtype
from keyrng._executors.convert import convert
from keyrng._executors.device import CPU, Device, device_at, is_on_gpu
from keyrng._keys.derive import Key, check_key, device_of
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, Parameter, parameter_array, round_to_dtype
from keyrng._sampling.shapes import Shape, check_broadcast, check_out, dimensions, sample_shape
from keyrng.kernels.bits import sum_as_int
from keyrng.kernels.ops import where

_GROUP = 16  # columns that one launch on a GPU adds up


def preparation_device(here: Device, *values: Any) -> Device:
    """Return the device to prepare parameters on: the CPU, unless one of them is in GPU memory.

    Parameters prepared on the CPU are moved to the key's device by `to_key_device`.
    """
    return here if here is not CPU and any(map(is_on_gpu, values)) else CPU


def validated(here: Device, parameter: Parameter, dtype: Dtype) -> Array:
    """Return a parameter as an array; in GPU memory, invalid elements become NaN."""
    array = parameter_array(here, parameter, 0, dtype)
    return array if isinstance(array, np.ndarray) else round_to_dtype(here, parameter, dtype)


def row_shape(name: str, rows: Array, shape: Shape | None, axis: str = "classes") -> tuple[int, ...] | None:
    """Return ``shape`` followed by the last axis of a parameter, or None if ``shape`` is None."""
    if rows.ndim == 0:
        raise ValueError(f"{name} has an axis of {axis}, got one number; type [{rows}, ...]")
    return None if shape is None else (*dimensions(shape), rows.shape[-1])


def add_axis(name: str, array: Array) -> Array:
    """Return a parameter with a last axis of length 1."""
    if array.ndim > 63:
        raise ValueError(f"{name} has more axes than a sample can have, got shape {array.shape}")
    longer: Array = array[..., None]
    return longer


def full_shape(key: Key, shape: Shape | None, out: Any, **values: Array) -> tuple[int, ...]:
    """Return the shape of the sample, from a shape with the last axis or from what the parameters broadcast to."""
    check_key(key)
    full = sample_shape(key, shape, list(values.values()), out)
    check_broadcast([Parameter(name, value) for name, value in values.items()], list(values.values()), full)
    return full


def row_sum(x: Array) -> Array:
    """Return the sum along the last axis, in order: the order of NumPy's sum differs between versions."""
    here = device_at(x)
    with here.current():
        total: Array = here.xp.zeros(x.shape[:-1], x.dtype)
        if here is CPU:
            for i in range(x.shape[-1] if total.size else 0):
                total += x[..., i]
            return total
        for columns in _groups(x, 0.0):
            total = here.apply(_sum, total, *columns)
    return total


def scaled(rows: Array) -> Array:
    """Multiply weights by a power of two per row, so that their sum neither overflows nor is subnormal."""
    here = device_at(rows)
    if not rows.size:
        return rows
    with here.current():
        largest = rows.max(axis=-1)
    if here is CPU and largest.min() >= _FEW and largest.max() < _MANY:
        return rows
    return here.apply(_scaled, rows, largest[..., np.newaxis])


# Up to 2**123 weights below _MANY have a finite sum. A subnormal weight that scaling rounds to 0 is negligible.
_MANY, _FEW, _SCALE = 2.0**900, 2.0**-400, 2.0**600


def _scaled(weight: Any, largest: Any) -> Any:
    return where(largest >= _MANY, weight / _SCALE, where(largest < _FEW, weight * _SCALE, weight))


def row_max(x: Array) -> Array:
    """Return the largest number along the last axis, -infinity if that is empty."""
    here = device_at(x)
    if here is CPU:
        largest: Array = x.max(axis=-1, initial=-np.inf)
        return largest
    with here.current():
        largest = here.xp.full(x.shape[:-1], -np.inf, x.dtype)
        for columns in _groups(x, -np.inf):
            largest = here.apply(_largest, largest, *columns)
    return largest


def _groups(x: Array, nothing: float) -> Iterator[Array]:
    """Return the columns of rows on a GPU in groups of equal size, the last one padded with ``nothing``.

    A launch per column would take longer than its work, and a kernel per number of columns longer to compile.
    """
    here, count = device_at(x), x.shape[-1]
    columns = here.contiguous(here.xp.moveaxis(x, -1, 0))
    rest = here.xp.full((-count % _GROUP, *x.shape[:-1]), nothing, x.dtype)
    for first in range(0, count, _GROUP):
        part = columns[first : first + _GROUP]
        yield part if len(part) == _GROUP else here.xp.concatenate([part, rest])


def _sum(total: Any, *numbers: Any) -> Any:
    for number in numbers:
        total = total + number
    return total


def _largest(largest: Any, *numbers: Any) -> Any:
    for number in numbers:
        largest = where(number > largest, number, largest)
    return largest


def cast_to_out(key: Key, sample: Array, dtype: Dtype, out: Any) -> Array:
    """Convert a sample to the requested dtype, and write it to ``out`` if that is given.

    On a GPU, elements with invalid parameters are NaN; an integer dtype stores -1.
    """
    here = device_of(key)
    if here is not CPU:
        if dtype.kind in "iu" and sample.dtype.kind == "f":
            counts = Parameter("sample", sample)
            return sample_kernel(_whole, key, sample.shape[key.ndim :], dtype, counts, compute=sample.dtype, out=out)
        with here.current():
            sample = sample.astype(dtype) if dtype.kind == "c" else convert(sample, dtype)
    if out is None:
        return sample.astype(dtype, copy=False)
    result = check_out(key, out, sample.shape, dtype)
    with here.current():
        result[...] = sample
    given: Array = out
    return given


def _whole(lane: Any, x: Any) -> Any:
    return sum_as_int(x)
