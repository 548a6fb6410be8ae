"""The negative binomial distribution."""

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
from keyrng.distributions._shared.inversion import methods, negative_binomial_count, negative_binomial_is_small
from keyrng.distributions.gamma import gamma_parts
from keyrng.distributions.poisson import poisson_parts
from keyrng.kernels.bits import sum_as_int, uniform_co
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import Kernel, kernel
from keyrng.kernels.ops import sqrt, where
from keyrng.kernels.requirements import Parameter, positive, positive_probability


def _mixture(mean: Any, count: Any, n: Any, p: Any) -> Any:
    factor, boost = gamma_parts(mean, n)
    return sum_as_int(*poisson_parts(count, factor * exp(boost) * ((1.0 - p) / p)))


@kernel("float64")
def _negative_binomial(lane: Any, n: Any, p: Any) -> Any:
    mean, count = lane.split(2)
    small = negative_binomial_is_small(n, p)
    few = negative_binomial_count(uniform_co(count), where(small, n, 1.0), where(small, p, 1.0))
    return where(small, few, _mixture(mean, count, n, where(small, 1.0, p)))


@kernel("float64")
def _negative_binomial_small(lane: Any, n: Any, p: Any) -> Any:
    _, count = lane.split(2)
    return negative_binomial_count(uniform_co(count), n, p)


@kernel("float64")
def _negative_binomial_large(lane: Any, n: Any, p: Any) -> Any:
    mean, count = lane.split(2)
    return _mixture(mean, count, n, p)


@kernel("float64")
def _negative_binomial_fits_and_is_small(lane: Any, n: Any, p: Any, largest: Any) -> Any:
    return (_largest_count(p, n) <= largest) & negative_binomial_is_small(n, p)


@kernel("float64")
def _negative_binomial_fits(lane: Any, n: Any, p: Any, largest: Any) -> Any:
    return _largest_count(p, n) <= largest


def _plans(dtype: DTypeLike, n: Any, p: Any) -> Iterable[Plan]:
    dtype = integer_dtype(dtype)
    largest = Parameter("dtype", float(np.iinfo(dtype).max))
    numbers = positive(n=n), positive_probability(p=p), largest
    yield Plan(_negative_binomial_small, numbers, dtype, FLOAT64, _negative_binomial_fits_and_is_small)
    yield Plan(_negative_binomial_large, numbers, dtype, FLOAT64, _negative_binomial_fits, for_arrays=False)
    yield Plan(_negative_binomial, numbers, dtype, FLOAT64, _negative_binomial_fits)


@sampler_of(_plans)
def negative_binomial(
    key: Key,
    n: ArrayLike,
    p: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return the numbers of failures before the ``n``-th success of probability ``p``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    n : float or array_like of floats
        Number of successes, positive and finite, whole or not. Broadcasts to ``key.shape + shape``.
    p : float or array_like of floats
        Probability of success, in (0, 1]. Broadcasts to ``key.shape + shape``.
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
        If a parameter is outside its range or NaN, or counts may be too large for ``dtype`` (with a probability of more
        than about 1e-15).

    See Also
    --------
    binomial : Successes in ``n`` trials.
    geometric : Trials up to the first success.
    poisson : The limit for large ``n``.

    Notes
    -----
    The probability of ``k`` is ``gamma(n + k) / (k! * gamma(n)) * p**n * (1 - p)**k``. If ``p`` is at
    least 0.1 and ``n * (1 - p)`` at most ``30 * sqrt(p)``, the method is inversion by sequential search [1]_, with one
    uniform that is a multiple of 2**-52. Otherwise a variate is a Poisson variate, by the ratio of uniforms, whose mean
    is a gamma variate of shape ``n`` and scale ``(1 - p) / p``. The computation is in float64.

    The parameters are those of ``numpy.random.Generator.negative_binomial``; ``jax.random`` does not have this
    distribution.

    References
    ----------
    .. [1] L. Devroye, "Non-Uniform Random Variate Generation", Springer, 1986, sections III.2 and X.3.3.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.negative_binomial(keyrng.key(0), 3, 0.5, (5,))
    array([0, 7, 4, 3, 3], dtype=int32)
    """
    dtype = integer_dtype(dtype, out)
    chosen, *parameters = _prepared(key, n, p, dtype)
    return sample_kernel(chosen, key, shape, dtype, *parameters, compute=FLOAT64, out=out)


@cache_scalars
def _prepared(device: Device, n: ArrayLike, p: ArrayLike, dtype: Dtype) -> tuple[Kernel, Parameter, Parameter]:
    """Return the kernel for parameters, and the parameters, checked."""
    largest = int(np.iinfo(dtype).max)
    successes, rate = (
        checked_parameter(device, parameter, FLOAT64) for parameter in (positive(n=n), positive_probability(p=p))
    )
    check_broadcast_together(n=successes.value, p=rate.value)

    def error() -> str:
        return f"counts for n {n} and p {p} may not fit {dtype}, which ends at {largest}{wider(dtype)}"

    fitting, small, large = rate.value, True, False
    if not _holds_for_all(_fits(largest), fitting, successes.value):
        fitting = check_relation(device, _fits(largest), fitting, successes.value, error=error)
    if not _holds_for_all(_small, fitting, successes.value):
        small, large = methods(_small, fitting, successes.value)
    chosen = (_negative_binomial if small else _negative_binomial_large) if large else _negative_binomial_small
    return chosen, successes, Parameter("p", fitting, rate.requirement)


def _holds_for_all(relation: Callable[[Any, Any], Any], p: Array, n: Array) -> bool:
    """Return whether a relation holds for the smallest p and the largest n, of the largest counts, and so for all.

    It saves time; False for empty arrays and for those in GPU memory.
    """
    if not all(isinstance(values, np.ndarray) and values.size for values in (p, n)):
        return False
    with np.errstate(all="ignore"):
        return bool(relation(p.min(), n.max()))


def _small(p: Any, n: Any) -> Any:
    return negative_binomial_is_small(n, p)


@lru_cache
def _fits(largest: int) -> Callable[[Any, Any], Any]:
    """Return the relation that counts are at most ``largest``."""

    def fits(p: Any, n: Any) -> Any:
        return _largest_count(p, n) <= largest

    return fits


def _largest_count(p: Any, n: Any) -> Any:
    # Twelve standard deviations of the gamma variate and its exponential tail, then ten of the Poisson variate.
    mean = (n + 12.0 * sqrt(n) + 36.0) * ((1.0 - p) / p)
    return mean + 10.0 * sqrt(mean)
