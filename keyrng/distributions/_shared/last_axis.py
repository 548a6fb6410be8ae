"""Functions for samplers of vectors, whose elements along the last axis are drawn jointly."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import Dtype
from keyrng._executors.convert import convert
from keyrng._executors.device import CPU, Device, device_at, may_hold
from keyrng._keys.derive import Key, check_key, device_of
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, checked_parameter, round_to_dtype
from keyrng._sampling.shapes import Shape, check_broadcast, check_out, dimensions, sample_shape
from keyrng.kernels.bits import sum_as_int
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import Interval, Parameter


def validated(device: Device, parameter: Parameter, dtype: Dtype) -> Array:
    """Return a parameter as an array; in GPU memory it may be pending, and invalid elements become NaN."""
    value = checked_parameter(device, parameter, dtype)
    return value.value if value.requirement is None else round_to_dtype(device, value, dtype)


def row_shape(name: str, rows: Array, shape: Shape | None, axis: str = "classes") -> tuple[int, ...] | None:
    """Return ``shape`` followed by the last axis of a parameter, or None if ``shape`` is None."""
    if rows.ndim == 0:
        raise ValueError(f"{name} must have an axis of {axis}, got a number; type [{rows}, ...]")
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


def scaled(rows: Array) -> Array:
    """Multiply weights by a power of two per row, so that their sum neither overflows nor is subnormal."""
    device = device_at(rows)
    if not rows.size:
        return rows
    largest = device.row_max(rows)
    return device.apply(_scaled, rows, largest[..., np.newaxis]) if may_hold(_is_far, largest) else rows


# Up to 2**123 weights below _MANY have a finite sum. A subnormal weight that scaling rounds to 0 is negligible.
_MANY, _FEW, _SCALE = 2.0**900, 2.0**-400, 2.0**600


# The largest weight of rows that `scaled` does not change.
not_scaled = Interval(_FEW, _MANY, "[)")


def _is_far(largest: Any) -> Any:
    return (largest < _FEW) | (largest >= _MANY)


def _scaled(weight: Any, largest: Any) -> Any:
    return where(largest >= _MANY, weight / _SCALE, where(largest < _FEW, weight * _SCALE, weight))


def cast_to_out(key: Key, sample: Array, dtype: Dtype, out: Any) -> Array:
    """Convert a sample to the requested dtype, and write it to ``out`` if that is given.

    On a GPU, elements with invalid parameters are NaN; an integer dtype stores -1.
    """
    device = device_of(key)
    if device is not CPU:
        if dtype.kind in "iu" and sample.dtype.kind == "f":
            counts = Parameter("sample", sample)
            return sample_kernel(_whole, key, sample.shape[key.ndim :], dtype, counts, compute=sample.dtype, out=out)
        with device.current():
            sample = sample.astype(dtype) if dtype.kind == "c" else convert(sample, dtype)
    if out is None:
        return sample.astype(dtype, copy=False)
    result = check_out(key, out, sample.shape, dtype)
    with device.current():
        result[...] = sample
    given: Array = out
    return given


def _whole(lane: Any, x: Any) -> Any:
    return sum_as_int(x)
