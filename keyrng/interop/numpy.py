"""NumPy generators from keys, which SciPy and scikit-learn accept too.

``np.random.default_rng(key)`` and SciPy's ``rng=key`` work without this module, because a key is a seed. The functions
here count spawned seeds, return the key's words unchanged, or make generators for the older ``random_state=``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISpawnableSeedSequence

from keyrng._core.arguments import as_int, short_repr
from keyrng._keys.create import key_data, wrap_key_data
from keyrng._keys.derive import Key, check_key
from keyrng._keys.derive import bit_generator as watched
from keyrng._keys.seed_sequence import check_request, children
from keyrng.interop._stream import Stream

__all__ = ["KeyBitGenerator", "KeySeedSequence", "bit_generator", "generator", "random_state"]

Array = np.ndarray[Any, np.dtype[Any]]


def generator(key: Key) -> np.random.Generator:
    """Return a fast ``numpy.random.Generator`` that is seeded by every bit of a key.

    Parameters
    ----------
    key : Key
        One key.

    Returns
    -------
    numpy.random.Generator
        ``np.random.Generator(np.random.PCG64DXSM(KeySeedSequence(key)))``. Its values are those of the installed NumPy.

    Raises
    ------
    TypeError
        If ``key`` is not a key.
    ValueError
        If ``key`` is an array of keys.

    See Also
    --------
    bit_generator : A bit generator that reads the words of the key.
    random_state : The older interface.

    Notes
    -----
    PCG64DXSM is the bit generator that NumPy recommends for many parallel streams. It is among the fastest of NumPy,
    and takes 256 bits of seed, as many as the longest key has.

    Examples
    --------
    >>> import keyrng, keyrng.interop.numpy
    >>> rng = keyrng.interop.numpy.generator(keyrng.key(42))
    >>> rng.integers(100, size=5)
    array([79, 61, 89, 71, 81])
    """
    return np.random.Generator(np.random.PCG64DXSM(_seeds(key)))


def bit_generator(key: Key) -> KeyBitGenerator:
    """Return a bit generator that reads the words of a key.

    Parameters
    ----------
    key : Key
        One key.

    Returns
    -------
    KeyBitGenerator
        A bit generator whose raw words are those of ``keyrng.bits(key, n, "uint64")``, in order.
        ``np.random.Generator(bit_generator(key))`` draws NumPy's distributions from them.

    Raises
    ------
    TypeError
        If ``key`` is not a key.
    ValueError
        If ``key`` is an array of keys.

    See Also
    --------
    generator : A generator of NumPy's own algorithm, seeded by the key.

    Examples
    --------
    >>> import keyrng, keyrng.interop.numpy
    >>> key = keyrng.key(42)
    >>> words = keyrng.interop.numpy.bit_generator(key).random_raw(5)
    >>> bool((words == keyrng.bits(key, 5, "uint64")).all())
    True
    """
    return KeyBitGenerator(key)


def random_state(key: Key) -> np.random.RandomState:
    """Return a ``numpy.random.RandomState`` that is seeded by every bit of a key, for ``random_state=``.

    Parameters
    ----------
    key : Key
        One key.

    Returns
    -------
    numpy.random.RandomState
        A Mersenne Twister whose words are ``key.generate_state(624)``. scikit-learn and older functions of SciPy accept
        it.

    Raises
    ------
    TypeError
        If ``key`` is not a key.
    ValueError
        If ``key`` is an array of keys.

    See Also
    --------
    generator : The newer interface.

    Notes
    -----
    The Mersenne Twister is used because only with it all methods of ``RandomState`` work, including ``get_state()``.

    Examples
    --------
    >>> import keyrng, keyrng.interop.numpy
    >>> keyrng.interop.numpy.random_state(keyrng.key(42)).randint(100, size=5)
    array([ 5, 45, 15,  6, 17])
    """
    return np.random.RandomState(np.random.MT19937(_seeds(key)))


class KeySeedSequence(ISpawnableSeedSequence):
    """A key as a ``np.random.SeedSequence``, which counts the children it spawned.

    Parameters
    ----------
    key : Key
        One key.
    n_children_spawned : int, optional
        Number of children spawned before; 0 by default.

    Attributes
    ----------
    key : Key
        The key, on the CPU.
    n_children_spawned : int
        Number of children spawned so far.

    See Also
    --------
    Key.spawn : The same children, without a count.

    Notes
    -----
    The first children are those of ``key.spawn(n)``. A key does not count, and returns them again on every call.

    Examples
    --------
    >>> import keyrng, keyrng.interop.numpy
    >>> seeds = keyrng.interop.numpy.KeySeedSequence(keyrng.key(42))
    >>> first, second = *seeds.spawn(1), *seeds.spawn(1)
    >>> bool((keyrng.stack([first.key, second.key]) == keyrng.stack(keyrng.key(42).spawn(2))).all())
    True
    """

    def __init__(self, key: Key, *, n_children_spawned: int = 0) -> None:
        check_request(check_key(key), "n_words", 0)  # raises for an array of keys
        self.key = key.to("cpu")
        self.n_children_spawned = n_children_spawned

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Array:
        """Return the words of `Key.generate_state`."""
        return self.key.generate_state(n_words, dtype)

    def spawn(self, n_children: int) -> list[KeySeedSequence]:
        """Return the next ``n_children`` seeds."""
        first = self.n_children_spawned
        self.n_children_spawned += check_request(self.key, "n_children", n_children)
        return [KeySeedSequence(child) for child in children(self.key, first, self.n_children_spawned)]

    def __repr__(self) -> str:
        return f"KeySeedSequence({self.key!r}, n_children_spawned={self.n_children_spawned})"


def _seeds(seed: Key | KeySeedSequence) -> Any:
    """Wrap a key so that its children are counted; typed as Any, because NumPy's stubs accept only its own seeds."""
    return seed if isinstance(seed, KeySeedSequence) else KeySeedSequence(seed)


class KeyBitGenerator(np.random.BitGenerator):
    """A NumPy bit generator that reads the words of a key; made by `bit_generator`.

    Parameters
    ----------
    seed : Key or KeySeedSequence
        One key.

    Notes
    -----
    Word i is ``keyrng.bits(key, i + 1, "uint64")[i]``. A number of 32 bits is the low half of the next word, and the
    one after it the high half. A double is the upper 53 bits of a word. With the compiled part of keyrng the words are
    computed in C, as fast as by the bit generators of NumPy. Without it, and for algorithms of your own, Python takes a
    microsecond per word.

    ``state``, ``lock``, ``spawn``, pickle, copies and ``ctypes`` work as for the bit generators of NumPy. ``advance``
    moves to any word in constant time. ``jumped`` does not exist: independent streams come from ``keyrng.split(key)``
    or ``spawn``.

    Examples
    --------
    >>> import keyrng, keyrng.interop.numpy
    >>> rng = np.random.Generator(keyrng.interop.numpy.KeyBitGenerator(keyrng.key(42)))
    >>> rng.integers(100, size=5)
    array([ 6, 42, 67,  1,  5])
    """

    def __init__(self, seed: Key | KeySeedSequence) -> None:
        seeds = _seeds(seed)
        super().__init__(seeds)
        self._stream = Stream(self.capsule, watched(seeds.key))

    def advance(self, delta: int) -> KeyBitGenerator:
        """Skip words of 64 bits, or go back, and return the bit generator.

        Parameters
        ----------
        delta : int
            Number of words; negative to go back. Half a word that is left over is dropped.

        Returns
        -------
        KeyBitGenerator
            The bit generator itself, as for those of NumPy.

        Raises
        ------
        ValueError
            If the position is before word 0 or after the last word of the key.
        """
        with self.lock:
            self._stream.move(self._stream.next + as_int("delta", delta))
        return self

    @property
    def state(self) -> dict[str, Any]:
        """The state, a dict like those of NumPy's bit generators, which determines all further words."""
        stream = self._stream
        with self.lock:
            return {
                "bit_generator": type(self).__name__,
                "state": {"impl": stream.key.impl, "key": key_data(stream.key), "next": stream.next},
                "has_uint32": int(stream.half is not None),
                "uinteger": stream.half or 0,
            }

    @state.setter
    def state(self, value: Mapping[str, Any]) -> None:
        name = type(self).__name__
        if not isinstance(value, Mapping):
            raise TypeError(f"state must be a dict from {name}.state, got {type(value).__name__}")
        given = value.get("bit_generator")
        if not isinstance(given, str) or given != name:
            raise ValueError(f"state must be that of a {name}, got that of a {short_repr(given)}")
        inner = value.get("state")
        parts = {*value, *(inner if isinstance(inner, Mapping) else ())}
        if not isinstance(inner, Mapping) or not parts >= {"impl", "key", "next", "has_uint32", "uinteger"}:
            raise ValueError(f"incomplete state; use {name}.state")
        impl, index = inner.get("impl"), as_int("next of a state", inner.get("next"))
        waits, half = (as_int(part, value.get(part)) for part in ("has_uint32", "uinteger"))
        if not isinstance(impl, str) or impl != self._stream.key.impl:
            raise ValueError(f"a state of {short_repr(impl, str)} does not fit a {name} of {self._stream.key.impl}")
        if not 0 <= half < 2**32 or waits not in (0, 1):
            raise ValueError(
                f"uinteger must be a word of 32 bits and has_uint32 0 or 1, got {short_repr(half)}, {short_repr(waits)}"
            )
        key = wrap_key_data(inner.get("key"), impl=impl)  # type: ignore[arg-type]
        check_request(check_key(key), "n_words", 0)  # raises for an array of keys
        with self.lock:
            self._stream.restart(key)
            self._stream.move(index, half if waits else None)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.seed_seq,), self.state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state
