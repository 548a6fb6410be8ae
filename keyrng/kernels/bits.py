"""Conversions from words to floats and from floats to narrower types."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng.kernels.elementary import format_of
from keyrng.kernels.ops import bitcast, cast, where

Value = Any

# For each float: the number of bits of a word that do not fit its fraction, and the bit patterns of 1.0 and 2.0.
_FORMATS = {np.dtype(np.float32): (9, 0x3F800000, 0x40000000), np.dtype(np.float64): (12, 0x3FF << 52, 0x400 << 52)}


def to_uniform_co(word: Value, dtype: Any) -> Value:
    """Convert a word to a float in [0, 1), a multiple of 2**-23 (float32) or 2**-52 (float64); 0 occurs, 1 does not.

    The top bits become the fraction of a float in [1, 2); subtracting 1 is exact.
    """
    return _with_fraction(word, dtype, 1) - 1.0


def _with_fraction(word: Value, dtype: Any, least: int) -> Value:
    """Return a float in [1, 2) or [2, 4) whose fraction is the top bits of a word."""
    if dtype not in _FORMATS:
        raise TypeError(f"uniforms are computed in float32 or float64, got {dtype}; pass a float dtype or compute=")
    shift, one, two = _FORMATS[np.dtype(dtype)]
    return bitcast((word >> shift) | (one if least == 1 else two), dtype)


def uniform_co(lane: Any) -> Value:
    """Return the lane's uniform in [0, 1), in the lane's dtype; see `to_uniform_co`."""
    return to_uniform_co(lane.bits(), lane.dtype)


def uniform_oc(lane: Any) -> Value:
    """Return a uniform in (0, 1]: exactly 1 minus that of `uniform_co`."""
    return 1.0 - uniform_co(lane)


def uniform_midpoint(lane: Any) -> Value:
    """The lane's uniform in (0, 1): odd multiples of 2**-24 (2**-53), the middles of the steps of `uniform_co`."""
    return uniform_co(lane) + (2.0**-24 if lane.dtype == np.float32 else 2.0**-53)


def uniform_oo(lane: Any) -> Value:
    """Return a uniform in (0, 1): that of `uniform_co` with 0 replaced by the smallest normal number, as in jax."""
    u = uniform_co(lane)
    return u + format_of(u).tiny  # changes only 0: other values absorb it


def uniform_signed(lane: Any) -> Value:
    """Return a uniform in (-1, 1): odd multiples of 2**-24 (float32) or 2**-53 (float64) above -1, never 0.

    As in jax.random.normal, the interval starts at the next float after -1; the affine map is exact. A number in [2, 4)
    less 2 is twice that of `uniform_co`, without a multiplication.
    """
    smallest = -1.0 + (2.0**-24 if lane.dtype == np.float32 else 2.0**-53)
    return _with_fraction(lane.bits(), lane.dtype, 2) - 2.0 + smallest


def random_sign(lane: Any, x: Value) -> Value:
    """Return ``x`` or ``-x``, each with probability 1/2, using one word of the lane."""
    return where(uniform_co(lane) < 0.5, x, -x)


def sum_as_int(base: Value, *rest: Value) -> Value:
    """Return the sum of integral floats as an integer of the same size, exact where a float sum would be rounded.

    ``base`` must be in the range of the unsigned integer of that size; a larger sum wraps to the signed integer.
    """
    integer = np.dtype(np.int32 if base.dtype == np.float32 else np.int64)
    word = np.dtype(f"u{integer.name}")
    # Converts to a signed integer, because vector instructions cannot convert to unsigned ones.
    half = 2 ** (8 * integer.itemsize - 1)
    large = base >= float(half)
    total = bitcast(cast(where(large, base - float(half), base), integer), word) + where(large, word.type(half), 0)
    for part in rest:
        total = total + bitcast(cast(part, integer), word)
    return bitcast(total, integer)


def small_as_float(word: Value) -> Value:
    """Return a uint64 below 2**52 as a float64; a cast takes many instructions on processors without AVX-512."""
    return bitcast(word | 0x4330000000000000, np.float64) - 2.0**52


def to_bfloat16(x: Value) -> Value:
    """Round a float32 to bfloat16, to nearest even, and return its bits."""
    word = bitcast(x, np.uint32)
    rounded = (word + 0x7FFF + ((word >> 16) & 1)) >> 16
    return cast(where(x == x, rounded, 0x7FC0), np.uint16)


def to_float16(x: Value) -> Value:
    """Round a float32 to float16, to nearest even, and return its bits."""
    word = bitcast(x, np.uint32)
    magnitude = word & 0x7FFFFFFF
    # Normal results: rebias the exponent from 127 to 15 and round off 13 bits; a carry increments the exponent.
    normal = (magnitude + (0xFFF - (112 << 23) & 0xFFFFFFFF) + ((magnitude >> 13) & 1)) >> 13
    # Subnormal results: adding 0.5 aligns the last bit of float16's subnormals with the last bit of a float32.
    subnormal = bitcast(abs(x) + 0.5, np.uint32) - 0x3F000000
    finite = where(magnitude < 0x38800000, subnormal, normal)
    # Numbers from 65520, half a unit above the largest float16, round to infinity.
    result = where(magnitude >= 0x477FF000, 0x7C00, finite)
    signed = result | ((word >> 16) & 0x8000)
    return cast(where(x == x, signed, 0x7E00), np.uint16)


def store(value: Value, dtype: Any) -> Value:
    """Convert a kernel's result to the requested dtype; 16-bit floats are returned as their bits.

    ``dtype`` is a NumPy dtype or, without ml_dtypes, an object whose ``name`` is bfloat16.
    """
    if dtype.name == "float16":
        return to_float16(cast(value, np.float32))
    if dtype.name == "bfloat16":
        return to_bfloat16(cast(value, np.float32))
    return cast(value, dtype)
