"""A model of the speed of the CUDA fills on NVIDIA H100 and H200, from instruction counts and memory bandwidth."""

from __future__ import annotations

from dataclasses import dataclass

#: For both: multiprocessors, their clock, and lanes per clock that can be issued and that the ALU pipe executes.
MULTIPROCESSORS, CLOCK, ISSUE, ALU = 132, 1.98e9, 128, 64
#: Measured bandwidth of stores and copies in bytes per second; the data sheets say 3.35e12 and 4.8e12.
MEMORY = {"H100": 3.0e12, "H200": 4.3e12}


@dataclass(frozen=True)
class Count:
    """Instructions in a fill's main loop, and the number of 32-bit words that it produces."""

    instructions: float
    alu: float
    words: int = 1

    def ceiling(
        self, memory: float | None, multiprocessors: int = MULTIPROCESSORS, clock: float = CLOCK
    ) -> tuple[float, str]:
        """Return words per second and the bound; ``memory`` is in bytes per second, None if unknown."""
        bounds = {
            "issue": multiprocessors * clock * ISSUE * self.words / max(self.instructions, 1),
            "ALU pipe": multiprocessors * clock * ALU * self.words / max(self.alu, 1),
        }
        if memory is not None:
            bounds["memory"] = memory / 4
        least = min(bounds, key=lambda name: bounds[name])
        return bounds[least], least


#: Counts per word for sm_90, by benchmarks/sass.py, by kernel and algorithm. One warp in ten computes the tail of a
#: normal variate too, which takes 22 more instructions per word.
COUNTS = {
    ("bits", "threefry2x32"): Count(72.5, 48.75),
    ("bits", "philox4x32"): Count(14.75, 8.0),
    ("bits", "threefry4x32"): Count(36.75, 24.75),
    ("unit", "threefry2x32"): Count(74.5, 49.75),
    ("unit", "philox4x32"): Count(16.25, 9.0),
    ("unit", "threefry4x32"): Count(38.75, 25.75),
    ("normal", "threefry2x32"): Count(146.0, 73.0),
    ("normal", "philox4x32"): Count(90.5, 23.25),
}


def memory_of(name: str) -> float | None:
    """Return the bandwidth of a device by name, in bytes per second; None if it has not been measured."""
    return next((speed for model, speed in MEMORY.items() if model in name), None)
