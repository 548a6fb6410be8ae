"""The shape of a sample, from what was given or from ``out`` and the parameters; and whether these fit it.

Must not import sampling or anything above it.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from keyrng.dtypes import Dtype
from keyrng.keys import Key
from keyrng.parameters import Array, Parameter

Shape: TypeAlias = int | Sequence[int]


def sample_shape(key: Key, shape: Shape | None, values: Sequence[Array], out: Array | None) -> tuple[int, ...]:
    """The shape of the whole sample, ``key.shape + shape``."""
    if shape is None or out is not None:
        shape = _implied(key, shape, values, out)
    elif type(shape) is not tuple:
        shape = dimensions(shape)
    return key.shape + _checked(shape) if shape else key.shape


def _implied(key: Key, shape: Any, values: Sequence[Array], out: Array | None) -> tuple[int, ...]:
    """The shape when it is not given: that of ``out`` after the key's, or that the parameters broadcast to."""
    if out is not None and (shape is None or shape == ()):
        if not isinstance(out, np.ndarray):
            raise TypeError(f"out is a NumPy array, got {type(out).__name__}")
        rest: tuple[int, ...] = out.shape[key.ndim :]
        return rest
    if shape is not None:
        return dimensions(shape)
    try:
        together: tuple[int, ...] = np.broadcast_shapes(*(v.shape for v in values))
    except ValueError:
        shapes = " and ".join(str(v.shape) for v in values)
        raise ValueError(f"the parameters do not broadcast together, their shapes are {shapes}") from None
    return together


def broadcast_shape(key: Key, shape: Any, out: Any, *values: Any) -> Any:
    """STUB."""
    return (
        shape
        if not isinstance(shape, tuple) or shape or out is not None
        else np.broadcast_shapes(*(np.shape(v) for v in values))
    )


def dimensions(shape: Any) -> tuple[int, ...]:
    """A shape as a tuple, from an int, a sequence or an array of them; its sizes are not yet checked."""
    if isinstance(shape, (tuple, list)):
        return tuple(shape)
    if isinstance(shape, np.ndarray) and shape.ndim == 1 and shape.dtype.kind in "iu":
        return tuple(shape.tolist())
    if isinstance(shape, (bool, float, str, bytes, np.bool_, np.floating)):
        raise TypeError(f"shape is an int or a tuple of ints, got {shape!r}")
    try:
        return (operator.index(shape),)
    except TypeError:
        raise TypeError(f"shape is an int or a tuple of ints, got {type(shape).__name__}") from None


def _checked(shape: tuple[Any, ...]) -> tuple[int, ...]:
    for size in shape:
        if type(size) is not int:
            return _checked(tuple(_dimension(size, shape) for size in shape))
        if size < 0:
            raise ValueError(f"shape has no negative sizes, got {shape}")
    return shape


def _dimension(size: Any, shape: tuple[Any, ...]) -> int:
    if not isinstance(size, (bool, np.bool_)):
        try:
            return int(operator.index(size))
        except TypeError:
            pass
    raise TypeError(f"shape is an int or a tuple of ints, got {shape!r}")


def check_broadcast(given: Sequence[Any], values: Sequence[Array], full: tuple[int, ...]) -> None:
    """ValueError, with the parameter's name, unless all of them broadcast to the sample's shape."""
    for i, (parameter, value) in enumerate(zip(given, values, strict=True)):
        if value.ndim == 0:
            continue
        try:
            fits = np.broadcast_shapes(value.shape, full) == full
        except ValueError:
            fits = False
        if not fits:
            name = parameter.name if isinstance(parameter, Parameter) else f"parameter {i + 1}"
            raise ValueError(f"{name} of shape {value.shape} does not broadcast to the sample's shape {full}")


def check_out(out: Any, full: tuple[int, ...], dtype: Dtype) -> Array:
    """``out``, if the sample fits it and it can be written to."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out is a NumPy array, got {type(out).__name__}")
    if out.shape != full:
        raise ValueError(f"out has shape {out.shape}, the sample has {full}")
    if out.dtype != dtype:
        raise TypeError(f"out is {out.dtype}, the sample is {dtype}; give dtype={out.dtype.name!r}, or another out")
    if not out.flags.writeable:
        raise ValueError("out is read-only; give an array that can be written to")
    return out
