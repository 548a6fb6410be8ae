"""Threefry: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, section 4.2.

The block cipher Threefish without tweak and with fewer rounds: each round adds, rotates and xors pairs of words, and
every fourth round adds a rotation of the extended key. Rotations and the parity constant are Random123's.
"""

from __future__ import annotations

from collections.abc import Callable

from keyrng.algorithms.base import Algorithm, Words
from keyrng.kernels.ops import rotl

_ROUNDS = 20
_PARITY = {32: 0x1BD11BDA, 64: 0x1BD11BDAA9FC1A22}

# Rotation constants of round r modulo 8, one per pair of words.
_ROTATIONS = {
    (2, 32): ((13,), (15,), (26,), (6,), (17,), (29,), (16,), (24,)),
    (4, 32): ((10, 26), (11, 21), (13, 27), (23, 5), (6, 20), (17, 11), (25, 10), (18, 20)),
    (2, 64): ((16,), (42,), (12,), (31,), (16,), (32,), (24,), (21,)),
    (4, 64): ((14, 16), (52, 57), (23, 40), (5, 37), (25, 33), (46, 12), (58, 22), (32, 32)),
}


def _threefry(words: int, bits: int) -> Callable[[Words, Words], Words]:
    rotations = _ROTATIONS[words, bits]

    def block(key: Words, counter: Words) -> Words:
        parity = key[0] ^ _PARITY[bits]
        for word in key[1:]:
            parity = parity ^ word
        extended = (*key, parity)
        x = [c + k for c, k in zip(counter, key, strict=True)]
        for i in range(_ROUNDS):
            for pair, rotation in enumerate(rotations[i % 8]):
                a = 2 * pair
                # With four words, the odd ones are swapped after every round.
                b = a + 1 if i % 2 == 0 else words - 1 - a
                x[a] = x[a] + x[b]
                x[b] = rotl(x[b], rotation) ^ x[a]
            if i % 4 == 3:
                turn = i // 4 + 1
                added = [extended[(turn + j) % (words + 1)] for j in range(words)]
                added[-1] = added[-1] + turn  # added to the key first: once per key, not per block
                x = [word + k for word, k in zip(x, added, strict=True)]
        return tuple(x)

    return block


def _make(name: str, tag: str, words: int, bits: int, *, jax_layout: bool = False) -> Algorithm:
    return Algorithm(name, tag, bits, words, words, _threefry(words, bits), jax_layout)


threefry2x32 = _make("threefry2x32", "fry", 2, 32, jax_layout=True)
threefry4x32 = _make("threefry4x32", "fry4", 4, 32)
threefry2x64 = _make("threefry2x64", "fry2l", 2, 64)
threefry4x64 = _make("threefry4x64", "fry4l", 4, 64)
