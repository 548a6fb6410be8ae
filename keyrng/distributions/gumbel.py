"""The Gumbel distribution, of three resolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.arguments import check_choice
from keyrng._core.dtypes import Dtype, DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import to_uniform_co, uniform_oo
from keyrng.kernels.elementary import format_of, log1p_unchecked, log_unchecked
from keyrng.kernels.lane import FLOATS, Kernel, kernel
from keyrng.kernels.ops import bitcast, cast, where


@kernel(*FLOATS)
def _gumbel(lane: Any) -> Any:
    return -log_unchecked(-log_unchecked(uniform_oo(lane)))


@kernel(*FLOATS)
def _gumbel_high(lane: Any) -> Any:
    # The second uniform goes on where the digits of the first end. Only the sum is rounded, so x is jax's.
    last = 2.0**-23 if lane.dtype == np.float32 else 2.0**-52
    high, low = (to_uniform_co(word, lane.dtype) for word in lane.strided_words(2))
    x = where(high >= 0.5, high, (high + low * last) + format_of(high).tiny)
    return -log_unchecked(-log1p_unchecked(-x))


@kernel("float32")
def _gumbel_highest(lane: Any) -> Any:
    # 64 random bits are a number below 1; above 1/2 its distance from 1 is taken, which is as fine.
    first, second = lane.strided_words(2)
    fraction = (cast(first, np.uint64) << 32) | cast(second, np.uint64)
    upper = first < 2**31
    x = _first_24_bits(where(upper, fraction, ~fraction + 1))
    return -log_unchecked(-where(upper, log1p_unchecked(-x), log_unchecked(x)))


def _first_24_bits(number: Any) -> Any:
    """``number * 2**-64`` rounded towards 0 to a float32, as jax has it; 2**-65 for 0."""
    # Of numbers that float64 would round, the last 11 bits; then all but 24 of its 53 digits.
    exact = cast(where(number < 2**53, number, number & 0xFFFFFFFFFFFFF800), np.float64)
    digits = bitcast(bitcast(exact, np.uint64) & 0xFFFFFFFFE0000000, np.float64)
    return where(number == 0, np.float32(2.0**-65), cast(digits, np.float32) * 2.0**-64)


_MODES = {None: _gumbel, "low": _gumbel, "high": _gumbel_high, "highest": _gumbel_highest}


def gumbel_kernel(mode: str | None, dtype: Dtype) -> Kernel:
    """The kernel of a mode for a dtype; ValueError for an unknown mode."""
    check_choice("mode", mode, *_MODES)
    return _MODES["high" if mode == "highest" and dtype == np.float64 else mode]


def gumbel(
    key: Key, shape: Shape = (), dtype: DTypeLike = None, mode: str | None = None, *, out: Array | None = None
) -> Array:
    """Standard Gumbel variates, largest values of many exponential ones: density ``exp(-x - exp(-x))``.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    dtype
        float16, bfloat16, float32 (the default) or float64.
    mode
        How many random bits make a value. ``"low"``, which None stands for: 23 (52 for float64), values from -2.8 to
        16 (-3.6 to 36). ``"high"``: 46 (104), -2.8 to 32 (-3.6 to 72), at twice the cost. ``"highest"``: 64, -3.8 to
        45; for float64 it is ``"high"``.

    Raises
    ------
    ValueError
        For another mode.

    Notes
    -----
    ``-log(-log(u))`` of a uniform u on (0, 1); with the other modes ``-log(-log(1 - u))``, which has the finer u in the
    upper tail, the longer one, and with ``"highest"`` in both. The values of ``jax.random.gumbel`` within rounding,
    made of the same u, bit for bit. As there, a u of 0 stands for the smallest normal number: -4.5 (-6.6) with
    ``"low"``, one value in 2**23 (2**52), 87 (708) with ``"high"``, one in 2**46 (2**104).

    With ``"high"`` and ``"highest"`` element ``i`` of ``n`` also reads word ``i + n``, as in jax, so a sample is not a
    prefix of a longer one; with ``"low"`` it is.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.gumbel(keyrng.key(0), (3,))
    array([ 2.9233725 ,  3.8326175 , -0.09689324], dtype=float32)
    """
    dtype = floating_dtype(dtype, out)
    return sample_kernel(gumbel_kernel(mode, dtype), key, shape, dtype, out=out)
