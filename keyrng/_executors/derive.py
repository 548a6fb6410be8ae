"""Child keys: the words of a key's children, by whichever executor is there.

A child's words are the first words of the parent's block at the child's index, in the domain of children. Words in the
memory of a GPU give children there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._executors import bigint, native
from keyrng._executors.device import gpu_executor
from keyrng._executors.threads import PIECE, run_pieces
from keyrng.algorithms.base import Algorithm, Domain

Array = np.ndarray[Any, np.dtype[Any]]

_CHUNK = 1 << 14


def derive_one(algorithm: Algorithm, words: Array, index: int, domain: Domain) -> Array:
    """The words of one child of one key; ``words`` has shape (key_words,), the index at most ``index_bits`` bits."""
    if not isinstance(words, np.ndarray):
        return derive_on_gpu(algorithm, words[None], index, domain, 1)[0]
    low, high = index & (2**algorithm.word_bits - 1), index >> algorithm.word_bits
    number = native.algorithm_number(algorithm)
    if number is not None:
        out = np.empty(algorithm.key_words, algorithm.dtype)
        native.native.derive_one(number, words, low, high, domain, out)
        return out
    if bigint.supports(algorithm, 1):
        return bigint.rows(algorithm, words, index, 1, 0, domain)[0, : algorithm.key_words]
    child: Array = _blocks(
        algorithm, words[None], np.array([low], algorithm.dtype), np.array([high], algorithm.dtype), domain
    )[0]
    return child


def children(algorithm: Algorithm, words: Array, start: int, count: int) -> Array:
    """The children ``start``, ``start + 1``, ... of each key: words (keys, key_words) to (keys, count, key_words)."""
    if not isinstance(words, np.ndarray):
        return gpu_executor().children(algorithm, words, start, count)
    number = native.algorithm_number(algorithm)
    if number is not None:
        out = np.empty((len(words), count, algorithm.key_words), algorithm.dtype)
        run, total = native.native.children, len(words) * count
        if total > PIECE:  # here too: the closure is a sixth of split(key)'s time
            run_pieces(total, lambda first, stop: run(number, words, len(words), start, count, first, stop, out))
        else:
            run(number, words, len(words), start, count, 0, total, out)
        return out
    if len(words) == 1 and bigint.supports(algorithm, count):
        rows = bigint.rows(algorithm, words[0], start, count, 0, Domain.SPLIT)
        if algorithm.key_words < algorithm.block_words:
            rows = np.ascontiguousarray(rows[:, : algorithm.key_words])
        return rows[None]
    out = np.empty((len(words), count, algorithm.key_words), algorithm.dtype)
    keys = max(1, _CHUNK // count)
    for k in range(0, len(words), keys):
        for i in range(0, count, _CHUNK):
            part, index = words[k : k + keys], np.arange(start + i, start + min(i + _CHUNK, count), dtype=np.uint64)
            made = derive(algorithm, np.repeat(part, len(index), axis=0), np.tile(index, len(part)), Domain.SPLIT)
            out[k : k + keys, i : i + _CHUNK] = made.reshape(len(part), len(index), -1)
    return out


def derive(algorithm: Algorithm, words: Array, index: Array, domain: Domain) -> Array:
    """The words of one child of each key: (n, key_words) and indices (n,), of any integers, to (n, key_words)."""
    out = np.empty((len(words), algorithm.key_words), algorithm.dtype)
    number = native.algorithm_number(algorithm)
    if number is not None:

        def piece(first: int, stop: int) -> None:
            part = np.ascontiguousarray(words[first:stop])
            places = np.ascontiguousarray(index[first:stop], np.uint64)
            native.native.derive(number, part, places, stop - first, domain, out[first:stop])

        run_pieces(len(words), piece)
        return out
    for start in range(0, len(words), _CHUNK):
        part = slice(start, start + _CHUNK)
        places: Array = index[part].astype(np.uint64)
        if algorithm.word_bits == 32:
            low, high = places.astype(np.uint32), (places >> 32).astype(np.uint32)
        else:
            low, high = places, np.zeros(1, np.uint64)
        out[part] = _blocks(algorithm, words[part], low, high, domain)
    return out


def derive_on_gpu(algorithm: Algorithm, words: Array, index: Array | int, domain: Domain, count: int) -> Array:
    """Children in the memory of a GPU, as many as asked for; of the keys and indices there are as many, or one."""
    child: Array = gpu_executor().derive(algorithm, words, index, domain, count)
    return child


def _blocks(algorithm: Algorithm, words: Array, low: Array, high: Array, domain: Domain) -> Array:
    key = [np.ascontiguousarray(words[:, i]) for i in range(algorithm.key_words)]
    zero = np.zeros(1, algorithm.dtype)
    block = algorithm.at(key, low, high, zero, np.array([domain], algorithm.dtype))
    return np.stack(np.broadcast_arrays(*block[: algorithm.key_words]), axis=-1)
