"""The noncentral chi-square distribution."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from keyrng._core.dtypes import Dtype, DTypeLike, compute_dtype, floating_dtype
from keyrng._executors.device import Device, may_hold
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, cache_scalars, checked_parameter
from keyrng._sampling.plan import Plan
from keyrng._sampling.sampler import sampler_of
from keyrng._sampling.shapes import Shape
from keyrng.distributions.gamma import gamma_parts, large_gamma
from keyrng.distributions.normal import normal_kernel
from keyrng.distributions.poisson import poisson_parts
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import FLOATS, Kernel, kernel
from keyrng.kernels.ops import sqrt, where
from keyrng.kernels.requirements import Interval, Parameter, Requirement, non_negative, positive


def _added_shape(lane: Any, nonc: Any) -> Any:
    """Return what noncentrality adds to the gamma shape, for less than one degree of freedom.

    A noncentral chi-square is a Poisson mixture of central ones, for every df: N. L. Johnson, S. Kotz, N. Balakrishnan,
    Continuous Univariate Distributions 2, 2nd edition, equation (29.4).
    """
    base, rest = poisson_parts(lane, nonc * 0.5)
    return base + rest


def half_square(lane: Any, nonc: Any) -> Any:
    """Return half of a noncentral chi-square variate of one degree of freedom."""
    x = normal_kernel(lane) + sqrt(nonc)
    return 0.5 * x * x


def half_from_one(normal: Any, gamma: Any, df: Any, nonc: Any) -> Any:
    """Return half of a variate of at least one degree of freedom: of a square, and of a central variate of the rest."""
    alone = df == 1.0
    factor, boost = gamma_parts(gamma, where(alone, 1.0, (df - 1.0) * 0.5))
    return half_square(normal, nonc) + where(alone, 0.0, factor * exp(boost))


@kernel(*FLOATS)
def _noncentral_chisquare(lane: Any, df: Any, nonc: Any) -> Any:
    # The square and the Poisson variate have words of one child, because an element needs one of them only.
    first, gamma = lane.split(2)
    one, alone = df >= 1.0, df == 1.0
    added = _added_shape(first, where(one, 0.0, nonc))
    shape = where(one, (df - 1.0) * 0.5, df * 0.5 + added)
    factor, boost = gamma_parts(gamma, where(alone, 1.0, shape))
    half = where(alone, 0.0, factor * exp(boost))
    return (where(one, half_square(first, nonc), 0.0) + half) * 2.0


@kernel(*FLOATS)
def _noncentral_chisquare_below_one(lane: Any, df: Any, nonc: Any) -> Any:
    count, gamma = lane.split(2)
    factor, boost = gamma_parts(gamma, df * 0.5 + _added_shape(count, nonc))
    return factor * exp(boost) * 2.0


@kernel(*FLOATS)
def _noncentral_chisquare_from_one(lane: Any, df: Any, nonc: Any) -> Any:
    normal, gamma = lane.split(2)
    return half_from_one(normal, gamma, df, nonc) * 2.0


@kernel(*FLOATS)
def _noncentral_chisquare_from_three(lane: Any, df: Any, nonc: Any) -> Any:
    normal, gamma = lane.split(2)
    return (half_square(normal, nonc) + large_gamma(gamma, (df - 1.0) * 0.5)) * 2.0


BELOW_ONE = Requirement("positive and below 1", Interval(0, 1, "()"))
FROM_ONE = Requirement("at least 1 and finite", Interval(1, math.inf, "[)"))
_FROM_THREE = Requirement("at least 3 and finite", Interval(3, math.inf, "[)"))


def _plans(dtype: DTypeLike, df: Any, nonc: Any) -> Iterable[Plan]:
    dtype = floating_dtype(dtype)
    for chosen, condition in (
        (_noncentral_chisquare_from_three, _FROM_THREE),
        (_noncentral_chisquare_from_one, FROM_ONE),
        (_noncentral_chisquare_below_one, BELOW_ONE),
    ):
        yield Plan(chosen, (condition(df=df), non_negative(nonc=nonc)), dtype, compute_dtype(dtype))


@sampler_of(_plans)
def noncentral_chisquare(
    key: Key,
    df: ArrayLike,
    nonc: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return noncentral chi-square variates of ``df`` degrees of freedom and noncentrality ``nonc``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    df : float or array_like of floats
        Degrees of freedom, positive and finite. Broadcasts to ``key.shape + shape``.
    nonc : float or array_like of floats
        Noncentrality, zero or more and finite. Broadcasts to ``key.shape + shape``.
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
        If a parameter is outside its range or NaN.

    See Also
    --------
    chisquare : The case ``nonc = 0``.
    noncentral_f : Ratios with a noncentral numerator.

    Notes
    -----
    For a whole number ``df`` this is the distribution of the sum of ``df`` squared normal variates of variance 1 whose
    squared means sum to ``nonc``. For ``df`` of at least 1 a variate is the square of a normal variate of mean
    ``sqrt(nonc)``, plus a chi-square variate of ``df - 1`` degrees of freedom. Below 1 it is a chi-square variate of
    ``df + 2 * poisson(nonc / 2)`` degrees of freedom [1]_.

    The parameters are those of ``numpy.random.Generator.noncentral_chisquare``; ``jax.random`` does not have this
    distribution.

    References
    ----------
    .. [1] N. L. Johnson, S. Kotz, N. Balakrishnan, "Continuous Univariate Distributions", volume 2, 2nd edition, Wiley,
       1995, equation (29.4).

    Examples
    --------
    >>> import keyrng
    >>> keyrng.noncentral_chisquare(keyrng.key(0), 3.0, 2.0, (3,))
    array([7.683038 , 0.7567971, 3.3434854], dtype=float32)
    """
    dtype = floating_dtype(dtype, out)
    chosen, *parameters = _prepared(key, df, nonc, dtype)
    return sample_kernel(chosen, key, shape, dtype, *parameters, out=out)


@cache_scalars
def _prepared(device: Device, df: ArrayLike, nonc: ArrayLike, dtype: Dtype) -> tuple[Kernel, Parameter, Parameter]:
    """Return the kernel for degrees of freedom, and the parameters, checked."""
    first, second = (
        checked_parameter(device, each, compute_dtype(dtype)) for each in (positive(df=df), non_negative(nonc=nonc))
    )
    if not may_hold(below_three, first.value):
        return _noncentral_chisquare_from_three, first, second
    if not may_hold(below_one, first.value):
        return _noncentral_chisquare_from_one, first, second
    return _noncentral_chisquare if may_hold(from_one, first.value) else _noncentral_chisquare_below_one, first, second


def below_three(df: Any) -> Any:
    """Return whether a chi-square variate of one degree of freedom less is a gamma variate of a shape below 1."""
    return df < 3


def below_one(df: Any) -> Any:
    """Return whether the variate is a mixture."""
    return df < 1


def from_one(df: Any) -> Any:
    """Return whether the variate is a sum."""
    return df >= 1
