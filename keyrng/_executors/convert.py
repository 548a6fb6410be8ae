"""Floats in the memory of a GPU: from one format to another, and to the next number of a format.

CuPy flushes the subnormals of float32, here and wherever it computes. So what it is asked for is exact, on integers, or
of another format; all else is a kernel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keyrng._core.arguments import cast_array
from keyrng._core.dtypes import FLOAT32, FLOAT64, Dtype
from keyrng._executors.device import Array, device_at
from keyrng.kernels.bits import to_bfloat16
from keyrng.kernels.ops import cast

_INFINITY = {"float16": 0x7C00, "bfloat16": 0x7F80, "float32": 0x7F800000, "float64": 0x7FF << 52}


def convert(array: Array, dtype: Dtype) -> Array:
    """An array in another dtype, as NumPy's ``astype`` has it; the array itself if it has that."""
    given, here = array.dtype, device_at(array)
    if given == dtype:
        return array
    with here.current():
        if given.name == "bfloat16":  # the upper half of a float32
            words = here.xp.asarray(array.view(np.uint16).astype(np.uint32) << 16)  # of a scalar, NumPy makes no array
            return convert(words.view(np.float32), dtype)
        if dtype.name == "bfloat16":
            return here.apply(to_bfloat16, convert(array, FLOAT32)).view(dtype)
        if (given, dtype) == (FLOAT32, FLOAT64):
            return here.apply(_to_float64, array)
        if (given, dtype) == (FLOAT64, FLOAT32):
            return here.apply(_to_float32, array)
        return array.astype(dtype)


def _to_float32(x: Any) -> Any:
    return cast(x, np.float32)


def _to_float64(x: Any) -> Any:
    return cast(x, np.float64)


def rounded(name: str, array: Array, dtype: Dtype) -> Array:
    """An array in another dtype; ValueError, with its name, where an array of NumPy does not fit it."""
    return cast_array(name, array, dtype) if isinstance(array, np.ndarray) else convert(array, dtype)


def next_float(array: Array, dtype: Dtype, up: bool) -> Array:
    """The next number of a dtype upwards, or downwards, in the array's own dtype; infinities and NaN stay."""
    if isinstance(array, np.ndarray):
        # Next to the largest number is infinity, and next to 0 a subnormal.
        with np.errstate(over="ignore", under="ignore"):
            towards = dtype.type(math.inf if up else -math.inf)
            return np.asarray(np.nextafter(array.astype(dtype), towards)).astype(array.dtype)
    return convert(_next(convert(array, dtype), up), array.dtype)


def _next(array: Array, up: bool) -> Array:
    word = np.dtype(f"u{array.dtype.itemsize}").type
    sign, infinity = word(1 << (8 * array.dtype.itemsize - 1)), word(_INFINITY[array.dtype.name])
    here = device_at(array)
    with here.current():
        x = array.view(word) if up else array.view(word) ^ sign
        moved = here.xp.where(x < sign, x + word(1), here.xp.where(x == sign, word(1), x - word(1)))
        stays = (x == infinity) | ((x & ~sign) > infinity)
        moved = here.xp.where(stays, x, moved)
        result: Array = (moved if up else moved ^ sign).view(array.dtype)
        return result
