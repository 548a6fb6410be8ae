"""Children of keys in GPU memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from keyrng._codegen import cuda_keys as text
from keyrng._executors import gpu
from keyrng._executors.cuda_launch import Compiled, compiled, grid_of, on
from keyrng.algorithms.base import Algorithm, Domain

Array: TypeAlias = Any

_u64 = np.uint64
_NULL: Any = np.uint64(0)


def children(algorithm: Algorithm, words: Array, start: int, count: int) -> Array:
    """Return consecutive children of each key; see `Executor.children`. A single key gives (count, key_words)."""
    if words.ndim == 1:
        return _split(algorithm, count, (count, algorithm.key_words), words.device.id, gpu.cupy())(words, start)
    device = words.device.id
    with on(device):
        out = gpu.cupy().empty((len(words), count, algorithm.key_words), algorithm.dtype)
        if out.size:
            function, _ = _derivations(algorithm, device, gpu.cupy())
            numbers = (_u64(len(words)), _u64(start), _u64(count))
            grid, block = grid_of(len(words) * count, 1, function.blocks)
            function.launch(grid, block, (_contiguous(words), *numbers, out))
    return out


def derive(algorithm: Algorithm, words: Array, index: Array | int, domain: Domain, count: int) -> Array:
    """Return children at indices; see `Executor.derive`."""
    if words.ndim == 1:
        if domain is Domain.SPLIT:  # with fewer arguments
            return _split(algorithm, 1, words.shape, words.device.id, gpu.cupy())(words, index)
        return _fold(algorithm, domain, words.device.id, gpu.cupy())(words, index)
    device, word = words.device.id, algorithm.dtype.type
    with on(device):
        out = gpu.cupy().empty((count, algorithm.key_words), algorithm.dtype)
        if not out.size:
            return out
        if isinstance(index, int):
            number, halves = (_NULL, _NULL), (word(index & algorithm.word_mask), word(index >> algorithm.word_bits))
        else:
            number, halves = (_contiguous(index), _u64(len(index))), (word(0), word(0))
        _, function = _derivations(algorithm, device, gpu.cupy())
        keys = _contiguous(words), _u64(len(words))
        grid, block = grid_of(count, 1, function.blocks)
        function.launch(grid, block, (*keys, *number, *halves, word(domain), _u64(count), out))
    return out


# For a single key all but the launch is done once, because Python would take several times as long as the launch.


@lru_cache(maxsize=1024)
def _split(algorithm: Algorithm, count: int, shape: tuple[int, ...], device: int, cupy: Any) -> Callable[..., Array]:
    """Return a function from the words of a key and the first index to the words of consecutive children."""
    current, empty, dtype = cupy.cuda.runtime.getDevice, cupy.ndarray, algorithm.dtype
    with on(device):
        (launch, blocks), _ = _derivations(algorithm, device, cupy)
    (grid, block), one, total = grid_of(count, 1, blocks), _u64(1), _u64(count)

    def split(words: Array, start: int) -> Array:
        if current() != device:
            with on(device):
                return split(words, start)
        out = empty(shape, dtype)
        launch(grid, block, (words, one, _u64(start), total, out))
        return out

    return split


@lru_cache(maxsize=256)
def _fold(algorithm: Algorithm, domain: Domain, device: int, cupy: Any) -> Callable[..., Array]:
    """Return a function from the words of a key and an index to the words of a child."""
    current, empty, dtype, shape = cupy.cuda.runtime.getDevice, cupy.ndarray, algorithm.dtype, (algorithm.key_words,)
    word, mask, bits, one = dtype.type, algorithm.word_mask, algorithm.word_bits, _u64(1)
    with on(device):
        _, (launch, blocks) = _derivations(algorithm, device, cupy)
    (grid, block), kind = grid_of(1, 1, blocks), word(domain)

    def fold(words: Array, index: int) -> Array:
        if current() != device:
            with on(device):
                return fold(words, index)
        out = empty(shape, dtype)
        halves = word(index & mask), word(index >> bits)
        launch(grid, block, (words, one, _NULL, _NULL, *halves, kind, one, out))
        return out

    return fold


@lru_cache(maxsize=256)
def _derivations(algorithm: Algorithm, device: int, cupy: Any) -> list[Compiled]:
    return compiled(text.key_source(algorithm), text.split_name(algorithm), text.fold_name(algorithm))


def _contiguous(array: Array) -> Array:
    return array if array.flags.c_contiguous else gpu.cupy().ascontiguousarray(array)
