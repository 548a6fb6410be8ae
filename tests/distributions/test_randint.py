"""Integers of wide spans, which a kernel computes in float64, against Python's integers."""

from __future__ import annotations

import random

import pytest
from cases import PATHS, on

import keyrng

KEY = keyrng.key(8)
SPANS = [
    *(2**bits + more for bits in (1, 15, 16, 31, 32, 48, 49) for more in (-1, 0, 1)),
    *(random.Random(1).randrange(1, 2**bits) for bits in range(1, 50)),
    *(2**49 // n for n in range(2, 9)),
]


@pytest.mark.parametrize("path", PATHS)
def test_int64(path: str) -> None:
    high, low = (keyrng.bits(key, (3000,), "uint64").tolist() for key in keyrng.split(KEY))
    words = [h << 64 | w for h, w in zip(high, low, strict=True)]
    with on(path):
        for span in SPANS:
            drawn = keyrng.randint(KEY, (5000,), -3, span - 3, "int64")[:3000]
            assert drawn.tolist() == [word % span - 3 for word in words], span
