"""Formats of floats: 16-bit floats, neighbours and order, as functions of words."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from keyrng.kernels.bits import to_bfloat16, to_float16
from keyrng.kernels.ops import bitcast, cast, where

_INFINITY = {"float16": 0x7C00, "bfloat16": 0x7F80, "float32": 0x7F800000, "float64": 0x7FF << 52}


def is_half(dtype: Any) -> bool:
    """Whether numbers of a dtype are passed as words of 16 bits: the language has no 16-bit floats."""
    return dtype.name in ("float16", "bfloat16")


def from_half(word: Any, name: str) -> Any:
    """Return a float16 or bfloat16, given by its bits, as a float32."""
    bits = cast(word, np.uint32)
    if name == "bfloat16":
        return bitcast(bits << 16, np.float32)
    magnitude = bits & 0x7FFF
    # Rebias the exponent from 15 to 127; infinity and NaN have the largest of both formats.
    normal = (magnitude << 13) + where(magnitude < 0x7C00, bits.dtype.type(112 << 23), 224 << 23)
    subnormal = bitcast(cast(magnitude, np.float32) * 2.0**-24, np.uint32)
    return bitcast(where(magnitude < 0x400, subnormal, normal) | (bits & 0x8000) << 16, np.float32)


@cache
def conversion(dtype: Any) -> Callable[[Any], Any]:
    """Return the function that rounds a number to a dtype once; 16-bit floats are returned as float32."""

    def converted(x: Any) -> Any:
        if not is_half(dtype):
            return cast(x, dtype)
        return from_half(to_half(x, dtype.name), dtype.name)

    return converted


def to_half(x: Any, name: str) -> Any:
    """Round a number to float16 or bfloat16, and return its bits."""
    if name == "bfloat16":
        return to_bfloat16(cast(x, np.float32))  # ml_dtypes rounds a float64 twice, too
    return to_float16(_to_odd(x) if x.dtype == np.float64 else cast(x, np.float32))


def _to_odd(x: Any) -> Any:
    """Return one of the float32 numbers next to a float64, the odd one if there are two: it is rounded only once."""
    near = cast(x, np.float32)
    again, word = cast(near, np.float64), bitcast(near, np.uint32)
    below = where(abs(again) > abs(x), word - 1, word)
    return bitcast(where((again == x) | (x != x), word, below | 1), np.float32)


def neighbour(x: Any, up: bool) -> Any:
    """Return the next number of the dtype of ``x``, upwards or downwards; infinities and NaN stay."""
    return bitcast(_step(bitcast(x, np.dtype(f"u{x.dtype.itemsize}")), x.dtype.name, up), x.dtype)


@cache
def next_number(dtype: Any, up: bool) -> Callable[[Any], Any]:
    """Return the function from a number of a dtype to the next one, in the dtype it is computed in."""

    def next_one(x: Any) -> Any:
        if not is_half(dtype):
            return neighbour(x, up)
        return from_half(_step(cast(to_half(x, dtype.name), np.uint32), dtype.name, up), dtype.name)

    return next_one


def _step(x: Any, name: str, up: bool) -> Any:
    """Return the bits of the next number of a format, from those of a number."""
    infinity, sign = _INFINITY[name], 1 << (63 if name == "float64" else 31 if name == "float32" else 15)
    x = x if up else x ^ sign
    moved = where(x < sign, x + 1, where(x == sign, 1, x - 1))
    moved = where((x == infinity) | ((x & (sign - 1)) > infinity), x, moved)
    return moved if up else moved ^ sign


def ordered_word(x: Any) -> Any:
    """Convert floats to words that compare in the same order."""
    word = bitcast(x + 0.0, np.dtype(f"u{x.dtype.itemsize}"))  # makes -0 equal to 0
    sign = 1 << (8 * word.dtype.itemsize - 1)
    return where(word < sign, word | sign, ~word)


def from_ordered_word(word: Any) -> Any:
    """Return the bits of the float that a word of `ordered_word` is made of."""
    sign = 1 << (8 * word.dtype.itemsize - 1)
    return where(word < sign, ~word, word ^ sign)
