"""Tests and sample sizes.

dieharder combines the p-values of a test, 100 unless ``-p`` is given, by a Kolmogorov-Smirnov test with distances from
i / (n + 1). These distances are too small: for few p-values the combined one is too close to 1 for any words. With
``-p 1`` it prints the single p-value. The small size therefore runs tests several times with ``-p 1``, and summary.py
combines the results.
"""

from __future__ import annotations

from dataclasses import replace

from programs import Test


def _dieharder(times: int, *options: str) -> list[Test]:
    return [Test("dieharder", tuple(text.split()), times=times) for text in options]


QUICK = [Test("ent", size=1_000_000), *_dieharder(5, "-d 100 -p 1", "-d 8 -p 1", "-d 15 -p 1")]

# About five seconds of CPU time per stream. Omitted: OPSO, OQSO and DNA, which dieharder calls suspect; its sums test,
# which it advises against; and the test of its Kolmogorov-Smirnov function.
SMALL = [
    Test("ent", size=20_000_000),
    *_dieharder(5, *(f"-d {number} -p 1" for number in (0, 1, 3, 4, 8, 9, 10, 11, 12, 13, 15, 16, 100, 101, 102, 202))),
    *_dieharder(5, "-d 2 -t 10000 -p 1", "-d 17 -t 200000 -p 1", "-d 200 -n 4 -p 1", "-d 201 -n 3 -p 1"),
    *_dieharder(5, "-d 203 -n 7 -t 200000 -p 1"),
    *_dieharder(1, "-d 205 -t 5000000", "-d 206 -t 5000", "-d 207 -t 1500000", "-d 208 -t 500000", "-d 209 -t 6500000"),
]

# All tests of `dieharder -a`, with its sample sizes; the quick part runs on all streams before the slow ones.
FULL = [
    [
        Test("ent", size=100_000_000),
        *_dieharder(1, *(f"-d {number}" for number in (*range(17), *range(100, 103), 202, *range(204, 210)))),
    ],
    _dieharder(1, *(f"-d 200 -n {n}" for n in range(1, 13)), *(f"-d 201 -n {n}" for n in range(2, 6))),
    _dieharder(1, *(f"-d 203 -n {n}" for n in range(33))),
    _dieharder(1, "-d 17"),
]

# Each part reads a stream from its start.
SIZES = {"quick": [QUICK], "small": [SMALL], "full": FULL}


def larger(test: Test) -> Test:
    """Return the test with four times the sample, to repeat an extreme result."""
    if test.program == "ent":
        return replace(test, size=4 * test.size)
    if "-p" in test.options:
        return replace(test, times=20)
    return replace(test, options=(*test.options, "-m", "4"))
