"""Few blocks on one big integer or on NumPy's arrays, to choose keyrng._executors.bigint.MOST_LANES.

python benchmarks/small.py; reports the fastest of several rounds, because other load only adds time.
"""

from __future__ import annotations

from functools import partial
from timeit import Timer

from keyrng import algorithms, key, key_data
from keyrng._executors import bigint
from keyrng._executors.numpy import direct_words

LANES = [1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512]
ROUNDS, NUMBER = 15, 20


def main() -> None:
    shipped = bigint.MOST_LANES
    print("us by number of blocks, bigint / arrays | " + " | ".join(map(str, LANES)) + " | bigint is faster up to")
    for name in algorithms.names():
        algorithm = algorithms.get(name)
        words = key_data(key(0, impl=name))[None]
        cells, best = [], 0
        for lanes in LANES:
            count = lanes * algorithm.per_block(algorithm.word_bits)
            draw = partial(direct_words, algorithm, words, 0, count, algorithm.word_bits)
            times: dict[int, list[float]] = {max(LANES): [], 0: []}
            for _ in range(ROUNDS):
                for most, taken in times.items():
                    bigint.MOST_LANES = most
                    taken.append(Timer(draw).timeit(NUMBER) / NUMBER * 1e6)
            ours, arrays = (min(t) for t in times.values())
            cells.append(f"{ours:.0f} / {arrays:.0f}")
            best = lanes if ours < arrays else best
        print(f"{name} | " + " | ".join(cells) + f" | {best}")
    bigint.MOST_LANES = shipped


if __name__ == "__main__":
    main()
