"""A GPU through CuPy: buffers larger than its cache, and three clocks."""

from __future__ import annotations

import subprocess
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import keyrng

#: Largest number of queued calls: after about a thousand launches, a stream blocks the host.
MOST = 200

# Occupies the stream for some nanoseconds, so that all calls are queued before the first one starts.
HOLD = r"""
extern "C" __global__ void hold(unsigned long long ns) {
    unsigned long long start, now;
    asm volatile("mov.u64 %0, %globaltimer;" : "=l"(start));
    do asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now)); while (now - start < ns);
}
"""


@dataclass
class Subject:
    """A call with one of the buffers in turn; recent results are kept, so that their memory is not reused at once."""

    name: str
    call: Callable[[Any], object]
    buffers: list[Any]
    clock: Callable[[Subject, int], float]
    wait: Callable[[Any], object]  # blocks until a result is complete
    turn: int = 0
    waits: bool = False  # calls block until the GPU is done, so that they cannot be queued
    hold: int = 1_000_000  # ns
    kept: deque[Any] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.kept = deque(maxlen=min(len(self.buffers), 8))

    def calls(self, number: int) -> None:
        """Make ``number`` calls."""
        for _ in range(number):
            self.kept.append(self.call(self.buffers[self.turn]))
            self.turn = (self.turn + 1) % len(self.buffers)

    def time(self, number: int) -> float:
        """Return the seconds per call, from ``number`` calls in a row."""
        number = min(number, MOST)
        return self.clock(self, number) / number


def until_done(subject: Subject, number: int) -> float:
    """Time on the host's clock until the last result is complete."""
    start = time.perf_counter()
    subject.calls(number)
    subject.wait(subject.kept[-1])
    return time.perf_counter() - start


def until_queued(subject: Subject, number: int) -> float:
    """Time on the host's clock until the last call returns: the overhead of Python and the driver."""
    start = time.perf_counter()
    subject.calls(number)
    seconds = time.perf_counter() - start
    subject.wait(subject.kept[-1])
    return seconds


class Gpu:
    """CuPy's current device."""

    device = "cuda"
    jax_platform = "gpu"

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self.l2 = int(cupy.cuda.Device().attributes["L2CacheSize"])
        self._hold = cupy.RawKernel(HOLD, "hold")

    def key(self, impl: str) -> keyrng.Key:
        return keyrng.key(0, impl=impl, device=self.device)

    def generators(self) -> list[Any]:
        """Return CuPy's Generators with XORWOW and Philox."""
        random = self.cupy.random
        return [random.Generator(kind(0)) for kind in (random.XORWOW, random.Philox4x3210)]

    def random_states(self) -> list[Any]:
        """Return CuPy's RandomStates, which use cuRAND's kernels, with XORWOW and Philox."""
        methods = (
            self.cupy.cuda.curand.CURAND_RNG_PSEUDO_XORWOW,
            self.cupy.cuda.curand.CURAND_RNG_PSEUDO_PHILOX4_32_10,
        )
        return [self.cupy.random.RandomState(0, method) for method in methods]

    def fills(self) -> dict[str, Callable[[Any], object]]:
        """Return functions that only write memory."""
        return {"memset": lambda out: out.data.memset_async(0, out.nbytes), "cupy fill": lambda out: out.fill(1)}

    def buffers(self, count: int, dtype: str) -> list[Any]:
        """Return arrays of ``count`` values, together more than four times the size of the L2 cache."""
        pieces = 4 * self.l2 // (count * np.dtype(dtype).itemsize) + 1
        whole = self.cupy.empty(pieces * count, dtype)
        return [whole[i * count : (i + 1) * count] for i in range(pieces)]

    def free(self) -> int:
        """Return the free memory in bytes, after freeing CuPy's pool."""
        self.cupy.get_default_memory_pool().free_all_blocks()
        return int(self.cupy.cuda.Device().mem_info[0])

    def wait(self, _: object = None) -> None:
        """Wait for the current stream."""
        self.cupy.cuda.get_current_stream().synchronize()

    def by_events(self, subject: Subject, number: int) -> float:
        """Time on the GPU between events, without gaps of a slower host."""
        events = self.cupy.cuda.Event
        while True:
            start, stop = events(), events()
            if not subject.waits:
                self._hold((1,), (1,), (np.uint64(subject.hold),))
            start.record()
            subject.calls(number)
            stop.record()
            held = not start.done
            stop.synchronize()
            if held or subject.waits:
                return float(self.cupy.cuda.get_elapsed_time(start, stop)) / 1e3
            subject.waits = subject.hold > 200_000_000
            subject.hold *= 2

    def beyond_output(self, draw: Callable[[], Any]) -> int:
        """Return the peak memory of a draw beyond its result in bytes; CuPy's pool keeps freed memory."""
        draw()
        pool = self.cupy.cuda.MemoryPool()
        with self.cupy.cuda.using_allocator(pool.malloc):
            sample = draw()
            self.wait()
            beyond = int(pool.total_bytes()) - int(sample.nbytes)
            del sample
        return beyond

    def facts(self) -> dict[str, Any]:
        """Return a description of the device."""
        runtime, device = self.cupy.cuda.runtime, self.cupy.cuda.Device()
        return {
            "name": runtime.getDeviceProperties(device.id)["name"].decode(),
            "compute capability": device.compute_capability,
            "multiprocessors": device.attributes["MultiProcessorCount"],
            "MHz": device.attributes.get("ClockRate", 0) // 1000,
            "L2 MiB": self.l2 // 2**20,
            "memory GiB": round(device.mem_info[1] / 2**30),
            "driver": _driver(),
            "CUDA of the driver": runtime.driverGetVersion(),
            "CUDA of CuPy": runtime.runtimeGetVersion(),
            "NVRTC": ".".join(map(str, self.cupy.cuda.nvrtc.getVersion())),
        }


def _driver() -> str:
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"
