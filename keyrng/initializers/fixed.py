"""Initializers that draw nothing: constant, zeros, ones, identity and dirac. The key says where, and how many."""

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
    """An initializer that fills arrays with a value.

    Parameters
    ----------
    value
        A number, or an array that broadcasts to the shape; it must fit the dtype.
    dtype
        That of the arrays where a call names none: a float, complex, integer or bool; float32 by default.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.initializers.constant(-7)(keyrng.key(0), (2, 3))
    array([[-7., -7., -7.],
           [-7., -7., -7.]], dtype=float32)
    """
    default = own(array_dtype, dtype)
    if isinstance(value, Key):
        raise TypeError("value is a number or an array, got a key; the key comes with the shape")
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
    here = device_of(check_key(key))
    chosen = array_dtype(default if dtype is None else dtype, out)
    placed = device_of_values(value).pick(_fitting_here, _on_gpu)(here, value, chosen)
    return write_out(key, shape, "value", placed, chosen, out)


def _fitting_here(here: Device, value: ArrayLike, dtype: Dtype) -> Array:
    return here.adopt("value", _fitting(value, dtype), value)


def _on_gpu(here: Device, value: ArrayLike, dtype: Dtype) -> Array:
    return here.array("value", value)


_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def _fitting(value: ArrayLike, dtype: Dtype) -> Array:
    """A value in a dtype that can hold it; a float may be rounded."""
    given = to_array("value", value)
    rank = _RANK.get(given.dtype.kind, 2 if given.dtype.name == "bfloat16" else None)
    if rank is None:
        raise TypeError(f"value is a number or an array of numbers, got {short_repr(value)}")
    wanted = _RANK.get(dtype.kind, 2)
    with np.errstate(all="ignore"):
        array: Array = cast_array("value", given, dtype) if rank <= wanted or wanted < 2 else given
        same = array == given if wanted < 2 else np.isfinite(array) == np.isfinite(given)
    if array.dtype != dtype or not np.all(same):
        raise ValueError(f"value must fit {dtype}, got {short_repr(value, str)}")
    return array


def zeros(key: Key, shape: Shape, dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """An initializer, and not a maker of one: arrays of zeros.

    >>> import keyrng
    >>> keyrng.initializers.zeros(keyrng.key(0), (3,))
    array([0., 0., 0.], dtype=float32)
    """
    return _constant(0, None, key, shape, dtype, out=out)


def ones(key: Key, shape: Shape, dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """An initializer, and not a maker of one: arrays of ones.

    >>> import keyrng
    >>> keyrng.initializers.ones(keyrng.key(0), (3,), "int8")
    array([1, 1, 1], dtype=int8)
    """
    return _constant(1, None, key, shape, dtype, out=out)


def identity(dtype: DTypeLike = None) -> Initializer:
    """An initializer of matrices with ones on the diagonal and zeros elsewhere, as ``torch.nn.init.eye_``.

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
        raise ValueError(f"identity is of 2 axes, got shape {short_repr(size)}")
    return _pattern(key, size, _eye(size), array_dtype(default if dtype is None else dtype, out), out)


def _eye(size: tuple[int, ...]) -> Array:
    pattern = CPU.empty(size, np.int8)
    pattern[...] = 0
    np.fill_diagonal(pattern, 1)
    return pattern


def dirac(groups: int = 1, in_axis: int = 1, out_axis: int = 0, dtype: DTypeLike = None) -> Initializer:
    """An initializer of convolutions that hand on their input, channel by channel, as ``torch.nn.init.dirac_``.

    Parameters
    ----------
    groups
        Of how many groups of channels each hands on its own; the output channels are a multiple of it.
    in_axis, out_axis
        The axes of channels; by default those of torch's weights. Those of jax's and flax's are -2 and -1.
    dtype
        As in `constant`.

    Raises
    ------
    ValueError
        When called for a shape that has not 1 to 3 axes beside the two, or output channels that do not divide.

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
            raise TypeError(f"{name} is an int, got {short_repr(value)}")
    if groups < 1:
        raise ValueError(f"groups must be 1 or more, got {groups}")
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
        raise ValueError(f"dirac is of 3, 4 or 5 axes, got shape {short_repr(size)}")
    source, target = (
        normalize_axis(axis, len(size), name) for axis, name in zip(axes, ("in_axis", "out_axis"), strict=True)
    )
    if source == target:
        raise ValueError(f"in_axis and out_axis are two axes, got {axes[0]} and {axes[1]}")
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
    """Zeros and ones, the same for every key."""
    here = device_of(key)
    return write_out(key, size, "value", here.receive(cast_array("a pattern of a shape", pattern, dtype)), dtype, out)
