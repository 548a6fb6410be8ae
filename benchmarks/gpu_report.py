"""The tables of benchmarks/gpu.py, and the model of the targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import report
from gpu_model import CLOCK, COUNTS, memory_of
from gpu_rows import ALGORITHMS, ROWS, Row, size_name
from timing import Result

#: Kernels of the rows whose instructions have been counted.
KERNELS = {"uniform float32": "unit", "normal float32": "normal", "bits": "bits"}


def model(row: Row, group: str, size: int, facts: dict[str, Any]) -> list[Result]:
    """Return the times of the model, bounded by instructions and memory, for rows that have been counted."""
    if group != f"{row.name}, {size_name(size)}" or facts["compute capability"] != "90":
        return []
    memory, clock = memory_of(facts["name"]), facts["MHz"] * 1e6 or CLOCK
    results = []
    for (kernel, algorithm), count in COUNTS.items():
        if KERNELS.get(row.name) == kernel:
            speed, _ = count.ceiling(memory, facts["multiprocessors"], clock)
            results.append(Result(group, f"model of {algorithm}", size, (size / speed,)))
    return results


def markdown(data: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    medians = {(row["group"], row["subject"]): row["median"] for row in data["measured"]}
    lines = [*report.header("Benchmarks on a GPU", data), "", *report.target_lines(data)]
    lines += [
        "",
        "## At the size of the targets",
        "",
        "Medians of alternating runs.",
        "The last columns are speed ratios: keyrng relative to the subject of the line.",
    ]
    for row in ROWS:
        lines += _in_detail(row, medians)
    lines += ["", "## Over sizes", "", "Gvalues/s."]
    for row in ROWS:
        lines += _over_sizes(row, medians)
    lines += ["", "## Single calls", "", "us per call."]
    for group in dict.fromkeys(row["group"] for row in data["measured"] if row["unit"] == "us per call"):
        lines += ["", f"| {group} | us |", "|---|---:|"]
        lines += [f"| {subject} | {report.three(us)} |" for (g, subject), us in medians.items() if g == group]
    return "\n".join(lines) + "\n"


def _in_detail(row: Row, medians: dict[tuple[str, str], float]) -> list[str]:
    group, size = f"{row.name}, {size_name(row.judged)}", np.dtype(row.dtype).itemsize
    found = {subject: ns for (g, subject), ns in medians.items() if g == group}
    if not found:
        return []
    ours = [f"keyrng {algorithm}" for algorithm in ALGORITHMS]
    lines = [
        "",
        f"| {group} | ns per value | Gvalues/s | GB/s | of memset's speed | {' | '.join(ALGORITHMS)} |",
        "|---" + "|---:" * (4 + len(ours)) + "|",
    ]
    for subject, ns in found.items():
        fill = found["memset"] / ns if "memset" in found else None
        ratios = [ns / found[name] if name in found else None for name in ours]
        cells = [f"{ns:.3g}", *map(report.three, [1 / ns, size / ns, fill, *ratios])]
        lines.append(f"| {subject} | {' | '.join(cells)} |")
    return lines


def _over_sizes(row: Row, medians: dict[tuple[str, str], float]) -> list[str]:
    sizes = sorted({row.judged, *row.sizes})
    groups = [f"{row.name}, {size_name(size)}" for size in sizes]
    subjects = dict.fromkeys(subject for group, subject in medians if group in groups)
    if not subjects or len(sizes) == 1:
        return []
    lines = ["", f"| {row.name} | {' | '.join(map(size_name, sizes))} |", "|---" + "|---:" * len(sizes) + "|"]
    for subject in subjects:
        rates = [1 / medians[group, subject] if (group, subject) in medians else None for group in groups]
        lines.append(f"| {subject} | {' | '.join(map(report.three, rates))} |")
    return lines
