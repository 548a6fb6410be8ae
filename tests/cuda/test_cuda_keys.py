"""The CUDA source of key derivation, run by a host compiler: children equal those of split and fold_in."""

from __future__ import annotations

import ctypes
from functools import cache

import cuda_on_host
import numpy as np
from cases import Array, each_algorithm
from cuda_text import Memory, call, key_of, needs_gxx

import keyrng
from keyrng import algorithms
from keyrng._codegen import cuda_keys
from keyrng._keys.serialize import number_of
from keyrng.algorithms.base import Domain

NUMBERS = np.array([0, 1, 2**32 - 1, 2**32, 2**56 + 5, 2**63, 2**64 - 1], np.uint64)


def key_memory(keys: keyrng.Key) -> tuple[Array, ctypes.c_void_p]:
    words = np.ascontiguousarray(keyrng.key_data(keys)).reshape(keys.size, -1)
    return words, ctypes.c_void_p(words.ctypes.data)


@cache
def key_text(algorithm: str) -> str:
    chosen = algorithms.get(algorithm)
    launchers = [f"LAUNCHER({name})" for name in (cuda_keys.split_name(chosen), cuda_keys.fold_name(chosen))]
    return "\n".join(['#include "cuda_host.h"', cuda_keys.key_source(chosen), *launchers])


@needs_gxx
@each_algorithm
def test_children(algorithm: str) -> None:
    library, name = cuda_on_host.library(key_text(algorithm)), cuda_keys.split_name(algorithms.get(algorithm))
    for keys, start, count, grid in (
        (1, 0, 9, (7, 1, 3, 1)),
        (5, 2, 3, (1, 1, 1, 1)),
        (3, 2**32 - 1, 2, (2, 1, 64, 1)),
    ):
        parents = key_of(algorithm, keys)
        words, pointer = key_memory(parents)
        memory = Memory(keys * count * words.itemsize * words.shape[1], 0)
        numbers = [ctypes.c_uint64(n) for n in (keys, start, count)]
        call(library, name, grid, [pointer, *numbers, memory.pointer])
        memory.check(name)
        made = keyrng.wrap_key_data(memory.bytes.view(words.dtype).reshape(keys, count, -1).copy(), impl=algorithm)

        assert (made == keyrng.fold_in(parents.reshape(keys, 1), np.arange(start, start + count))).all()
        if start == 0:
            assert (made.ravel() == keyrng.split(parents, count).ravel()).all()


def folded(
    library: ctypes.CDLL, keys: keyrng.Key, numbers: Array | None, index: int, domain: Domain, n: int
) -> keyrng.Key:
    """n children of keys that take turns, at numbers that take turns or at one index."""
    chosen = algorithms.get(keys.impl)
    words, pointer = key_memory(keys)
    memory = Memory(n * words.itemsize * words.shape[1], 0)
    word = np.ctypeslib.as_ctypes_type(words.dtype)
    low, high = index & (2**chosen.word_bits - 1), index >> chosen.word_bits
    values = [pointer, ctypes.c_uint64(len(words))]
    values += [ctypes.c_void_p(None if numbers is None else numbers.ctypes.data)]
    values += [ctypes.c_uint64(0 if numbers is None else len(numbers)), word(low), word(high), word(domain)]
    name = cuda_keys.fold_name(chosen)
    call(library, name, (3, 1, 2, 1), [*values, ctypes.c_uint64(n), memory.pointer])
    memory.check(name)
    return keyrng.wrap_key_data(memory.bytes.view(words.dtype).reshape(n, -1).copy(), impl=keys.impl)


@needs_gxx
@each_algorithm
def test_folding(algorithm: str) -> None:
    library, keys = cuda_on_host.library(key_text(algorithm)), key_of(algorithm, 3)

    for number in NUMBERS.tolist():
        assert (folded(library, keys, None, number, Domain.SPLIT, 3) == keyrng.fold_in(keys, number)).all()
    for name in ("", "dropout", "layer 3"):
        index = number_of("data", name, algorithms.get(algorithm).index_bits, b"keyrng.name")
        assert (folded(library, keys, None, index, Domain.NAME, 3) == keyrng.fold_in(keys, name)).all()
    assert (folded(library, keys[1:2], NUMBERS, 0, Domain.SPLIT, 7) == keyrng.fold_in(keys[1], NUMBERS)).all()
    # As fold_in(keys, numbers[:, None]): both take turns.
    pairs = folded(library, keys, np.repeat(NUMBERS, 3), 0, Domain.SPLIT, 21)
    assert (pairs == keyrng.fold_in(keys, NUMBERS[:, None]).reshape(-1)).all()
    three = folded(library, keys, NUMBERS[:1], 0, Domain.SPLIT, 3)
    assert (three == keyrng.fold_in(keys, NUMBERS[:1])).all()
