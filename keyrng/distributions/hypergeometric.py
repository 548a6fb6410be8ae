"""The hypergeometric distribution."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT64, Dtype, DTypeLike, integer_dtype
from keyrng._executors.device import Device
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import (
    Array,
    ArrayLike,
    cache_scalars,
    check_broadcast_together,
    check_relation,
    checked_parameter,
    wider,
)
from keyrng._sampling.plan import Plan
from keyrng._sampling.sampler import sampler_of
from keyrng._sampling.shapes import Shape
from keyrng.distributions._shared.inversion import hypergeometric_count, hypergeometric_is_small, methods
from keyrng.distributions._shared.ratio_of_uniforms import NOTHING, log_binomial, proposal
from keyrng.kernels.bits import small_as_float, sum_as_int, uniform_co
from keyrng.kernels.elementary import floor
from keyrng.kernels.lane import Kernel, kernel
from keyrng.kernels.ops import bitcast, where
from keyrng.kernels.requirements import Parameter, integer_up_to

LARGEST = 2**53


def _centre(good: Any, bad: Any, sample: Any) -> tuple[Any, Any, Any]:
    """Return the fraction of the items that is drawn, the mean, and the base, which is the whole part of the mean."""
    p = sample / (good + bad)
    mean = good * p
    return p, mean, floor(mean)


def _log_probability(x: Any, good: Any, bad: Any, sample: Any) -> Any:
    """Return the logarithm of ``C(good, k) C(bad, sample - k)`` up to a constant, for k = base + x."""
    p, mean, base = _centre(good, bad, sample)
    k, beside = base + x, x - (mean - base)
    return log_binomial(k, beside + 1.0 - p, good, p) + log_binomial(sample - k, 1.0 - p - beside, bad, p)


def _attempt(lane: Any, good: Any, bad: Any, sample: Any, peak: Any) -> tuple[Any, Any]:
    # Stadlober: k = floor(a + h (v - 1/2) / u), accepted if u**2 <= p(k) / p(mode); here k is base + x.
    total = good + bad
    p, mean, base = _centre(good, bad, sample)
    variance = mean * (bad / total) * (1.0 - p) * (total / (total - 1.0))
    x, height = proposal(lane, mean - base, variance)
    k = base + x
    possible = (k >= 0.0) & (k <= good) & (k <= sample)
    accept = possible & (height <= _log_probability(x, good, bad, sample) - peak)
    certain = ~((mean > NOTHING) & (total <= float(LARGEST)))
    return accept | certain, where(certain, 0.0, x)


def _rarer(good: Any, bad: Any, sample: Any) -> tuple[Any, Any, Any]:
    """Return the numbers of items of the rarer kind, of the other kind, and of the smaller of the sample and the rest.

    Items of the rarer kind are counted in the smaller part, so that every count from 0 is possible.
    """
    total = good + bad
    swap = good > bad
    return where(swap, bad, good), where(swap, good, bad), where(sample > total * 0.5, total - sample, sample)


def _counted(count: Any, good: Any, bad: Any, sample: Any) -> Any:
    """Return the number of good items in the sample, from the count of items by `_rarer`."""
    total = good + bad
    rest = sample > total * 0.5
    count = where(good > bad, where(rest, total - sample, sample) - count, count)
    return where(rest, good - count, count)


def _by_inversion(lane: Any, good: Any, bad: Any, sample: Any) -> Any:
    count = hypergeometric_count(uniform_co(lane), *_rarer(good, bad, sample))
    return sum_as_int(_counted(small_as_float(bitcast(count, np.uint64)), good, bad, sample))


def _by_rejection(lane: Any, good: Any, bad: Any, sample: Any) -> Any:
    total = good + bad
    rare, common, taken = _rarer(good, bad, sample)
    _, _, base = _centre(rare, common, taken)
    base = where(total > 0.0, base, 0.0)  # 0 / 0 without items
    mode = floor((rare + 1.0) * (taken + 1.0) / (total + 2.0)) - base
    x = lane.rejection_loop(_attempt, rare, common, taken, _log_probability(mode, rare, common, taken))
    return sum_as_int(_counted(base + x, good, bad, sample))


@kernel("float64")
def hypergeometric_kernel(lane: Any, good: Any, bad: Any, sample: Any) -> Any:
    """Return a hypergeometric variate, by the method for the parameters."""
    small = hypergeometric_is_small(good, bad, sample)
    few = _by_inversion(lane, *(where(small, n, 0.0) for n in (good, bad, sample)))
    return where(small, few, _by_rejection(lane, *(where(small, 0.0, n) for n in (good, bad, sample))))


@kernel("float64")
def _hypergeometric_small(lane: Any, good: Any, bad: Any, sample: Any) -> Any:
    return _by_inversion(lane, good, bad, sample)


@kernel("float64")
def _hypergeometric_large(lane: Any, good: Any, bad: Any, sample: Any) -> Any:
    return _by_rejection(lane, good, bad, sample)


@kernel("float64")
def _hypergeometric_fits(lane: Any, good: Any, bad: Any, sample: Any, largest: Any) -> Any:
    return _countable(bad, good) & _contained(sample, good, bad) & _held(sample, good, largest)


@kernel("float64")
def _hypergeometric_fits_and_is_small(lane: Any, good: Any, bad: Any, sample: Any, largest: Any) -> Any:
    fits = _countable(bad, good) & _contained(sample, good, bad) & _held(sample, good, largest)
    return fits & hypergeometric_is_small(good, bad, sample)


def hypergeometric_method(good: Array, bad: Array, sample: Array) -> Kernel:
    """Return the kernel for parameters of float64."""
    small, large = methods(hypergeometric_is_small, good, bad, sample)
    return (hypergeometric_kernel if small else _hypergeometric_large) if large else _hypergeometric_small


def _plans(dtype: DTypeLike, ngood: Any, nbad: Any, nsample: Any) -> Iterable[Plan]:
    dtype, counts = integer_dtype(dtype), integer_up_to(LARGEST)
    largest = Parameter("dtype", float(min(int(np.iinfo(dtype).max), LARGEST)))
    numbers = counts(ngood=ngood), counts(nbad=nbad), counts(nsample=nsample), largest
    yield Plan(_hypergeometric_small, numbers, dtype, FLOAT64, _hypergeometric_fits_and_is_small)
    yield Plan(_hypergeometric_large, numbers, dtype, FLOAT64, _hypergeometric_fits, for_arrays=False)
    yield Plan(hypergeometric_kernel, numbers, dtype, FLOAT64, _hypergeometric_fits)


@sampler_of(_plans)
def hypergeometric(
    key: Key,
    ngood: ArrayLike,
    nbad: ArrayLike,
    nsample: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return the numbers of good items among ``nsample`` drawn without replacement.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    ngood, nbad : int or array_like of ints
        Numbers of good and of bad items: whole numbers, zero or more, ``ngood + nbad <= 2**53``. They broadcast to
        ``key.shape + shape``.
    nsample : int or array_like of ints
        Number of items drawn, a whole number from 0 to ``ngood + nbad``. Broadcasts to ``key.shape + shape``.
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
        Counts of shape ``key.shape + shape``, int32 by default; any integer dtype is possible that represents the
        largest possible count, the smaller of ``ngood`` and ``nsample``.

    Raises
    ------
    ValueError
        If a parameter is negative, not a whole number or too large, or ``nsample`` is larger than ``ngood + nbad``.

    See Also
    --------
    binomial : Draws with replacement.
    choice : The items instead of their number, with ``replace=False``.
    multivariate_hypergeometric : Items of more than two kinds.

    Notes
    -----
    The probability of ``k`` is ``C(ngood, k) * C(nbad, nsample - k) / C(ngood + nbad, nsample)``. If the mean
    number of items of a kind in the sample or in the rest is at most 30, the method is inversion by sequential search
    [1]_, with one uniform that is a multiple of 2**-52. Otherwise it is Stadlober's ratio of uniforms [2]_. The
    computation is in float64.

    The parameters are those of ``numpy.random.Generator.hypergeometric``; ``jax.random`` does not have this
    distribution.

    References
    ----------
    .. [1] L. Devroye, "Non-Uniform Random Variate Generation", Springer, 1986, sections III.2 and X.3.3.
    .. [2] E. Stadlober, "The ratio of uniforms approach for generating discrete random variates", Journal of
       Computational and Applied Mathematics 31 (1990), 181-189. https://doi.org/10.1016/0377-0427(90)90349-5

    Examples
    --------
    >>> import keyrng
    >>> keyrng.hypergeometric(keyrng.key(0), 30, 20, 10, (5,))
    array([6, 7, 3, 6, 6], dtype=int32)
    """
    dtype = integer_dtype(dtype, out)
    chosen, *parameters = _prepared(key, ngood, nbad, nsample, dtype)
    return sample_kernel(chosen, key, shape, dtype, *parameters, compute=FLOAT64, out=out)


@cache_scalars
def _prepared(device: Device, ngood: ArrayLike, nbad: ArrayLike, nsample: ArrayLike, dtype: Dtype) -> tuple[Any, ...]:
    """Return the kernel for parameters, and the parameters, checked."""
    counts = integer_up_to(LARGEST)
    first, second, third = (
        checked_parameter(device, n, FLOAT64) for n in (counts(ngood=ngood), counts(nbad=nbad), counts(nsample=nsample))
    )
    a, b, c = first.value, second.value, third.value
    check_broadcast_together(ngood=a, nbad=b, nsample=c)

    def too_many() -> str:
        return f"ngood + nbad must be at most 2**53, got {ngood} and {nbad}"

    def too_large() -> str:
        return f"nsample must be at most ngood + nbad, got {nsample} of {ngood} and {nbad}"

    def not_held() -> str:
        largest = np.iinfo(dtype).max
        return f"ngood or nsample must be at most {largest} for {dtype}{wider(dtype)}, got {ngood} and {nsample}"

    b = check_relation(device, _countable, b, a, error=too_many)
    c = check_relation(device, _contained, c, a, b, error=too_large)
    c = check_relation(device, held_by(dtype), c, a, error=not_held)
    chosen = hypergeometric_method(a, b, c)
    return chosen, first, Parameter("nbad", b, second.requirement), Parameter("nsample", c, third.requirement)


@lru_cache
def held_by(dtype: Dtype) -> Callable[[Any, Any], Any]:
    """Return the relation that a dtype represents every count of good items in a sample."""
    largest = min(int(np.iinfo(dtype).max), LARGEST)

    def held(sample: Any, good: Any) -> Any:
        return _held(sample, good, largest)

    return held


def _held(sample: Any, good: Any, largest: Any) -> Any:
    return (sample <= largest) | (good <= largest)


def _countable(bad: Any, good: Any) -> Any:
    return bad <= LARGEST - good  # the sum would be rounded


def _contained(sample: Any, good: Any, bad: Any) -> Any:
    return sample <= good + bad
