"""A record of the pickles that a process has read, so that reading one again can give a different object."""

from __future__ import annotations

import os
import time
from heapq import heappop, heappush

_SIZE = 8  # bytes of the time, and of the random number


def new_name() -> bytes:
    """Return a unique name for a pickle: its time, so that names sort by age, and a random number."""
    return time.time_ns().to_bytes(_SIZE, "big") + os.urandom(_SIZE)


class Readings:
    """The numbers of readings of pickles, for the ``limit`` youngest that were read.

    A pickle that is older and not among them may have been read before. Each reading of such a pickle gets a new
    number, so that a bounded record never repeats an object; the object then depends on how many such pickles were
    read before.
    """

    def __init__(self, limit: int, beyond: int) -> None:
        self.limit = limit
        self.beyond = beyond  # larger than any number of readings
        self.clear()

    def clear(self) -> None:
        """Forget all readings, as in a new process."""
        self.times: dict[bytes, int] = {}
        self.by_age: list[bytes] = []  # a heap, oldest first
        self.forgotten = b""  # the youngest dropped name
        self.unknown = 0  # readings of older pickles

    def __len__(self) -> int:
        return len(self.times)

    def add(self, name: bytes) -> int:
        """Record a reading; return how often the pickle was read before, or a number that is unique."""
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
