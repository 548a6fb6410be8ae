"""The interface of NumPy's seeds, np.random.bit_generator.ISpawnableSeedSequence, for keys.

`Key` has `generate_state` and `spawn` as methods. Words and seeds come from children with reserved names, so that they
overlap neither with samples of the key nor with its other children.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keyrng._core.arguments import Int, check_sizes, is_integer, short_repr
from keyrng._executors.device import CPU
from keyrng._executors.select import executor_for
from keyrng._keys.serialize import number_of
from keyrng.algorithms.base import Algorithm, Domain

if TYPE_CHECKING:
    from keyrng._keys.key import Key

Array = np.ndarray[Any, np.dtype[Any]]

_STATE = "numpy.generate_state"
_SPAWN = "numpy.spawn"


def generate_state(self: Key, n_words: Int, dtype: Any = np.uint32) -> Array:  # noqa: D417 (a method)
    """Return words for the state of a NumPy generator, as ``np.random.default_rng(key)`` requests them.

    Parameters
    ----------
    n_words : int
        Number of words, zero or more.
    dtype : dtype_like, optional
        uint32, the default, or uint64.

    Returns
    -------
    ndarray
        Words of shape ``(n_words,)``.

    Raises
    ------
    TypeError
        If ``dtype`` is another dtype.
    ValueError
        If this is not a single key, or ``n_words`` is negative.

    Notes
    -----
    The words are those of ``split(fold_in(key, "numpy.generate_state"), ...)``, so they depend on every bit of the
    key, and a longer result begins with a shorter one. Words of 64 bits are pairs of words of 32 bits, low half
    first.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.key(42).generate_state(3)
    array([2927191395, 1678435331,  408001183], dtype=uint32)
    """
    size, wanted = check_request(self, "n_words", n_words), _dtype(dtype)
    if wanted not in (np.uint32, np.uint64):
        raise TypeError(f"dtype of a state must be uint32 or uint64, got {wanted or short_repr(dtype)}")
    halves = wanted.itemsize // 4
    words = _state(self._algorithm, CPU.receive(self._words), halves * size)
    if halves == 1:
        return words
    pairs = words.astype(np.uint64)
    return pairs[::2] | pairs[1::2] << np.uint64(32)


def spawn(self: Key, n_children: Int) -> list[Key]:  # noqa: D417 (a method)
    """Return other seeds for NumPy: the keys of ``split(fold_in(key, "numpy.spawn"), n_children)``.

    Parameters
    ----------
    n_children : int
        Number of seeds, zero or more.

    Returns
    -------
    list of Key
        The seeds.

    Raises
    ------
    ValueError
        If this is not a single key, or ``n_children`` is negative.

    See Also
    --------
    keyrng.interop.numpy.generator : A generator that counts the children it spawned.

    Notes
    -----
    A key is immutable and so does not count its children: a second call returns the same ones. Request all of them
    at once.
    """
    return children(self, 0, check_request(self, "n_children", n_children))


# Errors name functions by their qualified name.
generate_state.__qualname__, spawn.__qualname__ = "Key.generate_state", "Key.spawn"


def children(key: Key, start: int, stop: int) -> list[Key]:
    """Return ``key.spawn(stop)[start:]``."""
    return list(key._like(_descendants(key._algorithm, key._words, _SPAWN, start, stop)))


def check_request(key: Key, name: str, number: Int) -> int:
    """Return the requested number of words or seeds, checked; ValueError for an array of keys."""
    if key.ndim:
        raise ValueError(f"a seed must be a single key, got keys of shape {key.shape}; use keys[0]")
    if not is_integer(number):
        raise TypeError(f"{name} must be an int, got {short_repr(number)}")
    if number < 0:
        raise ValueError(f"{name} must be non-negative, got {short_repr(number)}")
    check_sizes(name, (int(number),), 2**56)  # of up to 32 bytes
    return int(number)


def _dtype(given: Any) -> np.dtype[Any] | None:
    """Return a dtype; None if the argument is invalid."""
    try:
        found: np.dtype[Any] = np.dtype(given)
    except (TypeError, ValueError):
        return None
    return found


def _state(algorithm: Algorithm, words: Array, size: int) -> Array:
    """Return the first 32-bit words, low half before high half, of ``split(fold_in(key, _STATE), ...)``."""
    found = _descendants(algorithm, words, _STATE, 0, -(-32 * size // algorithm.key_bits))
    halves = found.reshape(-1).astype(algorithm.dtype.newbyteorder("<")).view(np.dtype("<u4"))
    return halves[:size].astype(np.uint32)


def _descendants(algorithm: Algorithm, words: Array, name: str, start: int, stop: int) -> Array:
    """Return the words of ``split(fold_in(key, name), stop)[start:]``."""
    executor, number = executor_for(algorithm, words), number_of("name", name, algorithm.index_bits, b"keyrng.name")
    named = executor.derive(algorithm, words, number, Domain.NAME, 1)
    if start == stop:
        return words[None][:0]
    made: Array = executor.children(algorithm, named[None], start, stop - start)[0]
    return made
