"""Lanes in tails: collected in long chunks, in branches in short ones, and the same values in both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import HAVE_BFLOAT16, on

import keyrng

KEY = keyrng.key(11)
SIZES = (63, 64, 65, 511, 512, 513, 2048, 2049, 4700)
SAMPLERS: list[tuple[str, Callable[..., Any]]] = [
    ("float64", keyrng.normal),
    ("complex128", keyrng.normal),
    ("float64", lambda *given, **out: keyrng.lognormal(given[0], 0.5, *given[1:], **out)),
    *(
        (dtype, lambda *given, **out: keyrng.gamma(given[0], 1.5, *given[1:], **out))
        for dtype in ("float64", "float32", "float16", *["bfloat16"] * HAVE_BFLOAT16)
    ),
    ("float64", lambda *given, **out: keyrng.t(given[0], 3.0, *given[1:], **out)),
]


@pytest.mark.parametrize(("dtype", "sampler"), SAMPLERS)
def test_every_size(dtype: str, sampler: Callable[..., Any], every_path: str) -> None:
    with on("numpy"):
        expected = sampler(KEY, (max(SIZES),), dtype)
    for n in SIZES:
        np.testing.assert_array_equal(sampler(KEY, (n,), dtype), expected[:n], err_msg=str(n))
        out = np.zeros(n + 2, expected.dtype)
        sampler(KEY, out=out[1:-1])
        np.testing.assert_array_equal(out[1:-1], expected[:n], err_msg=f"{n} out")
        assert out[0] == out[-1] == 0


@pytest.mark.parametrize(("dtype", "sampler"), SAMPLERS)
def test_a_key_for_each_lane(dtype: str, sampler: Callable[..., Any], every_path: str) -> None:
    keys = keyrng.split(KEY, 700)
    sample = sampler(keys, (3,), dtype)
    for i in range(0, 700, 50):
        np.testing.assert_array_equal(sample[i], sampler(keys[i], (3,), dtype))
