"""Run ent and dieharder on a stream and convert their output to p-values."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from scipy import stats

_FIELDS = ("test_name", "ntuple", "pvalues")


@dataclass(frozen=True)
class Test:
    """A run of a program on the next words of a stream."""

    program: str
    options: tuple[str, ...] = ()
    #: For ent, which reads to the end of its input: the number of bytes.
    size: int = 0
    times: int = 1

    def __str__(self) -> str:
        return " ".join((self.program, *self.options)) + (f" on {self.size} bytes" if self.size else "")


@dataclass(frozen=True)
class Result:
    """One p-value."""

    test: str
    p: float


def run(tests: list[Test], command: list[str]) -> Iterator[tuple[Test, list[Result]]]:
    """Run tests in order, each on the words after those of the previous one."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0) as source:
        assert source.stdout is not None
        try:
            for test in tests:
                yield test, [result for _ in range(test.times) for result in _RUN[test.program](test, source.stdout)]
        finally:
            source.stdout.close()
            source.terminate()


def _ent(test: Test, source: IO[bytes]) -> Iterator[Result]:
    data = bytearray()
    while len(data) < test.size:
        part = source.read(min(1 << 16, test.size - len(data)))
        if not part:
            raise RuntimeError("the stream has ended")
        data += part
    printed = subprocess.run(["ent", "-t"], input=data, capture_output=True, check=True).stdout.decode()
    _, n, _, chi_square, mean, pi, correlation = (float(x) for x in printed.splitlines()[1].split(","))
    deviations = {
        "mean": (mean - 127.5) / math.sqrt((256**2 - 1) / 12 / n),
        # ent tests points of six bytes; a fraction pi / 4 of them is inside a circle.
        "pi": (pi / 4 - math.pi / 4) / math.sqrt(math.pi / 4 * (1 - math.pi / 4) / (n // 6)),
        "serial correlation": correlation * math.sqrt(n),
    }
    yield Result("chi-square", float(stats.chi2.sf(chi_square, 255)))
    for name, deviation in deviations.items():
        yield Result(name, float(2 * stats.norm.sf(abs(deviation))))


def _dieharder(test: Test, source: IO[bytes]) -> Iterator[Result]:
    fields = [part for field in _FIELDS for part in ("-D", field)]
    done = subprocess.run(
        ["dieharder", "-g", "200", *test.options, *fields, "-c", ","], stdin=source, capture_output=True, text=True
    )
    if "EOF" in done.stderr:
        raise RuntimeError("the stream has ended")
    for line in done.stdout.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == len(_FIELDS) and parts[1].isdigit():
            yield Result(f"{parts[0]} {parts[1]}".removesuffix(" 0"), float(parts[2]))


_RUN = {"ent": _ent, "dieharder": _dieharder}


def versions() -> dict[str, str]:
    """Return the versions of the programs; FileNotFoundError if one is missing."""
    text = subprocess.run(["dieharder", "-l"], capture_output=True, text=True).stdout
    dieharder = text.partition("dieharder version ")[2].split(maxsplit=1)[0]
    subprocess.run(["ent"], stdin=subprocess.DEVNULL, capture_output=True)
    query = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "ent", "dieharder"]
    try:
        packages = subprocess.run(query, capture_output=True, text=True).stdout
    except FileNotFoundError:
        packages = ""
    return {"dieharder": dieharder, **dict(line.split() for line in packages.splitlines() if " " in line)}
