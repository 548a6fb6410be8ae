"""Conversions and neighbours of floats in GPU memory.

CuPy's kernels flush float32 subnormals. Therefore these functions call CuPy only for exact operations, on integers or
between formats, and use kernels of keyrng for the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from keyrng._core.arguments import cast_array
from keyrng._core.dtypes import FLOAT32, FLOAT64, Dtype
from keyrng._executors.device import Array, device_at
from keyrng.kernels.bits import to_bfloat16
from keyrng.kernels.ops import bitcast, cast, where

_INFINITY = {"float16": 0x7C00, "bfloat16": 0x7F80, "float32": 0x7F800000, "float64": 0x7FF << 52}


def convert(array: Array, dtype: Dtype) -> Array:
    """Convert an array as NumPy's ``astype`` does; return it unchanged if it has the dtype."""
    given, device = array.dtype, device_at(array)
    if given == dtype:
        return array
    with device.current():
        if given.name == "bfloat16":  # bfloat16 is the upper half of a float32
            # NumPy returns a scalar for the shift of a 0-d array.
            words = device.xp.asarray(array.view(np.uint16).astype(np.uint32) << 16)
            return convert(words.view(np.float32), dtype)
        if dtype.name == "bfloat16":
            return device.apply(to_bfloat16, convert(array, FLOAT32)).view(dtype)
        if (given, dtype) == (FLOAT32, FLOAT64):
            return device.apply(_to_float64, array)
        if (given, dtype) == (FLOAT64, FLOAT32):
            return device.apply(_to_float32, array)
        return array.astype(dtype)


def _to_float32(x: Any) -> Any:
    return cast(x, np.float32)


def _to_float64(x: Any) -> Any:
    return cast(x, np.float64)


def rounded(name: str, array: Array, dtype: Dtype) -> Array:
    """Convert an array to a dtype; ValueError, naming the argument, if the result is too large for an array."""
    return cast_array(name, array, dtype) if isinstance(array, np.ndarray) else convert(array, dtype)


def next_float(array: Array, dtype: Dtype, up: bool) -> Array:
    """Return the next number of a dtype, upwards or downwards, in the array's dtype; infinities and NaN stay."""
    if isinstance(array, np.ndarray):
        # The result may be infinite or subnormal.
        with np.errstate(over="ignore", under="ignore"):
            towards = dtype.type(math.inf if up else -math.inf)
            return np.asarray(np.nextafter(array.astype(dtype), towards)).astype(array.dtype)
    return convert(_next(convert(array, dtype), up), array.dtype)


def _next(array: Array, up: bool) -> Array:
    device = device_at(array)
    with device.current():
        words = array.view(f"u{array.dtype.itemsize}")
        step = _step(array.dtype.name, up)
        if words.itemsize > 2:
            return device.apply(step, words).view(array.dtype)
        moved: Array = device.apply(step, words.astype(np.uint32)).astype(np.uint16)
        return moved.view(array.dtype)


def neighbour(x: Any, up: bool) -> Any:
    """Return the next number upwards or downwards, in the kernel language; infinities and NaN stay."""
    return bitcast(_step(x.dtype.name, up)(bitcast(x, f"u{x.dtype.itemsize}")), x.dtype)


@cache
def _step(name: str, up: bool) -> Callable[[Any], Any]:
    """Return the function from the bits of a number to those of the next one; cached, so that it is compiled once."""
    infinity = _INFINITY[name]
    sign = 1 << (63 if name == "float64" else 31 if name == "float32" else 15)

    def step(x: Any) -> Any:
        x = x if up else x ^ sign
        moved = where(x < sign, x + 1, where(x == sign, 1, x - 1))
        moved = where((x == infinity) | ((x & (sign - 1)) > infinity), x, moved)
        return moved if up else moved ^ sign

    return step
