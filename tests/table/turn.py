"""Expensive tests take turns: a run has a part of them, and .ci/run chooses another part for each commit."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")

#: The number of the turn, hexadecimal in TESTS_TURN; None if it is "all".
TURN = None if os.environ.get("TESTS_TURN") == "all" else int(os.environ.get("TESTS_TURN", "0"), 16)


def is_in_turn(place: int, every: int) -> bool:
    """Whether the item at a place is in the turn, which has every ``every``-th item."""
    return TURN is None or (place - TURN) % every == 0


def in_turn(items: Sequence[Item], every: int) -> list[Item]:
    """Return every ``every``-th item, starting from the turn."""
    return [item for place, item in enumerate(items) if is_in_turn(place, every)]


if __name__ == "__main__":  # turn.py N ITEM ..., for .ci/run
    print(*in_turn(sys.argv[2:], int(sys.argv[1])))
