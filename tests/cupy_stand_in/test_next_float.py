"""The next number of a format on a GPU: every 16-bit float, and the limits of the wider formats."""

from __future__ import annotations

import numpy as np
import pytest
from cases import HAVE_BFLOAT16, assert_same
from gpus import Gpu, host

from keyrng._core.dtypes import compute_dtype, floating_dtype
from keyrng._executors.convert import next_float
from keyrng._executors.device import device_at


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", *(["bfloat16"] if HAVE_BFLOAT16 else [])])
def test_next_float(there: Gpu, dtype: str, up: bool) -> None:
    kind = floating_dtype(dtype)
    if kind.itemsize == 2:
        x = np.arange(2**16, dtype=np.uint16).view(kind)
    else:
        limits = np.finfo(kind)
        ends = [0.0, 1.0, limits.tiny, limits.smallest_subnormal, limits.max, np.inf]
        x = np.array([*ends, *(-np.array(ends)), np.nan], kind)
    with np.errstate(all="ignore"):
        expected = np.nextafter(x, kind.type(np.inf if up else -np.inf)).astype(compute_dtype(kind))
    given = there.cupy.asarray(x.view(f"u{kind.itemsize}")).view(kind)

    moved = device_at(given).now(next_float(given, kind, up))
    assert moved.dtype == expected.dtype
    with np.errstate(invalid="ignore"):
        nan = np.isnan(x)
    words = (np.where(nan, np.nan, result).astype(result.dtype) for result in (host(moved), expected))
    assert_same(*(result.view(f"u{result.itemsize}") for result in words))
