"""Threefry: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, section 4.2.

The block cipher Threefish without its tweak and with fewer rounds: each round adds, rotates and xors pairs of words,
and after every four a rotation of the extended key is added. Rotations and the key's parity constant are Random123's.
"""

from __future__ import annotations

from collections.abc import Callable

from keyrng.algorithms.base import Algorithm, Words
from keyrng.kernels.ops import rotl

_ROUNDS = 20
_PARITY = {32: 0x1BD11BDA, 64: 0x1BD11BDAA9FC1A22}

# Rotations of round r are those of r modulo 8: one for each pair of words.
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
                # With four words the odd ones change places after every round.
                b = a + 1 if i % 2 == 0 else words - 1 - a
                x[a] = x[a] + x[b]
                x[b] = rotl(x[b], rotation) ^ x[a]
            if i % 4 == 3:
                turn = i // 4 + 1
                added = [extended[(turn + j) % (words + 1)] for j in range(words)]
                added[-1] = added[-1] + turn  # the key's word first: that is one addition a key, not one a block
                x = [word + k for word, k in zip(x, added, strict=True)]
        return tuple(x)

    return block


def _make(name: str, tag: str, words: int, bits: int, *, jax_layout: bool = False) -> Algorithm:
    return Algorithm(name, tag, bits, words, words, _threefry(words, bits), jax_layout)


threefry2x32 = _make("threefry2x32", "fry", 2, 32, jax_layout=True)
threefry4x32 = _make("threefry4x32", "fry4", 4, 32)
threefry2x64 = _make("threefry2x64", "fry2l", 2, 64)
threefry4x64 = _make("threefry4x64", "fry4l", 4, 64)
