"""Kernels that draw the same as another kernel in less time, for the parameters that they take."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cases import PATHS, assert_same, on

import keyrng
from keyrng.kernels.lane import FLOATS, Kernel, kernels

USUAL = [kernel for kernel in kernels() if kernel.usual is not None]


@pytest.mark.parametrize("kernel", USUAL, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("path", PATHS[:2])
def test_usual_kernels_draw_the_same(kernel: Kernel, dtype: str, path: str) -> None:
    assert kernel.usual is not None
    usual, low, high = kernel.usual
    largest = np.nextafter(np.dtype(dtype).type(min(high, np.finfo(dtype).max)), 0.0)
    for numbers in ((low,), (low, 3.5), (2.5e4, low), (largest,), (largest, low)):
        given = [numbers[i % len(numbers)] for i in range(len(kernel.parameters))]
        with on(path), np.errstate(all="ignore"):
            key = keyrng.key(3)
            found = keyrng.sample_kernel(usual, key, 3000, dtype, *given)
            assert_same(found, keyrng.sample_kernel(replace(kernel, usual=None), key, 3000, dtype, *given), numbers)
