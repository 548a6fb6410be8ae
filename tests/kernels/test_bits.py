"""Conversions of keyrng/kernels/bits.py: float32 to 16-bit floats, rounded once to nearest, ties to even."""

from __future__ import annotations

import numpy as np
import pytest
from cases import HAVE_BFLOAT16, assert_same

from keyrng.kernels.bits import store


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_every_value_and_every_tie(name: str) -> None:
    if name == "bfloat16" and not HAVE_BFLOAT16:
        pytest.skip("ml_dtypes is not installed")
    dtype = np.dtype(name)
    values = np.arange(2**16, dtype=np.uint16).view(dtype).astype(np.float32)
    with np.errstate(all="ignore"):
        middles = (values[:-1] + (values[1:] - values[:-1]) / 2).astype(np.float32)
        x = np.concatenate([values, middles, np.nextafter(middles, np.float32(0)), np.nextafter(middles, 2 * middles)])
        x = x[~np.isnan(x)]
        words = store(x, dtype)

        assert_same(words, x.astype(dtype).view(np.uint16), name)
