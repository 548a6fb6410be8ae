"""The streams to test: commands that write words to standard output without end."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass

from keyrng import algorithms

# In order of importance, so that an interrupted run has tested the most important ones.
FEEDS = (
    "one",
    "fold_in:8192",
    "tree:8",
    "seeds:8192",
    "sparse_keys:2",
    "one_hot_keys",
    "float32",
    "float64",
    "permuted_paths:16",
    "tree:4",
    "tree:1",
    "parent_child:1",
    "chain:64",
)
REFERENCE, COUNTER = CONTROLS = "aes-128-ctr", "counter"
_COUNT = """
import numpy, sys
for i in range(2**12):
    sys.stdout.buffer.write(numpy.arange(i << 20, (i + 1) << 20, dtype="<u4"))
"""


@dataclass(frozen=True)
class Stream:
    """A stream of a keyrng algorithm and stream layout, or of a control, whose layout is a number."""

    impl: str
    feed: str
    seed: int = 0

    @property
    def command(self) -> list[str]:
        if self.impl == REFERENCE:
            key = f"{self.seed * 1000 + int(self.feed):032x}"
            return ["openssl", "enc", "-aes-128-ctr", "-K", key, "-iv", "0" * 32, "-nosalt", "-in", "/dev/zero"]
        if self.impl == COUNTER:
            return [sys.executable, "-c", _COUNT]
        return [
            *(sys.executable, "-m", "keyrng", "bits"),
            *("--impl", self.impl, "--stream-layout", self.feed, "--seed", str(self.seed)),
        ]

    def __str__(self) -> str:
        return f"{self.impl} {self.feed}, seed {self.seed}"


def matrix(impls: list[str], feeds: list[str], seed: int) -> list[Stream]:
    """Return every layout of every algorithm, layout by layout; then controls for each layout: AES and a counter.

    AES shows what the programs report for good words, the counter that they detect bad ones.
    """
    aes = [Stream(REFERENCE, str(number), seed) for number in range(len(feeds))] if shutil.which("openssl") else []
    return [*(Stream(impl, feed, seed) for feed in feeds for impl in impls), *aes, Stream(COUNTER, "0", seed)]


def all_impls() -> list[str]:
    return list(algorithms.names())
