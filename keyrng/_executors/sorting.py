"""Stable sorting by random words of 32 bits on the CPU: a bucket sort in C, or NumPy without the compiled part.

A place is the 32-bit index that is sorted along with a word.
"""

from __future__ import annotations

from functools import cache
from math import isqrt
from typing import Any

import numpy as np

from keyrng._executors import native
from keyrng._executors.numpy import keep_freed_memory
from keyrng._executors.threads import run_pieces, threads_here
from keyrng.algorithms.base import Algorithm

Array = np.ndarray[Any, np.dtype[Any]]

# Largest number of elements that are sorted at once, equal to SHORT_ORDER in csrc/orders.h.
LINE = 1 << 15
CHUNK = 1 << 16  # elements that NumPy sorts at a time
_GAP = 32  # between the sizes of the buckets of two parts, as in ROW_OF_SIZES of csrc/orders.h
_WHOLE = 1 << 11  # a part for a thread is a multiple of this, so that no block of words is divided
_MANY = 1 << 12  # from this number of elements on, C is faster than np.take, overhead included
_MOST = 65533  # largest size of a bucket, equal to MOST_SORTED in csrc/orders.h


@cache
def rounds(total: int) -> int:
    """Return the number of sorts for a random order, as in jax: the least with (2**32 - 1)**rounds >= total**3."""
    return next(r for r in range(5) if (2**32 - 1) ** r >= total**3)


def short_orders(algorithm: Algorithm, words: Array, keys: int, size: int) -> Array | None:
    """Return the orders of several keys, of shape (keys, size); None for long orders, or without C."""
    number = native.algorithm_number(algorithm)
    if number is None or size > LINE:
        return None
    out = np.empty((keys, size), np.uint32)
    native.native.short_orders(number, words, size, threads_here(out.size), out)
    return out


def sort_lines(words: Array, places: Array | None = None) -> Array:
    """Return the places of each line, by default 0, 1, ..., sorted by words of shape (lines, size)."""
    lines, size = words.shape
    out = np.empty(words.shape, np.uint32)

    def sort(first: int, stop: int) -> None:
        # Word and index in one number: NumPy sorts integers fastest, and the index makes the sort stable.
        packed = words[first:stop].astype(np.uint64)
        packed <<= 32
        packed |= np.arange(size, dtype=np.uint64)
        packed.sort(axis=-1)
        packed &= 0xFFFFFFFF
        order = packed.view(np.int64)
        out[first:stop] = order if places is None else np.take_along_axis(places[first:stop], order, -1)

    if native.enabled and 0 < size <= LINE:
        native.native.sort_lines(words, places, size, threads_here(out.size), out)
    elif lines and size:
        run_pieces(lines, sort, max(1, CHUNK // size))
    return out


def sort_words(words: Array, places: Array | None = None, *, limit: int = 2**32) -> Array:
    """Return places, by default 0, 1, ..., sorted by words that are uniform below ``limit``.

    ``places`` may be overwritten.
    """
    found = _sort_by_buckets(-1, words, words.size, places, limit)
    if found is not None:
        return found
    line: Array = sort_lines(words[np.newaxis], None if places is None else places[np.newaxis])[0]
    return line


def sort_drawn(algorithm: Algorithm, key_words: Array, size: int, places: Array | None = None) -> Array | None:
    """Do the same by the words of a key, which C draws; None if it cannot."""
    number = native.algorithm_number(algorithm)
    return None if number is None else _sort_by_buckets(number, key_words, size, places, 2**32)


def _sort_by_buckets(number: int, source: Array, size: int, places: Array | None, limit: int) -> Array | None:
    """Return places sorted by words, or by those of a key if ``number`` is its algorithm's.

    None without C, for few words, and if a bucket is full, which happens less than once in 10**15 sorts of uniform
    words. Each thread scatters a contiguous part of the words to separate buckets, which are then read in the order of
    the parts, so the result does not depend on the number of threads.
    """
    if not native.enabled or size <= LINE:
        return None
    # Scattering to more than 1,024 buckets takes 3.5 instead of 1.4 ns per element; larger ones are sorted as fast.
    bits = max(6, min(size.bit_length() - 11, 10), size.bit_length() - 15)
    threads, count = threads_here(size), 1 << bits
    part = -(-size // max(1, min(threads, size // LINE)) // _WHOLE) * _WHOLE
    parts = -(-size // part)
    mean = part * 2**32 // limit // count + 1
    room = mean + 9 * isqrt(mean) + 9
    if parts * room > _MOST:
        return None
    keep_freed_memory()
    buckets = np.empty((parts, count, room), np.uint64)
    sizes = np.zeros((parts, count + _GAP), np.uint32)
    if not native.native.scatter(number, source, places, size, part, room, threads, buckets, sizes):
        return None
    out = np.empty(size, np.uint32) if places is None else places
    native.native.sort_buckets(buckets, sizes, parts, room, threads, out)
    return out


def take(array: Array, places: Array) -> Array:
    """Return elements of a contiguous array along its first axis, in threads if there are many contiguous places."""
    out = np.empty(places.shape + array.shape[1:], array.dtype)
    size = out.nbytes // max(1, places.size)
    if native.enabled and places.size >= _MANY and places.itemsize == 4 and size and not array.dtype.hasobject:
        to = out.reshape(-1).view(np.uint8)
        native.native.take_elements(array.view(np.uint8), size, places, threads_here(places.size), to)
        return out
    np.take(array, places, 0, out=out, mode="clip")  # the default mode copies the result
    return out


# Selection of words


def histogram(words: Array, bits: int) -> Array:
    """Return the number of contiguous words for each value of their ``bits`` leading bits, 1 to 31."""
    if native.enabled:
        counts = np.zeros(1 << bits, np.uint32)
        native.native.histogram(words, 32 - bits, counts)
        return counts
    return np.bincount(words >> np.uint32(32 - bits), minlength=1 << bits)


def select(words: Array, first: int, bits: int, table: Array) -> tuple[Array, Array]:
    """Return the words whose leading bits have a nonzero entry in a uint16 table, and their places from ``first`` on.

    The entry, minus 1, replaces the leading bits.
    """
    shift = 32 - bits
    if native.enabled:
        found, places = np.empty(len(words), np.uint32), np.empty(len(words), np.uint32)
        count = native.native.select_words(words, first, shift, table, found, places)
        return found[:count].copy(), places[:count].copy()
    entries = table.take(words >> np.uint32(shift), mode="clip")
    near = np.flatnonzero(entries)
    leading = entries[near].astype(np.uint32) - np.uint32(1)
    return leading << np.uint32(shift) | words[near] & np.uint32(2**shift - 1), (near + first).astype(np.uint32)
