"""Calls that raise: the rows of docs/bad-input.md, and those of refusals.txt, a call and its error on each line.

An error is its type, and a part of its message, in which ``...`` replaces any text.
"""

from __future__ import annotations

import builtins
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.exceptions import AxisError

import keyrng
from keyrng import initializers

HERE = Path(__file__).parent
KEY = keyrng.key(0)
NAMES: dict[str, Any] = {
    "key": KEY, "keys": keyrng.split(KEY, 3), "table": keyrng.split(KEY, (2, 3)), "generator": keyrng.Generator(0),
    "keyrng": keyrng, "init": initializers, "np": np, "nan": float("nan"), "inf": float("inf"), "Fraction": Fraction,
    "Decimal": Decimal,
}  # fmt: skip


def rows_of_the_page() -> list[tuple[str, str, str]]:
    page = (HERE.parents[1] / "docs" / "bad-input.md").read_text("utf-8")
    return re.findall(r"^\| [^|]+ \| `([^|]+)` \| `?(\w+)`?(?:: `?([^|]*?)`?)? \|$", page, re.MULTILINE)


def rows_of_the_file() -> list[tuple[str, str, str]]:
    return re.findall(r"^(\S.*)  # (\w+): (.+)$", (HERE / "refusals.txt").read_text("utf-8"), re.MULTILINE)


def test_every_line_is_a_row() -> None:
    lines = [line for line in (HERE / "refusals.txt").read_text("utf-8").splitlines() if line and line[0] != "#"]

    assert len(rows_of_the_file()) == len(lines) > 300
    assert len(rows_of_the_page()) > 30


@pytest.mark.parametrize(("code", "kind", "message"), [*rows_of_the_page(), *rows_of_the_file()])
def test_row(code: str, kind: str, message: str) -> None:
    names = dict(NAMES)
    for module in re.findall(r"\bkeyrng\.interop\.\w+", code):
        pytest.importorskip(module)
    for library in re.findall(r"(?<![\w.])(?:jax|torch)(?=\.)", code):
        names[library] = pytest.importorskip(library)
    error = AxisError if kind == "AxisError" else getattr(builtins, kind)
    with pytest.raises(error, match=re.escape(message).replace(r"\.\.\.", ".*")):
        eval(code, names)
