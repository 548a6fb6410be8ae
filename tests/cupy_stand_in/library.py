"""The stand-in's C library and the host compiler: their arguments, and the cache of their output."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
SITE = Path(sysconfig.get_path("platlib"))
INCLUDES = (
    *(SITE / "cupy/_core/include/cupy/_cccl" / name for name in ("cub", "thrust", "libcudacxx")),
    SITE / "cupy/_core/include",
    SITE / "nvidia/cu13/include",
)


def missing_reason() -> str:
    """Why the stand-in cannot run here; empty if it can."""
    if sysconfig.get_platform() != "linux-x86_64":
        return f"the stand-in of CUDA is for x86-64 Linux, this is {sysconfig.get_platform()}"
    for program in ("gcc", "g++", "nm"):
        if shutil.which(program) is None:
            return f"there is no {program}"
    for module, file in (("cupy", INCLUDES[3]), ("nvidia", INCLUDES[4] / "crt"), ("nvidia", SITE / "nvidia/cu13/lib")):
        if find_spec(module) is None or not file.exists():
            return f"no {file}; type: pip install -r {HERE / 'requirements.txt'}"
    return ""


@cache
def folder() -> Path:
    """Where compiled text is kept, for this process, other workers and later runs."""
    made = Path(tempfile.gettempdir()) / f"cupy-stand-in-{os.getuid()}"
    made.mkdir(mode=0o700, exist_ok=True)
    return made


def compiled(text: str, suffix: str, output: str, command: Iterable[str]) -> Path:
    """The file that a compiler makes of a text; another process may have made it before.

    The arguments of the command name the input as ``IN`` and the output as ``OUT``.
    """
    command = tuple(command)
    known = hashlib.sha256("\0".join([text, suffix, *command]).encode()).hexdigest()[:20]
    made, mine = folder() / f"{known}{output}", folder() / f"{known}-{os.getpid()}{suffix}"
    if not made.exists():
        mine.write_text(text)
        names = {"IN": str(mine), "OUT": f"{mine}.out"}
        done = subprocess.run([names.get(word, word) for word in command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{mine} does not compile:\n{done.stderr[:4000]}")
        os.replace(f"{mine}.out", made)
        mine.unlink()
    return made


def includes() -> list[str]:
    return [f"-I{path}" for path in INCLUDES]


def runtime_symbols(module: Path) -> dict[str, int]:
    """The functions of the CUDA runtime that a module of CuPy's contains, and where in it they are."""
    listed = subprocess.run(["nm", str(module)], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^([0-9a-f]+) [tT] (_{0,2}cuda[A-Z]\w*)$", listed, re.MULTILINE)
    return {name: int(offset, 16) for offset, name in found if not re.match("__cuda(Unr|R)egister|__cudaInit", name)}


@cache
def modules() -> dict[Path, dict[str, int]]:
    """CuPy's modules that contain the runtime, with its functions in them."""
    files = [file for part in ("cupy", "cupy_backends") for file in (SITE / part).rglob("*.so")]
    candidates = [file for file in files if b"\0cudaLaunchKernel\0" in file.read_bytes()]
    return {file: symbols for file in candidates if "cudaMalloc" in (symbols := runtime_symbols(file))}


@cache
def library() -> ctypes.CDLL:
    """The stand-in's C, with a refusal of each runtime function that it lacks."""
    source = "\n".join((HERE / name).read_text() for name in ("memory.c", "streams.c", "driver.c"))
    names = {name for symbols in modules().values() for name in symbols}
    refused = names - set(re.findall(r"\b(?:RUNTIME\(|stand_in_)((?:__)?cuda\w+)", source))
    for name in sorted(refused):
        source += f'X int stand_in_{name}(void) {{ return stand_in_refuse("{name}"); }}\n'
    command = ("gcc", "-w", "-O1", "-fPIC", "-shared", *includes(), "-o", "OUT", "IN", "-lpthread")
    return ctypes.CDLL(str(compiled(source, ".c", ".so", command)), mode=ctypes.RTLD_GLOBAL)


def replace_runtime() -> None:
    """Have CuPy's modules call the stand-in in the place of the runtime that they contain."""
    for module, symbols in modules().items():
        try:
            ctypes.CDLL(str(module))
        except OSError:  # jitify, which needs NVRTC to be loaded, and which keyrng does not
            continue
        start = _loaded_at(module)
        for name, offset in symbols.items():
            function = ctypes.cast(getattr(library(), f"stand_in_{name}"), ctypes.c_void_p)
            if library().stand_in_replace(ctypes.c_void_p(start + offset), function):
                raise RuntimeError(f"{name} of {module.name} cannot be replaced")


def _loaded_at(module: Path) -> int:
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, _, offset, *_, name = line.split()
        if name == str(module.resolve()) and int(offset, 16) == 0:
            return int(place.split("-")[0], 16)
    raise RuntimeError(f"{module} is not loaded")
