"""The golden values and the digests of ``python -m keyrng selftest``."""

from __future__ import annotations

import sys

from files import ROOT

sys.path.append(str(ROOT / "tests" / "data"))


def update(check: bool) -> list[str]:
    """Add the values that are missing; values that are there stay as they are."""
    import make_values

    missing = make_values.missing()
    if check:
        return [f"tests/data/values.json has no value of {missing[0]}"] if missing else []
    if missing:
        make_values.update()
    return [f"{len(missing)} golden values written"] if missing else []
