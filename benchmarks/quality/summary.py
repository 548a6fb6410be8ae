"""Summary of the stored p-values: extreme ones, their expected number, and uniformity."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from rows import Row, extremes
from scipy import stats
from streams import COUNTER, REFERENCE

import keyrng

BOUNDS = (1e-2, 1e-3, 1e-4, 1e-5)
# One sample gives sts_serial about thirty dependent p-values: they are counted, and all but one length are excluded
# from tests that assume independence.
DEPENDENT, FOR_ALL = "sts_serial", "sts_serial 16"


def markdown(rows: list[Row], versions: dict[str, str], seed: int) -> str:
    tested = [row for row in rows if not row.is_control and row.seed == seed]
    reference = [row for row in rows if row.impl == REFERENCE and row.seed == seed]
    parts = [
        "# Quality of the words: ent and dieharder\n",
        *_head(versions, tested),
        *_totals(tested, reference),
        *_table("By test", tested, _name, reference),
        *_table("By algorithm", _independent(tested), lambda row: row.impl),
        *_table("By feed", _independent(tested), lambda row: row.feed),
        *_again(rows, tested, seed),
        *_counter(rows),
    ]
    return "\n".join(parts) + "\n"


def _head(versions: dict[str, str], tested: list[Row]) -> list[str]:
    programs = ", ".join(f"{name} {version}" for name, version in versions.items())
    streams = len({(row.impl, row.feed) for row in tested})
    runs = len({(row.impl, row.feed, row.run) for row in tested})
    return [
        f"{_processor()}, {os.cpu_count()} cores.",
        f"{platform.system()}, Python {platform.python_version()}, keyrng {keyrng.__version__}, {programs}.",
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {streams} streams, {runs} runs of programs.",
        "",
        "A p-value is extreme at a bound if it is nearer to 0 or 1 than half of it.",
        "The expected number of extreme p-values is the bound times the number of p-values.",
        "AES-128 in counter mode is the reference for good words.",
        "If its p-values are unusual too, the test is at fault.",
    ]


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].partition(": ")[2] if names else platform.machine()


def _values(rows: Iterable[Row]) -> np.ndarray:
    return np.array([p for row in rows for p in row.p])


def _independent(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not row.test.startswith(DEPENDENT) or row.test == FOR_ALL]


def _name(row: Row) -> str:
    if row.run.startswith("ent"):
        return f"ent: {row.test}"
    return DEPENDENT if row.test.startswith(DEPENDENT) else row.test


def _extreme(p: np.ndarray, bound: float) -> int:
    return int((np.minimum(p, 1 - p) < bound / 2).sum())


def _expected(count: float) -> str:
    return f"{count:.0f}" if count >= 100 else f"{count:.2g}"


def _ks(p: np.ndarray) -> str:
    return f"{stats.kstest(p, 'uniform').pvalue:.2g}" if p.size else ""


def _totals(tested: list[Row], reference: list[Row]) -> list[str]:
    columns = {
        "keyrng": _values(tested),
        f"keyrng without {DEPENDENT} but one length": _values(_independent(tested)),
        "AES": _values(reference),
        f"AES without {DEPENDENT} but one length": _values(_independent(reference)),
    }
    lines = ["\n## All p-values\n", "| | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    lines.append("| p-values | " + " | ".join(str(p.size) for p in columns.values()) + " |")
    for bound in BOUNDS:
        found = (f"{_extreme(p, bound)} ({_expected(p.size * bound)})" for p in columns.values())
        lines.append(f"| extreme at {bound:g} (expected) | " + " | ".join(found) + " |")
    lines.append("| Kolmogorov-Smirnov | " + " | ".join(_ks(p) for p in columns.values()) + " |")
    nearest = (f"{min(np.minimum(p, 1 - p), default=1):.2g}" for p in columns.values())
    return [*lines, "| nearest to 0 or 1 | " + " | ".join(nearest) + " |"]


def _table(title: str, rows: list[Row], key: Callable[[Row], str], reference: list[Row] | None = None) -> list[str]:
    heads = ["p-values", "extreme at 0.01", "expected", "Kolmogorov-Smirnov"]
    lines = [f"\n## {title}\n", f"| | {' | '.join(heads)} |" + (" of AES |" if reference is not None else "")]
    lines.append("|---|" + "---:|" * (len(heads) + (reference is not None)))
    for name in dict.fromkeys(map(key, rows)):
        of_name = [row for row in rows if key(row) == name]
        p = _values(of_name)
        cells = [
            name,
            str(p.size),
            str(_extreme(p, 0.01)),
            _expected(p.size * 0.01),
            _ks(_values(_independent(of_name))),
        ]
        if reference is not None:
            cells.append(_ks(_values(_independent(row for row in reference if key(row) == name))))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _again(rows: list[Row], tested: list[Row], seed: int) -> list[str]:
    lines = [
        "\n## Repeated tests\n",
        "Results within 5 / N of 0 or 1, where ten are expected.",
        "If it was run, the same test with the next seed and four times the sample is shown next to it (`--again`).\n",
        "| stream | test | nearest to 0 or 1 | again: nearest | p-values | Kolmogorov-Smirnov |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for row in sorted(extremes(tested), key=lambda row: row.least):
        later = [r for r in rows if (r.impl, r.feed, r.seed, r.test) == (row.impl, row.feed, seed + 1, row.test)]
        p = _values(later)
        again = [f"{_nearest(p):.6g}", str(p.size), _ks(p)] if p.size else ["", "", ""]
        cells = [f"{row.impl} {row.feed}", f"{row.test} ({row.run})", f"{_nearest(np.array(row.p)):.6g}", *again]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _nearest(p: np.ndarray) -> float:
    return float(p[np.minimum(p, 1 - p).argmin()])


def _counter(rows: list[Row]) -> list[str]:
    bad = [row for row in rows if row.impl == COUNTER]
    if not bad:
        return []
    missed = sorted({row.test for row in bad if row.least > 1e-6})
    found = len({row.test for row in bad}) - len(missed)
    return [
        "\n## A counter, 0, 1, 2, ...\n",
        f"{found} tests give it p-values nearer than 1e-6 to 0 or 1"
        + (f"; not {', '.join(missed)}." if missed else "."),
    ]
