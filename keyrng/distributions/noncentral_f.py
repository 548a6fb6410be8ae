"""The noncentral F distribution."""

from __future__ import annotations

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
from keyrng.distributions.f import _ratio
from keyrng.distributions.gamma import comparable, gamma_parts
from keyrng.distributions.noncentral_chisquare import (
    BELOW_ONE,
    FROM_ONE,
    _added_shape,
    below_one,
    from_one,
    half_from_one,
    half_square,
)
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import FLOATS, Kernel, kernel
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import Parameter, non_negative, positive


@kernel(*FLOATS)
def _noncentral_f(lane: Any, dfnum: Any, dfden: Any, nonc: Any) -> Any:
    under, over = lane.split(2)
    first, gamma = over.split(2)
    one, alone = dfnum >= 1.0, dfnum == 1.0
    added = _added_shape(first, where(one, 0.0, nonc))
    central, dfden = comparable(dfnum + added, dfden)
    mixed = where(added == 0.0, central * 0.5, dfnum * 0.5 + added)
    shape = where(one, (dfnum - 1.0) * 0.5, mixed)
    factor, boost = gamma_parts(gamma, where(alone, 1.0, shape))
    half = half_square(first, nonc) + where(alone, 0.0, factor * exp(boost))
    over_shape = where(one, dfnum * 0.5, mixed)
    return _ratio(where(one, half, factor), where(one, 0.0, boost), over_shape, dfnum, under, dfden)


@kernel(*FLOATS)
def _noncentral_f_below_one(lane: Any, dfnum: Any, dfden: Any, nonc: Any) -> Any:
    under, over = lane.split(2)
    count, gamma = over.split(2)
    added = _added_shape(count, nonc)
    central, dfden = comparable(dfnum + added, dfden)
    shape = where(added == 0.0, central * 0.5, dfnum * 0.5 + added)
    return _ratio(*gamma_parts(gamma, shape), shape, dfnum, under, dfden)


@kernel(*FLOATS)
def _noncentral_f_from_one(lane: Any, dfnum: Any, dfden: Any, nonc: Any) -> Any:
    under, over = lane.split(2)
    normal, gamma = over.split(2)
    half = half_from_one(normal, gamma, dfnum, nonc)
    return _ratio(half, 0.0, dfnum * 0.5, dfnum, under, dfden)


def _plans(dtype: DTypeLike, dfnum: Any, dfden: Any, nonc: Any) -> Iterable[Plan]:
    dtype = floating_dtype(dtype)
    rest = positive(dfden=dfden), non_negative(nonc=nonc)
    for chosen, condition in ((_noncentral_f_from_one, FROM_ONE), (_noncentral_f_below_one, BELOW_ONE)):
        yield Plan(chosen, (condition(dfnum=dfnum), *rest), dtype, compute_dtype(dtype))


@sampler_of(_plans)
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
    """Return noncentral F variates of ``dfnum`` and ``dfden`` degrees of freedom and noncentrality ``nonc``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    dfnum, dfden : float or array_like of floats
        Degrees of freedom of the numerator and the denominator, positive and finite. They broadcast to
        ``key.shape + shape``.
    nonc : float or array_like of floats
        Noncentrality of the numerator, zero or more and finite. Broadcasts to ``key.shape + shape``.
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
        Variates, zero or more and possibly infinite, of shape ``key.shape + shape``, float32 by default.

    Raises
    ------
    ValueError
        If a parameter is outside its range or NaN.

    See Also
    --------
    f : The case ``nonc = 0``.
    noncentral_chisquare : The variates of the numerator.

    Notes
    -----
    A variate is the ratio of a noncentral chi-square variate and a chi-square variate, each divided by its degrees of
    freedom. The methods are those of `noncentral_chisquare` and `f`.

    The parameters are those of ``numpy.random.Generator.noncentral_f``; ``jax.random`` does not have this distribution.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.noncentral_f(keyrng.key(0), 3.0, 5.0, 2.0, (3,))
    array([4.0290594 , 0.41723967, 5.697964  ], dtype=float32)
    """
    dtype = floating_dtype(dtype, out)
    chosen, parameters = _prepared(key, dfnum, dfden, nonc, dtype)
    return sample_kernel(chosen, key, shape, dtype, *parameters, out=out)


@cache_scalars
def _prepared(
    device: Device, dfnum: ArrayLike, dfden: ArrayLike, nonc: ArrayLike, dtype: Dtype
) -> tuple[Kernel, tuple[Parameter, ...]]:
    """Return the kernel for degrees of freedom of the numerator, and the parameters, checked."""
    given = positive(dfnum=dfnum), positive(dfden=dfden), non_negative(nonc=nonc)
    parameters = tuple(checked_parameter(device, each, compute_dtype(dtype)) for each in given)
    if not may_hold(below_one, parameters[0].value):
        return _noncentral_f_from_one, parameters
    return _noncentral_f if may_hold(from_one, parameters[0].value) else _noncentral_f_below_one, parameters
