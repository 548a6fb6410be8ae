"""The binomial distribution."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from keyrng._core.arguments import cast_array
from keyrng._core.dtypes import FLOAT32, FLOAT64, Dtype, DTypeLike, compute_dtype, number_dtype
from keyrng._executors.device import Device
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, cache_scalars, checked_parameter, wider
from keyrng._sampling.plan import Plan
from keyrng._sampling.sampler import sampler_of
from keyrng._sampling.shapes import Shape
from keyrng.distributions._shared.inversion import binomial_count, binomial_is_small, methods
from keyrng.distributions._shared.ratio_of_uniforms import NOTHING, log_binomial, proposal
from keyrng.kernels.bits import small_as_float, sum_as_int, uniform_co
from keyrng.kernels.elementary import floor
from keyrng.kernels.lane import FLOATS, AttemptIn, Kernel, kernel
from keyrng.kernels.ops import bitcast, cast, where
from keyrng.kernels.requirements import Interval, Parameter, Requirement, integer_up_to, probability


def _attempt(lane: Any, n: Any, p: Any, peak: Any) -> tuple[Any, Any]:
    # Stadlober: k = floor(a + h (v - 1/2) / u), accepted if u**2 <= p(k) / p(mode); here k is base + x.
    mean = n * p
    base = floor(mean)
    fraction = mean - base
    x, height = proposal(lane, fraction, mean * (1.0 - p))
    k = base + x
    possible = (k >= 0.0) & (x <= n - base)
    accept = possible & (height <= log_binomial(k, x - fraction + (1.0 - p), n, p) - peak)
    certain = ~((mean > NOTHING) & (mean < math.inf))
    return accept | certain, where(certain, 0.0, x)


def _attempt_in_float32(lane: Any, n: Any, p: Any, peak: Any) -> tuple[Any, Any]:
    return _attempt(AttemptIn(lane, FLOAT32), n, p, peak)


def _by_rejection(lane: Any, n: Any, p: Any, attempt: Callable[..., tuple[Any, Any]] = _attempt) -> Any:
    likely, rare = _rarer(p)
    mean = n * rare
    base = floor(mean)
    mode = floor(mean - base + rare)
    peak = log_binomial(base + mode, mode - (mean - base) + (1.0 - rare), n, rare)
    x = lane.rejection_loop(attempt, n, rare, peak)
    return sum_as_int(where(likely, n - base, base), where(likely, -x, x))


def _rarer(p: Any) -> tuple[Any, Any]:
    """Return whether failures are rarer, and the probability of the rarer outcome, which is what is counted."""
    likely = p > 0.5
    return likely, where(likely, 1.0 - p, p)  # 1 - p is exact for p > 1/2


def _by_inversion(lane: Any, n: Any, p: Any) -> Any:
    likely, rare = _rarer(p)
    count = binomial_count(uniform_co(lane), n, rare)
    return where(likely, cast(n, np.int64) - count, count)


def _float_by_inversion(lane: Any, n: Any, p: Any) -> Any:
    likely, rare = _rarer(p)
    count = small_as_float(bitcast(binomial_count(uniform_co(lane), n, rare), np.uint64))
    return cast(where(likely, (n + 0.0) - count, count), np.float32)  # n + 0 is never -0


@kernel("float64")
def binomial_kernel(lane: Any, n: Any, p: Any) -> Any:
    """Return a binomial variate of ``n`` trials, by the method for the parameters."""
    small = binomial_is_small(n, p)
    large = _by_rejection(lane, where(small, 0.0, n), where(small, 0.0, p))
    return where(small, _by_inversion(lane, where(small, n, 0.0), where(small, p, 0.0)), large)


@kernel("float64")
def _binomial_in_float32(lane: Any, n: Any, p: Any) -> Any:
    # The same values as `_binomial_small_in_float32`, and as `_binomial_large` in float32 for large means.
    small = binomial_is_small(n, p)
    rest, chance = (cast(where(small, 0.0, value), FLOAT32) for value in (n, p))
    large = _by_rejection(lane, rest, chance, _attempt_in_float32)
    few = _float_by_inversion(lane, where(small, n, 0.0), where(small, p, 0.0))
    return where(small, few, cast(large, FLOAT32))


@kernel("float64")
def binomial_small_kernel(lane: Any, n: Any, p: Any) -> Any:
    """Return the same for few successes or few failures."""
    return _by_inversion(lane, n, p)


@kernel("float64")
def _binomial_small_in_float32(lane: Any, n: Any, p: Any) -> Any:
    return _float_by_inversion(lane, n, p)


@kernel(*FLOATS)
def _binomial_large(lane: Any, n: Any, p: Any) -> Any:
    return _by_rejection(lane, n, p)


@kernel("float64")
def binomial_is_small_kernel(lane: Any, n: Any, p: Any) -> Any:
    """Return whether `binomial_small_kernel` may be used."""
    return binomial_is_small(n, p)


def _small_kernel(floats: Dtype) -> Kernel:
    return binomial_small_kernel if floats == FLOAT64 else _binomial_small_in_float32


def _mixed_kernel(floats: Dtype) -> Kernel:
    return binomial_kernel if floats == FLOAT64 else _binomial_in_float32


# Trials and probabilities of large means, for which C needs no relation.
_LARGE = ((100, 0.31), (1000, 0.031))


def _plans(dtype: DTypeLike, n: Any, p: Any) -> Iterable[Plan]:
    dtype = number_dtype(dtype)
    floats = _floats(dtype)
    for least, rare in _LARGE:
        enough = Requirement("", Interval(least, _most(dtype), whole=True))
        yield Plan(_binomial_large, (enough(n=n), Requirement("", Interval(rare, 1.0 - rare))(p=p)), dtype, floats)
    numbers = trials(dtype)(n=n), probability(p=p)
    yield Plan(_small_kernel(floats), numbers, dtype, FLOAT64, binomial_is_small_kernel)
    yield Plan(_binomial_large, numbers, dtype, floats, for_arrays=False)
    yield Plan(_mixed_kernel(floats), numbers, dtype, FLOAT64)


@sampler_of(_plans)
def binomial(
    key: Key,
    n: ArrayLike,
    p: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return the numbers of successes in ``n`` trials of success probability ``p``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    n : int or array_like of ints
        Number of trials, a whole number from 0 to the number up to which ``dtype`` represents every count: 2**24 for
        float32, 2**53 for float64 and for integers of 64 bits, 2048 for float16, 256 for bfloat16. Broadcasts to
        ``key.shape + shape``.
    p : float or array_like of floats
        Probability of success, in [0, 1]. 0 and 1 are exact. Broadcasts to ``key.shape + shape``.
    shape
        Shape of each key's sample, an int or a tuple of ints; by default the shape that the parameters broadcast to.
        With an array of keys and parameters per key, ``shape=()`` returns one sample per key.
    dtype
        Dtype of the result: any integer or float dtype, float32 by default.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Counts from 0 to ``n`` of shape ``key.shape + shape``, float32 by default, as in jax; any float or integer dtype
        is possible.

    Raises
    ------
    ValueError
        If ``n`` is negative, not a whole number or too large for ``dtype``, or ``p`` is outside [0, 1], or either is
        NaN.

    See Also
    --------
    bernoulli : A single trial.
    hypergeometric : Trials without replacement.
    multinomial : Trials with more than two outcomes.
    negative_binomial : Failures before the ``n``-th success.

    Notes
    -----
    The probability of ``k`` is ``C(n, k) * p**k * (1 - p)**(n - k)``. If ``n * p`` or ``n * (1 - p)`` is at
    most 30, the method is inversion by sequential search [1]_ in float64, with one uniform that is a multiple of
    2**-52. Otherwise it is Stadlober's ratio of uniforms [2]_, with probabilities that lose no digits for any ``n``, in
    float64 for dtypes of 64 bits and integers, and in float32 for other dtypes.

    The values differ from those of ``jax.random.binomial``, which draws from chains of keys.

    References
    ----------
    .. [1] L. Devroye, "Non-Uniform Random Variate Generation", Springer, 1986, sections III.2 and X.3.3.
    .. [2] E. Stadlober, "The ratio of uniforms approach for generating discrete random variates", Journal of
       Computational and Applied Mathematics 31 (1990), 181-189. https://doi.org/10.1016/0377-0427(90)90349-5

    Examples
    --------
    >>> import keyrng
    >>> keyrng.binomial(keyrng.key(0), 10, 0.3, (5,), "int32")
    array([3, 2, 6, 3, 3], dtype=int32)
    """
    dtype = number_dtype(dtype, out)
    chosen, compute, *parameters = _prepared(key, n, p, dtype)
    return sample_kernel(chosen, key, shape, dtype, *parameters, compute=compute, out=out)


@cache_scalars
def _prepared(device: Device, n: ArrayLike, p: ArrayLike, dtype: Dtype) -> tuple[Kernel, Dtype, Parameter, Parameter]:
    first, second = (checked_parameter(device, each, FLOAT64) for each in (trials(dtype)(n=n), probability(p=p)))
    return binomial_method(first, second, _floats(dtype))


def binomial_method(n: Parameter, p: Parameter, floats: Dtype) -> tuple[Kernel, Dtype, Parameter, Parameter]:
    """Return the kernel for parameters of float64, the dtype that it computes in, and the parameters in that dtype.

    ``floats`` is the dtype of attempts.
    """
    small, large = methods(binomial_is_small, n.value, p.value)
    if not large:
        return _small_kernel(floats), FLOAT64, n, p
    if small:
        return _mixed_kernel(floats), FLOAT64, n, p
    if floats != FLOAT64:
        n, p = (Parameter(each.name, cast_array(each.name, each.value, floats)) for each in (n, p))
    return _binomial_large, floats, n, p


def _floats(dtype: Dtype) -> Dtype:
    """Return the dtype of the computation for large means."""
    return FLOAT64 if dtype.kind in "iu" else compute_dtype(dtype)


def trials(dtype: Dtype) -> Requirement:
    """Return the requirement that a dtype, and float64 for integers, represents every count up to n."""
    return integer_up_to(_most(dtype), "" if dtype.itemsize == 8 else f" for {dtype}{wider(dtype)}")


def _most(dtype: Dtype) -> int:
    if dtype.itemsize == 8:
        return 2**53
    return int(np.iinfo(dtype).max) if dtype.kind in "iu" else _FLOATS[dtype.name]


_FLOATS = {"float16": 2**11, "bfloat16": 2**8, "float32": 2**24}
