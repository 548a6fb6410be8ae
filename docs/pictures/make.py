"""Draws the pictures of the pages: python docs/pictures/make.py, or with the names of some of them.

``pages`` are drawn from what the pages' own code computes, ``samplers``, or one such as ``samplers/gamma``, by
samplers.py, ``diagrams`` by diagrams.py, and ``speed`` from what benchmarks/sizes.py measured. Needs matplotlib, scipy
and pytest, for the pages also scikit-learn and dask[array]. The same versions of these write the same files.
"""

from __future__ import annotations

import doctest
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl

mpl.use("svg")
import diagrams
import matplotlib.pyplot as plt
import numpy as np
import samplers
import speed

from keyrng import distributions

HERE = Path(__file__).resolve().parent
BLUE, ORANGE, GREY, DARK = "#2a6fbb", "#d9722b", "#b8bfc8", "#30363d"
STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "text.color": DARK,
    "axes.labelcolor": DARK,
    "xtick.color": DARK,
    "ytick.color": DARK,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text, which is small and can be searched
    "font.family": "sans-serif",
    "svg.hashsalt": "keyrng",
}


def page(name: str) -> SimpleNamespace:
    """The names that a page's code defines, as tests/docs/test_docs.py runs it."""
    text = (HERE.parent / name).read_text("utf-8")
    namespace = {"__name__": "__main__"}
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for needed, code in re.findall(r"^```python((?: \w+)*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            if "script" in needed:
                continue
            source = doctest.script_from_examples(code) if ">>>" in code else code
            exec(source, namespace)
        os.chdir(before)
    return SimpleNamespace(**namespace)


def digits() -> None:
    """Losses that lie on each other, and their distances from a run on one device."""
    it = page("digits.md")
    _, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    runs = {
        "1 device": (it.losses, GREY, 6.0),
        "2 devices": (it.four_parts[2][1], ORANGE, 3.5),
        "4 devices": (it.four_parts[4][1], BLUE, 1.8),
        "4, stopped, then 2": (it.before + it.after, DARK, 0.6),
    }
    for label, (losses, colour, width) in runs.items():
        left.plot(losses, color=colour, linewidth=width, label=label)
    left.axvline(len(it.before), color=DARK, linewidth=0.6, linestyle=":")
    left.set(
        title="Loss, four parts to a step",
        xlabel="step",
        yscale="log",
        yticks=[0.1, 0.2, 0.5, 1, 2],
        yticklabels=["0.1", "0.2", "0.5", "1", "2"],
    )
    left.minorticks_off()
    left.legend()

    def distance(losses: list[np.float32], alone: list[np.float32]) -> np.ndarray:
        return np.subtract(losses, alone, dtype="float64") * 1e7

    right.plot(distance(it.two_sums, it.one_sum), color=ORANGE, linewidth=0.8, label="2 devices, one sum each")
    for losses in [it.four_parts[2][1], it.four_parts[4][1], it.before + it.after]:
        right.plot(distance(losses, it.losses), color=BLUE, linewidth=1.8)
    right.plot([], color=BLUE, linewidth=1.8, label="2, 4, or stopped; four parts")
    right.set(title="Distance from one device's loss, times $10^7$", xlabel="step", ylim=(-4, 4))
    right.legend()


def monte_carlo() -> None:
    """Prices and their intervals of 95 % against the number of paths."""
    it = page("monte-carlo.md")
    exact = it.closed_form()
    payoffs = it.payoffs(it.paths[...])
    counts = np.unique(np.geomspace(1000, len(payoffs), 150).astype(int))

    def band(axes: plt.Axes, values: np.ndarray, colour: str, label: str) -> None:
        means = values.cumsum()[counts - 1] / counts
        squares = (values**2).cumsum()[counts - 1] / counts
        reach = it.NormalDist().inv_cdf(0.975) * np.sqrt((squares - means**2) / counts)
        axes.fill_between(counts, means - reach, means + reach, color=colour, alpha=0.25, linewidth=0)
        axes.plot(counts, means, color=colour, linewidth=1.4, label=label)

    _, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained", sharex=True)
    band(left, payoffs[:, 1], BLUE, "simulated, 95 %")
    left.axhline(exact, color=DARK, linewidth=1, linestyle="--", label="closed form")
    left.set(title="Price, geometric mean", xlabel="paths", xscale="log")
    left.minorticks_off()
    left.legend()
    band(right, payoffs[:, 0], BLUE, "simulated, 95 %")
    band(right, payoffs[:, 0] - payoffs[:, 1] + exact, ORANGE, "with control")
    right.set(title="Price, arithmetic mean", xlabel="paths", xscale="log")
    right.minorticks_off()
    right.legend()


def bootstrap() -> None:
    """The replicates' histogram with both intervals."""
    it = page("bootstrap.md")
    _, axes = plt.subplots(figsize=(6, 3), layout="constrained")
    counts, edges = np.histogram(it.replicates, 60)
    axes.stairs(counts, edges, fill=True, color=GREY)
    top = counts.max()
    axes.axvline(it.measured, color=DARK, linewidth=1)
    axes.text(it.measured, 1.24 * top, f" measured {it.measured:.3f}", va="top")
    for height, (low, high), colour, label in [
        (1.04, (it.low, it.high), BLUE, "bootstrap"),
        (1.12, it.fisher, ORANGE, "Fisher"),
    ]:
        axes.plot([low, high], [height * top] * 2, color=colour, linewidth=2.5, solid_capstyle="butt")
        axes.annotate(f" {label} ", (high, height * top), color=colour, va="center")
    axes.annotate(
        f"replicate {it.lowest}", (it.replicates[it.lowest], 2), (0, 22), textcoords="offset points", ha="center",
        arrowprops={"arrowstyle": "-", "color": DARK, "linewidth": 0.6},
    )  # fmt: skip
    axes.set(
        title="4000 replicates of a correlation",
        xlabel="body mass index and progression of diabetes",
        yticks=[],
        ylim=(0, 1.25 * top),
    )
    axes.spines["left"].set_visible(False)


def plot(name: str, style: dict[str, object], draw: Callable[[], None], decimals: int = 2) -> None:
    """One file, whose bytes depend on nothing but what is drawn."""
    with plt.rc_context(STYLE | style):
        draw()
        path = HERE / f"{name}.svg"
        plt.savefig(path, metadata={"Date": None, "Creator": None})
        plt.close()
    # Hundredths of a point are enough, and half the size.
    text = re.sub(rf"(\.\d{{{decimals}}})\d+", r"\1", path.read_text("utf-8"))
    write(path, re.sub(r"^ +", "", text, flags=re.MULTILINE))


def write(path: Path, text: str) -> None:
    """A file, and its size."""
    path.write_text(text, "utf-8")
    print(path.name, path.stat().st_size)


def pages() -> None:
    """A picture for each page of real work."""
    for draw in digits, monte_carlo, bootstrap:
        plot(draw.__name__.replace("_", "-"), {}, draw)


def each_sampler() -> None:
    """A picture for each sampler."""
    for name in distributions.__all__:
        sampler(name)


def sampler(name: str) -> None:
    """The picture of one sampler."""
    plot(f"samplers/{name}", samplers.STYLE, lambda: samplers.draw(name), 1)


def each_diagram() -> None:
    """The diagrams."""
    for name, text in diagrams.texts().items():
        write(HERE / f"{name}.svg", text)


def speeds() -> None:
    """Plot times over sizes, compared with other libraries."""
    plot("speed", speed.STYLE, speed.draw)


def main() -> None:
    """Make all pictures, or those that are named."""
    drawn = {"pages": pages, "samplers": each_sampler, "diagrams": each_diagram, "speed": speeds}
    for name in sys.argv[1:] or drawn:
        kind, _, one = name.partition("/")
        if one:
            sampler(one)
        else:
            drawn[kind]()


if __name__ == "__main__":
    main()
