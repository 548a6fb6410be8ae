"""Nanoseconds per value by number of values, of keyrng and other libraries: results of benchmarks/sizes.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
GREY = "#808080"
LINES = {
    "keyrng, 1 thread": ("#3f8ae0", "-"),
    "keyrng, all threads": ("#3f8ae0", "--"),
    "numpy PCG64": ("#d9722b", "-"),
    "jax": ("#3f9a5b", "--"),
    "torch": ("#a45fc4", "--"),
}
STYLE = {
    "axes.edgecolor": GREY,
    "text.color": GREY,
    "axes.labelcolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "savefig.transparent": True,
}


def measured() -> dict[str, Any]:
    """Return the newest results."""
    found = [json.loads(path.read_text("utf-8")) for path in RESULTS.glob("*-sizes.json")]
    data: dict[str, Any] = max(found, key=lambda results: results["date"])
    return data


def draw() -> None:
    """Draw a panel for each sampler, with logarithmic axes."""
    data = measured()
    figure, panels = plt.subplots(2, 2, figsize=(8, 5.6), layout="constrained", sharex=True, sharey=True)
    for axes, (name, subjects) in zip(panels.flat, data["ns per value"].items(), strict=True):
        for subject, (colour, dashes) in LINES.items():
            times = subjects.get(subject, {})
            counts = [int(count) for count in times]
            axes.plot(counts, list(times.values()), dashes, color=colour, linewidth=1.6, label=subject)
        axes.set(title=name, xscale="log", yscale="log")
        axes.grid(color=GREY, alpha=0.3, linewidth=0.5)
        axes.minorticks_off()
    for axes in panels[1]:
        axes.set_xlabel("values in a call")
    for axes in panels[:, 0]:
        axes.set_ylabel("ns per value")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(LINES))
