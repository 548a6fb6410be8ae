"""From words to floats, and from floats to narrower ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng.kernels.elementary import format_of
from keyrng.kernels.ops import bitcast, cast, where

Value = Any

# For each float: the bits of a word that its fraction has no place for, and the bit pattern of 1.0.
_FORMATS = {np.dtype(np.float32): (9, 0x3F800000), np.dtype(np.float64): (12, 0x3FF << 52)}


def to_uniform_co(word: Value, dtype: Any) -> Value:
    """A word as a float in [0, 1): multiples of 2**-23 (float32) or 2**-52 (float64); 0 occurs, 1 does not.

    The top bits become the fraction of a float in [1, 2), from which 1 is taken without rounding.
    """
    if dtype not in _FORMATS:
        raise TypeError(
            f"a uniform is computed in float32 or float64, not in {dtype}: draw takes a float dtype, or compute"
        )
    shift, one = _FORMATS[np.dtype(dtype)]
    return bitcast((word >> shift) | one, dtype) - 1.0


def uniform_co(lane: Any) -> Value:
    """The lane's uniform in [0, 1), in the lane's float; see `to_uniform_co`."""
    return to_uniform_co(lane.bits(), lane.dtype)


def uniform_oc(lane: Any) -> Value:
    """The lane's uniform in (0, 1]: 1 minus that of `uniform_co`, exactly."""
    return 1.0 - uniform_co(lane)


def uniform_midpoint(lane: Any) -> Value:
    """The lane's uniform in (0, 1): odd multiples of 2**-24 (2**-53), the middles of the steps of `uniform_co`."""
    return uniform_co(lane) + (2.0**-24 if lane.dtype == np.float32 else 2.0**-53)


def uniform_oo(lane: Any) -> Value:
    """The lane's uniform in (0, 1): that of `uniform_co`, with the smallest normal number for 0, as jax's."""
    u = uniform_co(lane)
    return u + format_of(u).tiny  # which is nothing beside a number that is not 0


def uniform_signed(lane: Any) -> Value:
    """The lane's uniform in (-1, 1): odd multiples of 2**-24 (2**-53) above -1, never 0.

    As jax.random.normal: the interval begins at the float after -1, and twice the unit plus that is exact.
    """
    smallest = -1.0 + (2.0**-24 if lane.dtype == np.float32 else 2.0**-53)
    return uniform_co(lane) * 2.0 + smallest


def random_sign(lane: Any, x: Value) -> Value:
    """``x`` or ``-x``, each with probability one half, by a word of the lane."""
    return where(uniform_co(lane) < 0.5, x, -x)


def sum_as_int(base: Value, *rest: Value) -> Value:
    """The sum of whole floats as an integer of their size, exact where the float sum would not be.

    ``base`` is what an unsigned integer of that size holds; a sum beyond the signed one is the same word.
    """
    integer = np.dtype(np.int32 if base.dtype == np.float32 else np.int64)
    word = np.dtype(f"u{integer.name}")
    # Not a cast to the word: vector instructions convert to signed integers only.
    half = 2 ** (8 * integer.itemsize - 1)
    large = base >= float(half)
    total = bitcast(cast(where(large, base - float(half), base), integer), word) + where(large, word.type(half), 0)
    for part in rest:
        total = total + bitcast(cast(part, integer), word)
    return bitcast(total, integer)


def to_bfloat16(x: Value) -> Value:
    """The bits of a float32 rounded once, to nearest even, to bfloat16."""
    word = bitcast(x, np.uint32)
    rounded = (word + 0x7FFF + ((word >> 16) & 1)) >> 16
    return cast(where(x == x, rounded, 0x7FC0), np.uint16)


def to_float16(x: Value) -> Value:
    """The bits of a float32 rounded once, to nearest even, to float16."""
    word = bitcast(x, np.uint32)
    magnitude = word & 0x7FFFFFFF
    # Normal results: move the exponent's bias from 127 to 15 and round the 13 bits that go, carries and all.
    normal = (magnitude + (0xFFF - (112 << 23) & 0xFFFFFFFF) + ((magnitude >> 13) & 1)) >> 13
    # Subnormal ones: adding 0.5 puts the last bit of float16's subnormals at the last bit of a float32.
    subnormal = bitcast(abs(x) + 0.5, np.uint32) - 0x3F000000
    finite = where(magnitude < 0x38800000, subnormal, normal)
    # From 65520 on, half a unit above the largest, everything rounds to infinity.
    result = where(magnitude >= 0x477FF000, 0x7C00, finite)
    signed = result | ((word >> 16) & 0x8000)
    return cast(where(x == x, signed, 0x7E00), np.uint16)


def store(value: Value, dtype: Any) -> Value:
    """A kernel's result as the dtype asked for; 16-bit floats come as the words of their bits.

    ``dtype`` is a NumPy dtype, or stands for bfloat16 by its ``name`` where ml_dtypes is not installed.
    """
    if dtype.name == "float16":
        return to_float16(cast(value, np.float32))
    if dtype.name == "bfloat16":
        return to_bfloat16(cast(value, np.float32))
    return cast(value, dtype)
