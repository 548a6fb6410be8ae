"""Child keys computed by NumPy, or by Python integers where these are faster.

A child's words are the first words of its parent's block at the child's index, in the domain of children.
"""

from __future__ import annotations

import numpy as np

from keyrng._executors import bigint
from keyrng._executors.base import Array
from keyrng.algorithms.base import Algorithm, Domain

_CHUNK = 1 << 14


def derive_one(algorithm: Algorithm, words: Array, index: int, domain: Domain) -> Array:
    """Return the words of one child of one key; the index has at most ``index_bits`` bits."""
    if bigint.supports(algorithm, 1):
        return bigint.rows(algorithm, words, index, 1, 0, domain)[0, : algorithm.key_words]
    low, high = index & (2**algorithm.word_bits - 1), index >> algorithm.word_bits
    child: Array = _blocks(
        algorithm, words[None], np.array([low], algorithm.dtype), np.array([high], algorithm.dtype), domain
    )[0]
    return child


def children(algorithm: Algorithm, words: Array, start: int, count: int) -> Array:
    """Return children ``start``, ``start + 1``, ... of each key: (keys, key_words) to (keys, count, key_words)."""
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
    """Return one child of each key: (n, key_words) and integer indices (n,) to (n, key_words)."""
    out = np.empty((len(words), algorithm.key_words), algorithm.dtype)
    for start in range(0, len(words), _CHUNK):
        part = slice(start, start + _CHUNK)
        indices: Array = index[part].astype(np.uint64)
        if algorithm.word_bits == 32:
            low, high = indices.astype(np.uint32), (indices >> 32).astype(np.uint32)
        else:
            low, high = indices, np.zeros(1, np.uint64)
        out[part] = _blocks(algorithm, words[part], low, high, domain)
    return out


def _blocks(algorithm: Algorithm, words: Array, low: Array, high: Array, domain: Domain) -> Array:
    key = [np.ascontiguousarray(words[:, i]) for i in range(algorithm.key_words)]
    zero = np.zeros(1, algorithm.dtype)
    block = algorithm.at(key, low, high, zero, np.array([domain], algorithm.dtype))
    return np.stack(np.broadcast_arrays(*block[: algorithm.key_words]), axis=-1)
