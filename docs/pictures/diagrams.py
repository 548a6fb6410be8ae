"""Diagrams as SVG: the tree of keys, with the words of real keys, and the steps from a key to a sample.

The colours are readable on light and dark pages.
"""

from __future__ import annotations

from html import escape

import keyrng

BLUE, ORANGE, GREEN, GREY = "#2a6fbb", "#b85a17", "#2f7d49", "#808080"
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
    'font-family="sans-serif" font-size="13">\n<title>{title}</title>\n'
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    f'<path d="M0 0L8 4L0 8z" fill="{GREY}"/></marker></defs>\n'
)


class Drawing:
    """Boxes, arrows and text."""

    def __init__(self, title: str, width: int, height: int) -> None:
        self.parts = [HEAD.format(title=escape(title), width=width, height=height)]

    def box(self, x: float, y: float, width: float, colour: str, *lines: str, mono: bool = True) -> None:
        """A box around (x, y); the first line is code, if ``mono``."""
        height = 14 + 18 * len(lines)
        top = y - height / 2
        self.parts.append(
            f'<rect x="{x - width / 2:g}" y="{top:g}" width="{width:g}" height="{height}" rx="6" fill="{colour}"/>\n'
        )
        for i, line in enumerate(lines):
            family = ' font-family="monospace"' if mono and i == 0 else ""
            self._text(x, top + 20 + 18 * i, line, "#fff", "middle", family)

    def word(self, x: float, y: float, text: str, anchor: str = "middle", mono: bool = False) -> None:
        """Draw grey text outside of boxes."""
        self._text(x, y, text, GREY, anchor, ' font-family="monospace"' if mono else "")

    def arrow(self, *points: tuple[float, float]) -> None:
        """Draw a line with an arrowhead."""
        path = "L".join(f"{x:g} {y:g}" for x, y in points)
        self.parts.append(
            f'<path d="M{path}" fill="none" stroke="{GREY}" stroke-width="1.4" marker-end="url(#tip)"/>\n'
        )

    def _text(self, x: float, y: float, text: str, colour: str, anchor: str, more: str) -> None:
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" fill="{colour}" text-anchor="{anchor}"{more}>{escape(text)}</text>\n'
        )

    def text(self) -> str:
        """Return the file."""
        return "".join([*self.parts, "</svg>\n"])


def words(key: keyrng.Key) -> str:
    """Return the words of a key as text."""
    return " ".join(f"{word:08x}" for word in keyrng.key_data(key).tolist())


def key_tree() -> str:
    """Draw the derivation of keys from a seed, and the samples drawn with them."""
    d = Drawing("A tree of keys: split and fold_in make new ones, samplers use the leaves", 760, 412)
    root = keyrng.key(42)
    left, right = keyrng.split(root)
    d.word(8, 40, "a seed", "start")
    d.box(380, 36, 220, BLUE, "keyrng.key(42)", words(root))
    d.word(8, 126, "two keys", "start")
    for x, name, key in ((188, "k_init", left), (528, "k_noise", right)):
        d.arrow((380, 61), (380, 82), (x, 82), (x, 93))
        d.box(x, 130, 220, BLUE, name, "of split(key)", words(key))
    d.word(8, 236, "keys by", "start")
    d.word(8, 253, "names and", "start")
    d.word(8, 270, "numbers", "start")
    for x, name, data in ((412, "k_dropout", "dropout"), (644, "k_7", 7)):
        key = keyrng.fold_in(right, data)
        d.arrow((528, 164), (528, 188), (x, 188), (x, 213))
        shown = f'"{data}"' if isinstance(data, str) else str(data)
        d.box(x, 250, 220, BLUE, name, f"fold_in(k_noise, {shown})", words(key))
    d.word(8, 376, "samples", "start")
    calls = {
        "normal(k_init, (784, 256))": (188, 164, "depends on key and i only"),
        "uniform(k_dropout, (3, 4))": (412, 284, "on any machine"),
        "gamma(k_7, 2.0, (8,))": (644, 284, "for any number of threads"),
    }
    for call, (x, y, said) in calls.items():
        d.arrow((x, y), (x, 345))
        d.box(x, 371, 220, GREEN, call, said)
    return d.text()


def sample() -> str:
    """Draw the steps from a key to a sample: one definition, three executors."""
    d = Drawing("From a key to a sample: one definition, three executors, the same bits", 720, 560)
    d.box(360, 36, 330, BLUE, "keyrng.gamma(key, a, shape)", "documentation, and one call of sample_kernel")
    d.arrow((360, 61), (360, 87))
    call = "sample_kernel(kernel, key, shape, dtype, positive(a=a))"
    d.box(360, 122, 480, BLUE, call, "specify: validation, broadcasting, dtype and out,", "once, for all samplers")
    d.arrow((360, 156), (360, 182))
    d.box(360, 208, 430, BLUE, "executor.fill(spec, elements, out)", "elements start ... start + count of each key")
    for x in (125, 360, 595):
        d.arrow((360, 233), (360, 252), (x, 252), (x, 287))
    d.box(
        125,
        332,
        210,
        ORANGE,
        "NumPy",
        "the kernel is called on arrays,",
        "2**15 elements at a time,",
        "or on one integer for a few",
    )
    d.box(
        360,
        332,
        220,
        ORANGE,
        "compiled C",
        "generated when keyrng is built;",
        "vectors, threads, 2048",
        "elements at a time",
    )
    d.box(595, 332, 210, ORANGE, "CUDA", "generated on first use;", "one GPU thread computes", "an element")
    for x in (125, 360, 595):
        d.arrow((x, 376), (x, 422), (360, 422), (360, 441))
    d.box(360, 467, 430, GREEN, "the same bits", "rounded once to the dtype, and stored in the sample")
    d.word(360, 522, "Block functions and kernels are written once, in Python:")
    d.word(360, 542, "NumPy runs them; called on symbols, they are recorded and generate C and CUDA.")
    return d.text()


LOGO = f'''<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64">
<title>keyrng</title>
<g fill="none" stroke-width="5" stroke-linecap="round">
<path d="M32 24V34M32 34L16 47M32 34L48 47" stroke="{GREY}"/>
<circle cx="32" cy="14" r="9.5" stroke="{BLUE}"/>
</g>
<circle cx="15" cy="52" r="8" fill="{ORANGE}"/>
<circle cx="49" cy="52" r="8" fill="{GREEN}"/>
</svg>
'''


def texts() -> dict[str, str]:
    """Return all diagrams by name."""
    return {"key-tree": key_tree(), "sample": sample(), "logo": LOGO}
