"""Python in another process, which imports the same keyrng."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keyrng

ROOT = Path(keyrng.__file__).parents[1]


def python(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python, with further variables of the environment, and return its status and what it printed."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=600,
        cwd=cwd,
        check=False,
    )


_DIGEST = """
import hashlib, keyrng, numpy as np
def digest(count=2**19 + 77):
    return hashlib.sha256(keyrng.normal(keyrng.key(7), (count,)).tobytes()).hexdigest()
"""


def digests(code: str) -> list[str]:
    """Run code that may call ``digest()`` of a large draw, and return the lines that it prints; it must not fail."""
    done = python("-W", "ignore::DeprecationWarning", "-c", _DIGEST + code)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1]
