"""CUDA source compiled by the host compiler through cuda_host.h, once per source, and cached for other processes."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

HEADER = Path(__file__).with_name("cuda_host.h")
GXX = shutil.which("g++")
STRICT = ("-O1", "-ffp-contract=off", "-fno-math-errno")
GLOBAL = re.compile(r"__global__\s+void\s+(?:__launch_bounds__\s*\((?P<threads>\d+)[^)]*\)\s*)?(?P<name>\w+)\s*\(")
NO_BOUNDS = "#ifndef __launch_bounds__\n#define __launch_bounds__(...)\n#endif"


def host_text(text: str) -> str:
    """CUDA source for the host compiler, with a launcher for each of its kernels."""
    names = dict.fromkeys(kernel["name"] for kernel in GLOBAL.finditer(text))
    turns = "#define IN_TURNS" if "__shared__" in text else ""
    return "\n".join([turns, '#include "cuda_host.h"', NO_BOUNDS, text, *(f"LAUNCHER({name})" for name in names)])


@cache
def library(text: str, flags: tuple[str, ...] = STRICT, folder: Path | None = None) -> ctypes.CDLL:
    """A text, complete with its launchers, as a shared library."""
    return ctypes.CDLL(str(compiled(text, flags, folder)))


def compiled(text: str, flags: tuple[str, ...] = STRICT, folder: Path | None = None) -> Path:
    """The file of such a library; another process may have made it before."""
    if folder is None:
        folder = Path(tempfile.gettempdir()) / f"cuda-on-host-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    known = hashlib.sha256("\0".join([text, HEADER.read_text(), *flags]).encode()).hexdigest()[:20]
    made, mine = folder / f"{known}.so", folder / f"{known}-{os.getpid()}.cpp"
    if not made.exists():
        mine.write_text(text)
        always = ["-std=c++17", "-shared", "-fPIC", "-w", f"-I{HEADER.parent}"]
        command = [str(GXX), *always, *flags, "-o", f"{mine}.so", str(mine)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[:4000]
        os.replace(f"{mine}.so", made)
        mine.unlink()
    return made
