"""Initializers of orthonormal matrices."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

import numpy as np

from keyrng._core.arguments import short_repr
from keyrng._core.dtypes import Dtype, DTypeLike, compute_dtype, inexact_dtype
from keyrng._core.fpenv import without_warnings
from keyrng._executors.device import CPU
from keyrng._keys.derive import Key, check_key, device_of, is_integer, normalize_axis
from keyrng._sampling.parameters import Array, ArrayLike, as_scalar, parameter_array
from keyrng._sampling.shapes import Shape, dimensions
from keyrng.distributions.orthogonal import orthogonal as _orthonormal
from keyrng.initializers.base import JAX, OUT_AXIS, DefaultAxis, Initializer, Layout, on_layout, own, write_out
from keyrng.kernels.requirements import finite


def orthogonal(scale: ArrayLike = 1.0, column_axis: int = OUT_AXIS, dtype: DTypeLike = None) -> Initializer:
    """Return an initializer of orthonormal matrices, uniform in the sense of Haar, times ``scale``.

    Parameters
    ----------
    scale : float, optional
        Factor, finite; 1 by default.
    column_axis : int, optional
        Axis of the columns; all other axes together are the rows. The fewer of rows and columns are orthonormal. The
        default, -1, is the axis of outputs of jax's weights; `keyrng.interop.torch.init_module_` replaces the default
        by the axis of the torch weight.
    dtype : dtype_like, optional
        Default dtype of the arrays: float16, bfloat16, float32 (the default), float64, complex64 or complex128.

    Returns
    -------
    Initializer
        ``init(key, shape, dtype=None, *, out=None)``, which raises ValueError if the shape has fewer than 2 axes or not
        the column axis.

    Raises
    ------
    TypeError
        If ``column_axis`` is not an int.
    ValueError
        If ``scale`` is not finite.

    See Also
    --------
    delta_orthogonal : The same for convolutions.
    keyrng.orthogonal : The sampler.

    Notes
    -----
    The matrices are those of `keyrng.orthogonal`, and the values those of ``jax.nn.initializers.orthogonal`` within
    rounding. The initialization is that of [1]_.

    References
    ----------
    .. [1] A. M. Saxe, J. L. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
       linear neural networks", ICLR 2014. https://arxiv.org/abs/1312.6120

    Examples
    --------
    >>> import keyrng
    >>> q = keyrng.initializers.orthogonal()(keyrng.key(0), (3, 2))
    >>> bool(abs(q.T @ q - np.eye(2)).max() < 1e-6)
    True
    """
    return partial(
        _orthogonal, as_scalar(finite(scale=scale)), _column("column_axis", column_axis), own(inexact_dtype, dtype)
    )


def _column(name: str, axis: Any) -> int:
    if not is_integer(axis):
        raise TypeError(f"{name} must be an int, got {short_repr(axis)}")
    return axis if isinstance(axis, DefaultAxis) else int(axis)


def _orthogonal_for(layout: Layout, scale: float, column_axis: int, default: Dtype | None) -> Initializer:
    return partial(_orthogonal, scale, layout.axis(column_axis), default)


@on_layout(_orthogonal_for)
@without_warnings
def _orthogonal(
    scale: float,
    column_axis: int,
    default: Dtype | None,
    key: Key,
    shape: Shape,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    size, chosen = dimensions(shape), inexact_dtype(default if dtype is None else dtype, out)
    return write_out(key, size, "sample", _matrices(key, size, scale, column_axis, chosen), chosen, out)


def _matrices(key: Key, size: tuple[int, ...], scale: float, column_axis: int, dtype: Dtype) -> Array:
    """Return scaled matrices of a shape, in the dtype of the computation."""
    device = device_of(check_key(key))
    if len(size) < 2:
        raise ValueError(f"orthogonal requires 2 axes or more, got shape {short_repr(size)}")
    axis = normalize_axis(column_axis, len(size), "column_axis")
    compute = dtype if dtype.kind == "c" else compute_dtype(dtype)
    if 0 in size:
        return device.empty((*key.shape, *size), compute)
    columns = size[axis]
    matrices = _orthonormal(key, prod(size) // columns, (), compute, columns)
    with device.current():
        shaped = matrices.reshape(*key.shape, *size[:axis], *size[axis + 1 :], columns)
        moved = device.contiguous(device.xp.moveaxis(shaped, -1, key.ndim + axis))
        real = np.dtype(np.float32 if compute.itemsize == 4 or compute.name == "complex64" else np.float64)
        factor = parameter_array(CPU, finite(scale=scale), 0, real)
        return device.apply(_times, moved.view(real), factor).view(compute)


def _times(x: Any, scale: Any) -> Any:
    return x * scale


def delta_orthogonal(scale: ArrayLike = 1.0, column_axis: int = OUT_AXIS, dtype: DTypeLike = None) -> Initializer:
    """Return an initializer of convolutions that are an orthonormal matrix at their center and 0 elsewhere.

    Parameters
    ----------
    scale : float, optional
        Factor, finite; 1 by default.
    column_axis : int, optional
        Axis of the columns, as for `orthogonal`, of the matrix of inputs and outputs. Inputs and outputs are the last
        two axes of the weight, as in jax; with `keyrng.interop.torch.init_module_` they are those of the torch weight.
    dtype : dtype_like, optional
        Default dtype of the arrays, as for `orthogonal`.

    Returns
    -------
    Initializer
        ``init(key, shape, dtype=None, *, out=None)``, which raises ValueError unless the shape has 3, 4 or 5 axes and
        at least as many outputs as inputs.

    Raises
    ------
    TypeError
        If ``column_axis`` is not an int.
    ValueError
        If ``scale`` is not finite.

    See Also
    --------
    dirac : Convolutions that preserve their input.
    orthogonal : The same for matrices.

    Notes
    -----
    The values are those of ``jax.nn.initializers.delta_orthogonal`` within rounding. The initialization is that of
    [1]_.

    References
    ----------
    .. [1] L. Xiao, Y. Bahri, J. Sohl-Dickstein, S. S. Schoenholz, J. Pennington, "Dynamical isometry and a mean field
       theory of CNNs", ICML 2018. https://arxiv.org/abs/1806.05393

    Examples
    --------
    >>> import keyrng
    >>> x = keyrng.initializers.delta_orthogonal()(keyrng.key(0), (3, 2, 2))
    >>> bool(abs(x[1] @ x[1].T - np.eye(2)).max() < 1e-6), x[0].any(), x[2].any()
    (True, np.False_, np.False_)
    """
    return partial(
        _delta, as_scalar(finite(scale=scale)), _column("column_axis", column_axis), own(inexact_dtype, dtype)
    )


def _delta_for(layout: Layout, scale: float, column_axis: int, default: Dtype | None) -> Initializer:
    return partial(_delta_in, layout, scale, column_axis, default)


@on_layout(_delta_for)
def _delta(
    scale: float,
    column_axis: int,
    default: Dtype | None,
    key: Key,
    shape: Shape,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    return _delta_in(JAX, scale, column_axis, default, key, shape, dtype, out=out)


@without_warnings
def _delta_in(
    layout: Layout,
    scale: float,
    column_axis: int,
    default: Dtype | None,
    key: Key,
    shape: Shape,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    size, chosen = dimensions(shape), inexact_dtype(default if dtype is None else dtype, out)
    if len(size) not in (3, 4, 5):
        raise ValueError(f"delta_orthogonal requires 3, 4 or 5 axes, got shape {short_repr(size)}")
    source, target = layout.in_axis % len(size), layout.out_axis % len(size)
    if size[target] < size[source]:
        raise ValueError(f"delta_orthogonal needs at least as many outputs as inputs, got shape {short_repr(size)}")
    matrices = _matrices(key, (size[source], size[target]), scale, int(column_axis), chosen)
    device = device_of(key)
    with device.current():
        whole = device.xp.zeros((*key.shape, *size), matrices.dtype)
        if whole.size:
            field = device.xp.moveaxis(whole, (key.ndim + source, key.ndim + target), (-2, -1))
            middle = tuple((length - 1) // 2 for axis, length in enumerate(size) if axis not in (source, target))
            field[(..., *middle, slice(None), slice(None))] = matrices
    return write_out(key, size, "sample", whole, chosen, out)
