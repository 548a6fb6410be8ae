"""Arguments: conversion to arrays, and text for errors."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex, TypeAlias

import numpy as np
from numpy.exceptions import AxisError

from keyrng._core.numbers import as_array

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Int: TypeAlias = int | np.integer[Any]
Shape: TypeAlias = SupportsIndex | Sequence[SupportsIndex]

_MOST = 80  # characters


def short_repr(value: object, text: Callable[[Any], str] = repr) -> str:
    """Return the repr of a value for an error: short, and without raising."""
    if type(value) is int and value.bit_length() > 128:
        return f"an integer of {value.bit_length()} bits"  # Python's limit is 4300 digits
    if isinstance(value, (str, bytes)) and len(value) > _MOST:
        return f"{value[:_MOST]!r}... ({len(value)} long)"
    if isinstance(value, (list, tuple, dict, set, frozenset)) and len(value) > _MOST:
        return f"{type(value).__name__} of {len(value)}"
    try:
        line = " ".join(text(value).split())
    except Exception:
        return type(value).__name__
    return line if len(line) <= 2 * _MOST else line[: 2 * _MOST] + "..."


def check_choice(name: str, value: object, *choices: str | None) -> Any:
    """Return the value if it is one of the choices; ValueError otherwise."""
    if not (value is None or isinstance(value, str)) or value not in choices:
        *others, last = (repr(choice) for choice in choices if choice is not None)
        raise ValueError(f"{name} must be {', '.join(others)} or {last}, got {short_repr(value)}")
    return value


def as_int(name: str, value: object) -> int:
    """Convert an object with ``__index__`` to int; TypeError for bool and anything else."""
    if not isinstance(value, (bool, np.bool_, np.timedelta64)):
        try:
            return int(operator.index(value))  # type: ignore[arg-type]
        except TypeError:
            pass
    raise TypeError(f"{name} must be an int, got {short_repr(value)}")


def to_array(name: str, value: Any) -> Array:
    """Convert a number, list or array to a base ndarray; errors name the argument."""
    if isinstance(value, np.ndarray):
        return as_base_array(name, value)
    try:
        return as_array(value)
    except (ValueError, OverflowError) as error:  # a ragged list, for example
        raise ValueError(f"{name} cannot be converted to an array: {error}") from None
    except TypeError as error:
        raise TypeError(f"{name} cannot be converted to an array: {error}") from None


def as_base_array(name: str, array: Array) -> Array:
    """View an array of a subclass as ndarray; TypeError for a masked array, whose mask would be lost."""
    if type(array) is np.ndarray:
        return array
    if "numpy.ma" in sys.modules and isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name} must not be a masked array; {name}.filled(value) replaces masked elements")
    return np.asarray(array)


# Keys and generators of other libraries: the beginning of the module's name, the type, and the call that converts them
# to a key.
_FROM_JAX = "keyrng.interop.jax.from_jax(key)"
_SOURCES_OF_KEYS = (
    ("keyrng._generator", "Generator", "generator.next_key()"),
    ("numpy.random", "Generator", "keyrng.key(int(rng.integers(2**63)))"),
    ("numpy.random", "RandomState", "keyrng.key(int(rng.randint(2**32, dtype=np.uint64)))"),
    ("numpy.random", "SeedSequence", "keyrng.key(int(sequence.generate_state(1, np.uint64)[0]))"),
    ("torch", "Generator", "keyrng.key(generator.initial_seed())"),
    ("jax", "PRNGKeyArray", _FROM_JAX),
    ("jax", "ArrayImpl", _FROM_JAX),
)


def key_from(value: object) -> str:
    """Return the call that converts another library's key or generator; empty for other types."""
    module, name = type(value).__module__, type(value).__name__
    for beginning, kind, call in _SOURCES_OF_KEYS:
        if module.startswith(beginning) and name == kind and (kind != "ArrayImpl" or _are_words(value)):
            return call
    return ""


def _are_words(array: Any) -> bool:
    return bool(array.dtype == np.uint32 and array.shape[-1:] == (2,))


def is_tensor(value: object) -> bool:
    """Whether a value is a PyTorch tensor; does not import torch."""
    return isinstance(value, getattr(sys.modules.get("torch"), "Tensor", ()))


def tensor_memory(name: str, tensor: Any) -> Array:
    """Return the memory of a CPU tensor as an array."""
    if tensor.device.type != "cpu":
        where = str(tensor.device)
        raise TypeError(f"{name} is on {where} but the key is on cpu; key.to({where!r}) moves the key")
    if tensor.requires_grad:
        raise TypeError(f"{name} must not require a gradient; {name}.detach() shares its memory")
    try:
        if str(tensor.dtype) == "torch.bfloat16":  # torch does not export it to NumPy, because it comes from ml_dtypes
            return _bfloat16(tensor.view(sys.modules["torch"].int16).numpy())
        memory: Array = tensor.numpy()
    except (TypeError, RuntimeError) as error:  # sparse or conjugated, for example
        raise TypeError(f"{name} cannot be converted to a NumPy array: {error}") from None
    return memory


def _bfloat16(halves: Array) -> Array:
    import ml_dtypes  # an optional dependency

    return halves.view(ml_dtypes.bfloat16)


def cast_array(name: str, array: Array, dtype: np.dtype[Any]) -> Array:
    """Convert an array to a dtype; overflow gives infinity. ValueError if the result is too large for an array."""
    try:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            return array.astype(dtype)
    except ValueError as error:
        raise ValueError(f"{name} of shape {array.shape} is too large: {error}") from None


def utf8(name: str, text: str) -> bytes:
    """Encode a str as UTF-8; ValueError for lone surrogates."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} must be text that UTF-8 can encode, got {short_repr(text)}") from None


def check_sizes(name: str, shape: tuple[int, ...], largest: int = 2**63) -> None:
    """Raise ValueError for a shape with more axes or elements than an array can have."""
    total = 1
    for size in shape:
        total *= size or 1
    if total >= largest or len(shape) > 64:
        raise ValueError(f"{name} must have at most 64 axes and less than 2**63 bytes, got {short_repr(shape)}")


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the broadcast shape, or None; np.broadcast_shapes is limited to 32 axes."""
    sizes = [1] * max(map(len, shapes), default=0)
    for shape in shapes:
        for axis, size in enumerate(shape, len(sizes) - len(shape)):
            if size != 1:
                if sizes[axis] not in (1, size):
                    return None
                sizes[axis] = size
    return tuple(sizes)


def is_integer(value: object) -> bool:
    """Whether a value is a Python or NumPy integer, but not bool or timedelta64."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64))


def normalize_axis(axis: Any, ndim: int, name: str = "axis") -> int:
    """Return a non-negative axis; AxisError if it is out of bounds, TypeError if it is not an integer."""
    number = as_int(name, axis)
    if -ndim <= number < ndim:
        return number % ndim
    if number.bit_length() > 63:  # AxisError would print all digits
        raise AxisError(f"{name} {short_repr(number)} is out of bounds for array of dimension {ndim}")
    raise AxisError(number, ndim, None if name == "axis" else name)


def kind_of(value: object) -> str:
    """Describe a value for an error."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} with shape {value.shape}"
    if isinstance(value, type):
        return "type"
    return "None" if value is None else type(value).__name__
