"""Locations of files, and functions that write or check them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT, ROOT / "tests", ROOT / "tests" / "table"):
    sys.path.append(str(folder))

_found = find_spec("keyrng")  # which does not import it
assert _found is not None
assert _found.origin is not None
PACKAGE = Path(_found.origin).parent
DISTRIBUTIONS = PACKAGE / "distributions"


def samplers() -> list[str]:
    """Return the names that are imported in ``distributions/__init__.py``, sorted."""
    text = (DISTRIBUTIONS / "__init__.py").read_text("utf-8")
    return sorted(re.findall(r"^from keyrng\.distributions\.\w+ import (\w+)$", text, re.MULTILINE))


def rewrite(path: Path, change: Callable[[str], str], check: bool) -> list[str]:
    """Apply a change to a file, or only say that it is not applied."""
    before = path.read_text("utf-8")
    after = change(before)
    if after == before:
        return []
    name = path.relative_to(ROOT if path.is_relative_to(ROOT) else PACKAGE.parent).as_posix()
    if check:
        return [f"{name} is out of date"]
    path.write_text(after, "utf-8")
    return [f"{name} written"]


def table() -> dict[str, Any]:
    """Return the first row of each sampler that has one."""
    from cases import CASES

    rows: dict[str, Any] = {}
    for case in CASES:
        rows.setdefault(case.function or case.name, case)
    return rows
