"""Stored results: a CSV line per test and stream, with its p-values."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from programs import Result, Test
from streams import CONTROLS, Stream


@dataclass(frozen=True)
class Row:
    """The results of one run of a program on a stream under one name; sts_serial has a name for each length."""

    impl: str
    feed: str
    seed: int
    run: str
    test: str
    p: tuple[float, ...]

    @property
    def is_control(self) -> bool:
        return self.impl in CONTROLS

    @property
    def least(self) -> float:
        """The smallest distance of a p-value from 0 or 1."""
        return min(min(p, 1 - p) for p in self.p)


def read(file: Path) -> list[Row]:
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as lines:
        return [
            Row(r["impl"], r["feed"], int(r["seed"]), r["run"], r["test"], tuple(map(float, r["p"].split())))
            for r in csv.DictReader(lines)
        ]


def append(file: Path, stream: Stream, test: Test, results: list[Result]) -> None:
    with file.open("a", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        if not out.tell():
            writer.writerow(Row.__dataclass_fields__)
        for name in dict.fromkeys(result.test for result in results):
            p = " ".join(f"{result.p:.6g}" for result in results if result.test == name)
            writer.writerow([stream.impl, stream.feed, stream.seed, test, name, p])


def extremes(rows: list[Row]) -> list[Row]:
    """Return the results to repeat: of N p-values those within 5 / N of 0 or 1, of which 10 are expected."""
    bound = 5 / max(1, sum(len(row.p) for row in rows))
    return [row for row in rows if row.least < bound]


def test_of(row: Row) -> Test:
    """Return the test of a result."""
    program, *options = row.run.split()
    return Test(program, size=int(options[1])) if program == "ent" else Test(program, tuple(options))
