"""Scaled samples as initializers: uniform, normal, truncated_normal, and sparse."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from keyrng._core.arguments import short_repr
from keyrng._core.dtypes import Dtype, DTypeLike, floating_dtype, inexact_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._keys.derive import Key, check_key, device_of, split
from keyrng._sampling.draw import sample_complex_kernel, sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, as_scalar
from keyrng._sampling.shapes import Shape, as_out, dimensions
from keyrng._sampling.spec import check_nothing
from keyrng.distributions.normal import normal_imag_kernel, normal_real_kernel
from keyrng.distributions.normal import normal_kernel as _standard_normal
from keyrng.distributions.permutation import permutation
from keyrng.distributions.truncated_normal import (
    normal_interval,
    truncated_normal_kernel,
    truncated_normal_tails_kernel,
)
from keyrng.initializers.base import Initializer, own
from keyrng.kernels.bits import uniform_co
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.requirements import finite, not_nan, probability


@kernel(*FLOATS)
def _scaled_unit(lane: Any, scale: Any) -> Any:
    return uniform_co(lane) * scale


@kernel(*FLOATS)
def _scaled_normal(lane: Any, scale: Any) -> Any:
    return _standard_normal(lane) * scale


@kernel(*FLOATS)
def _scaled_normal_real(lane: Any, scale: Any) -> Any:
    return normal_real_kernel(lane) * scale


@kernel(*FLOATS)
def _scaled_normal_imag(lane: Any, scale: Any) -> Any:
    return normal_imag_kernel(lane) * scale


@kernel(*FLOATS)
def _scaled_truncated_normal(lane: Any, lower: Any, upper: Any, least: Any, largest: Any, scale: Any) -> Any:
    return truncated_normal_kernel(lane, lower, upper, least, largest) * scale


@kernel(*FLOATS)
def _scaled_truncated_normal_tails(lane: Any, lower: Any, upper: Any, least: Any, largest: Any, scale: Any) -> Any:
    return truncated_normal_tails_kernel(lane, lower, upper, least, largest) * scale


def uniform(scale: ArrayLike = 1e-2, dtype: DTypeLike = None) -> Initializer:
    """Return an initializer of uniform numbers in [0, scale).

    Parameters
    ----------
    scale : float, optional
        Upper bound, finite; 0.01 by default. If it is negative, the interval is (scale, 0].
    dtype : dtype_like, optional
        Default dtype of the arrays: float16, bfloat16, float32 (the default) or float64.

    Returns
    -------
    Initializer
        ``init(key, shape, dtype=None, *, out=None)``.

    Raises
    ------
    ValueError
        If ``scale`` is not finite.

    See Also
    --------
    variance_scaling : Numbers whose variance depends on the shape.
    keyrng.uniform : The sampler.

    Notes
    -----
    A value is a uniform on [0, 1) times ``scale``, rounded. In a 16-bit dtype ``scale`` itself can occur.

    The values are those of ``jax.nn.initializers.uniform``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.uniform(10.0)(keyrng.key(0), (3,))
    array([9.47667  , 9.785799 , 3.3229148], dtype=float32)
    """
    return partial(_uniform, as_scalar(finite(scale=scale)), own(floating_dtype, dtype))


def _uniform(
    scale: float, default: Dtype | None, key: Key, shape: Shape, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    chosen = floating_dtype(default if dtype is None else dtype, out)
    return sample_kernel(_scaled_unit, key, dimensions(shape), chosen, finite(scale=scale), out=out)


def normal(stddev: ArrayLike = 1e-2, dtype: DTypeLike = None) -> Initializer:
    """Return an initializer of normal numbers of mean 0 and standard deviation ``stddev``.

    Parameters
    ----------
    stddev : float, optional
        Standard deviation, finite; 0.01 by default.
    dtype : dtype_like, optional
        Default dtype of the arrays: float16, bfloat16, float32 (the default), float64, complex64 or complex128.

    Returns
    -------
    Initializer
        ``init(key, shape, dtype=None, *, out=None)``.

    Raises
    ------
    ValueError
        If ``stddev`` is not finite.

    See Also
    --------
    variance_scaling : Numbers whose variance depends on the shape.
    truncated_normal : Normal numbers between two bounds.
    keyrng.normal : The sampler.

    Notes
    -----
    The values are those of `keyrng.normal` times ``stddev``, and those of ``jax.nn.initializers.normal`` within
    rounding.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.normal(5.0)(keyrng.key(0), (3,))
    array([ 8.113211, 10.126324, -2.167972], dtype=float32)
    """
    return partial(_normal, as_scalar(finite(stddev=stddev)), own(inexact_dtype, dtype))


def _normal(
    stddev: float, default: Dtype | None, key: Key, shape: Shape, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    chosen = inexact_dtype(default if dtype is None else dtype, out)
    return scaled_normal(key, dimensions(shape), chosen, finite(stddev=stddev), out)


def scaled_normal(key: Key, shape: tuple[int, ...], dtype: Dtype, stddev: Any, out: Any) -> Array:
    """Scale normal samples, real or complex."""
    if dtype.kind == "c":
        return sample_complex_kernel(_scaled_normal_real, _scaled_normal_imag, key, shape, dtype, stddev, out=out)
    return sample_kernel(_scaled_normal, key, shape, dtype, stddev, out=out)


def truncated_normal(
    stddev: ArrayLike = 1e-2, dtype: DTypeLike = None, lower: ArrayLike = -2.0, upper: ArrayLike = 2.0
) -> Initializer:
    """Return an initializer of normal numbers between ``lower * stddev`` and ``upper * stddev``.

    Parameters
    ----------
    stddev : float, optional
        Standard deviation before truncation, finite; 0.01 by default.
    dtype : dtype_like, optional
        Default dtype of the arrays: float16, bfloat16, float32 (the default) or float64.
    lower, upper : float, optional
        Bounds in units of ``stddev``, ``lower < upper``, which may be infinite; -2 and 2 by default.

    Returns
    -------
    Initializer
        ``init(key, shape, dtype=None, *, out=None)``.

    Raises
    ------
    ValueError
        If ``stddev`` is not finite, a bound is NaN, or ``lower`` is not less than ``upper``.

    See Also
    --------
    normal : Normal numbers without bounds.
    keyrng.truncated_normal : The sampler.

    Notes
    -----
    The values are those of `keyrng.truncated_normal` times ``stddev``. Where neither ``lower > 3`` nor ``upper < -3``,
    they are those of ``jax.nn.initializers.truncated_normal`` within rounding.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.truncated_normal(5.0)(keyrng.key(0), (3,))
    array([ 7.2797947,  8.573742 , -2.0633764], dtype=float32)
    """
    bounds = as_scalar(not_nan(lower=lower)), as_scalar(not_nan(upper=upper))
    if not bounds[0] < bounds[1]:
        raise ValueError(f"lower must be less than upper, got {lower} and {upper}")
    return partial(_truncated, as_scalar(finite(stddev=stddev)), *bounds, own(floating_dtype, dtype))


@in_default_fpenv
def _truncated(
    stddev: float,
    lower: float,
    upper: float,
    default: Dtype | None,
    key: Key,
    shape: Shape,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    chosen = floating_dtype(default if dtype is None else dtype, out)
    return scaled_truncated(key, dimensions(shape), chosen, finite(stddev=stddev), out, lower, upper)


def scaled_truncated(
    key: Key, shape: tuple[int, ...], dtype: Dtype, stddev: Any, out: Any, lower: float = -2.0, upper: float = 2.0
) -> Array:
    """Truncated normal numbers times a number."""
    tails, interval, empty = normal_interval(key, lower, upper, dtype)
    if empty:
        check_nothing(empty, key, shape, out, interval)
    chosen = _scaled_truncated_normal_tails if tails else _scaled_truncated_normal
    return sample_kernel(chosen, key, shape, dtype, *interval, stddev, out=out)


def sparse(sparsity: ArrayLike, stddev: ArrayLike = 0.01, dtype: DTypeLike = None) -> Initializer:
    """Return an initializer of normal matrices with the same number of zeros in each column.

    Parameters
    ----------
    sparsity : float
        Fraction of zeros, in [0, 1]. A column of ``rows`` elements has ``ceil(sparsity * rows)`` zeros.
    stddev : float, optional
        Standard deviation of the other elements, finite; 0.01 by default.
    dtype : dtype_like, optional
        Default dtype of the arrays: float16, bfloat16, float32 (the default) or float64.

    Returns
    -------
    Initializer
        ``init(key, shape, dtype=None, *, out=None)``, which raises ValueError unless the shape has 2 axes.

    Raises
    ------
    ValueError
        If ``sparsity`` is outside [0, 1] or NaN, or ``stddev`` is not finite.

    See Also
    --------
    normal : Normal numbers without zeros.

    Notes
    -----
    The distribution is that of ``torch.nn.init.sparse_`` [1]_. The normal numbers are drawn from the first of two
    children of the key. The second child gives a key for each column, and the `permutation` of the rows by this key
    says which elements are zero.

    References
    ----------
    .. [1] J. Martens, "Deep learning via Hessian-free optimization", ICML 2010, section 5.

    Examples
    --------
    >>> import keyrng
    >>> x = keyrng.initializers.sparse(0.5)(keyrng.key(0), (4, 3))
    >>> (x == 0).sum(axis=0)
    array([2, 2, 2])
    """
    numbers = as_scalar(probability(sparsity=sparsity)), as_scalar(finite(stddev=stddev))
    return partial(_sparse, *numbers, own(floating_dtype, dtype))


@in_default_fpenv
def _sparse(
    sparsity: float,
    stddev: float,
    default: Dtype | None,
    key: Key,
    shape: Shape,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    check_key(key)
    size, chosen = dimensions(shape), floating_dtype(default if dtype is None else dtype, out)
    if len(size) != 2:
        raise ValueError(f"sparse requires 2 axes, got shape {short_repr(size)}")
    rows, columns = size
    children = split(key)
    sample = sample_kernel(_scaled_normal, children[..., 0], size, chosen, finite(stddev=stddev), out=out)
    if 0 not in sample.shape:
        order = permutation(split(children[..., 1], columns), rows)
        device = device_of(key)
        with device.current():
            empty = device.xp.swapaxes(order, -1, -2) < math.ceil(sparsity * rows)
            (sample if out is None else as_out(key, out))[empty] = 0
    return sample
