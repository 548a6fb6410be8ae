"""Random orders: the elements of an array sorted by random words of 32 bits, in as many rounds as jax has.

`orders` gives whole orders, on any device; `first_k` gives the beginning of one without sorting all of it, on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isqrt, prod
from typing import NamedTuple

import numpy as np

from keyrng._core.dtypes import index_dtype
from keyrng._executors.base import DrawSpec, ElementRange, Executor
from keyrng._executors.device import CPU, Device, device_at
from keyrng._executors.histogram import histogram
from keyrng._executors.select import executor_for
from keyrng._executors.threads import get_num_threads, run_pieces
from keyrng._keys.derive import Key
from keyrng._sampling.draw import run_ranges
from keyrng._sampling.parameters import Array
from keyrng.algorithms.base import Algorithm
from keyrng.distributions._shared.words import bits_kernel

_WORD = np.dtype(np.uint32)
_CHUNK = 1 << 17  # elements at a time: they stay in a cache, and threads seldom wait for Python's lock
_SORT = 1 << 23  # elements to sort at once, at most: Ctrl-C waits for it
_LONG = 1 << 13  # elements from which on a few places are found without sorting all ...
_FEW = 40  # ... if they are one in so many, or less


class SortKeys(NamedTuple):
    """The keys that the random words of one round are drawn from; ``words`` has shape (keys, key_words)."""

    algorithm: Algorithm
    words: Array
    device: Device
    executor: Executor

    def draw(self, elements: ElementRange) -> Array:
        """Random words, elements of each key, in shape (keys, count)."""
        out = self.device.empty((len(self.words), elements.count), _WORD)
        spec = DrawSpec((bits_kernel,), self.algorithm, self.words, out.shape, _WORD, _WORD)
        self.executor.fill(spec, elements, out)
        return out

    def of(self, first: int, stop: int) -> SortKeys:
        """Some of the keys."""
        return self._replace(words=self.words[first:stop])


def orders(key: Key, shape: tuple[int, ...], axis: int = 0) -> Array:
    """For each key the indices that the elements of an array, permuted along an axis, come from.

    They are counted over the whole array of that shape.
    """
    words, total = key._words, prod(shape)
    keys = words.size // key._algorithm.key_words
    rounds = sort_keys(key._algorithm, words.reshape(keys, -1), total) if keys else []
    if device_at(words) is not CPU:
        return _argsorted(rounds, keys, device_at(words), shape, axis).reshape(*words.shape[:-1], *shape)
    if rounds and keys * total <= _CHUNK and len(shape) == 1:
        return _short_orders(rounds, keys, total).reshape(*words.shape[:-1], total)
    result = np.zeros((keys, total), index_dtype(total))

    def piece(first: int, stop: int) -> None:
        _sort_places(result[first:stop], [round_.of(first, stop) for round_ in rounds], shape, axis)

    if rounds and total <= _CHUNK:
        run_ranges(key._algorithm, keys, piece, _CHUNK // total)
    elif rounds:  # one key at a time, in several threads
        for i in range(keys):
            piece(i, i + 1)
    return result.reshape(*words.shape[:-1], *shape)


def sort_keys(algorithm: Algorithm, words: Array, total: int) -> list[SortKeys]:
    """The keys of each round: as few rounds as make (2**32 - 1)**rounds reach total**3, as jax has them.

    Keys and words have shape (keys, key_words). The first child of a key goes on to the next round, and the words of a
    round are drawn from the second.
    """
    if total > 2**32:
        raise ValueError(f"a permutation has at most 2**32 elements, got {total}")
    found: list[SortKeys] = []
    device, executor = device_at(words), executor_for(algorithm, words)
    while (2**32 - 1) ** len(found) < total**3:
        children = executor.children(algorithm, words, 0, 2)
        words, own = device.contiguous(children[:, 0]), device.contiguous(children[:, 1])
        found.append(SortKeys(algorithm, own, device, executor))
    return found


# A word and its place in one number: np.sort is fast for those, and of equal words the first place comes first.


def _short_orders(rounds: list[SortKeys], keys: int, total: int) -> Array:
    """The orders of some keys that fit a chunk together."""
    places: Array | None = None
    positions = np.arange(total, dtype=np.uint64)
    for round_ in rounds:
        packed = round_.draw(ElementRange(0, total, total)).astype(np.uint64)
        packed <<= 32
        packed |= positions
        packed.sort(axis=-1)
        packed &= 0xFFFFFFFF
        order = packed.view(np.int64)
        places = order if places is None else np.take_along_axis(places, order, -1)
    return np.asarray(places, index_dtype(total))


def _words(round_: SortKeys, first: int, stop: int, size: int) -> Array:
    """The words ``first`` to ``stop`` of ``size`` of each of some keys, key after key."""
    return round_.draw(ElementRange(first, stop - first, size)).reshape(-1)


def _packed(words: Array, places: Array, out: Array | None = None) -> Array:
    packed = np.empty(words.size, np.uint64) if out is None else out
    packed[...] = words
    packed <<= 32
    packed |= places.astype(np.uint64, copy=False)
    return packed


def _places(packed: Array) -> Array:
    return (packed & 0xFFFFFFFF).view(np.int64)


def _sort_places(places: Array, rounds: list[SortKeys], shape: tuple[int, ...], axis: int) -> None:
    """Write the places of each key's array when sorted by the words of one round after the other, stably.

    Several arrays fit one chunk together.
    """
    keys, total = places.shape
    flat, packed = places.reshape(-1), np.empty(places.size, np.uint64)

    def pack(round_: SortKeys, first: int, stop: int) -> None:
        words = _words(round_, first // keys, stop // keys, total)
        _packed(words, np.arange(first, stop, dtype=np.uint64), packed[first:stop])

    def gather(first: int, stop: int) -> None:
        packed[first:stop] = flat.take(_places(packed[first:stop]), mode="clip")

    def unpack(first: int, stop: int) -> None:
        flat[first:stop] = _places(packed[first:stop])

    for i, round_ in enumerate(rounds):
        run_ranges(round_.algorithm, packed.size, partial(pack, round_), _CHUNK)
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


# On a GPU: CuPy's argsort is stable and does not wait, so the orders are the same.


def _argsorted(rounds: list[SortKeys], keys: int, device: Device, shape: tuple[int, ...], axis: int) -> Array:
    """For each key the indices of an array's elements after each round has sorted the lines along an axis."""
    total = prod(shape)
    with device.current():
        xp = device.xp
        places = xp.arange(total, dtype=index_dtype(total)).reshape(shape)
        places = xp.broadcast_to(xp.moveaxis(places, axis, -1), (keys, *_last(shape, axis)))
        flat = places.reshape(-1)
        for round_ in rounds:
            lines = xp.moveaxis(round_.draw(ElementRange(0, total, total)).reshape(keys, *shape), axis + 1, -1)
            flat = flat.take(stable_order(lines.reshape(-1, shape[axis])))
        result: Array = xp.moveaxis(flat.reshape(places.shape), -1, axis + 1)
    return result


def _last(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return *shape[:axis], *shape[axis + 1 :], shape[axis]


def stable_order(lines: Array) -> Array:
    """The indices that the numbers of each line, unsigned ones, have in ascending order, counted over all lines."""
    xp = device_at(lines).xp
    count, size = lines.shape
    if count > 1 and lines.dtype != _WORD:
        places: Array = lines.argsort(axis=-1) + xp.arange(0, lines.size, size)[:, np.newaxis]
        return places.reshape(-1)
    if count > 1:  # one sort of all, by radix; of rows CuPy's is by comparison
        lines = (xp.arange(count, dtype=np.uint64) << np.uint64(32))[:, np.newaxis] | lines
    order: Array = lines.reshape(-1).argsort()
    return order


# The beginning of an order, without sorting all


def first_k(key: Key, size: int, count: int) -> Array:
    """The first ``count`` places of each key's order, exactly these.

    The order begins with the places of the smallest words of the last round. Each of these had some rank among
    the words of the round before, and so on back to the first.
    """
    device = device_at(key._words)
    if device is not CPU or size < _LONG or count > size // _FEW:
        return device.contiguous(orders(key, (size,))[..., :count])
    *others, last = sort_keys(key._algorithm, key._words.reshape(key.size, -1), size)
    result = np.empty((key.size, count), index_dtype(size))
    for i in range(key.size):
        places = _smallest(last.of(i, i + 1), size, count)
        for round_ in others[::-1]:
            places = _at_ranks(round_.of(i, i + 1), size, places)
        result[i] = places
    return result.reshape(*key.shape, count)


def _smallest(round_: SortKeys, size: int, count: int) -> Array:
    """The places of the smallest words in ascending order."""
    found: list[Array] = []
    expected = count + 8 * isqrt(count) + 8  # enough, but for one time in many millions

    def piece(first: int, stop: int) -> None:
        words = _words(round_, first, stop, size)
        near = np.flatnonzero(words <= bound)
        found.append(_packed(words[near], near + first))

    while sum(map(len, found)) < count:
        found.clear()
        bound = np.uint32(min(2**32 * expected // size, 2**32 - 1))
        run_ranges(round_.algorithm, size, piece, _CHUNK)
        expected *= 2
    return _places(np.sort(np.concatenate(found))[:count])


def _at_ranks(round_: SortKeys, size: int, ranks: Array) -> Array:
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
        words[first:stop] = _words(round_, first, stop, size)
        counted.append(histogram(words[first:stop], bits))

    def find(first: int, stop: int) -> None:
        near = np.flatnonzero(wanted.take(words[first:stop] >> shift, mode="clip")) + first
        found.append(_packed(words[near], near))

    run_ranges(round_.algorithm, size, count, _CHUNK)
    counts = np.sum(counted, axis=0, dtype=np.int64)
    leading = np.searchsorted(np.cumsum(counts), ranks, side="right")
    wanted = np.zeros(1 << bits, np.bool_)
    wanted[leading] = True
    run_pieces(size, find, _CHUNK)
    left_out = np.cumsum(np.where(wanted, 0, counts))
    return _places(np.sort(np.concatenate(found))[ranks - left_out[leading]])
