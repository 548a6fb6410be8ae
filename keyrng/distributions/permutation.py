"""Random orders: permutation, and the first places of one, which choice without replacement is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isqrt, prod
from typing import Any, SupportsIndex

import numpy as np

from keyrng._core.dtypes import index_dtype
from keyrng._executors.base import ElementRange
from keyrng._executors.device import CPU
from keyrng._executors.histogram import histogram
from keyrng._executors.threads import get_num_threads, run_pieces
from keyrng._keys.derive import Key, device_of, split
from keyrng._sampling.draw import fill_range, run_ranges
from keyrng._sampling.parameters import Array, ArrayLike, as_bool
from keyrng.distributions._shared.elements import elements_of
from keyrng.distributions._shared.sorting_cuda import permuted
from keyrng.distributions.bits import bits_kernel

_WORD = np.dtype(np.uint32)
_CHUNK = 1 << 17  # elements at a time: they stay in a cache, and threads seldom wait for Python's lock
_SORT = 1 << 23  # elements to sort at once, at most: Ctrl-C waits for it
_LONG = 1 << 13  # elements from which on a few places are found without sorting all ...
_FEW = 40  # ... if they are one in so many, or less


def permutation(
    key: Key, x: ArrayLike | Key, axis: SupportsIndex = 0, independent: bool = False, *, out: Array | None = None
) -> Any:
    """A random order of the numbers 0 to x - 1, or of the elements of an array or of keys along an axis.

    Parameters
    ----------
    key
        A key, or an array of keys: each gives its own order, and the result has shape ``key.shape + x.shape``.
    x
        A number, an array of any dtype, or an array of keys.
    axis
        The axis along which elements, or whole slices, change places.
    independent
        If True, every line along the axis gets an order of its own.
    out
        An array to write to and return; it may be ``x`` itself.

    Returns
    -------
    Numbers are int32, or int64 if ``x`` is more than 2**31; anything else keeps its dtype.

    Raises
    ------
    TypeError
        For an ``x`` that is neither a whole number nor has an axis.
    ValueError
        For a negative number, more than 2**32 elements, or, as an AxisError, an axis that is out of range.

    Notes
    -----
    Sorted by words of 32 random bits: once, twice from 1626 elements on, three times from 2,642,246 on. Two elements
    that draw equal words each time keep their order; among n elements this happens with a probability below 1 / (2 n).
    The values of ``jax.random.permutation``, which takes a negative number for 0 and refuses arrays of keys. A
    permutation of 5 is not the beginning of a permutation of 6.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.permutation(keyrng.key(2), 5)
    array([2, 4, 1, 3, 0], dtype=int32)
    >>> keyrng.permutation(keyrng.key(2), ["a", "b", "c"]).tolist()
    ['c', 'b', 'a']
    """
    source = elements_of(device_of(key), "x", x, axis)
    if not as_bool("independent", independent):
        source.check_out(key, (*key.shape, source.size), out)
        return source.take(key, orders(key, (source.size,)), out)
    elements = source.flat()
    elements.check_out(key, key.shape + source.shape, out)
    return elements.take(key, orders(key, source.shape, source.axis), out)


def orders(key: Key, shape: tuple[int, ...], axis: int = 0) -> Array:
    """For each key the places that the elements of an array, permuted along an axis, come from.

    They are counted over the whole array of that shape.
    """
    total = prod(shape)
    rounds = _rounds(key, total) if key.size else []
    if device_of(key) is not CPU:
        return permuted(key, rounds, shape, axis)
    result = np.zeros((key.size, total), index_dtype(total))

    def piece(first: int, stop: int) -> None:
        _sort_places(result[first:stop], [keys[first:stop] for keys in rounds], shape, axis)

    if rounds and total <= _CHUNK:
        run_ranges(key._algorithm, key.size, piece, _CHUNK // total)
    elif rounds:  # each has pieces, and threads, of its own
        for i in range(key.size):
            piece(i, i + 1)
    return result.reshape(key.shape + shape)


def _rounds(key: Key, total: int) -> list[Key]:
    """The keys of each round's words, in one axis: as few rounds as make (2**32 - 1)**rounds reach total**3, as jax."""
    if total > 2**32:
        raise ValueError(f"a permutation has at most 2**32 elements, got {total}")
    rounds: list[Key] = []
    key = key.reshape(-1)
    while (2**32 - 1) ** len(rounds) < total**3:
        children = split(key)
        key = children[:, 0]
        rounds.append(children[:, 1])
    return rounds


def _words(keys: Key, first: int, stop: int, size: int) -> Array:
    """The words ``first`` to ``stop`` of ``size`` of each of some keys, key after key."""
    words = np.empty((len(keys), stop - first), _WORD)
    fill_range(bits_kernel, keys, words, ElementRange(first, stop - first, size))
    return words.reshape(-1)


# A word and its place in one number: np.sort is fast for those, and of equal words the first place comes first.


def _packed(words: Array, places: Array, out: Array | None = None) -> Array:
    packed = np.empty(words.size, np.uint64) if out is None else out
    packed[...] = words
    packed <<= 32
    packed |= places.astype(np.uint64, copy=False)
    return packed


def _places(packed: Array) -> Array:
    return (packed & 0xFFFFFFFF).view(np.int64)


def _sort_places(places: Array, rounds: list[Key], shape: tuple[int, ...], axis: int) -> None:
    """Write the places of each key's array when sorted by the words of one round after the other, stably.

    Several arrays are no more than a chunk together, which is then the only one.
    """
    keys, total = places.shape
    flat, packed = places.reshape(-1), np.empty(places.size, np.uint64)

    def pack(stream: Key, first: int, stop: int) -> None:
        words = _words(stream, first // keys, stop // keys, total)
        _packed(words, np.arange(first, stop, dtype=np.uint64), packed[first:stop])

    def gather(first: int, stop: int) -> None:
        packed[first:stop] = flat.take(_places(packed[first:stop]), mode="clip")

    def unpack(first: int, stop: int) -> None:
        flat[first:stop] = _places(packed[first:stop])

    for i, stream in enumerate(rounds):
        run_ranges(stream._algorithm, packed.size, partial(pack, stream), _CHUNK)
        _sort(packed.reshape(-1, *shape), axis + 1)
        if i:
            run_pieces(packed.size, gather, _CHUNK)
        run_pieces(packed.size, unpack, _CHUNK)
    if keys > 1:  # the places of several arrays were counted over all
        places -= np.arange(0, places.size, total, dtype=places.dtype)[:, np.newaxis]


def _sort(packed: Array, axis: int) -> None:
    """Sort the lines along an axis of some arrays in place."""
    lines = np.moveaxis(packed, axis, -1)
    parts = [lines] if packed.size <= _CHUNK else _parts(lines[0])
    _each(parts, lambda part: part.sort(axis=-1))


def _parts(lines: Array) -> list[Array]:
    """Parts of one array to sort side by side: some lines each, or of long lines at least as many as threads."""
    if lines.shape[-1] <= _CHUNK:
        step = max(1, _CHUNK * len(lines) // lines.size)
        return [lines[first : first + step] for first in range(0, len(lines), step)]
    parts = [lines[at] for at in np.ndindex(lines.shape[:-1])]
    while parts[0].size > (_CHUNK if len(parts) < get_num_threads() else _SORT):
        _each(parts, lambda part: part.partition(part.size // 2))
        parts = [half for part in parts for half in np.split(part, [part.size // 2])]
    return parts


def _each(parts: list[Array], act: Callable[[Array], None]) -> None:
    """Do the same to each part, in threads."""

    def piece(first: int, stop: int) -> None:
        for part in parts[first:stop]:
            act(part)

    run_pieces(len(parts), piece, 1)


# The beginning of an order, without sorting all


def first_k(key: Key, size: int, count: int) -> Array:
    """The first ``count`` places of each key's order, exactly these.

    The order begins with the places of the smallest words of the last round. What stands there was at some rank among
    the words of the round before, and so on back to the first.
    """
    if device_of(key) is not CPU:
        return device_of(key).contiguous(orders(key, (size,))[..., :count])
    if size < _LONG or count > size // _FEW:
        return np.ascontiguousarray(orders(key, (size,))[..., :count])
    *others, last = _rounds(key, size)
    result = np.empty((key.size, count), index_dtype(size))
    for i in range(key.size):
        places = _smallest(last[i : i + 1], size, count)
        for stream in others[::-1]:
            places = _at_ranks(stream[i : i + 1], size, places)
        result[i] = places
    return result.reshape(*key.shape, count)


def _smallest(stream: Key, size: int, count: int) -> Array:
    """The places of the smallest words in ascending order."""
    found: list[Array] = []
    expected = count + 8 * isqrt(count) + 8  # enough, but for one time in many millions

    def piece(first: int, stop: int) -> None:
        words = _words(stream, first, stop, size)
        near = np.flatnonzero(words <= bound)
        found.append(_packed(words[near], near + first))

    while sum(map(len, found)) < count:
        found.clear()
        bound = np.uint32(min(2**32 * expected // size, 2**32 - 1))
        run_ranges(stream._algorithm, size, piece, _CHUNK)
        expected *= 2
    return _places(np.sort(np.concatenate(found))[:count])


def _at_ranks(stream: Key, size: int, ranks: Array) -> Array:
    """The places of the words at some ranks of their stable order.

    Words are uniform, so of those that begin with the same bits there are 32 to 64, or more where so many counts would
    leave the cache; only words that begin like one of a wanted rank are sorted.
    """
    bits = max(1, min(size.bit_length() - 6, 15))
    shift = np.uint32(32 - bits)
    words = np.empty(size, _WORD)
    counted: list[Array] = []
    found: list[Array] = []

    def count(first: int, stop: int) -> None:
        words[first:stop] = _words(stream, first, stop, size)
        counted.append(histogram(words[first:stop], bits))

    def find(first: int, stop: int) -> None:
        near = np.flatnonzero(wanted.take(words[first:stop] >> shift, mode="clip")) + first
        found.append(_packed(words[near], near))

    run_ranges(stream._algorithm, size, count, _CHUNK)
    counts = np.sum(counted, axis=0, dtype=np.int64)
    leading = np.searchsorted(np.cumsum(counts), ranks, side="right")
    wanted = np.zeros(1 << bits, np.bool_)
    wanted[leading] = True
    run_pieces(size, find, _CHUNK)
    left_out = np.cumsum(np.where(wanted, 0, counts))
    return _places(np.sort(np.concatenate(found))[ranks - left_out[leading]])
