"""Peak memory of a large draw beyond its output, in bytes: python benchmarks/memory.py compiled|numpy THREADS SIZE

Run in a separate process, because a peak is that of a process. Read from /proc, because ru_maxrss of getrusage starts
with the peak of the parent process. Includes working buffers, thread stacks and late imports.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keyrng
from keyrng._executors import native


def status(field: str) -> int:
    """Return a line of /proc/self/status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":"))


path, threads, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
native.enable(path == "compiled")
keyrng.set_num_threads(threads or None)
key = keyrng.key(0)
before = status("VmRSS")
sample = keyrng.uniform(key, (size,))
print(status("VmHWM") - before - sample.nbytes)
