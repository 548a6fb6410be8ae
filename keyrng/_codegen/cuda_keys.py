"""CUDA source of the functions that derive keys."""

from __future__ import annotations

from keyrng._codegen.cuda_algorithm import algorithm_functions
from keyrng._codegen.cuda_prelude import complete, identifier, written
from keyrng.algorithms.base import Algorithm, Domain

__all__ = ["fold_name", "key_source", "split_name"]


def split_name(algorithm: Algorithm) -> str:
    """The name of the function that derives consecutive children."""
    return identifier("keyrng_split", algorithm.name)


def fold_name(algorithm: Algorithm) -> str:
    """The name of the function that derives one child per key."""
    return identifier("keyrng_fold_in", algorithm.name)


# The division is cheap compared to a child, so that a fast path would not help.
_CHILDREN = """
// Children start to start + count of each key, in the order of the keys.
extern "C" __global__ void $split(const word *keys, u64 rows, u64 start, u64 count, word *out) {
    u64 n = rows * count, step = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {
        u64 row = rows == 1 ? 0 : i / count, number = start + (i - row * count);
        Key key = load_key(keys + $words * row);
        store_key(out + $words * i, child(key, (word)number, high_word(number), $domain));
    }
}

// One child per output: of key i % keys_length, at index numbers[i % numbers_length] or at (low, high).
extern "C" __global__ void $fold(
        const word *keys, u64 keys_length, const u64 *numbers, u64 numbers_length,
        word low, word high, word domain, u64 n, word *out) {
    u64 step = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {
        if (numbers_length) {
            u64 number = numbers[i < numbers_length ? i : i % numbers_length];
            low = (word)number;
            high = high_word(number);
        }
        Key key = load_key(keys + $words * (i < keys_length ? i : i % keys_length));
        store_key(out + $words * i, child(key, low, high, domain));
    }
}
"""


def key_source(algorithm: Algorithm) -> str:
    """Return the CUDA source of the functions that derive keys, named by `split_name` and `fold_name`.

    Both take one-dimensional grids.
    """
    parts = {"words": str(algorithm.key_words), "domain": str(int(Domain.SPLIT))}
    body = written(_CHILDREN, split=split_name(algorithm), fold=fold_name(algorithm), **parts)
    return complete([body], algorithm_functions(algorithm))
