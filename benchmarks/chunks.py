"""Speed of the NumPy path by chunk size, to choose keyrng._executors.numpy.CHUNK: python benchmarks/chunks.py

Reports the fastest of several rounds, because other load only adds time.
"""

from __future__ import annotations

import sys
from functools import partial
from timeit import Timer

import numpy as np

import keyrng
from keyrng._executors import native
from keyrng._executors import numpy as direct

COUNT = 2**20
CHUNKS = [2**power for power in range(11, 19)]
ROUNDS = 11 if len(sys.argv) == 1 else int(sys.argv[1])


def main() -> None:
    native.enable(False)
    key, wide = keyrng.key(0), keyrng.key(0, impl="philox4x32")
    out, out64 = np.zeros(COUNT, np.float32), np.zeros(COUNT)
    draws = {
        "uniform": partial(keyrng.uniform, key, out.shape, out=out),
        "uniform, philox4x32": partial(keyrng.uniform, wide, out.shape, out=out),
        "normal": partial(keyrng.normal, key, out.shape, out=out),
        "normal, float64": partial(keyrng.normal, key, out.shape, "float64", out=out64),
        "gamma(2.0)": partial(keyrng.gamma, key, 2.0, out.shape, out=out),
    }
    print("ns per value | " + " | ".join(f"2**{chunk.bit_length() - 1}" for chunk in CHUNKS))
    for name, draw in draws.items():
        times: dict[int, list[float]] = {chunk: [] for chunk in CHUNKS}
        for _ in range(ROUNDS):
            for chunk in CHUNKS:
                direct.CHUNK = chunk
                times[chunk].append(Timer(draw).timeit(1))
        print(name + " | " + " | ".join(f"{min(t) / COUNT * 1e9:.1f}" for t in times.values()))


if __name__ == "__main__":
    main()
