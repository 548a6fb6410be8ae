"""The executors: each runs kernels and derives keys, all with the same bits.

They know algorithms and words, never a Key.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ElementRange:
    """Which elements a call makes: of each key those from ``start`` on, ``count`` of ``size`` in the whole result.

    ``start`` may be an array of uint64, with a start for each key: scattered elements are rows of one key repeated.
    """

    start: Any  # int, or an array
    count: int
    size: int
