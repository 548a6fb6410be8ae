"""The chi-square distribution and what is made of it: Student's t, F, and the noncentral ones."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, non_negative, positive
from keyrng._sampling.shapes import Shape
from keyrng.distributions.gamma import comparable, gamma_parts
from keyrng.distributions.normal import normal_kernel
from keyrng.distributions.poisson import poisson_parts
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import sqrt, where
from keyrng.kernels.special import exp_halves


@kernel(*FLOATS)
def _chisquare(lane: Any, df: Any) -> Any:
    factor, boost = gamma_parts(lane, df * 0.5)
    return factor * exp(boost) * 2.0


@kernel(*FLOATS)
def _t(lane: Any, df: Any) -> Any:
    normal, gamma = lane.split(2)
    half = df * 0.5
    factor, boost = gamma_parts(gamma, half)
    scale, power_of_two = exp_halves(boost * -0.5)
    return normal_kernel(normal) * sqrt(_not_tiny(half) / factor) * scale * power_of_two


def _not_tiny(df: Any) -> Any:
    """Degrees of freedom as a factor; from 2**-60 down the variate is 0 or infinite, whatever they are."""
    return where(df < 2.0**-60, 2.0**-60, df)


def _ratio(over: Any, over_shape: Any, dfnum: Any, under: Any, dfden: Any) -> Any:
    """The quotient of two gamma variates over their degrees of freedom, in an order that leaves the floats at the end.

    The shapes of both, the second of which is ``dfden / 2``, are as `comparable` has them.
    """
    factor, boost = gamma_parts(over, over_shape)
    factor_under, boost_under = gamma_parts(under, dfden * 0.5)
    first, second = exp_halves(boost - boost_under)
    dfnum, dfden = where(over_shape < 2.0**-60, 2.0**-60, dfnum), _not_tiny(dfden)
    large = (dfnum > 2.0**60) | (dfden > 2.0**60)
    ratio = where(large, factor / dfnum * (dfden / factor_under), factor / factor_under)
    return ratio * first * where(large, 1.0, dfden / dfnum) * second


@kernel(*FLOATS)
def _f(lane: Any, dfnum: Any, dfden: Any) -> Any:
    under, over = lane.split(2)  # jax's order
    dfnum, dfden = comparable(dfnum, dfden)
    return _ratio(over, dfnum * 0.5, dfnum, under, dfden)


def _added_shape(lane: Any, nonc: Any) -> Any:
    """What noncentrality adds to the shape: a noncentral chi-square is a Poisson mixture of central ones, for every df.

    N. L. Johnson, S. Kotz, N. Balakrishnan, Continuous Univariate Distributions 2, 2nd edition, equation (29.4).
    """
    base, rest = poisson_parts(lane, nonc * 0.5)
    return base + rest


@kernel(*FLOATS)
def _noncentral_chisquare(lane: Any, df: Any, nonc: Any) -> Any:
    count, gamma = lane.split(2)
    factor, boost = gamma_parts(gamma, df * 0.5 + _added_shape(count, nonc))
    return factor * exp(boost) * 2.0


@kernel(*FLOATS)
def _noncentral_f(lane: Any, dfnum: Any, dfden: Any, nonc: Any) -> Any:
    under, over = lane.split(2)
    count, gamma = over.split(2)
    added = _added_shape(count, nonc)
    central, dfden = comparable(dfnum + added, dfden)
    return _ratio(gamma, where(added == 0.0, central * 0.5, dfnum * 0.5 + added), dfnum, under, dfden)


def chisquare(
    key: Key, df: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Chi-square variates of ``df`` degrees of freedom: density proportional to ``x**(df/2 - 1) * exp(-x/2)``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    df
        Positive finite numbers that broadcast to the result.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If a ``df`` is zero, negative, infinite or NaN.

    Notes
    -----
    Twice what `gamma` draws for ``df / 2``; it underflows to 0 for small ``df``. Values differ from
    jax.random.chisquare, as those of `gamma`.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.chisquare(keyrng.key(0), 3.0, (3,))
    array([4.7171974, 1.5068436, 1.980483 ], dtype=float32)
    """
    return sample_kernel(_chisquare, key, shape, floating_dtype(dtype, out), positive(df=df), out=out)


def t(
    key: Key, df: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Student's t variates of ``df`` degrees of freedom: density proportional to ``(1 + x*x/df)**(-(df + 1)/2)``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    df
        Positive finite numbers that broadcast to the result.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If a ``df`` is zero, negative, infinite or NaN.

    Notes
    -----
    A normal over the square root of a chi-square over ``df``; beyond the dtype's largest number it is infinite, which
    for small ``df`` happens (at ``df = 0.1`` and float32 once in 8,500). Values differ from jax.random.t, as those of
    `gamma`.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.t(keyrng.key(0), 3.0, (3,))
    array([ 1.0073986 , -1.4670074 , -0.62687653], dtype=float32)
    """
    return sample_kernel(_t, key, shape, floating_dtype(dtype, out), positive(df=df), out=out)


def f(
    key: Key,
    dfnum: ArrayLike,
    dfden: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """F variates: the ratio of two chi-squares, each over its degrees of freedom ``dfnum`` and ``dfden``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    dfnum, dfden
        Positive finite numbers that broadcast to the result.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If a parameter is zero, negative, infinite or NaN.

    Notes
    -----
    Of two gamma variates whose logarithms are subtracted before the exponential: no 0 / 0 however small the parameters.
    For the smallest all values are 0 or infinite. Values differ from jax.random.f, as those of `gamma`.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.f(keyrng.key(0), 3.0, 5.0, (3,))
    array([1.1544828 , 0.22806711, 8.250465  ], dtype=float32)
    """
    return sample_kernel(
        _f, key, shape, floating_dtype(dtype, out), positive(dfnum=dfnum), positive(dfden=dfden), out=out
    )


def noncentral_chisquare(
    key: Key,
    df: ArrayLike,
    nonc: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Noncentral chi-square variates: sums of ``df`` squared normals whose squared means add up to ``nonc``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    df
        Positive finite degrees of freedom that broadcast to the result.
    nonc
        Noncentralities, zero or more and finite, that broadcast to the result.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If a parameter is outside its range, or NaN.

    Notes
    -----
    A chi-square of ``df + 2 * poisson(nonc / 2)`` degrees of freedom: Johnson, Kotz, Balakrishnan, Continuous
    Univariate Distributions 2, equation (29.4). The parameters are those of
    numpy.random.Generator.noncentral_chisquare.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.noncentral_chisquare(keyrng.key(0), 3.0, 2.0, (3,))
    array([5.1952024, 1.1450813, 6.8338256], dtype=float32)
    """
    return sample_kernel(
        _noncentral_chisquare, key, shape, floating_dtype(dtype, out), positive(df=df), non_negative(nonc=nonc), out=out
    )


def noncentral_f(
    key: Key,
    dfnum: ArrayLike,
    dfden: ArrayLike,
    nonc: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Noncentral F variates: a noncentral chi-square over a chi-square, each over its degrees of freedom.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    dfnum, dfden
        Positive finite degrees of freedom that broadcast to the result.
    nonc
        Noncentralities of the numerator, zero or more and finite, that broadcast to the result.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If a parameter is outside its range, or NaN.

    Notes
    -----
    As `noncentral_chisquare` and `f`. The parameters are those of numpy.random.Generator.noncentral_f.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.noncentral_f(keyrng.key(0), 3.0, 5.0, 2.0, (3,))
    array([ 7.4367046,  0.5543696, 17.99691  ], dtype=float32)
    """
    parameters = positive(dfnum=dfnum), positive(dfden=dfden), non_negative(nonc=nonc)
    return sample_kernel(_noncentral_f, key, shape, floating_dtype(dtype, out), *parameters, out=out)
