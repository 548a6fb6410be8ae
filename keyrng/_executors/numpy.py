"""The NumPy executor: calls kernels on arrays, one cache-sized chunk at a time.

Evaluating whole arrays would be 3 to 4 times slower, because every operation would read and write memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from keyrng._core.dtypes import is_half
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors import bigint
from keyrng._executors.base import Array, DrawSpec, Dtype, ElementRange
from keyrng._executors.numpy_derive import children, derive, derive_one
from keyrng.algorithms.base import Algorithm, Domain
from keyrng.kernels.bits import store
from keyrng.kernels.lane import UseOnceGuard, word_width

# Elements per chunk: enough to hide the overhead of NumPy calls, while the arrays fit in the L2 cache
# (benchmarks/chunks.py).
CHUNK = 1 << 15


@dataclass
class _Keys:
    """The keys of a chunk, and their children, derived once per call and not once per chunk."""

    algorithm: Algorithm
    words: Array
    _children: list[_Keys] = field(default_factory=list)

    def split(self, count: int) -> list[_Keys]:
        if len(self._children) != count:
            words = children(self.algorithm, self.words, 0, count)
            self._children = [_Keys(self.algorithm, words[:, i]) for i in range(count)]
        return self._children

    def columns(self) -> list[Array]:
        """The words as columns that broadcast against a row of indices."""
        return [self.words[:, i : i + 1] for i in range(self.algorithm.key_words)]


class _Lanes:
    """The lanes of a chunk: ``count`` consecutive elements of each key, flat, in the order of the keys."""

    def __init__(self, keys: _Keys, elements: ElementRange, dtype: Dtype) -> None:
        self._keys = keys
        self._elements = elements
        self._once = UseOnceGuard()
        self.dtype = dtype

    def bits(self, width: int | None = None) -> Array:
        self._once("bits")
        return direct_words(
            self._keys.algorithm,
            self._keys.words,
            self._elements.start,
            self._elements.count,
            word_width(self.dtype, width),
        )

    def strided_words(self, count: int, width: int | None = None) -> tuple[Array, ...]:
        self._once()
        elements, keys, bits = self._elements, self._keys, word_width(self.dtype, width)
        starts = (elements.start + plane * elements.total for plane in range(count))
        return tuple(direct_words(keys.algorithm, keys.words, s, elements.count, bits) for s in starts)

    def vector(self, count: int) -> tuple[_RowLanes, ...]:
        self._once()
        keys, start, size = self._keys, self._elements.start * count, self._elements.count * count

        @cache
        def rows(width: int) -> Array:
            return direct_words(keys.algorithm, keys.words, start, size, width).reshape(-1, count)

        return tuple(_RowLanes(rows, place, self.dtype) for place in range(count))

    def split(self, count: int) -> tuple[_Lanes, ...]:
        self._once()
        return tuple(_Lanes(child, self._elements, self.dtype) for child in self._keys.split(count))

    def rejection_loop(self, attempt: Callable[..., tuple[Any, Any]], *arguments: Any) -> Array:
        self._once("attempts")
        total = len(self._keys.words) * self._elements.count
        arguments = tuple(a if isinstance(a, np.ndarray) else np.array([a], self.dtype) for a in arguments)
        blocks = _AttemptBlocks(self._keys, self._elements)
        live = np.arange(total)
        result: Array | None = None
        while True:
            accept, value = attempt(_AttemptLanes(blocks, live, self.dtype), *arguments)
            if result is None:
                result = np.array(np.broadcast_to(value, live.shape))
            else:
                # Later attempts overwrite rejected values; storing all is faster than selecting.
                result[live] = value
            # Integer indices, because a boolean mask branches on every element of every array.
            rejected = np.flatnonzero(~np.broadcast_to(accept, live.shape))
            if not rejected.size:
                return result
            live = live[rejected]
            arguments = tuple(a if a.size == 1 else a[rejected] for a in arguments)


class _RowLanes:
    """The lanes of one value of a vector: a column of words that are drawn together."""

    def __init__(self, rows: Callable[[int], Array], place: int, dtype: Dtype) -> None:
        self._rows = rows
        self._place = place
        self._once = UseOnceGuard()
        self.dtype = dtype

    def bits(self, width: int | None = None) -> Array:
        self._once()
        return np.ascontiguousarray(self._rows(word_width(self.dtype, width))[:, self._place])


class _AttemptBlocks:
    """Blocks of a rejection loop for the live lanes, in order of draw numbers."""

    def __init__(self, keys: _Keys, elements: ElementRange) -> None:
        self._algorithm = keys.algorithm
        self._words = keys.words
        self._elements = elements
        self._draw = 1  # draw 0 is used by direct words

    def next(self, live: Array, bits: int) -> Sequence[Array]:
        """Return the words of the next block of each live lane."""
        algorithm, elements = self._algorithm, self._elements
        draw = self._draw % algorithm.draws
        if self._draw and not draw:
            self._words = fold_draws(algorithm, self._words)
        self._draw += 1
        if len(self._words) == 1 and bigint.supports(algorithm, elements.count):
            block = bigint.blocks(algorithm, self._words[0], elements.start, elements.count, draw, Domain.SAMPLE)
            return algorithm.words([word[live] for word in block], bits)
        key = [self._words[:, i] for i in range(algorithm.key_words)]
        first = elements.start
        if len(self._words) > 1:
            row, live = np.divmod(live, elements.count)
            key = [word[row] for word in key]
            first = first[row] if isinstance(first, np.ndarray) else first
        last = first + (elements.count - 1)
        if isinstance(first, int) and algorithm.word_bits == 32 and first >> 32 == last >> 32:
            low, high = live.astype(np.uint32), np.array([first >> 32], np.uint32)
            low += np.uint32(first & 0xFFFFFFFF)
        else:
            low, high = _index_words(algorithm, live.astype(np.uint64) + np.asarray(first, np.uint64))
        return algorithm.words(algorithm.at(key, low, high, *_constants(algorithm, draw)), bits)


class _AttemptLanes:
    """The lane of an attempt; each call of ``bits`` takes the next word of its blocks."""

    def __init__(self, blocks: _AttemptBlocks, live: Array, dtype: Dtype) -> None:
        self._blocks = blocks
        self._live = live
        self._words: list[Array] = []
        self._width = 0
        self.dtype = dtype

    def bits(self, width: int | None = None) -> Array:
        width = word_width(self.dtype, width)
        if self._width not in (0, width):
            raise ValueError("all words of an attempt must have the same width")
        self._width = width
        if not self._words:
            self._words = list(self._blocks.next(self._live, width))
        return self._words.pop(0)


def _constants(algorithm: Algorithm, draw: int) -> tuple[Array, Array]:
    return np.array([draw], algorithm.dtype), np.array([Domain.SAMPLE], algorithm.dtype)


def _index_words(algorithm: Algorithm, index: Array) -> tuple[Array, Array]:
    if algorithm.word_bits == 64:
        return index, np.zeros(1, np.uint64)
    return index.astype(np.uint32), (index >> 32).astype(np.uint32)


def fold_draws(algorithm: Algorithm, words: Array) -> Array:
    """Return the keys that continue after all draw numbers are used: the block of the counter of all ones."""
    key = [words[:, i] for i in range(algorithm.key_words)]
    last = np.array([2**algorithm.word_bits - 1], algorithm.dtype)
    return np.stack(algorithm.block(key, (last,) * algorithm.block_words)[: algorithm.key_words], axis=-1)


def direct_words(algorithm: Algorithm, words: Array, start: int | Array, count: int, bits: int) -> Array:
    """Return values ``start`` to ``start + count`` of each key's direct draw, flat, in the order of the keys."""
    if isinstance(start, np.ndarray):
        return _scattered_words(algorithm, words, start, count, bits)
    per_block = algorithm.per_block(bits)
    first, skip = divmod(start, per_block)
    blocks = (skip + count + per_block - 1) // per_block
    if len(words) == 1 and bigint.supports(algorithm, blocks):
        block: Sequence[Array] = bigint.blocks(algorithm, words[0], first, blocks, 0, Domain.SAMPLE)
    else:
        key = [words[:, i : i + 1] if len(words) > 1 else words[0, i : i + 1] for i in range(algorithm.key_words)]
        low, high = _consecutive(algorithm, first, blocks)
        block = algorithm.at(key, low, high, *_constants(algorithm, 0))
    values = algorithm.values(block, bits)
    if per_block == 1:
        flat: Array = values[0].reshape(-1)
        return flat
    run: Array = np.stack(values, axis=-1).reshape(len(words), blocks * per_block)
    return run[:, skip : skip + count].reshape(-1)


def _scattered_words(algorithm: Algorithm, words: Array, starts: Array, count: int, bits: int) -> Array:
    """Like `direct_words` with one start per key: computes a block for each value."""
    block, place = np.divmod(starts[:, np.newaxis] + np.arange(count, dtype=np.uint64), algorithm.per_block(bits))
    key = [words[:, i : i + 1] for i in range(algorithm.key_words)]
    values = algorithm.values(algorithm.at(key, *_index_words(algorithm, block), *_constants(algorithm, 0)), bits)
    chosen: Array = values[0] if len(values) == 1 else np.choose(place.astype(np.intp), values)
    return chosen.reshape(-1)


def _consecutive(algorithm: Algorithm, first: int, count: int) -> tuple[Array, Array]:
    if algorithm.word_bits == 32 and (first & 0xFFFFFFFF) + count <= 2**32:
        # The fast case: low words are incremented in 32 bits, and all blocks have the same high word.
        low = np.arange(count, dtype=np.uint32)
        low += np.uint32(first & 0xFFFFFFFF)
        return low, np.array([first >> 32], np.uint32)
    return _index_words(algorithm, np.arange(count, dtype=np.uint64) + np.uint64(first))


@cache
def keep_freed_memory() -> None:
    """Free one large array, once a process.

    Freeing one block of almost 32 MiB, the most that counts, raises glibc's thresholds of mmap, and of memory that is
    returned, which becomes 64 MiB. Arrays are then reused instead of being requested from the operating system page by
    page: 29 instead of 50 ns per normal, and 2.2 instead of 3.2 per `choice` between other large arrays.
    """
    np.empty((1 << 25) - (1 << 14), np.uint8)


class NumpyExecutor:
    """Runs any kernel with any algorithm, chunk by chunk."""

    @in_default_fpenv
    def fill(self, spec: DrawSpec, elements: ElementRange, out: Array) -> None:
        """Write elements of each key; see `Executor.fill`."""
        (function,), algorithm, dtype = spec.kernels, spec.algorithm, spec.dtype
        words = spec.words.reshape(-1, algorithm.key_words)
        parameters = [_flat(value, spec.shape) for value in spec.values]
        flat = (out.view(np.uint16) if is_half(dtype) else out).reshape(-1)
        with np.errstate(all="ignore"):
            keep_freed_memory()
            for first, stop, lanes in _chunks(algorithm, words, elements, spec.compute):
                value = _stored(function(lanes, *(parameter(first, stop) for parameter in parameters)), dtype)
                if value.shape not in ((stop - first,), (1,)):
                    raise ValueError(f"kernel returned shape {value.shape} for {stop - first} lanes")
                flat[first:stop] = value

    def children(self, algorithm: Algorithm, words: Array, start: int, count: int) -> Array:
        """Return consecutive children of each key; see `Executor.children`."""
        return children(algorithm, words, start, count)

    def derive(self, algorithm: Algorithm, words: Array, index: Array | int, domain: Domain, count: int) -> Array:
        """Return children at indices; see `Executor.derive`."""
        if isinstance(index, np.ndarray):
            return derive(
                algorithm, np.broadcast_to(words, (count, algorithm.key_words)), np.broadcast_to(index, count), domain
            )
        if words.ndim == 1:
            return derive_one(algorithm, words, index, domain)
        if index < 2**64:
            return derive(algorithm, words, np.full(count, index, np.uint64), domain)
        # The hash of a name, with wide counters.
        return np.array([derive_one(algorithm, parent, index, domain) for parent in words], algorithm.dtype)


NUMPY = NumpyExecutor()


def _chunks(
    algorithm: Algorithm, words: Array, elements: ElementRange, dtype: Dtype
) -> Iterator[tuple[int, int, _Lanes]]:
    """Yield the lanes of each chunk between two flat positions, counted from the first element of the first key."""
    count = elements.count
    keys_at_once = max(1, CHUNK // max(count, 1))
    for first in range(0, len(words), keys_at_once):
        keys = _Keys(algorithm, words[first : first + keys_at_once])
        begin: Any = elements.start
        if isinstance(begin, np.ndarray):
            begin = begin[first : first + keys_at_once] if len(keys.words) > 1 else int(begin[first])
        step = count if len(keys.words) > 1 else CHUNK
        for start in range(0, count, step):
            part = ElementRange(begin + start, min(step, count - start), elements.total)
            flat = first * count + start
            yield flat, flat + len(keys.words) * part.count, _Lanes(keys, part, dtype)


def _stored(value: Any, dtype: Dtype) -> Array:
    """Convert a kernel's result to the dtype of the sample; 16-bit floats are returned as their bits."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"kernel must return an array of words or floats, got {type(value).__name__}")
    if value.dtype == dtype:
        return value
    if np.bool_ in (value.dtype, dtype) or (value.dtype.kind == "f" and dtype.kind in "iu"):
        raise TypeError(f"kernel result {value.dtype} cannot be stored as {dtype}; use cast() in the kernel")
    stored: Array = store(value, dtype)
    return stored


def _flat(value: Array, shape: tuple[int, ...]) -> Callable[[int, int], Array]:
    """Return a function of two flat positions that slices a parameter; a single value is used for all positions."""
    if value.size == 1:
        one = value.reshape(1)
        return lambda first, stop: one
    whole = np.broadcast_to(value, shape)
    if whole.flags.c_contiguous:
        flat = whole.reshape(-1)
        return lambda first, stop: flat[first:stop]
    return lambda first, stop: np.asarray(whole.flat[first:stop])
