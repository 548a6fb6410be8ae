"""NumPy's generators over keys; what SciPy and scikit-learn take too.

``np.random.default_rng(key)`` and SciPy's ``rng=key`` need nothing from here: a key is a seed. What is here counts
what is spawned, gives the key's own words, or serves the older ``random_state=``.

Must not be imported with keyrng: numpy.random takes 10 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISpawnableSeedSequence

from keyrng._core.arguments import as_int, short_repr
from keyrng._keys.derive import Key, check_key, key_data, wrap_key_data
from keyrng._keys.derive import bit_generator as watched
from keyrng.interop._stream import Stream

__all__ = ["KeyBitGenerator", "KeySeedSequence", "bit_generator", "generator", "random_state"]

Array = np.ndarray[Any, np.dtype[Any]]


def generator(key: Key) -> np.random.Generator:
    """A fast generator of NumPy's own, seeded by every bit of a key.

    It is ``np.random.Generator(np.random.PCG64DXSM(KeySeedSequence(key)))``, and so are its values: NumPy's algorithm,
    and the numbers of the installed NumPy. PCG64DXSM is the generator that NumPy recommends for many streams side by
    side, among the fastest it has, and takes 256 bits of seed, as many as the widest key.

    TypeError for what is no key, ValueError for keys of another shape than ().

    >>> import keyrng.interop.numpy
    >>> rng = keyrng.interop.numpy.generator(keyrng.key(42))
    >>> rng.integers(100, size=5)
    array([79, 61, 89, 71, 81])
    """
    return np.random.Generator(np.random.PCG64DXSM(_seeds(key)))


def bit_generator(key: Key) -> KeyBitGenerator:
    """A bit generator whose raw words are the key's own: those of ``keyrng.bits(key, n, "uint64")``, in order.

    ``np.random.Generator(bit_generator(key))`` draws NumPy's distributions from them.

    TypeError for what is no key, ValueError for keys of another shape than ().

    >>> import keyrng.interop.numpy
    >>> key = keyrng.key(42)
    >>> words = keyrng.interop.numpy.bit_generator(key).random_raw(5)
    >>> bool((words == keyrng.bits(key, 5, "uint64")).all())
    True
    """
    return KeyBitGenerator(key)


def random_state(key: Key) -> np.random.RandomState:
    """What scikit-learn and older functions of SciPy take as ``random_state=``, seeded by every bit of a key.

    It is a Mersenne Twister, for only with that can a ``RandomState`` do all it ever could, ``get_state()`` among it;
    its words are ``key.generate_state(624)``.

    TypeError for what is no key, ValueError for keys of another shape than ().

    >>> import keyrng.interop.numpy
    >>> keyrng.interop.numpy.random_state(keyrng.key(42)).randint(100, size=5)
    array([ 5, 45, 15,  6, 17])
    """
    return np.random.RandomState(np.random.MT19937(_seeds(key)))


class KeySeedSequence(ISpawnableSeedSequence):
    """A key as a ``np.random.SeedSequence``: its words are those of the key, and it counts the children it spawns.

    The children spawned first are those of ``key.spawn(n)``; a key itself does not count, and gives them again.

    >>> import keyrng.interop.numpy
    >>> seeds = keyrng.interop.numpy.KeySeedSequence(keyrng.key(42))
    >>> first, second = *seeds.spawn(1), *seeds.spawn(1)
    >>> bool((keyrng.stack([first.key, second.key]) == keyrng.stack(keyrng.key(42).spawn(2))).all())
    True
    """

    def __init__(self, key: Key, *, n_children_spawned: int = 0) -> None:
        check_key(key)._seeds("n_words", 0)  # refuses an array of keys
        self.key = key.to("cpu")
        self.n_children_spawned = n_children_spawned

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Array:
        """The words of `Key.generate_state`."""
        return self.key.generate_state(n_words, dtype)

    def spawn(self, n_children: int) -> list[KeySeedSequence]:
        """The next seeds, as many as asked for."""
        first = self.n_children_spawned
        self.n_children_spawned += self.key._seeds("n_children", n_children)
        return [KeySeedSequence(child) for child in self.key._spawned(first, self.n_children_spawned)]

    def __repr__(self) -> str:
        return f"KeySeedSequence({self.key!r}, n_children_spawned={self.n_children_spawned})"


def _seeds(seed: Key | KeySeedSequence) -> Any:
    """What counts the children of a key; NumPy's types know no seed but its own."""
    return seed if isinstance(seed, KeySeedSequence) else KeySeedSequence(seed)


class KeyBitGenerator(np.random.BitGenerator):
    """NumPy's bit generator over the words of a key, which `bit_generator` makes.

    Word i is ``keyrng.bits(key, i + 1, "uint64")[i]``. A number of 32 bits is the low half of the next word, the one
    after it the high half; a double is the upper 53 bits of a word. With the compiled part of keyrng the words are
    made in it, as fast as by NumPy's own; without, and for algorithms of your own, Python takes a microsecond a word.

    It is NumPy's in all it can: ``state``, ``lock``, ``spawn``, pickle, copies, ``ctypes``. ``advance`` leads to any
    word at once. It has no ``jumped``: streams that never meet come from ``keyrng.split(key)``, or ``spawn``.
    """

    def __init__(self, seed: Key | KeySeedSequence) -> None:
        seeds = _seeds(seed)
        super().__init__(seeds)
        self._stream = Stream(self.capsule, watched(seeds.key))

    def advance(self, delta: int) -> KeyBitGenerator:
        """Skip words of 64 bits, or go back by a negative number of them; itself, as NumPy's bit generators do.

        ValueError if that leads before word 0, or beyond the last word of the key. Half a word that waits is dropped.
        """
        with self.lock:
            self._stream.move(self._stream.next + as_int("delta", delta))
        return self

    @property
    def state(self) -> dict[str, Any]:
        """All that decides the words to come: a dict like those of NumPy's bit generators."""
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
            raise TypeError(f"a state is a dict, as {name}.state gives it, got {type(value).__name__}")
        given = value.get("bit_generator")
        if not isinstance(given, str) or given != name:
            raise ValueError(f"the state is that of a {short_repr(given)}, not of a {name}")
        inner = value.get("state")
        parts = {*value, *(inner if isinstance(inner, Mapping) else ())}
        if not isinstance(inner, Mapping) or not parts >= {"impl", "key", "next", "has_uint32", "uinteger"}:
            raise ValueError(f"the state of a {name} has not all parts that {name}.state gives")
        impl, index = inner.get("impl"), as_int("next of a state", inner.get("next"))
        waits, half = (as_int(part, value.get(part)) for part in ("has_uint32", "uinteger"))
        if not isinstance(impl, str) or impl != self._stream.key.impl:
            raise ValueError(
                f"the state is of {short_repr(impl, str)}, this {name} of {self._stream.key.impl}; "
                "make one of such a key"
            )
        if not 0 <= half < 2**32 or waits not in (0, 1):
            raise ValueError(
                f"uinteger is a word of 32 bits and has_uint32 0 or 1, got {short_repr(half)}, {short_repr(waits)}"
            )
        key = wrap_key_data(inner.get("key"), impl=impl)  # type: ignore[arg-type]
        check_key(key)._seeds("n_words", 0)  # refuses an array of keys
        with self.lock:
            self._stream.restart(key)
            self._stream.move(index, half if waits else None)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.seed_seq,), self.state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state
