"""The class `Key`: an immutable array of keys.

`keyrng._keys.derive` has the functions that create keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any, NoReturn, SupportsIndex, TypeVar

import numpy as np

from keyrng._core.arguments import as_int, broadcast, is_integer, key_from, kind_of, normalize_axis, short_repr
from keyrng._core.migration import MayHelp
from keyrng._executors import native
from keyrng._executors.device import CPU, Device, device_at, device_named
from keyrng._keys import seed_sequence, serialize
from keyrng.algorithms.base import Algorithm

Array = np.ndarray[Any, np.dtype[Any]]
_K = TypeVar("_K", bound="Key")


class Key(MayHelp):
    """A key or an array of keys: an immutable value of an algorithm and the words of each key.

    Keys are made by ``keyrng.key(seed)``, and new ones from these by ``split`` and ``fold_in``; the constructor raises
    TypeError.

    See Also
    --------
    key : A key of a seed.
    split : New keys from a key, by number.
    fold_in : A new key from a key, by number or by name.
    stack : An array of keys.

    Notes
    -----
    ``shape`` is that of the array of keys, and is () for one key; the axis of the words is hidden. Indexing, iteration
    and reshaping follow NumPy, on ``shape``.

    ``==`` compares key by key. Keys of different algorithms are unequal, and a key is unequal to any other object.
    Arithmetic, ordering, ``bool``, ``hash`` and ``np.asarray`` raise a TypeError that says what to use instead.

    Keys are immutable. ``pickle``, ``copy`` and ``to_bytes`` preserve every bit.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.key(42)
    Key((), key<fry>, [0x00000000 0x0000002a])
    >>> keys = keyrng.split(keyrng.key(42), 3)
    >>> keys.shape, keys[0].shape, keys.impl
    ((3,), (), 'threefry2x32')
    """

    __slots__ = ("_algorithm", "_words")

    _algorithm: Algorithm
    _words: Array

    # Makes NumPy's operators defer to those of this class, which raise.
    __array_ufunc__ = None

    def __init__(self, *args: object, **kwargs: object) -> None:
        raise TypeError("Key() cannot be called; use keyrng.key(seed) or keyrng.wrap_key_data(words)")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array of keys, () for one key."""
        shape: tuple[int, ...] = self._words.shape[:-1]
        return shape

    @property
    def ndim(self) -> int:
        """Number of axes of the array of keys."""
        return self._words.ndim - 1

    @property
    def size(self) -> int:
        """Number of keys."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Number of bytes of all words."""
        return self._words.nbytes

    @property
    def impl(self) -> str:
        """Name of the algorithm, as ``keyrng.key(seed, impl=name)`` takes it."""
        return self._algorithm.name

    @property
    def device(self) -> str:
        """Device of the words and of the samples of this key, such as ``"cpu"`` or ``"cuda:0"``."""
        return device_at(self._words).name

    def to(self, device: Any) -> Key:
        """Return the same keys on a device; the object itself if it is there already.

        Parameters
        ----------
        device : str, int or device
            ``"cpu"``, ``"cuda"`` (the current GPU), ``"cuda:1"``, or a device of CuPy or PyTorch; for a key on a GPU
            also the number of another GPU.

        Returns
        -------
        Key
            The keys on the device.

        Raises
        ------
        TypeError
            If ``device`` is not a device.
        ValueError
            If the device is unknown.
        RuntimeError
            If GPUs cannot be used.
        """
        words = device_named(device, device_at(self._words)).receive(self._words)
        return self if words is self._words else wrap_words(self._algorithm, words)

    def to_bytes(self) -> bytes:
        """Return the keys as bytes: words, shape, algorithm and a checksum.

        Returns
        -------
        bytes
            Bytes that ``Key.from_bytes`` reads on any machine.
        """
        return serialize.dump(self._algorithm, CPU.receive(self._words))

    @staticmethod
    def from_bytes(data: bytes) -> Key:
        """Return the keys that ``to_bytes`` wrote.

        Parameters
        ----------
        data : bytes
            The result of ``to_bytes``.

        Returns
        -------
        Key
            The keys, on the CPU.

        Raises
        ------
        TypeError
            If ``data`` is not bytes.
        ValueError
            If a single bit is missing, added or changed.

        Examples
        --------
        >>> import keyrng
        >>> keyrng.Key.from_bytes(keyrng.key(42).to_bytes())
        Key((), key<fry>, [0x00000000 0x0000002a])
        """
        return wrap_words(*serialize.load(data))

    def _like(self, words: Array) -> Key:
        """Return keys of the same algorithm."""
        return wrap_words(self._algorithm, words)

    generate_state = seed_sequence.generate_state
    spawn = seed_sequence.spawn

    # The interface of an array.

    def __len__(self) -> int:
        if self._words.ndim == 1:
            raise TypeError("a scalar key has no len(); its shape is ()")
        return len(self._words)

    def __iter__(self) -> Iterator[Key]:
        if self._words.ndim == 1:
            raise TypeError("cannot iterate over a scalar key; use keyrng.split(key, num) for num keys")
        if native.native is not None and self._words.ndim == 2 and type(self._words) is np.ndarray:
            return iter(native.native.keys_of(Key, self._algorithm, self._words))  # for a, b = keyrng.split(key)
        return (wrap_words(self._algorithm, words) for words in self._words)

    def __getitem__(self, index: Any) -> Key:
        words = self._words
        if type(index) is int and type(words) is np.ndarray and words.ndim == 2 and -len(words) <= index < len(words):
            return wrap_words(self._algorithm, words[index])  # the usual case takes half of the time
        index = index if isinstance(index, tuple) else (index,)
        device = device_at(self._words)
        try:
            with device.current():
                words = self._words[(*index, slice(None))]
        except (IndexError, OverflowError) as error:
            if isinstance(error, OverflowError):
                raise IndexError(f"index {short_repr(index)} is out of bounds for keys of shape {self.shape}") from None
            np.broadcast_to(False, self.shape)[index]  # raises the same error for the shape without words
            raise
        return wrap_words(self._algorithm, device.contiguous(words))

    def reshape(self, *shape: Any) -> Key:
        """Return the keys in another shape of the same size; one length can be -1."""
        given = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        new = tuple(as_int("a size of a shape", size) for size in given)
        try:
            words = self._words.reshape((*new, self._algorithm.key_words))
        except (ValueError, OverflowError):
            raise ValueError(f"cannot reshape keys of shape {self.shape} to {short_repr(new)}") from None
        return wrap_words(self._algorithm, words)

    def ravel(self) -> Key:
        """Return the keys along one axis."""
        return self.reshape(-1)

    def flatten(self) -> Key:
        """Return the keys along one axis, like ``ravel``: keys are immutable, so a copy is not needed."""
        return self.reshape(-1)

    def squeeze(self, axis: SupportsIndex | Sequence[SupportsIndex] | None = None) -> Key:
        """Return the keys without their axes of length 1, or without those in ``axis``; ValueError if one is longer."""
        shape = self.shape
        if axis is None:
            return self.reshape([length for length in shape if length != 1])
        axes = {normalize_axis(a, len(shape)) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))}
        if any(shape[a] != 1 for a in axes):
            raise ValueError(f"cannot squeeze axis {short_repr(axis)} of keys of shape {shape}: its length is not 1")
        return self.reshape([length for a, length in enumerate(shape) if a not in axes])

    def transpose(self, *axes: Any) -> Key:
        """Return the keys with their axes in the given order, or reversed."""
        given = axes[0] if len(axes) == 1 and not is_integer(axes[0]) else axes
        if given is not None and not isinstance(given, (tuple, list)):
            raise TypeError(f"axes must be ints or one tuple of ints, got {short_repr(given)}")
        order = [normalize_axis(a, self.ndim) for a in given or ()] or list(range(self.ndim))[::-1]
        if sorted(order) != list(range(self.ndim)):
            raise ValueError(f"transpose requires each of {self.ndim} axes once, got {short_repr(axes)}")
        return wrap_words(self._algorithm, device_at(self._words).contiguous(self._words.transpose(*order, self.ndim)))

    @property
    def T(self) -> Key:  # noqa: N802 (NumPy's name)
        """The keys with their axes reversed."""
        return self.transpose()

    def __eq__(self, other: object) -> Any:
        if type(other) is not Key:
            return NotImplemented
        device = common_device([self, other], "compare")
        shape = broadcast(self.shape, other.shape)
        if shape is None:
            raise ValueError(f"keys of shapes {self.shape} and {other.shape} do not broadcast")
        with device.current():
            if self._algorithm != other._algorithm:
                return device.xp.zeros(shape, bool)[()]
            return (self._words == other._words).all(axis=-1)

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else ~equal

    def __repr__(self) -> str:
        digits = self._algorithm.word_bits // 4
        device = device_at(self._words)
        words = np.array2string(
            CPU.receive(self._words),
            max_line_width=120,
            threshold=32,
            edgeitems=3,
            separator=" ",
            prefix="    " if self.ndim else "",
            formatter={"int": lambda word: f"0x{word:0{digits}x}"},
        )
        separator = "\n    " if self.size > 1 else " "
        where = device.pick("", f" {device.name},")
        return f"Key({self.shape}, key<{self._algorithm.tag}>,{where}{separator}{words})"

    # Immutability.

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"cannot set {name!r}: keys are immutable; use keyrng.split or keyrng.fold_in")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"cannot delete {name!r}: keys are immutable")

    def __setitem__(self, index: object, value: object) -> NoReturn:
        raise TypeError("arrays of keys are immutable; use keyrng.stack or keyrng.concatenate")

    def __delitem__(self, index: object) -> NoReturn:
        raise TypeError("arrays of keys are immutable; use keyrng.concatenate")

    def __copy__(self) -> Key:
        return self

    def __deepcopy__(self, memo: object) -> Key:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # A module-level function, because loaders with a list of trusted functions, such as torch.load, cannot list a
        # method.
        return restored, (self.to_bytes(), self.device)

    # Operations of numbers are errors.

    def __hash__(self) -> int:
        raise TypeError("unhashable type: 'Key', because == compares key by key; use key.to_bytes()")

    def __bool__(self) -> bool:
        raise TypeError("the truth value of a key is undefined; use (key == other).all() or key.size")

    def __array__(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("a key cannot be converted to an array; use keyrng.key_data(key)")

    def _no_number(self, *args: object) -> NoReturn:
        raise TypeError(
            "keys do not support arithmetic; use keyrng.fold_in(key, data) for a new key, keyrng.bits(key) for a number"
        )

    __int__ = __float__ = __complex__ = __index__ = _no_number
    __neg__ = __pos__ = __abs__ = __invert__ = _no_number
    __lt__ = __le__ = __gt__ = __ge__ = _no_number
    __add__ = __sub__ = __mul__ = __matmul__ = __truediv__ = __floordiv__ = __mod__ = __divmod__ = _no_number
    __radd__ = __rsub__ = __rmul__ = __rmatmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rdivmod__ = _no_number
    __pow__ = __and__ = __or__ = __xor__ = __lshift__ = __rshift__ = _no_number
    __rpow__ = __rand__ = __ror__ = __rxor__ = __rlshift__ = __rrshift__ = _no_number


def _first(kind: type[_K]) -> _K:
    """Create a key, and register the class as a seed with NumPy.

    Registration waits for the first key, because importing numpy.random takes 10 ms.
    """
    global _new
    from numpy.random.bit_generator import ISpawnableSeedSequence

    ISpawnableSeedSequence.register(Key)
    _new = object.__new__
    made: _K = _new(kind)
    return made


_new: Callable[[type[Any]], Any] = _first
_set_algorithm = Key.__dict__["_algorithm"].__set__
_set_words = Key.__dict__["_words"].__set__


def wrap_words(algorithm: Algorithm, words: Array, kind: type[_K] = Key) -> _K:  # type: ignore[assignment]
    """Create keys from words, which must be contiguous, of the algorithm's dtype and shape, and not shared."""
    if type(words) is np.ndarray:
        words.setflags(write=False)
    made: _K = _new(kind)
    _set_algorithm(made, algorithm)
    _set_words(made, words)
    return made


def restored(data: bytes, device: str) -> Key:
    """Load a key from a pickle, on its device. Pickles contain the name of this function, which must not change."""
    return Key.from_bytes(data).to(device)


def check_key(value: object) -> Key:
    """Return the value if it is a key; TypeError otherwise, with a hint."""
    if isinstance(value, Key):
        return value
    makes = key_from(value) or "keyrng.key(seed)"
    if isinstance(value, np.ndarray) and value.dtype in (np.uint32, np.uint64):
        makes = "keyrng.wrap_key_data(words)"
    elif isinstance(value, (list, tuple)) and value and all(type(v) is Key for v in value):
        makes = "keyrng.stack(keys)"
    raise TypeError(f"expected a key, got {kind_of(value)}; {makes} makes one")


def device_of(key: object) -> Device:
    """Return the device of a key and its samples; TypeError if it is not a key."""
    return device_at(check_key(key)._words)


def common_device(keys: Sequence[Key], act: str) -> Device:
    """Return the device of several keys; ValueError if there is more than one."""
    device, *others = dict.fromkeys(device_at(k._words) for k in keys)
    if others:
        raise ValueError(f"cannot {act} keys on {device.name} and {others[0].name}; use key.to({device.name!r})")
    return device
