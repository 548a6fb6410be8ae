"""The Gumbel distribution, in three resolutions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keyrng._core.arguments import check_choice
from keyrng._core.dtypes import Dtype, DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import to_uniform_co, uniform_co, uniform_oo
from keyrng.kernels.elementary import format_of, horner, log1p_unchecked, log_unchecked, split_float
from keyrng.kernels.lane import FLOATS, Kernel, kernel
from keyrng.kernels.ops import bitcast, cast, where


@kernel(*FLOATS)
def _gumbel(lane: Any) -> Any:
    return -log_unchecked(-log_unchecked(uniform_oo(lane)))


@kernel(*FLOATS)
def _gumbel_high(lane: Any) -> Any:
    # The second uniform continues the digits of the first. Only the sum is rounded, so x equals jax's.
    last = 2.0**-23 if lane.dtype == np.float32 else 2.0**-52
    high, low = (to_uniform_co(word, lane.dtype) for word in lane.strided_words(2))
    x = where(high >= 0.5, high, (high + low * last) + format_of(high).tiny)
    return -log_unchecked(-log1p_unchecked(-x))


@kernel("float32")
def _gumbel_highest(lane: Any) -> Any:
    # 64 random bits are a number in [0, 1); above 1/2 use its distance from 1, which has the same resolution.
    first, second = lane.strided_words(2)
    fraction = (cast(first, np.uint64) << 32) | cast(second, np.uint64)
    upper = first < 2**31
    x = _first_24_bits(where(upper, fraction, ~fraction + 1))
    return -log_unchecked(-where(upper, log1p_unchecked(-x), log_unchecked(x)))


def _first_24_bits(number: Any) -> Any:
    """Round ``number * 2**-64`` towards 0 to a float32, as jax does; return 2**-65 for 0."""
    # Clear the last 11 bits of numbers that float64 would round, then all but 24 of the 53 digits of the float64.
    exact = cast(where(number < 2**53, number, number & 0xFFFFFFFFFFFFF800), np.float64)
    digits = bitcast(bitcast(exact, np.uint64) & 0xFFFFFFFFE0000000, np.float64)
    return where(number == 0, np.float32(2.0**-65), cast(digits, np.float32) * 2.0**-64)


_MODES = {None: _gumbel, "low": _gumbel, "high": _gumbel_high, "highest": _gumbel_highest}


def gumbel_kernel(mode: str | None, dtype: Dtype) -> Kernel:
    """Return the kernel of a mode for a dtype. Raise ValueError for an unknown mode."""
    check_choice("mode", mode, *_MODES)
    return _MODES["high" if mode == "highest" and dtype == np.float64 else mode]


# Categorical draws search for the largest sum of a logit and a Gumbel variate -log(E), E = -log(u). It belongs to the
# smallest product of E and the weight exp(-logit), which is computed in float32. The relative error of a product is at
# most 5e-5: 3.05e-5 from the digits of u that are left out, 0.83e-5 from the polynomial, and roundings. The product is
# 0 where the error may be larger.


@kernel("float32")
def _race(lane: Any, weight: Any) -> Any:
    u = uniform_co(lane)
    return where(u == 0.0, 0.0, _exponential(u, 1.0 - u) * weight)


@kernel("float32")
def _race_of_64_bits(lane: Any, weight: Any) -> Any:
    word = cast(lane.bits(64) >> 33, np.uint32)
    u, rest = ((cast(bitcast(w, np.int32), np.float32) + 0.5) * 2.0**-31 for w in (word, 2**31 - 1 - word))
    imprecise = (u < 2.0**-20) | (rest < 2.0**-17)
    return where(imprecise, 0.0, _exponential(u, rest) * weight)


def _exponential(u: Any, rest: Any) -> Any:
    """Return -log(u), where ``rest`` is 1 - u, with a relative error of 9e-6."""
    f, k = split_float(u, format_of(u).bias)
    f = where(rest < 0.25, -rest, f)
    # Chebyshev interpolation of log(1 + f) / f for f from -0.3125 to 0.375, to 8.3e-6
    ratio = horner(f, (-0.16203308, 0.22446106, -0.25211802, 0.33233085, -0.49994007, 1.0000061))
    return -(k * np.float32(math.log(2.0)) + f * ratio)


def race_kernel(mode: str | None, dtype: Dtype) -> Kernel | None:
    """Return the kernel of products for categorical draws with the Gumbel variates of a mode, if there is one."""
    if mode not in (None, "low"):
        return None
    return _race_of_64_bits if dtype == np.float64 else _race


@sampler
def gumbel(
    key: Key, shape: Shape = (), dtype: DTypeLike = None, mode: str | None = None, *, out: Array | None = None
) -> Array:
    """Return standard Gumbel variates.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    shape
        Shape of each key's sample, an int or a tuple of ints; () by default.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default) or float64.
    mode : {"low", "high", "highest"}, optional
        Number of random bits of a value. ``"low"``, the default: 23 (52 for float64), values from -2.8 to 16 (-3.6 to
        36). ``"high"``: 46 (104), values from -2.8 to 32 (-3.6 to 72), at twice the cost. ``"highest"``: 64, values
        from -3.8 to 45; for float64 it is ``"high"``.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Variates of shape ``key.shape + shape``, float32 by default, in the range of ``mode`` with one exception: see
        Notes.

    Raises
    ------
    ValueError
        If ``mode`` is unknown.

    See Also
    --------
    categorical : Classes by the largest sum of logit and Gumbel variate.
    exponential : A Gumbel variate is ``-log`` of an exponential one.
    logistic : The difference of two Gumbel variates.

    Notes
    -----
    The density is ``exp(-x - exp(-x))``, that of the limit of the largest of many exponential variates. A variate is
    ``-log(-log(u))`` of a uniform u on (0, 1). With the other modes it is ``-log(-log(1 - u))``, whose u is finer in
    the upper tail, the longer one, and with ``"highest"`` in both tails.

    Precision: with the default mode, the error of float32 values is at most 1.2 ULP of the value, or of 1 if that is
    larger. As in jax, a u of 0 is replaced by the smallest normal number: that gives -4.5 (-6.6 for float64) with
    ``"low"``, one value in 2**23 (2**52), and 87 (708) with ``"high"``, one in 2**46 (2**104).

    The values are those of ``jax.random.gumbel`` within rounding, computed from the same u, bit for bit. With
    ``"high"`` and ``"highest"`` element ``i`` of ``n`` also reads word ``i + n``, as in jax, so a sample is not a
    prefix of a longer one. With ``"low"`` it is.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.gumbel(keyrng.key(0), (3,))
    array([ 2.9233725 ,  3.8326175 , -0.09689324], dtype=float32)
    """
    dtype = floating_dtype(dtype, out)
    return sample_kernel(gumbel_kernel(mode, dtype), key, shape, dtype, out=out)
