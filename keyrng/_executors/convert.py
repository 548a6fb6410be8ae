"""Conversions and neighbours of floats in GPU memory.

CuPy's kernels flush float32 subnormals. Therefore these functions call CuPy only for exact operations, on integers or
between formats, and use kernels of keyrng for the rest.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT32, FLOAT64, Dtype
from keyrng._executors.device import Array, device_at
from keyrng.kernels.bits import to_bfloat16
from keyrng.kernels.formats import next_number
from keyrng.kernels.ops import cast


def convert(array: Array, dtype: Dtype) -> Array:
    """Convert an array as NumPy's ``astype`` does; return it unchanged if it has the dtype."""
    given, device = array.dtype, device_at(array)
    array = device.now(array)
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


def next_float(array: Array, dtype: Dtype, up: bool) -> Array:
    """Return the next number of a dtype, upwards or downwards, in the array's dtype; infinities and NaN stay."""
    if isinstance(array, np.ndarray):
        # The result may be infinite or subnormal.
        with np.errstate(over="ignore", under="ignore"):
            towards = dtype.type(math.inf if up else -math.inf)
            return np.asarray(np.nextafter(array.astype(dtype), towards)).astype(array.dtype)
    return device_at(array).later(next_number(dtype, up), array)
