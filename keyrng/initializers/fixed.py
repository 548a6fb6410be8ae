"""Initializers without randomness: constant, zeros, ones, identity and dirac; the key sets device and batch shape."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from keyrng._core.arguments import cast_array, short_repr, to_array
from keyrng._core.dtypes import Dtype, DTypeLike, array_dtype
from keyrng._core.fpenv import without_warnings
from keyrng._executors.device import CPU, Device, device_of_values, is_on_gpu
from keyrng._keys.derive import Key, check_key, device_of, is_integer, normalize_axis
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.shapes import Shape, dimensions
from keyrng.initializers.base import Initializer, own, write_out


def constant(value: ArrayLike, dtype: DTypeLike = None) -> Initializer:
    """Return an initializer that fills arrays with a value.

    Parameters
    ----------
    value : scalar or array_like
        A number, or an array that broadcasts to the shape. It must fit the dtype.
    dtype : dtype_like, optional
        Default dtype of the arrays: float, complex, integer or bool; float32 by default.

    Returns
    -------
    Initializer
        ``init(key, shape, dtype=None, *, out=None)``.

    Raises
    ------
    TypeError
        If ``value`` is not a number or an array of numbers.
    ValueError
        If ``value`` does not fit the dtype; also on a call with another dtype.

    See Also
    --------
    zeros : An initializer of 0.
    ones : An initializer of 1.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.constant(-7)(keyrng.key(0), (2, 3))
    array([[-7., -7., -7.],
           [-7., -7., -7.]], dtype=float32)
    """
    default = own(array_dtype, dtype)
    if isinstance(value, Key):
        raise TypeError("value must be a number or an array, got a key; pass the key with the shape")
    if not is_on_gpu(value):
        _fitting(value, array_dtype(default))
    return partial(_constant, value, default)


@without_warnings
def _constant(
    value: ArrayLike,
    default: Dtype | None,
    key: Key,
    shape: Shape,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    device = device_of(check_key(key))
    chosen = array_dtype(default if dtype is None else dtype, out)
    placed = device_of_values(value).pick(_fitting_here, _on_gpu)(device, value, chosen)
    return write_out(key, shape, "value", placed, chosen, out)


def _fitting_here(device: Device, value: ArrayLike, dtype: Dtype) -> Array:
    return device.adopt("value", _fitting(value, dtype), value)


def _on_gpu(device: Device, value: ArrayLike, dtype: Dtype) -> Array:
    return device.array("value", value)


_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def _fitting(value: ArrayLike, dtype: Dtype) -> Array:
    """Convert a value to a dtype that can represent it; floats may be rounded."""
    given = to_array("value", value)
    rank = _RANK.get(given.dtype.kind, 2 if given.dtype.name == "bfloat16" else None)
    if rank is None:
        raise TypeError(f"value must be a number or an array of numbers, got {short_repr(value)}")
    wanted = _RANK.get(dtype.kind, 2)
    with np.errstate(all="ignore"):
        array: Array = cast_array("value", given, dtype) if rank <= wanted or wanted < 2 else given
        same = array == given if wanted < 2 else np.isfinite(array) == np.isfinite(given)
    if array.dtype != dtype or not np.all(same):
        raise ValueError(f"value must fit {dtype}, got {short_repr(value, str)}")
    return array


def zeros(key: Key, shape: Shape, dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Return an array of zeros; this function is itself an initializer.

    Parameters
    ----------
    key : Key
        A key, or an array of keys. It determines the device and the leading axes of the result.
    shape : int or tuple of ints
        Shape of the array of one key.
    dtype : dtype_like, optional
        Dtype: float, complex, integer or bool; float32 by default.
    out : ndarray, optional
        Array to write to and return.

    Returns
    -------
    ndarray
        Zeros of shape ``key.shape + shape``.

    See Also
    --------
    constant : Any constant.
    ones : Ones.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.zeros(keyrng.key(0), (3,))
    array([0., 0., 0.], dtype=float32)
    """
    return _constant(0, None, key, shape, dtype, out=out)


def ones(key: Key, shape: Shape, dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Return an array of ones; this function is itself an initializer.

    Parameters
    ----------
    key : Key
        A key, or an array of keys. It determines the device and the leading axes of the result.
    shape : int or tuple of ints
        Shape of the array of one key.
    dtype : dtype_like, optional
        Dtype: float, complex, integer or bool; float32 by default.
    out : ndarray, optional
        Array to write to and return.

    Returns
    -------
    ndarray
        Ones of shape ``key.shape + shape``.

    See Also
    --------
    constant : Any constant.
    zeros : Zeros.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.ones(keyrng.key(0), (3,), "int8")
    array([1, 1, 1], dtype=int8)
    """
    return _constant(1, None, key, shape, dtype, out=out)


def identity(dtype: DTypeLike = None) -> Initializer:
    """Return an initializer of matrices with ones on the diagonal and zeros elsewhere.

    Parameters
    ----------
    dtype : dtype_like, optional
        Default dtype of the arrays, as for `constant`.

    Returns
    -------
    Initializer
        ``init(key, shape, dtype=None, *, out=None)``, which raises ValueError unless the shape has 2 axes.

    See Also
    --------
    dirac : The same for convolutions.
    orthogonal : Random orthonormal matrices.

    Notes
    -----
    The matrices are those of ``torch.nn.init.eye_``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.identity()(keyrng.key(0), (2, 3))
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """
    return partial(_identity, own(array_dtype, dtype))


def _identity(
    default: Dtype | None, key: Key, shape: Shape, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    check_key(key)
    size = dimensions(shape)
    if len(size) != 2:
        raise ValueError(f"identity requires 2 axes, got shape {short_repr(size)}")
    return _pattern(key, size, _eye(size), array_dtype(default if dtype is None else dtype, out), out)


def _eye(size: tuple[int, ...]) -> Array:
    pattern = CPU.empty(size, np.int8)
    pattern[...] = 0
    np.fill_diagonal(pattern, 1)
    return pattern


def dirac(groups: int = 1, in_axis: int = 1, out_axis: int = 0, dtype: DTypeLike = None) -> Initializer:
    """Return an initializer of convolutions that preserve their input, channel by channel.

    Parameters
    ----------
    groups : int, optional
        Number of groups of channels, each of which preserves its input; 1 by default. It must divide the number of
        output channels.
    in_axis, out_axis : int, optional
        Axes of the input and output channels; by default 1 and 0, those of torch's weights. Those of the weights of jax
        and flax are -2 and -1.
    dtype : dtype_like, optional
        Default dtype of the arrays, as for `constant`.

    Returns
    -------
    Initializer
        ``init(key, shape, dtype=None, *, out=None)``, which raises ValueError unless the shape has 1 to 3 axes in
        addition to the two of the channels, and ``groups`` divides the output channels.

    Raises
    ------
    TypeError
        If ``groups`` or an axis is not an int.
    ValueError
        If ``groups`` is below 1.

    See Also
    --------
    identity : The same for matrices.
    delta_orthogonal : Random orthonormal convolutions.

    Notes
    -----
    The weights are those of ``torch.nn.init.dirac_``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.dirac()(keyrng.key(0), (2, 2, 3))
    array([[[0., 1., 0.],
            [0., 0., 0.]],
    <BLANKLINE>
           [[0., 0., 0.],
            [0., 1., 0.]]], dtype=float32)
    """
    for name, value in (("groups", groups), ("in_axis", in_axis), ("out_axis", out_axis)):
        if not is_integer(value):
            raise TypeError(f"{name} must be an int, got {short_repr(value)}")
    if groups < 1:
        raise ValueError(f"groups must be at least 1, got {groups}")
    return partial(_dirac, (groups, in_axis, out_axis), own(array_dtype, dtype))


def _dirac(
    how: tuple[int, int, int],
    default: Dtype | None,
    key: Key,
    shape: Shape,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    check_key(key)
    size, (groups, *axes) = dimensions(shape), how
    if len(size) not in (3, 4, 5):
        raise ValueError(f"dirac requires 3, 4 or 5 axes, got shape {short_repr(size)}")
    source, target = (
        normalize_axis(axis, len(size), name) for axis, name in zip(axes, ("in_axis", "out_axis"), strict=True)
    )
    if source == target:
        raise ValueError(f"in_axis and out_axis must differ, got {axes[0]} and {axes[1]}")
    if size[target] % groups:
        raise ValueError(f"the output channels must be a multiple of groups, got {size[target]} and {groups}")
    pattern = CPU.empty(size, np.int8)
    pattern[...] = 0
    centre = np.moveaxis(pattern, (target, source), (0, 1))
    if pattern.size:
        for length in centre.shape[2:]:
            centre = centre[:, :, length // 2]
        each = len(centre) // groups
        place = np.arange(len(centre)) % each
        handed = place < centre.shape[1]
        centre[np.flatnonzero(handed), place[handed]] = 1
    return _pattern(key, size, pattern, array_dtype(default if dtype is None else dtype, out), out)


def _pattern(key: Key, size: tuple[int, ...], pattern: Array, dtype: Dtype, out: Any) -> Array:
    """Write a pattern of zeros and ones, equal for every key."""
    device = device_of(key)
    return write_out(key, size, "value", device.receive(cast_array("a pattern of a shape", pattern, dtype)), dtype, out)
