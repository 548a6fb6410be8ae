"""The shape of a sample, and checks that ``out`` and parameters fit it."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from keyrng._core.arguments import Shape as Shape
from keyrng._core.arguments import as_base_array, broadcast, check_sizes, short_repr
from keyrng._core.dtypes import Dtype
from keyrng._core.migration import advice
from keyrng._executors.device import Device, drop_broadcast_axes
from keyrng._keys.derive import Key, check_key, device_of
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng.kernels.requirements import Parameter

_AXES = 64  # NumPy's limit
_MANY = 2**32  # elements, from which on a shape of one axis is checked

# A sentence for samplers with parameters; tests/update writes it into their docstrings.
PER_KEY = "With an array of keys and parameters per key, ``shape=()`` returns one sample per key."


def sample_shape(key: Key, shape: Shape | None, values: Sequence[Array], out: Array | None) -> tuple[int, ...]:
    """Return the shape of the whole sample, ``key.shape + shape``."""
    if shape is None or out is not None:
        shape = _implied(key, shape, values, out)
    elif type(shape) is not tuple:
        shape = dimensions(shape)
    keys: tuple[int, ...] = key._words.shape[:-1]
    return keys + _checked(shape) if shape else keys


def _implied(key: Key, shape: Any, values: Sequence[Array], out: Array | None) -> tuple[int, ...]:
    """Return the default shape: that of ``out`` without the key's axes, or the broadcast shape of the parameters."""
    if out is not None and (shape is None or _is_left_out(shape)):
        rest: tuple[int, ...] = as_out(key, out).shape[key.ndim :]
        return rest
    if shape is not None:
        return dimensions(shape)
    together = broadcast(*(v.shape for v in values))
    if together is None:
        shapes = " and ".join(str(v.shape) for v in values)
        raise ValueError(f"parameters do not broadcast together, their shapes are {shapes}")
    return together


def _is_left_out(shape: object) -> bool:
    """Whether a shape equals the default ()."""
    return type(shape) is tuple and not shape


def broadcast_shape(key: Key, shape: Any, out: Any, *values: ArrayLike) -> Any:
    """Return ``shape``, or its broadcast with the parameters if they do not fit ``key.shape + shape``.

    For samplers whose default shape is (), as in jax, which then becomes the shape of the parameters.
    """
    if (
        shape is None
        or all(type(value) in (int, float) for value in values)
        or (out is not None and _is_left_out(shape))
    ):
        return shape
    check_key(key)
    given = dimensions(shape)
    try:
        shapes = [shape_of(value) for value in values]
    except (ValueError, TypeError, OverflowError):
        return shape  # `sample_kernel` reports the invalid parameter
    full = key.shape + given
    if broadcast(full, *shapes) == full:
        return shape
    wider = broadcast(given, *shapes)
    return shape if wider is None else wider  # if None, `sample_kernel` reports the parameter that does not fit


def shape_of(value: ArrayLike) -> tuple[int, ...]:
    """Return the shape of an array of any device, or of a list or number."""
    if type(value) is range:
        return (len(value),)
    return tuple(np.shape(value))


def dimensions(shape: Any) -> tuple[int, ...]:
    """Convert an int, or a sequence or array of ints, to a checked tuple of ints."""
    return _checked(_listed(shape))


def _listed(shape: Any) -> tuple[Any, ...]:
    """Convert an int, or a sequence or array of ints, to a tuple."""
    if isinstance(shape, (tuple, list)):
        return tuple(shape)
    if isinstance(shape, np.ndarray) and shape.ndim == 1 and shape.dtype.kind in "iu" and shape.size <= _AXES:
        return tuple(as_base_array("shape", shape).tolist())
    if isinstance(shape, (bool, float, str, bytes, np.bool_, np.floating, np.timedelta64)):
        hint = advice() if isinstance(shape, (float, np.floating)) else ""
        raise TypeError(f"shape must be an int or a tuple of ints, got {short_repr(shape)}{hint}")
    try:
        return (operator.index(shape),)
    except TypeError:
        raise TypeError(f"shape must be an int or a tuple of ints, got {type(shape).__name__}") from None


def _checked(shape: tuple[Any, ...]) -> tuple[int, ...]:
    for size in shape:
        if type(size) is not int:
            return _checked(tuple(_dimension(size, shape) for size in shape))
        if size < 0:
            raise ValueError(f"shape must not have negative sizes, got {short_repr(shape)}")
    if len(shape) > 1 or prod(shape) >= _MANY:
        check_sizes("shape", shape)
    return shape


def _dimension(size: Any, shape: tuple[Any, ...]) -> int:
    if not isinstance(size, (bool, np.bool_, np.timedelta64)):
        try:
            return int(operator.index(size))
        except TypeError:
            pass
    raise TypeError(f"shape must be an int or a tuple of ints, got {short_repr(shape)}")


def check_broadcast(given: Sequence[Any], values: Sequence[Array], full: tuple[int, ...]) -> None:
    """Raise ValueError, naming the parameter, unless all broadcast to the sample's shape."""
    for i, (parameter, value) in enumerate(zip(given, values, strict=True)):
        if value.ndim and broadcast(value.shape, full) != full:
            name = parameter.name if isinstance(parameter, Parameter) else f"parameter {i + 1}"
            raise ValueError(f"{name} of shape {value.shape} does not broadcast to the sample's shape {full}")


def empty_sample(device: Device, key: Key, full: tuple[int, ...], dtype: Dtype, values: Sequence[Array] = ()) -> Array:
    """Allocate a sample; if it is too large, the error mentions parameters per key."""
    try:
        return device.empty(full, dtype)
    except (MemoryError, ValueError) as error:
        per_key = key.ndim and any(value.shape[: key.ndim] == key.shape for value in values)
        if not per_key:
            raise
        kind = MemoryError if isinstance(error, MemoryError) else ValueError
        raise kind(f"{error}. {PER_KEY.replace('`', '')}") from None


def as_out(key: Key, out: Any) -> Array:
    """Return ``out``, an array or PyTorch tensor, as an array on the key's device; TypeError for other types."""
    return device_of(key).output(out)


def check_out(key: Key, out: Any, full: tuple[int, ...], dtype: Dtype) -> Array:
    """Return ``out`` as an array on the key's device, checked to be writable and to fit the sample."""
    array = as_out(key, out)
    if array.shape != full:
        raise ValueError(f"out must have shape {full}, got {array.shape}")
    if array.dtype != dtype:
        raise TypeError(f"out must have dtype {dtype}, got {array.dtype}; use np.empty({full}, {dtype.name!r})")
    if not array.flags.c_contiguous and drop_broadcast_axes(array).size < array.size:
        raise ValueError("out must not have overlapping elements; use a contiguous array")
    return array
