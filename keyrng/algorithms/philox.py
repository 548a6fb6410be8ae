"""Philox: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, section 4.3.

Each round multiplies every other word by a constant and xors the high half of the product with its neighbour and the
key; a Weyl constant is added to the key between rounds. Constants are Random123's.
"""

from __future__ import annotations

from collections.abc import Callable

from keyrng.algorithms.base import Algorithm, Words
from keyrng.kernels.ops import mulhi

_ROUNDS = 10
_WEYL = {32: (0x9E3779B9, 0xBB67AE85), 64: (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)}
_MULTIPLIERS = {
    (4, 32): (0xD2511F53, 0xCD9E8D57),
    (2, 64): (0xD2B74407B1CE6E93,),
    (4, 64): (0xD2E7470EE14C6C93, 0xCA5A826395121157),
}


def _philox(words: int, bits: int) -> Callable[[Words, Words], Words]:
    multipliers = _MULTIPLIERS[words, bits]
    weyl = _WEYL[bits]

    def block(key: Words, counter: Words) -> Words:
        x, key = list(counter), list(key)
        for i in range(_ROUNDS):
            if i:
                key = [k + w for k, w in zip(key, weyl, strict=False)]
            if words == 2:
                x = [mulhi(x[0], multipliers[0]) ^ key[0] ^ x[1], x[0] * multipliers[0]]
            else:
                x = [
                    mulhi(x[2], multipliers[1]) ^ x[1] ^ key[0],
                    x[2] * multipliers[1],
                    mulhi(x[0], multipliers[0]) ^ x[3] ^ key[1],
                    x[0] * multipliers[0],
                ]
        return tuple(x)

    return block


def _make(name: str, tag: str, words: int, bits: int) -> Algorithm:
    return Algorithm(name, tag, bits, words // 2, words, _philox(words, bits))


philox4x32 = _make("philox4x32", "phx4", 4, 32)
philox2x64 = _make("philox2x64", "phx2l", 2, 64)
philox4x64 = _make("philox4x64", "phx4l", 4, 64)
