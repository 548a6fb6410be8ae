"""A stand-in for the kernels of gumbel, until they are there: mode "low" alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng.dtypes import Dtype
from keyrng.kernels.bits import unit
from keyrng.kernels.elementary import log_unchecked
from keyrng.kernels.lane import FLOATS, Kernel, kernel
from keyrng.kernels.ops import where


@kernel(*FLOATS)
def _gumbel(lane: Any) -> Any:
    u = unit(lane)
    smallest = float(np.finfo(lane.dtype).tiny)
    return -log_unchecked(-log_unchecked(where(u == 0.0, smallest, u)))


def gumbel_kernel(mode: str | None, compute: Dtype) -> Kernel:
    """The kernel of a mode that computes in a dtype; ValueError for an unknown mode."""
    if mode not in (None, "low", "high", "highest"):
        raise ValueError(f"mode is 'low', 'high', 'highest' or None, got {mode!r}")
    if mode in ("high", "highest"):
        raise NotImplementedError(f"mode {mode!r} of {compute} comes with gumbel")
    return _gumbel
