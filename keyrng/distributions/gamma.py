"""The gamma distribution."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from keyrng._core.dtypes import Dtype, DTypeLike, compute_dtype, floating_dtype
from keyrng._executors.device import Device, may_hold
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, cache_scalars, checked_parameter
from keyrng._sampling.plan import Plan
from keyrng._sampling.sampler import sampler_of
from keyrng._sampling.shapes import Shape
from keyrng.distributions.normal import normal_kernel
from keyrng.kernels.bits import to_uniform_co, uniform_oc
from keyrng.kernels.elementary import exp, log1p, log_unchecked
from keyrng.kernels.lane import FLOATS, Kernel, kernel
from keyrng.kernels.ops import rarely, sqrt, where
from keyrng.kernels.requirements import Interval, Parameter, Requirement, positive


def _marsaglia_tsang(lane: Any, d: Any, c: Any) -> tuple[Any, Any]:
    """Make one attempt at a gamma variate of shape d + 1/3.

    Marsaglia, Tsang, "A simple method for generating gamma variables", ACM Transactions on Mathematical Software 26
    (2000), 363-372, https://doi.org/10.1145/358407.358414.

    With ``t = c*x``, ``v = (1 + t)**3`` and ``9*d*c*c = 1`` the right side of the paper's test equals 3 d times the
    remainder of the series of log1p(t) after three terms. In that form nothing cancels; the paper's form is noise for
    d above 1e6 in float32.
    """
    x = normal_kernel(lane)
    u = uniform_oc(lane)
    t = c * x
    # d*v; for v near 1 as d + d*(v - 1), because rounding v first would put the values of a large d on a grid.
    value = where(abs(t) < 0.125, d + d * (t * (3.0 + t * (3.0 + t))), d * ((1.0 + t) * (1.0 + t) * (1.0 + t)))
    # The paper's squeeze implies the test, by more than the rounding of both. Invalid shapes are accepted at once: the
    # value is NaN, and the loop ends.
    square = x * x
    certain = (u < 1.0 - 0.0331 * (square * square)) | ~(d > 0.0)
    return rarely(~certain, certain, _test, u, t, d, share=0.08), value


def _test(u: Any, t: Any, d: Any) -> Any:
    inside = t > -1.0
    t = where(inside, t, 0.0)
    # The paper: accept if log(U) < x*x/2 + d - d*v + d*log(v). Here 3*d is not computed first: it overflows for the
    # largest parameters, and infinity times 0 would never be accepted.
    return inside & (log_unchecked(u) < d * (3.0 * _log1p_rest(t)))


def _log1p_rest(t: Any) -> Any:
    """Return ``log1p(t) - t + t*t/2 - t*t*t/3``, near 0 by its series."""
    series = 1.0 / 12.0
    for n in (11, 10, 9, 8, 7, 6, 5, 4):
        series = 1.0 / n - t * series
    square = t * t
    return where(abs(t) < 0.125, -(square * square) * series, log1p(t) - t + square * 0.5 - square * t * (1.0 / 3.0))


def _finite(lane: Any, a: Any) -> Any:
    """Replace infinity, for which no attempt would be accepted, by the largest number."""
    largest = float(np.finfo(lane.dtype).max)
    return where(a > largest, largest, a)


def _log_uniform(lane: Any, a: Any) -> Any:
    """Return the logarithm of a uniform U on (0, 1], for ``U**(1/a)``.

    For a small ``a`` the power depends on how near 1 a uniform can be. Near 1 the bits of the word that a float does
    not hold are used too, so ``1 - U`` is at least 2**-33 (2**-65 for float64) and never 0.
    """
    kept, unused, end = (23, 9, 2.0**-14) if lane.dtype == np.float32 else (52, 12, 2.0**-27)
    word = lane.bits()
    u = to_uniform_co(word, lane.dtype)
    x = u + (to_uniform_co(word << kept, lane.dtype) + 0.5**unused * 0.5) * 0.5**kept
    return where(a + u < end, -(x + 0.5 * (x * x)), log_unchecked(1.0 - u))


def gamma_parts(lane: Any, a: Any) -> tuple[Any, Any]:
    """Return a gamma variate as a factor that never underflows and the logarithm of one that can, -inf for 0.

    For a below 1, gamma(a) = gamma(a + 1) * U**(1/a): section 6 of the paper of `_marsaglia_tsang`.
    """
    value, boost = lane.split(2)
    small = a < 1.0
    a = _finite(lane, a)
    d = where(small, a + 1.0, a) - 1.0 / 3.0
    factor = value.rejection_loop(_marsaglia_tsang, d, 1.0 / (3.0 * sqrt(d)))
    return factor, where(small, _log_uniform(boost, a) / a, 0.0)


def large_gamma(lane: Any, a: Any) -> Any:
    """Return the factor of `gamma_parts` for a shape of at least 1, whose boost is 0 and is not drawn."""
    value, _ = lane.split(2)
    d = _finite(lane, a) - 1.0 / 3.0
    return value.rejection_loop(_marsaglia_tsang, d, 1.0 / (3.0 * sqrt(d)))


def comparable(a: Any, b: Any) -> tuple[Any, Any]:
    """Return the shapes for two variates of which only the ratio is needed; see `magnification`."""
    times = magnification(where(a < b, b, a))
    return a * times, b * times


def magnification(largest: Any) -> Any:
    """Return a power of two to multiply shapes by, from the largest of them, so that not all boosts are infinite.

    It differs from 1 only for shapes so small that one variate exceeds all others by more than the range of a float.
    The probability that this is the i-th variate is the share of the i-th shape in their sum, which the factor keeps.
    """
    least, times = (2.0**-100, 2.0**60) if largest.dtype == np.float32 else (2.0**-900, 2.0**600)
    return where(largest < least, largest.dtype.type(times), 1.0)


@kernel(*FLOATS)
def gamma_factor_kernel(lane: Any, a: Any) -> Any:
    """Return the factor of `gamma_parts`."""
    return gamma_parts(lane, a)[0]


@kernel(*FLOATS)
def gamma_boost_kernel(lane: Any, a: Any) -> Any:
    """Return the logarithm of `gamma_parts`."""
    return gamma_parts(lane, a)[1]


@kernel(*FLOATS)
def _gamma(lane: Any, a: Any) -> Any:
    factor, boost = gamma_parts(lane, a)
    return factor * exp(boost)


@kernel(*FLOATS)
def _gamma_large(lane: Any, a: Any) -> Any:
    return large_gamma(lane, a)


_above_one = Requirement("at least 1 and finite", Interval(1, math.inf, "[)"))


def _plans(dtype: DTypeLike, a: Any) -> Iterable[Plan]:
    dtype = floating_dtype(dtype)
    yield Plan(_gamma_large, (_above_one(a=a),), dtype, compute_dtype(dtype))
    yield Plan(_gamma, (positive(a=a),), dtype, compute_dtype(dtype))


@sampler_of(_plans)
def gamma(
    key: Key, a: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return gamma variates of shape ``a`` and scale 1.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    a : float or array_like of floats
        Shape of the distribution, positive and finite. Broadcasts to ``key.shape + shape``.
    shape
        Shape of each key's sample, an int or a tuple of ints; by default the shape that the parameters broadcast to.
        With an array of keys and parameters per key, ``shape=()`` returns one sample per key.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default) or float64.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Variates, zero or more, of shape ``key.shape + shape``, float32 by default.

    Raises
    ------
    ValueError
        If ``a`` is not positive and finite.

    See Also
    --------
    beta : Ratios of two gamma variates.
    dirichlet : Ratios of several gamma variates.
    chisquare : Gamma variates of shape ``df / 2`` and scale 2.
    exponential : Gamma variates of shape 1, without rejection.
    loggamma : Logarithms of the same variates, which do not underflow.

    Notes
    -----
    The density is ``x**(a - 1) * exp(-x) / gamma(a)`` for ``x >= 0``. The method is Marsaglia and Tsang's rejection
    from a normal variate [1]_. For ``a`` below 1 a variate is that of shape ``a + 1`` times ``U**(1/a)``, which
    underflows to 0 for small ``a``.

    Precision: for ``a`` below 2**-14 (2**-27 for float64) the uniform U has 32 (64) bits, because the result depends on
    all digits of its distance from 1.

    The values differ from those of ``jax.random.gamma``, which draws from a chain of keys.

    References
    ----------
    .. [1] G. Marsaglia, W. W. Tsang, "A simple method for generating gamma variables", ACM Transactions on Mathematical
       Software 26 (2000), 363-372. https://doi.org/10.1145/358407.358414

    Examples
    --------
    >>> import keyrng
    >>> keyrng.gamma(keyrng.key(0), 2.0, (3,))
    array([3.0357745, 1.1612179, 1.4539284], dtype=float32)
    """
    dtype = floating_dtype(dtype, out)
    chosen, parameter = _prepared(key, a, dtype)
    return sample_kernel(chosen, key, shape, dtype, parameter, out=out)


@cache_scalars
def _prepared(device: Device, a: ArrayLike, dtype: Dtype) -> tuple[Kernel, Parameter]:
    """Return the kernel for a shape, and the shape, checked."""
    parameter = checked_parameter(device, positive(a=a), compute_dtype(dtype))
    return _gamma if may_hold(_below_one, parameter.value) else _gamma_large, parameter


def _below_one(a: Any) -> Any:
    return a < 1
