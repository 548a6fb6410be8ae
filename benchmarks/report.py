"""Results as JSON and Markdown, compared with the targets of targets.csv."""

from __future__ import annotations

import csv
import json
import os
import platform
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from timing import Result

import keyrng
from keyrng._executors import native

HERE = Path(__file__).parent
JUDGED = {"median": "Medians", "least": "Fastest rounds, because the machine was busy"}
PACKAGES = ("numpy", "jax", "torch", "randomgen", "mkl_random", "cupy-cuda12x", "cupy-cuda13x")


@dataclass(frozen=True)
class Target:
    """A row of targets.csv: the required speed relative to the peer or, without a peer, the limit in MiB or ns."""

    what: str
    group: str
    keyrng: str
    peer: str
    target: str
    predicted: str = ""  # prediction before the first run: pass, at risk or fail

    def judge(self, values: dict[tuple[str, str], float]) -> dict[str, Any]:
        """Return the row with the measurements; None if one is missing."""
        limit, own = float(self.target), values.get((self.group, self.keyrng))
        row = {"what": self.what, "keyrng": own, "target": limit}
        if self.predicted:
            row["predicted"] = self.predicted
        if not self.peer:
            return {
                **row,
                "unit": "MiB" if self.group == "peak memory" else "ns",
                "met": None if own is None else own <= limit,
            }
        peer = values.get((self.group, self.peer))
        ratio = peer / own if own and peer else None
        return {**row, "peer": peer, "ratio": ratio, "met": None if ratio is None else ratio >= limit}


def targets(name: str) -> list[Target]:
    """Read a file of targets."""
    with (HERE / name).open(newline="") as file:
        return [Target(**row) for row in csv.DictReader(file)]


def summary(
    results: list[Result],
    peaks: dict[str, float],
    skipped: list[str],
    settings: dict[str, Any],
    judged: list[Target],
    gpu: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return all results for JSON; targets are judged by the statistic named in the settings, median or least."""
    values = {(r.group, r.subject): getattr(r, settings["judged by"]) for r in results}
    values |= {("peak memory", name): mib for name, mib in peaks.items()}
    measured = [
        {
            "group": r.group,
            "subject": r.subject,
            "unit": r.unit,
            "median": r.median,
            "least": r.least,
            "rounds": len(r.seconds),
        }
        for r in results
    ]
    about = where_and_when()
    return {
        **about,
        "machine": about["machine"] | ({"gpu": gpu} if gpu else {}),
        "settings": settings,
        "skipped": skipped,
        "targets": [target.judge(values) for target in judged],
        "measured": measured,
        "peak_mib": peaks,
    }


def where_and_when() -> dict[str, Any]:
    """Return the machine, versions, date and commit."""
    return {
        "machine": _machine(),
        "versions": _versions(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
    }


def markdown(data: dict[str, Any]) -> str:
    """Return the tables as Markdown."""
    lines = [*header("Benchmarks", data), "", *target_lines(data), "", "## Times", ""]
    lines += ["Medians; in brackets the fastest round."]
    for group in dict.fromkeys(row["group"] for row in data["measured"]):
        rows = [row for row in data["measured"] if row["group"] == group]
        lines += ["", f"| {group} | {rows[0]['unit']} | rounds |", "|---|---:|---:|"]
        for row in rows:
            lines.append(f"| {row['subject']} | {three(row['median'])} ({three(row['least'])}) | {row['rounds']} |")
    return "\n".join(lines) + "\n"


def header(title: str, data: dict[str, Any]) -> list[str]:
    """Return the header: machine, date, settings, and skipped measurements."""
    machine, versions = data["machine"], data["versions"]
    settings = ", ".join(f"{name} {value}" for name, value in data["settings"].items())
    gpu = machine.get("gpu", {})
    return [
        f"# {title}",
        "",
        *([f"GPU: {', '.join(f'{name} {value}' for name, value in gpu.items())}."] if gpu else []),
        f"{machine['cpu']}, {machine['cores']} cores, instruction set {machine['instruction_set']}.",
        f"{machine['system']}.",
        "Versions: " + ", ".join(f"{name} {number}" for name, number in versions.items()) + ".",
        f"{data['date']}, commit {data['commit'] or 'unknown'}, load {machine['load']}; {settings}.",
        *(f"Skipped: {note}." for note in data["skipped"]),
    ]


def target_lines(data: dict[str, Any]) -> list[str]:
    """Return the table of targets, with predictions if there are any."""
    predicted = any("predicted" in row for row in data["targets"])
    return [
        "## Targets",
        "",
        f"{JUDGED[data['settings']['judged by']]}, in ns per value, us per call or MiB.",
        "The ratio is the peer's time divided by keyrng's.",
        "",
        "| what | keyrng | peer | ratio | target | met? |" + " predicted |" * predicted,
        "|---|---:|---:|---:|---:|---|" + "---|" * predicted,
        *(_target_row(row) + f" {row.get('predicted', '')} |" * predicted for row in data["targets"]),
    ]


def _target_row(row: dict[str, Any]) -> str:
    own, peer, ratio = (three(row.get(name)) for name in ("keyrng", "peer", "ratio"))
    met = {None: "not measured", True: "yes", False: "**no**"}[row["met"]]
    limit = f"{row['target']:g}" if "ratio" in row else f"at most {row['target']:g} {row['unit']}"
    return f"| {row['what']} | {own} | {peer} | {ratio} | {limit} | {met} |"


def three(value: float | None) -> str:
    """Format with three digits and without exponent."""
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _machine() -> dict[str, Any]:
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), cpu)
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "instruction_set": native.instruction_set() if native.instruction_sets() else "none",
        "system": f"{platform.system()}, Python {platform.python_version()}",
        "load": f"{os.getloadavg()[0]:.2f}",
    }


def _versions() -> dict[str, str]:
    found = {"keyrng": keyrng.__version__}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _commit() -> str | None:
    """Return keyrng's commit, with a note if files are modified; None outside a repository."""
    describe = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    no_writes = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(describe, cwd=HERE, capture_output=True, text=True, env=no_writes)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None


def write(data: dict[str, Any], text: str, json_file: Path | None, markdown_file: Path | None) -> None:
    """Write the results to the requested files."""
    if json_file:
        json_file.write_text(json.dumps(data, indent=1) + "\n")
    if markdown_file:
        markdown_file.write_text(text)


def progress(text: str) -> None:
    """Print a line to standard error."""
    print(text, file=sys.stderr, flush=True)
