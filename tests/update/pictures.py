"""The pictures of samplers, which need matplotlib and scipy."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

from files import PACKAGE, ROOT, samplers

PICTURES = ROOT / "docs" / "pictures"


def update(check: bool) -> list[str]:
    """Draw the pictures that there are not."""
    missing = [name for name in samplers() if not (PICTURES / "samplers" / f"{name}.svg").exists()]
    if check or not missing:
        return [f"docs/pictures/samplers/{missing[0]}.svg is missing"] if missing else []
    absent = [package for package in ("matplotlib", "scipy") if find_spec(package) is None]
    if absent:
        sys.exit(f"pictures need {' and '.join(absent)}; type: {sys.executable} -m pip install {' '.join(absent)}")
    command = [sys.executable, PICTURES / "make.py", *(f"samplers/{name}" for name in missing)]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)}, check=True)
    return [f"docs/pictures/samplers/{name}.svg written" for name in missing]
