"""One GPU through CuPy: buffers larger than its cache, and three ways to time a call."""

from __future__ import annotations

import subprocess
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import keyrng

#: Calls in a row at most: a stream takes about a thousand launches before it makes the host wait.
MOST = 200

# Keeps the stream busy for so many nanoseconds, so that the calls behind it are all there when the first one starts.
HOLD = r"""
extern "C" __global__ void hold(unsigned long long ns) {
    unsigned long long start, now;
    asm volatile("mov.u64 %0, %globaltimer;" : "=l"(start));
    do asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now)); while (now - start < ns);
}
"""


@dataclass
class Subject:
    """A call, given one of the buffers in turn; the last results are kept, so that memory is not used again at once."""

    name: str
    call: Callable[[Any], object]
    buffers: list[Any]
    clock: Callable[[Subject, int], float]
    wait: Callable[[Any], object]  # until a result is there
    turn: int = 0
    waits: bool = False  # a call comes back only when the GPU is done, so that no queue of calls can be had
    hold: int = 1_000_000  # ns
    kept: deque[Any] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.kept = deque(maxlen=min(len(self.buffers), 8))

    def calls(self, number: int) -> None:
        """So many calls, one after the other."""
        for _ in range(number):
            self.kept.append(self.call(self.buffers[self.turn]))
            self.turn = (self.turn + 1) % len(self.buffers)

    def time(self, number: int) -> float:
        """Seconds of one call, out of so many in a row."""
        number = min(number, MOST)
        return self.clock(self, number) / number


def until_done(subject: Subject, number: int) -> float:
    """By the host's clock, from the first call until the last result is there."""
    start = time.perf_counter()
    subject.calls(number)
    subject.wait(subject.kept[-1])
    return time.perf_counter() - start


def until_queued(subject: Subject, number: int) -> float:
    """By the host's clock, until the last call has come back: what Python and the driver take."""
    start = time.perf_counter()
    subject.calls(number)
    seconds = time.perf_counter() - start
    subject.wait(subject.kept[-1])
    return seconds


class Gpu:
    """The current device of CuPy."""

    device = "cuda"
    jax_platform = "gpu"

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self.l2 = int(cupy.cuda.Device().attributes["L2CacheSize"])
        self._hold = cupy.RawKernel(HOLD, "hold")

    def key(self, impl: str) -> keyrng.Key:
        return keyrng.key(0, impl=impl, device=self.device)

    def generators(self) -> list[Any]:
        """CuPy's Generators, of XORWOW and Philox."""
        random = self.cupy.random
        return [random.Generator(kind(0)) for kind in (random.XORWOW, random.Philox4x3210)]

    def random_states(self) -> list[Any]:
        """CuPy's RandomStates, which fill by cuRAND's own kernels, of XORWOW and Philox."""
        methods = (
            self.cupy.cuda.curand.CURAND_RNG_PSEUDO_XORWOW,
            self.cupy.cuda.curand.CURAND_RNG_PSEUDO_PHILOX4_32_10,
        )
        return [self.cupy.random.RandomState(0, method) for method in methods]

    def fills(self) -> dict[str, Callable[[Any], object]]:
        """What the memory alone costs."""
        return {"memset": lambda out: out.data.memset_async(0, out.nbytes), "cupy fill": lambda out: out.fill(1)}

    def buffers(self, count: int, dtype: str) -> list[Any]:
        """Arrays of so many values, in all more than four times the second-level cache."""
        pieces = 4 * self.l2 // (count * np.dtype(dtype).itemsize) + 1
        whole = self.cupy.empty(pieces * count, dtype)
        return [whole[i * count : (i + 1) * count] for i in range(pieces)]

    def free(self) -> int:
        """Bytes that nobody has; our own pool's are given back first."""
        self.cupy.get_default_memory_pool().free_all_blocks()
        return int(self.cupy.cuda.Device().mem_info[0])

    def wait(self, _: object = None) -> None:
        """Until everything on the current stream is done."""
        self.cupy.cuda.get_current_stream().synchronize()

    def by_events(self, subject: Subject, number: int) -> float:
        """On the GPU, between events: the calls alone, without the gaps that a slower host would leave."""
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
        """Bytes that a draw takes beyond its result, at its peak: CuPy's pool, empty before, gives nothing back."""
        draw()
        pool = self.cupy.cuda.MemoryPool()
        with self.cupy.cuda.using_allocator(pool.malloc):
            sample = draw()
            self.wait()
            beyond = int(pool.total_bytes()) - int(sample.nbytes)
            del sample
        return beyond

    def facts(self) -> dict[str, Any]:
        """What it is."""
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
