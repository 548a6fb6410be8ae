"""Write the speed tables of docs/comparison.md from the newest results of run.py: python benchmarks/comparison.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "comparison.md"
BEGIN, END = "<!-- speeds: made by benchmarks/comparison.py -->\n", "<!-- end of speeds -->"
HEADINGS = {"avx512": "AVX-512", "avx2": "AVX2", "baseline": "Other processors"}
COLUMNS = {
    "keyrng, 1 thread": "keyrng compiled, 1 thread",
    "keyrng, all threads": "keyrng compiled, all threads",
    "keyrng, NumPy alone": "keyrng NumPy-only",
    "numpy PCG64": "numpy PCG64",
    "randomgen ThreeFry": "randomgen ThreeFry",
    "jax": "jax",
    "torch": "torch",
}
VALUES = ("uniform", "normal", "exponential", "gamma(2.0)", "poisson(5)", "binomial(100, .3)", "randint(0, 1000)")
#: As in compared.py: the ends of the groups' names, and their units.
COMPARED = {"a million, float64 or integers": "ns per value", "ten values": "µs per call"}
PEERS = {"keyrng": "keyrng compiled, 1 thread", "NumPy": "numpy PCG64", "MKL": "MKL MT19937"}
CALLS = (
    *("key(0)", "split(k)", "fold_in(k, 1)", "uniform(k)", "normal(k, (10,))"),
    *("gamma(k, 2.0, (10,))", "gamma(k, a), 10 values", "randint(k, (10,), 0, 1000)"),
)


def newest() -> list[dict[str, Any]]:
    """Return the newest results of run.py for each instruction set, widest first.

    Results of sizes.py and of GPUs have other keys.
    """
    found = [json.loads(path.read_text("utf-8")) for path in (ROOT / "benchmarks" / "results").glob("*.json")]
    of_run = (d for d in found if "uniform" in {row["group"] for row in d.get("measured", ())})
    by_set = {d["machine"]["instruction_set"]: d for d in sorted(of_run, key=lambda d: d["date"])}
    return [by_set[name] for name in HEADINGS if name in by_set]


def tables(data: dict[str, Any]) -> str:
    """Return the tables of medians, with machine and date; a dash marks a missing measurement."""
    median = {(row["group"], row["subject"]): row["median"] for row in data["measured"]}
    versions = ", ".join(f"{name} {number}" for name, number in data["versions"].items())
    machine = data["machine"]
    lines = [
        f"### {HEADINGS[machine['instruction_set']]}",
        "",
        f"Measured on {data['date']}: {machine['cpu']}, {machine['cores']} cores, {machine['instruction_set']};"
        f" {machine['system']}; {versions}.",
        "",
    ]
    for unit, groups in (("ns per value", VALUES), ("µs per call", CALLS)):
        columns = {c: subject for c, subject in COLUMNS.items() if any((g, subject) in median for g in groups)}
        lines += [f"| {unit} | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
        for group in groups:
            times = (median.get((group, subject)) for subject in columns.values())
            lines.append(f"| `{group}` | {' | '.join('-' if t is None else f'{t:.3g}' for t in times)} |")
        lines.append("")
    return "\n".join([*lines, *compared(median)])


def compared(median: dict[tuple[str, str], float]) -> list[str]:
    """Return the lines of the table of `compared`: each sampler with many values and with few, and who is slower."""
    heads = [f"{peer}, {unit}" for unit in COMPARED.values() for peer in PEERS]
    lines = [f"| float64, 1 thread | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    slower = []
    for name in dict.fromkeys(group.rpartition(f", {end}")[0] for end in COMPARED for group, _ in median):
        if not name:
            continue
        times = [median.get((f"{name}, {end}", peer)) for end in COMPARED for peer in PEERS.values()]
        lines.append(f"| `{name}` | {' | '.join('-' if t is None else f'{t:.3g}' for t in times)} |")
        for (ours, *theirs), end in zip((times[:3], times[3:]), COMPARED, strict=True):
            slower += [f"`{name}` ({end.split(',')[0]})" for t in theirs if ours and t and t < ours]
    verdict = f"keyrng is slower in {', '.join(dict.fromkeys(slower))}." if slower else "keyrng is faster in every row."
    return [*lines, "", verdict, ""]


def page(text: str, results: list[dict[str, Any]]) -> str:
    """Replace the tables between the marks of the page."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    made = "\n".join(map(tables, results))
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8"), newest()), "utf-8")
