"""Which pickles a process has read, so that reading one of them again makes something else."""

from __future__ import annotations

import os
import time
from heapq import heappop, heappush

_SIZE = 8  # bytes of the time, and of the random number


def new_name() -> bytes:
    """The name of a pickle: the time when it is made, so that names are ordered by age, and a random number."""
    return time.time_ns().to_bytes(_SIZE, "big") + os.urandom(_SIZE)


class Readings:
    """How often each pickle was read, of the ``limit`` youngest that were read.

    A pickle that is older than these and is not among them may have been read before. Each reading of such a pickle
    counts as the first of its kind, so a bounded record never repeats anything. The cost is that what is made of such a
    pickle depends on how many of them were read before.
    """

    def __init__(self, limit: int, beyond: int) -> None:
        self.limit = limit
        self.beyond = beyond  # more than anything is ever read
        self.clear()

    def clear(self) -> None:
        """Forget all, as a process that has read nothing."""
        self.times: dict[bytes, int] = {}
        self.by_age: list[bytes] = []  # a heap, the oldest first
        self.forgotten = b""  # the youngest name that was dropped
        self.unknown = 0  # readings of pickles that are older

    def __len__(self) -> int:
        return len(self.times)

    def add(self, name: bytes) -> int:
        """Note a reading; returns how often this pickle was read before, or a number that no other reading gets."""
        before = self.times.get(name, 0)
        if not before and name <= self.forgotten:
            self.unknown += 1
            return self.beyond + self.unknown
        self.times[name] = before + 1
        if not before:
            heappush(self.by_age, name)
            if len(self.by_age) > self.limit:
                self.forgotten = heappop(self.by_age)
                del self.times[self.forgotten]
        return before
