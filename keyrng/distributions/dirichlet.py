"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import DTypeLike, compute_dtype, floating_dtype
from keyrng._core.fpenv import without_warnings
from keyrng._executors.device import may_hold, preparation_device
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, checked_parameter, positive
from keyrng._sampling.shapes import Shape
from keyrng.distributions._shared.last_axis import cast_to_out, row_shape
from keyrng.distributions.gamma import gamma_boost_kernel, gamma_factor_kernel, magnification
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where

_LARGE = 2.0**88  # from here on the sum of 2**40 float32 may be infinite


@kernel(*FLOATS)
def _over_total(lane: Any, x: Any, total: Any) -> Any:
    return x / total


@kernel(*FLOATS)
def _boosted(lane: Any, factor: Any, boost: Any) -> Any:
    return factor * exp(boost)


@without_warnings
def dirichlet(
    key: Key, alpha: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Dirichlet variates, points of a simplex: density proportional to the product of ``x[i]**(alpha[i] - 1)``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, out
        As for `sample_kernel`.
    alpha
        Positive finite numbers, the concentrations, along the last axis; the axes before it broadcast to the result.
    shape
        The result has shape ``key.shape + shape + alpha.shape[-1:]``; None for ``alpha.shape[:-1]``.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If an ``alpha`` is zero, negative, infinite or NaN, or has no axis.

    Notes
    -----
    Gamma variates over their sum, taken in order; where an ``alpha`` is below 1 after a common factor, so that no row
    is 0 / 0. The numbers of a row add up to 1 within rounding, however small or large the alphas; 0 and 1 can occur.
    Values differ from jax.random.dirichlet, as those of `gamma`.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.dirichlet(keyrng.key(0), [1.0, 2.0, 3.0], (2,))
    array([[0.3155679 , 0.22348762, 0.46094447],
           [0.05174232, 0.46594384, 0.4823138 ]], dtype=float32)
    """
    dtype = floating_dtype(dtype, out)
    compute = compute_dtype(dtype)
    here = device_of(key)
    place = preparation_device(here, alpha)
    parameter = checked_parameter(place, positive(alpha=alpha), compute)
    full = row_shape("alpha", parameter.value, shape)
    small, large = may_hold(_below_one, parameter.value), may_hold(_is_large, parameter.value)
    parameter = parameter._replace(value=here.adopt("alpha", parameter.value, alpha))
    sample = sample_kernel(gamma_factor_kernel, key, full, compute, parameter)
    peak = here.row_max(parameter.value)[..., None] if small or large else sample
    if small:
        shapes = here.apply(_product, parameter.value, here.apply(magnification, peak))
        boost = sample_kernel(gamma_boost_kernel, key, full, compute, parameter._replace(value=shapes))
        boost = here.apply(_difference, boost, here.row_max(boost)[..., None])
        sample_kernel(_boosted, key, full, compute, sample, boost, out=sample)
    if large:
        sample = here.apply(_product, sample, here.apply(_room, peak))
    sample_kernel(_over_total, key, full, compute, sample, here.row_sum(sample)[..., None], out=sample)
    return cast_to_out(key, sample, dtype, out)


def _room(peak: Any) -> Any:
    """A power of two for the variates of a row with this largest alpha, so that their sum is finite."""
    large = _LARGE if peak.dtype == np.float32 else 2.0**984
    return where(peak > large, peak.dtype.type(2.0**-64), 1.0)


def _difference(x: Any, y: Any) -> Any:
    return x - y


def _product(x: Any, y: Any) -> Any:
    return x * y


def _below_one(alpha: Any) -> Any:
    return alpha < 1


def _is_large(alpha: Any) -> Any:
    return alpha > _LARGE
