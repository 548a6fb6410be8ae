"""Random orders: elements sorted by random words of 32 bits, in the same number of rounds as in jax.

`orders` returns whole orders on any device; on a CPU `first_k` returns the beginning of one without sorting all of it.
"""

from __future__ import annotations

from math import isqrt, prod
from typing import NamedTuple

import numpy as np

from keyrng._core.dtypes import index_dtype
from keyrng._executors import sorting
from keyrng._executors.base import DrawSpec, ElementRange, Executor
from keyrng._executors.device import CPU, Device, device_at
from keyrng._executors.select import executor_for
from keyrng._executors.threads import run_pieces
from keyrng._keys.derive import Key
from keyrng._sampling.draw import run_ranges
from keyrng._sampling.parameters import Array
from keyrng.algorithms.base import Algorithm
from keyrng.distributions._shared.words import bits_kernel

_WORD = np.dtype(np.uint32)
_CHUNK = 1 << 17  # elements at a time: they stay in a cache, and threads rarely wait for the GIL
_FEW = 200  # up to one element in this many, ranks are found without sorting the earlier rounds
_MANY = 2  # for more than one element in this many, all are sorted


class SortKeys(NamedTuple):
    """The keys of the random words of one round; ``words`` has shape (keys, key_words)."""

    algorithm: Algorithm
    words: Array
    device: Device
    executor: Executor

    def draw(self, elements: ElementRange) -> Array:
        """Draw random words of each key, of shape (keys, count)."""
        out = self.device.empty((len(self.words), elements.count), _WORD)
        spec = DrawSpec((bits_kernel,), self.algorithm, self.words, out.shape, _WORD, _WORD)
        self.executor.fill(spec, elements, out)
        return out

    def of(self, first: int, stop: int) -> SortKeys:
        """Select a range of the keys."""
        return self._replace(words=self.words[first:stop])


def orders(key: Key, shape: tuple[int, ...], axis: int = 0) -> Array:
    """Return for each key the flat indices that permute an array of a shape along an axis."""
    words, total, algorithm = key._words, prod(shape), key._algorithm
    keys = words.size // algorithm.key_words
    full = (*words.shape[:-1], *shape)
    if device_at(words) is not CPU:
        rounds = sort_keys(algorithm, words.reshape(keys, -1), total) if keys else []
        return _argsorted(rounds, keys, device_at(words), shape, axis).reshape(full)
    if total < 2 or not keys:
        return np.zeros(full, index_dtype(total))
    places = sorting.short_orders(algorithm, words, keys, total) if shape[axis] == total else None
    if places is None:
        rounds = sort_keys(algorithm, words.reshape(keys, -1), total)
        step = max(1, _CHUNK // total)
        parts = [_sorted([r.of(first, first + step) for r in rounds], shape, axis) for first in range(0, keys, step)]
        places = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return _as_index(places, total).reshape(full)


def _as_index(places: Array, total: int) -> Array:
    """Convert places among ``total`` elements to the dtype of an index."""
    dtype = index_dtype(total)
    return places.view(dtype) if dtype.itemsize == places.itemsize else places.astype(dtype)


def sort_keys(algorithm: Algorithm, words: Array, total: int) -> list[SortKeys]:
    """Return the keys of each round, as in jax.

    Keys and words have shape (keys, key_words). The first child of a key is the key of the next round, and the words of
    a round are drawn from the second child.
    """
    if total > 2**32:
        raise ValueError(f"a permutation has at most 2**32 elements, got {total}")
    found: list[SortKeys] = []
    device, executor = device_at(words), executor_for(algorithm, words)
    for _ in range(sorting.rounds(total)):
        children = executor.children(algorithm, words, 0, 2)
        words, own = device.contiguous(children[:, 0]), device.contiguous(children[:, 1])
        found.append(SortKeys(algorithm, own, device, executor))
    return found


def _sorted(rounds: list[SortKeys], shape: tuple[int, ...], axis: int) -> Array:
    """Return the orders of some keys along an axis, sorted by the words of each round in turn."""
    keys, total, size = len(rounds[0].words), prod(shape), shape[axis]
    if keys == 1 and size == total:
        return _sorted_line(rounds, size)[np.newaxis]
    places = None
    if size < total:
        indices = np.moveaxis(np.arange(total, dtype=np.uint32).reshape(shape), axis, -1)
        places = np.ascontiguousarray(np.tile(indices.reshape(-1, size), (keys, 1)))
    for round_ in rounds:
        words = np.moveaxis(round_.draw(ElementRange(0, total, total)).reshape(keys, *shape), axis + 1, -1)
        lines = np.ascontiguousarray(words).reshape(-1, size)
        if size <= sorting.LINE:
            places = sorting.sort_lines(lines, places)
            continue
        own = [None] * len(lines) if places is None else places
        found = [sorting.sort_words(line, p) for line, p in zip(lines, own, strict=True)]
        places = np.stack(found)
    moved = np.asarray(places).reshape(keys, *_last(shape, axis))
    return np.moveaxis(moved, -1, axis + 1).reshape(keys, total)


def _sorted_line(rounds: list[SortKeys], size: int) -> Array:
    """Return the order of one key after one or more rounds."""
    places: Array | None = None
    for round_ in rounds:
        found = sorting.sort_drawn(round_.algorithm, round_.words, size, places)
        places = sorting.sort_words(_words(round_, size, 0, size), places) if found is None else found
    return np.asarray(places)


def _words(round_: SortKeys, size: int, first: int, stop: int) -> Array:
    """Draw the words ``first`` to ``stop`` of ``size`` of one key."""
    return round_.draw(ElementRange(first, stop - first, size)).reshape(-1)


# On a GPU: CuPy's argsort is stable and does not synchronize, so the orders are the same.


def _argsorted(rounds: list[SortKeys], keys: int, device: Device, shape: tuple[int, ...], axis: int) -> Array:
    """Return for each key the indices of an array's elements after all rounds have sorted the lines along an axis."""
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
    """Return the flat indices that sort the unsigned numbers of each line."""
    xp = device_at(lines).xp
    count, size = lines.shape
    if count > 1 and lines.dtype != _WORD:
        places: Array = lines.argsort(axis=-1) + xp.arange(0, lines.size, size)[:, np.newaxis]
        return places.reshape(-1)
    if count > 1:  # one sort of all, by radix; of rows CuPy's is by comparison
        lines = (xp.arange(count, dtype=np.uint64) << np.uint64(32))[:, np.newaxis] | lines
    order: Array = lines.reshape(-1).argsort()
    return order


# The beginning of an order


def first_k(key: Key, size: int, count: int) -> Array:
    """Return the first ``count`` places of each key's order, the same as those of `orders`.

    The order begins with the places of the smallest words of the last round. Each of these had some rank among
    the words of the previous round, and so on back to the first round.
    """
    device = device_at(key._words)
    if device is not CPU or size <= sorting.LINE or count > size // _MANY:
        return device.contiguous(orders(key, (size,))[..., :count])
    result = np.empty((key.size, count), np.uint32)
    rounds = sort_keys(key._algorithm, key._words.reshape(key.size, -1), size)
    for i in range(key.size):
        *others, last = (round_.of(i, i + 1) for round_ in rounds)
        result[i] = _smallest(last, size, count)
        if others and count > size // _FEW:
            result[i] = sorting.take(_sorted_line(others, size), result[i])
        else:
            for round_ in others[::-1]:
                result[i] = _at_ranks(round_, size, result[i])
    return _as_index(result, size).reshape(*key.shape, count)


def _smallest(round_: SortKeys, size: int, count: int) -> Array:
    """Return the places of the ``count`` smallest words, sorted by the words."""
    found: list[tuple[int, Array, Array]] = []
    expected = count + 8 * isqrt(count) + 8  # too few once in many millions of calls

    def piece(first: int, stop: int) -> None:
        words = _words(round_, size, first, stop)
        near = np.flatnonzero(words <= bound)
        found.append((first, words[near], (near + first).astype(np.uint32)))

    while sum(len(words) for _, words, _ in found) < count:
        found.clear()
        bound = np.uint32(min(2**32 * expected // size, 2**32 - 1))
        run_ranges(round_.algorithm, size, piece, _CHUNK)
        expected *= 2
    return _sort_found(found, int(bound) + 1)[:count]


def _sort_found(found: list[tuple[int, Array, Array]], limit: int) -> Array:
    """Sort the places found in all ranges by their words, which are uniform below a limit."""
    found.sort(key=lambda part: part[0])  # threads find them in any order
    words, places = (np.concatenate([part[i] for part in found]) for i in (1, 2))
    up = 32 - (limit - 1).bit_length()
    words <<= np.uint32(up)
    return sorting.sort_words(words, places, limit=limit << up)


def _at_ranks(round_: SortKeys, size: int, ranks: Array) -> Array:
    """Return the places of the words at some ranks of their stable order.

    Only words that share their leading bits with a word of a wanted rank are sorted: 32 to 64 of uniform words per
    value of these bits, or more if the counts of so many values would not fit the cache.
    """
    bits = max(1, min(size.bit_length() - 6, 15))
    words = np.empty(size, _WORD)
    counted: list[Array] = []
    found: list[tuple[int, Array, Array]] = []

    def count(first: int, stop: int) -> None:
        words[first:stop] = _words(round_, size, first, stop)
        counted.append(sorting.histogram(words[first:stop], bits))

    def find(first: int, stop: int) -> None:
        found.append((first, *sorting.select(words[first:stop], first, bits, table)))

    run_ranges(round_.algorithm, size, count, _CHUNK)
    counts = np.asarray(np.sum(counted, axis=0, dtype=np.int64))
    leading = np.searchsorted(np.cumsum(counts), ranks, side="right")
    wanted = np.unique(leading)
    table = np.zeros(1 << bits, np.uint16)
    table[wanted] = np.arange(1, len(wanted) + 1)
    run_pieces(size, find, _CHUNK)
    counts[wanted] = 0
    left_out = np.cumsum(counts)
    places: Array = _sort_found(found, len(wanted) << (32 - bits))[ranks - left_out[leading]]
    return places
