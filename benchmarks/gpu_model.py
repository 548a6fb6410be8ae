"""How fast an NVIDIA H100 or H200 could run the CUDA fills, from their instructions and the memory's speed."""

from __future__ import annotations

from dataclasses import dataclass

#: Of both: multiprocessors, their clock, and lanes per clock that issue and that the ALU pipe have.
MULTIPROCESSORS, CLOCK, ISSUE, ALU = 132, 1.98e9, 128, 64
#: Bytes per second that stores and copies reach, as measured; 3.35e12 and 4.8e12 are promised.
MEMORY = {"H100": 3.0e12, "H200": 4.3e12}


@dataclass(frozen=True)
class Count:
    """Instructions in a fill's main loop, and how many words of 32 bits it makes."""

    instructions: float
    alu: float
    words: int = 1

    def ceiling(
        self, memory: float | None, multiprocessors: int = MULTIPROCESSORS, clock: float = CLOCK
    ) -> tuple[float, str]:
        """Words per second, and what they are bound by; ``memory`` is in bytes per second, None if it is not known."""
        bounds = {
            "issue": multiprocessors * clock * ISSUE * self.words / max(self.instructions, 1),
            "ALU pipe": multiprocessors * clock * ALU * self.words / max(self.alu, 1),
        }
        if memory is not None:
            bounds["memory"] = memory / 4
        least = min(bounds, key=lambda name: bounds[name])
        return bounds[least], least


#: Per word, as benchmarks/sass.py counts them for sm_90, by kernel and algorithm.
COUNTS = {
    ("bits", "threefry2x32"): Count(72.5, 48.75),
    ("bits", "philox4x32"): Count(14.75, 8.0),
    ("bits", "threefry4x32"): Count(36.75, 24.75),
    ("unit", "threefry2x32"): Count(74.5, 49.75),
    ("unit", "philox4x32"): Count(16.25, 9.0),
    ("unit", "threefry4x32"): Count(38.75, 25.75),
    ("normal", "threefry2x32"): Count(168.0, 74.75),
    ("normal", "philox4x32"): Count(113.0, 26.25),
}


def memory_of(name: str) -> float | None:
    """The memory's bytes per second on a device of this name; None if it has not been measured."""
    return next((speed for model, speed in MEMORY.items() if model in name), None)
