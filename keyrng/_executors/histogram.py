"""Histograms of words by their leading bits, on a CPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._executors import native

Array = np.ndarray[Any, np.dtype[Any]]


def histogram(words: Array, bits: int) -> Array:
    """Count contiguous 32-bit words by their first ``bits`` bits, 1 to 31."""
    if native.enabled:
        counts = np.zeros(1 << bits, np.uint32)
        native.native.histogram(words, 32 - bits, counts)
        return counts
    return np.bincount(words >> np.uint32(32 - bits), minlength=1 << bits)
