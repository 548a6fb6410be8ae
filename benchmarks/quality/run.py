"""Run ent and dieharder on keyrng's streams: nice -n 19 python benchmarks/quality/run.py --size small

See benchmarks/README.md. Results are kept in a CSV file; repeating the command resumes an interrupted run.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Iterable
from pathlib import Path

import programs
import summary
from rows import append, extremes, read, test_of
from sizes import SIZES, larger
from streams import FEEDS, Stream, all_impls, matrix

from keyrng._cli.progress import Progress

RESULTS = Path(__file__).parents[1] / "results"


def run(stream: Stream, tests: Iterable[programs.Test], file: Path, done: set[tuple[str, ...]], number: str) -> None:
    """Run the remaining tests of a stream and append each test's results to the file."""
    left = [test for test in tests if (stream.impl, stream.feed, str(stream.seed), str(test)) not in done]
    if not left:
        return
    print(f"{datetime.datetime.now():%H:%M:%S} {stream}", flush=True)
    with Progress() as progress:
        progress.show(f"stream {number}, test 1 of {len(left)}")
        for finished, (test, results) in enumerate(programs.run(left, stream.command), 1):
            append(file, stream, test, results)
            if finished < len(left):
                progress.show(f"stream {number}, test {finished + 1} of {len(left)}")


def main() -> None:
    parser = argparse.ArgumentParser(description="ent and dieharder on every stream layout of every algorithm")
    parser.add_argument("--size", choices=SIZES, default="small", help="tests and sample sizes (default small)")
    parser.add_argument("--impl", nargs="+", default=all_impls(), help="algorithms (default all)")
    parser.add_argument(
        "--stream-layout", nargs="+", default=list(FEEDS), help="stream layouts, as for `python -m keyrng bits`"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--again", action="store_true", help="repeat extreme results with four times the sample and the next seed"
    )
    parser.add_argument(
        "--out", type=Path, help="the CSV file (default results/quality-SIZE.csv); the summary has the suffix .md"
    )
    options = parser.parse_args()
    file = options.out or RESULTS / f"quality-{options.size}.csv"
    found = programs.versions()  # fails early if a program is missing
    if options.again:
        first = [row for row in read(file) if row.seed == options.seed and not row.is_control]
        todo = [(Stream(row.impl, row.feed, row.seed + 1), [larger(test_of(row))]) for row in extremes(first)]
    else:
        streams = matrix(options.impl, options.stream_layout, options.seed)
        todo = [(stream, part) for part in SIZES[options.size] for stream in streams]
    for number, (stream, tests) in enumerate(todo, 1):
        done = {(row.impl, row.feed, str(row.seed), row.run) for row in read(file)}
        run(stream, tests, file, done, f"{number} of {len(todo)}")
    text = summary.markdown(read(file), found, options.seed)
    file.with_suffix(".md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    sys.exit(main())
