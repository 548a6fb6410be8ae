"""The Dirichlet distribution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from keyrng._core.dtypes import Dtype, DTypeLike, compute_dtype, floating_dtype
from keyrng._core.fpenv import without_warnings
from keyrng._executors import native
from keyrng._executors.device import CPU, may_hold, preparation_device
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, checked_parameter
from keyrng._sampling.plan import Row, Steps
from keyrng._sampling.sampler import sampler_in_steps
from keyrng._sampling.shapes import Shape
from keyrng.algorithms.base import Algorithm
from keyrng.distributions._shared.last_axis import cast_to_out, row_shape
from keyrng.distributions.gamma import gamma_boost_kernel, gamma_factor_kernel, magnification
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import Interval, Parameter, Requirement, positive

_LARGE = 2.0**88  # the sum of 2**40 float32 numbers above this can be infinite


# Without boosts, and with boosts of which none is infinite.
_from_one = Requirement("from 1 to 2**88", Interval(1, _LARGE))
_not_extreme = Requirement("from 2**-60 to 2**88", Interval(2.0**-60, _LARGE))


@kernel(*FLOATS)
def _over_total(lane: Any, x: Any, total: Any) -> Any:
    return x / total


@kernel(*FLOATS)
def _boosted(lane: Any, factor: Any, boost: Any) -> Any:
    return factor * exp(boost)


def _plans(algorithm: Algorithm, dtype: DTypeLike, alpha: Any) -> Iterable[Steps]:
    dtype = floating_dtype(dtype)
    if dtype == compute_dtype(dtype):
        yield Steps((gamma_factor_kernel,), (Row(_from_one(alpha=alpha)),), dtype, dtype)
        boosted = gamma_factor_kernel, gamma_boost_kernel, _boosted
        yield Steps(boosted, (Row(_not_extreme(alpha=alpha)),), dtype, dtype)


@sampler_in_steps("dirichlet", _plans)
@without_warnings
def dirichlet(
    key: Key, alpha: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return Dirichlet variates of concentrations ``alpha``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    alpha : array_like of floats
        Concentrations along the last axis, positive and finite. The axes before the last broadcast to
        ``key.shape + shape``.
    shape
        Shape of the array of points, an int or a tuple of ints; None, the default, is ``alpha.shape[:-1]``.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default) or float64.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Points of a simplex along the last axis, with coordinates in [0, 1], of shape
        ``key.shape + shape + alpha.shape[-1:]``, float32 by default.

    Raises
    ------
    ValueError
        If ``alpha`` is not positive and finite, or has no axis.

    See Also
    --------
    beta : The distribution of one coordinate.
    gamma : The variates that are divided by their sum.
    multinomial : Counts of classes with such probabilities.

    Notes
    -----
    The density is proportional to the product of ``x[i]**(alpha[i] - 1)``. A variate is a row of gamma variates divided
    by their sum, which is taken in order. In a row with an ``alpha`` below 1 a common factor is removed first, so that
    a row is never 0 / 0.

    Precision: a row sums to 1 within rounding, however small or large the concentrations. Coordinates of 0 and 1 can
    occur.

    The values differ from those of ``jax.random.dirichlet``, as those of `gamma` do.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.dirichlet(keyrng.key(0), [1.0, 2.0, 3.0], (2,))
    array([[0.3155679 , 0.22348762, 0.46094447],
           [0.05174232, 0.46594384, 0.4823138 ]], dtype=float32)
    """
    dtype = floating_dtype(dtype, out)
    compute = compute_dtype(dtype)
    device = device_of(key)
    place = preparation_device(device, alpha)
    parameter = checked_parameter(place, positive(alpha=alpha), compute)
    parameter = parameter._replace(value=place.now(parameter.value))
    full = row_shape("alpha", parameter.value, shape)
    small, large = may_hold(_below_one, parameter.value), may_hold(_is_large, parameter.value)
    parameter = parameter._replace(value=device.adopt("alpha", parameter.value, alpha))
    sample = sample_kernel(gamma_factor_kernel, key, full, compute, parameter)
    shares = device.pick(_cpu_shares, _cuda_shares)(key, sample, parameter, small, large, dtype)
    return cast_to_out(key, shares, dtype, out)


def _cpu_shares(key: Key, sample: Array, parameter: Parameter, small: bool, large: bool, dtype: Dtype) -> Array:
    """Return the coordinates, from the factors of gamma variates, which are overwritten."""
    device, alpha, compute, shape = CPU, parameter.value, sample.dtype, sample.shape[key.ndim :]
    peak = device.row_max(alpha)[..., None] if small or large else sample
    if small:
        shapes = device.apply(_product, alpha, device.apply(magnification, peak))
        boost = sample_kernel(gamma_boost_kernel, key, shape, compute, parameter._replace(value=shapes))
        boost = device.apply(_difference, boost, device.row_max(boost)[..., None])
        sample_kernel(_boosted, key, shape, compute, sample, boost, out=sample)
    if large:
        sample = device.apply(_product, sample, device.apply(_room, peak))
    if native.takes_rows(sample):
        native.shares(sample)
        return sample
    return sample_kernel(_over_total, key, shape, compute, sample, device.row_sum(sample)[..., None], out=sample)


def _cuda_shares(key: Key, factor: Array, parameter: Parameter, small: bool, large: bool, dtype: Dtype) -> Array:
    """Return the coordinates in a dtype, from the factors of gamma variates."""
    device, alpha = device_of(key), parameter.value
    if not small:
        return device.apply_rows(_shares, factor, alpha, dtype=dtype)
    shapes = parameter._replace(value=device.apply_rows(_magnified, alpha))
    boost = sample_kernel(gamma_boost_kernel, key, factor.shape[key.ndim :], factor.dtype, shapes)
    return device.apply_rows(_boosted_shares, factor, alpha, boost, dtype=dtype)


def _magnified(row: Any, alpha: Any) -> Any:
    return _product(alpha, magnification(row.max(alpha)))


def _boosted_shares(row: Any, factor: Any, alpha: Any, boost: Any) -> Any:
    return _shares(row, _boosted(row, factor, _difference(boost, row.max(boost))), alpha)


def _shares(row: Any, x: Any, alpha: Any) -> Any:
    x = _product(x, _room(row.max(alpha)))
    return _over_total(row, x, row.sum(x))


def _room(peak: Any) -> Any:
    """Return a power of two that keeps the sum of a row finite, from the largest alpha of the row."""
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
