"""The value of an argument: as text for an error, and as an array."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex, TypeAlias

import numpy as np

from keyrng._core.numbers import as_array

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Int: TypeAlias = int | np.integer[Any]
Shape: TypeAlias = SupportsIndex | Sequence[SupportsIndex]

_MOST = 80  # characters of a value in an error


def short_repr(value: object, text: Callable[[Any], str] = repr) -> str:
    """A value as text for an error: never long, and never an error itself."""
    if type(value) is int and value.bit_length() > 128:
        return f"an integer of {value.bit_length()} bits"  # Python refuses to write more than 4300 digits
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
    """The value if it is one of a few words; else a ValueError that names them."""
    if not (value is None or isinstance(value, str)) or value not in choices:
        *others, last = (repr(choice) for choice in choices if choice is not None)
        raise ValueError(f"{name} is {', '.join(others)} or {last}, got {short_repr(value)}")
    return value


def as_int(name: str, value: object) -> int:
    """An integer, of Python, of NumPy or of one's own; TypeError for anything else, and for a truth value."""
    if not isinstance(value, (bool, np.bool_, np.timedelta64)):
        try:
            return int(operator.index(value))  # type: ignore[arg-type]
        except TypeError:
            pass
    raise TypeError(f"{name} is an int, got {short_repr(value)}")


def to_array(name: str, value: Any) -> Array:
    """A number, a list or an array as NumPy's array and no other; an error that names the argument if it is none."""
    if isinstance(value, np.ndarray):
        return as_base_array(name, value)
    try:
        return as_array(value)
    except (ValueError, OverflowError) as error:  # of a ragged list, say
        raise ValueError(f"{name} is no array: {error}") from None
    except TypeError as error:
        raise TypeError(f"{name} is no array: {error}") from None


def as_base_array(name: str, array: Array) -> Array:
    """An array of a subclass as NumPy's own; TypeError for a masked one, whose mask would be lost."""
    if type(array) is np.ndarray:
        return array
    if "numpy.ma" in sys.modules and isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, whose mask has no meaning here; {name}.filled(value) has none")
    return np.asarray(array)


# Types of other libraries that are used where a key belongs: how the name of the module begins, the type, and the call
# that makes a key of it.
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
    """The call that makes a key of another library's key or generator; empty for anything else."""
    module, name = type(value).__module__, type(value).__name__
    for beginning, kind, call in _SOURCES_OF_KEYS:
        if module.startswith(beginning) and name == kind and (kind != "ArrayImpl" or _are_words(value)):
            return call
    return ""


def _are_words(array: Any) -> bool:
    return bool(array.dtype == np.uint32 and array.shape[-1:] == (2,))


def is_tensor(value: object) -> bool:
    """Whether a value is a tensor of PyTorch, which is not imported to find out."""
    return isinstance(value, getattr(sys.modules.get("torch"), "Tensor", ()))


def tensor_memory(name: str, tensor: Any) -> Array:
    """The memory of a tensor on the CPU as an array."""
    if tensor.device.type != "cpu":
        where = str(tensor.device)
        raise TypeError(f"{name} is a tensor on {where}, the key on cpu; key.to({where!r}) puts the key there")
    if tensor.requires_grad:
        raise TypeError(f"{name} is a tensor that requires a gradient; {name}.detach() is one of the same memory")
    try:
        if str(tensor.dtype) == "torch.bfloat16":  # NumPy has it from ml_dtypes, which PyTorch does not know
            return _bfloat16(tensor.view(sys.modules["torch"].int16).numpy())
        memory: Array = tensor.numpy()
    except (TypeError, RuntimeError) as error:  # of a sparse or a conjugated one, say
        raise TypeError(f"{name} is a tensor that is not an array of NumPy: {error}") from None
    return memory


def _bfloat16(halves: Array) -> Array:
    import ml_dtypes  # here: it is an extra

    return halves.view(ml_dtypes.bfloat16)


def cast_array(name: str, array: Array, dtype: np.dtype[Any]) -> Array:
    """An array in another dtype, with infinity for what is too large; ValueError if there can be none of its shape."""
    try:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            return array.astype(dtype)
    except ValueError as error:
        raise ValueError(f"{name} of shape {array.shape} is too large: {error}") from None


def utf8(name: str, text: str) -> bytes:
    """The UTF-8 bytes of a str; ValueError for half of a surrogate pair, which has none."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} is text that UTF-8 can encode, got {short_repr(text)}") from None


def check_sizes(name: str, shape: tuple[int, ...], largest: int = 2**63) -> None:
    """ValueError for a shape of more axes, or more elements, than any array has."""
    total = 1
    for size in shape:
        total *= size or 1
    if total >= largest or len(shape) > 64:
        raise ValueError(f"{name} is of at most 64 axes and less than 2**63 bytes, got {short_repr(shape)}")


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape that shapes broadcast to, None if they do not; NumPy's own function has at most 32 axes."""
    sizes = [1] * max(map(len, shapes), default=0)
    for shape in shapes:
        for axis, size in enumerate(shape, len(sizes) - len(shape)):
            if size != 1:
                if sizes[axis] not in (1, size):
                    return None
                sizes[axis] = size
    return tuple(sizes)
