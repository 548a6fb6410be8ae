"""The kernel of random words, for `bits` and for the algorithms that sort or search."""

from __future__ import annotations

from typing import Any

from keyrng.kernels.lane import WORDS, kernel


@kernel(*WORDS)
def bits_kernel(lane: Any) -> Any:
    """Return a random word as wide as the dtype."""
    return lane.bits()
