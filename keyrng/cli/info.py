"""``python -m keyrng info``: what is here, and what to type for what is not."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import sys

import numpy as np

import keyrng
from keyrng.backends import compiled


def run() -> int:
    """Print versions and paths."""
    print(f"keyrng     {keyrng.__version__}")
    print(f"Python     {platform.python_version()} on {platform.system()} {platform.machine()}")
    print(f"NumPy      {np.__version__}")
    print(f"ml_dtypes  {_version('ml_dtypes') or 'not installed; for bfloat16 type: pip install ml_dtypes'}")
    print(f"algorithms {', '.join(keyrng.algorithms.names())}")
    print("paths:")
    print("  numpy     yes")
    print(f"  compiled  {_compiled()}")
    print(f"  cuda      {_cuda()}")
    return 0


def _compiled() -> str:
    sets = compiled.instruction_sets()
    if sets:
        threads = keyrng.get_num_threads()
        return f"yes: {compiled.instruction_set()} in use of {', '.join(sets)}; {threads} threads for large draws"
    if "KEYRNG_BACKEND" in compiled.missing_reason():
        return "no: KEYRNG_BACKEND=numpy is set; type: unset KEYRNG_BACKEND"
    return (
        f"no: {compiled.missing_reason()}; install a C compiler (on Debian: apt install gcc), then in keyrng's folder "
        f"type: {sys.executable} -m pip install --force-reinstall --no-deps ."
    )


def _cuda() -> str:
    if importlib.util.find_spec("cupy") is None:
        return "no: keys on GPUs are not part of this version, and CuPy is not installed"
    cupy = _version("cupy-cuda12x", "cupy-cuda13x", "cupy")
    return f"no: keys on GPUs are not part of this version (CuPy {cupy} is here)"


def _version(*names: str) -> str:
    for name in names:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""
