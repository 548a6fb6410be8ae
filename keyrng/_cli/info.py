"""``python -m keyrng info``: versions and executors, and how to install missing ones."""

from __future__ import annotations

import importlib.metadata
import platform
import sys

import numpy as np

import keyrng
from keyrng._executors import gpu, native


def run() -> int:
    """Print versions and executors."""
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
    sets = native.instruction_sets()
    if sets:
        threads = keyrng.get_num_threads()
        return f"yes: {native.instruction_set()} in use of {', '.join(sets)}; {threads} threads for large draws"
    if "KEYRNG_BACKEND" in native.missing_reason():
        return "no: KEYRNG_BACKEND=numpy is set; type: unset KEYRNG_BACKEND"
    return (
        f"no: {native.missing_reason()}; install a C compiler (on Debian: apt install gcc), then in keyrng's folder "
        f"type: {sys.executable} -m pip install --force-reinstall --no-deps ."
    )


def _cuda() -> str:
    reason = gpu.missing_reason()
    if reason:
        return f"no: {reason}"
    devices = ", ".join(f"cuda:{i} is {name}" for i, name in enumerate(gpu.devices()))
    return f"yes: CuPy {_version('cupy-cuda13x', 'cupy-cuda12x', 'cupy')}; {devices}"


def _version(*names: str) -> str:
    for name in names:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""
