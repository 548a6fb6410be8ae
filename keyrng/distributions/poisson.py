"""The Poisson distribution."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from keyrng._core.arguments import cast_array
from keyrng._core.dtypes import FLOAT32, FLOAT64, Dtype, DTypeLike, float_dtype, integer_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors.device import Device
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, cache_scalars, checked_parameter, wider
from keyrng._sampling.plan import Plan
from keyrng._sampling.sampler import sampler_of
from keyrng._sampling.shapes import Shape
from keyrng.distributions._shared.inversion import MOST_MEAN, methods, poisson_count, poisson_is_small
from keyrng.distributions._shared.ratio_of_uniforms import NOTHING, log_poisson, proposal
from keyrng.kernels.bits import sum_as_int, uniform_co
from keyrng.kernels.elementary import floor
from keyrng.kernels.lane import FLOATS, AttemptIn, Kernel, kernel
from keyrng.kernels.ops import cast, where
from keyrng.kernels.requirements import Interval, Parameter, Requirement


def _attempt(lane: Any, lam: Any, peak: Any) -> tuple[Any, Any]:
    # Stadlober: k = floor(a + h (v - 1/2) / u), accepted if u**2 <= p(k) / p(mode); here k is base + x.
    base = floor(lam)
    fraction = lam - base
    x, height = proposal(lane, fraction, lam)
    k = base + x
    accept = (k >= 0.0) & (height <= log_poisson(k, x - fraction + 1.0, lam) - peak)
    # Negated, so that NaN and infinity, which are not checked on a GPU, are accepted and the loop ends.
    certain = ~((lam > NOTHING) & (lam < math.inf))
    return accept | certain, where(certain, 0.0, x)


def _attempt_in_float32(lane: Any, lam: Any, peak: Any) -> tuple[Any, Any]:
    return _attempt(AttemptIn(lane, FLOAT32), lam, peak)


def poisson_parts(lane: Any, lam: Any, attempt: Callable[..., tuple[Any, Any]] = _attempt) -> tuple[Any, Any]:
    """Return a Poisson variate as the sum of two whole floats: the whole part of the mean, and the difference to it."""
    base = floor(lam)
    return base, lane.rejection_loop(attempt, lam, log_poisson(base, base - lam + 1.0, lam))


@kernel("float64")
def _poisson(lane: Any, lam: Any) -> Any:
    small = poisson_is_small(lam)
    large = sum_as_int(*poisson_parts(lane, where(small, 0.0, lam)))
    return where(small, poisson_count(uniform_co(lane), where(small, lam, 0.0)), large)


@kernel("float64")
def _poisson_in_float32(lane: Any, lam: Any) -> Any:
    # The same values as `_poisson` for small means, and as `_poisson_large` in float32 for others.
    small = poisson_is_small(lam)
    large = sum_as_int(*poisson_parts(lane, cast(where(small, 0.0, lam), FLOAT32), _attempt_in_float32))
    return where(small, poisson_count(uniform_co(lane), where(small, lam, 0.0)), cast(large, np.int64))


@kernel("float64")
def _poisson_small(lane: Any, lam: Any) -> Any:
    return poisson_count(uniform_co(lane), lam)


@kernel(*FLOATS)
def _poisson_large(lane: Any, lam: Any) -> Any:
    return sum_as_int(*poisson_parts(lane, lam))


_small_mean = Requirement(f"at most {MOST_MEAN}", Interval(0, MOST_MEAN))


def _plans(dtype: DTypeLike, lam: Any) -> Iterable[Plan]:
    dtype = integer_dtype(dtype)
    large = Requirement("", Interval(MOST_MEAN, _limit(dtype), "(]"))
    yield Plan(_poisson_small, (_small_mean(lam=lam),), dtype, FLOAT64)
    yield Plan(_poisson_large, (large(lam=lam),), dtype, float_dtype(dtype))


@sampler_of(_plans)
def poisson(
    key: Key, lam: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return Poisson variates of mean ``lam``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    lam : float or array_like of floats
        Mean, zero or more, and at least ten standard deviations below the largest integer of ``dtype``, so that every
        count fits. Broadcasts to ``key.shape + shape``.
    shape
        Shape of each key's sample, an int or a tuple of ints; by default the shape that the parameters broadcast to.
        With an array of keys and parameters per key, ``shape=()`` returns one sample per key.
    dtype
        Dtype of the result: any integer dtype, int32 by default.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Counts, zero or more, of shape ``key.shape + shape``, int32 by default; any integer dtype is possible.

    Raises
    ------
    ValueError
        If ``lam`` is negative, NaN or too large for ``dtype``.

    See Also
    --------
    binomial : Successes in a fixed number of trials.
    exponential : Times between events.
    negative_binomial : Counts whose mean is a gamma variate.

    Notes
    -----
    The probability of ``k`` is ``lam**k * exp(-lam) / k!``. The method for means up to 30 is inversion by sequential
    search [1]_ in float64, with one uniform that is a multiple of 2**-52. For larger means it is Stadlober's ratio of
    uniforms [2]_, with probabilities that lose no digits for any mean, in float64 for dtypes of 64 bits and in float32
    otherwise.

    The values differ from those of ``jax.random.poisson``, which draws from chains of keys and whose variance is off by
    half at a mean of 1e8.

    References
    ----------
    .. [1] L. Devroye, "Non-Uniform Random Variate Generation", Springer, 1986, sections III.2 and X.3.3.
    .. [2] E. Stadlober, "The ratio of uniforms approach for generating discrete random variates", Journal of
       Computational and Applied Mathematics 31 (1990), 181-189. https://doi.org/10.1016/0377-0427(90)90349-5

    Examples
    --------
    >>> import keyrng
    >>> keyrng.poisson(keyrng.key(0), 4.0, (5,))
    array([3, 2, 8, 4, 4], dtype=int32)
    """
    dtype = integer_dtype(dtype, out)
    chosen, compute, parameter = _prepared(key, lam, dtype)
    return sample_kernel(chosen, key, shape, dtype, parameter, compute=compute, out=out)


@cache_scalars
def _prepared(device: Device, lam: ArrayLike, dtype: Dtype) -> tuple[Kernel, Dtype, Parameter]:
    """Return the kernel for a mean, the dtype that it computes in, and the mean, checked."""
    parameter = checked_parameter(device, _mean(dtype)(lam=lam), FLOAT64)
    small, large = methods(poisson_is_small, parameter.value)
    floats = float_dtype(dtype)
    if not large:
        return _poisson_small, FLOAT64, parameter
    if small:
        return _poisson if floats == FLOAT64 else _poisson_in_float32, FLOAT64, parameter
    return _poisson_large, floats, Parameter("lam", cast_array("lam", parameter.value, floats))


@lru_cache
def _mean(dtype: Dtype) -> Requirement:
    limit = _limit(dtype)
    return Requirement(f"between 0 and {limit}, for all counts to fit {dtype}{wider(dtype)}", Interval(0, limit))


@lru_cache
@in_default_fpenv
def _limit(dtype: Dtype) -> int:
    largest = int(np.iinfo(dtype).max)
    limit = math.floor((math.sqrt(largest) - 5.0) ** 2 - 25.0) if largest > 200 else 40
    digits = 53 if dtype.itemsize == 8 else 24
    limit &= -(1 << max(0, limit.bit_length() - digits))  # exact in the dtype of the computation, as is the comparison
    return limit
