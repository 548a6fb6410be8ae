"""The executors: each runs kernels and derives keys, all with the same bits.

They know algorithms and words, never a Key. Must not import keys, sampling or distributions.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Slab:
    """Which elements a call makes: of each key those from ``start`` on, ``count`` of ``size`` in the whole result."""

    start: int
    count: int
    size: int
