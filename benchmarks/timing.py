"""Timing of several subjects in turn, so that changes of the machine's load affect all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil
from statistics import median
from timeit import Timer
from typing import Protocol

import keyrng
from keyrng._executors import native


@dataclass(frozen=True)
class Path:
    """A configuration of keyrng: executor, threads, instruction set."""

    name: str
    compiled: bool
    threads: int | None = 1  # None: all
    instructions: str | None = None  # None: the best

    def use(self) -> None:
        """Switch keyrng to this path."""
        native.enable(self.compiled)
        keyrng.set_num_threads(self.threads)
        if self.compiled:
            native.instruction_set(self.instructions or native.instruction_sets()[0])


ONE_THREAD = Path("keyrng compiled, 1 thread", True)
ALL_THREADS = Path("keyrng compiled, all threads", True, None)
NUMPY_ONLY = Path("keyrng NumPy-only", False)
AVX2 = Path("keyrng compiled, 1 thread, AVX2", True, 1, "avx2")


class Timed(Protocol):
    """A subject that can be timed, with a name."""

    @property
    def name(self) -> str: ...

    def time(self, number: int) -> float:
        """Return the seconds per call, from ``number`` calls in a row."""
        ...


@dataclass(frozen=True)
class Subject:
    """A call with a name; for keyrng also the path."""

    name: str
    call: Callable[[], object]
    path: Path | None = None

    def time(self, number: int) -> float:
        """Return the seconds per call, from ``number`` calls in a row."""
        if self.path:
            self.path.use()
            self.call()  # warms up new threads and tables
        return Timer(self.call).timeit(number) / number


@dataclass(frozen=True)
class Result:
    """The times of a subject in a group; ``per`` is the number of values per call if times are reported per value."""

    group: str
    subject: str
    per: int
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median in nanoseconds per value or microseconds per call."""
        return self._scaled(median(self.seconds))

    @property
    def least(self) -> float:
        """Fastest round, in the unit of `median`."""
        return self._scaled(min(self.seconds))

    @property
    def unit(self) -> str:
        return "us per call" if self.per == 1 else "ns per value"

    def _scaled(self, seconds: float) -> float:
        return seconds * 1e6 if self.per == 1 else seconds * 1e9 / self.per


def alternate(
    group: str, per: int, subjects: Iterable[Timed], rounds: int, budget: float, least: float = 0.01
) -> list[Result]:
    """Time the subjects in turn, ``rounds`` times, or at least 3 times until the budget is spent.

    ``least`` is the minimum duration of a timing in seconds; calls are repeated to reach it.
    """
    subjects = list(subjects)
    numbers = []
    for subject in subjects:
        first = subject.time(1)  # compiles, allocates, starts threads
        numbers.append(ceil(least / (subject.time(1) if first < 1 else first)))
    seconds: list[list[float]] = [[] for _ in subjects]
    stop = time.monotonic() + budget
    for done in range(rounds):
        if done >= 3 and time.monotonic() > stop:
            break
        for i, subject in enumerate(subjects):
            time.sleep(0.005)  # threads of a library may spin for a while after a call
            seconds[i].append(subject.time(numbers[i]))
    return [Result(group, s.name, per, tuple(t)) for s, t in zip(subjects, seconds, strict=True)]
