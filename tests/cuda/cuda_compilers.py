"""CUDA compilers: nvcc on the PATH, or else NVRTC from pip packages, which CuPy uses too.

python -m pip install "nvidia-cuda-nvrtc==13.0.*"
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MISSING = 'neither nvcc on the PATH nor NVRTC: python -m pip install "nvidia-cuda-nvrtc==13.0.*"'
NVCC = shutil.which("nvcc")


@dataclass(frozen=True)
class Compiled:
    """The output of a compiler, and its assembler's log, which has the bytes of stack and of spilled registers."""

    code: bytes
    log: str

    @property
    def instructions(self) -> str:
        """The PTX."""
        return self.code.decode().rstrip("\0")

    def local_memory(self) -> dict[str, tuple[int, int, int]]:
        """Return the bytes of the stack frame, spill stores and spill loads of each function."""
        found = re.findall(
            r"Function properties for (\w+)\s*(?:ptxas +\. *)?(\d+) bytes stack frame, (\d+) bytes spill stores, "
            r"(\d+) bytes spill loads",
            self.log,
        )
        return {name: (int(stack), int(stores), int(loads)) for name, stack, stores, loads in found}


def pip_folders() -> list[Path]:
    """Where pip's packages put NVIDIA's programs and libraries."""
    return [Path(entry, "nvidia") for entry in sys.path if entry and Path(entry, "nvidia").is_dir()]


@cache
def nvrtc() -> ctypes.CDLL | None:
    """NVRTC of pip's packages, if it is there."""
    for folder in pip_folders():
        for library in sorted(folder.glob("**/libnvrtc.so.*")):
            for builtins in sorted(library.parent.glob("libnvrtc-builtins.so.*")):
                ctypes.CDLL(str(builtins), mode=ctypes.RTLD_GLOBAL)
            return ctypes.CDLL(str(library))
    return None


def available() -> bool:
    """Whether there is a compiler."""
    return NVCC is not None or nvrtc() is not None


def compiled(text: str, arch: str, *flags: str, ptx: bool = False) -> Compiled:
    """Machine code for an architecture, sm_90 or so, or its PTX."""
    return _by_nvrtc(text, arch, flags, ptx) if NVCC is None else _by_nvcc(text, arch, flags, ptx, "text.cu")


class OnEach:
    """A text compiled for one architecture after the other; nvcc reads it only once, for the oldest."""

    def __init__(self, text: str, *flags: str) -> None:
        self._text, self._flags = text, flags
        self.common = compiled(text, "sm_75", *flags, ptx=True)

    def on(self, arch: str) -> Compiled:
        """As `compiled`."""
        if NVCC is None:
            return compiled(self._text, arch, *self._flags)
        return _by_nvcc(self.common.instructions, arch, (), False, "text.ptx")


def _by_nvcc(text: str, arch: str, flags: tuple[str, ...], ptx: bool, name: str) -> Compiled:
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, name), Path(folder, "made")
        source.write_text(text)
        kind = ["-ptx"] if ptx else ["-cubin", "-Xptxas", "-v"]
        command = [str(NVCC), "-w", *kind, f"-arch={arch}", *flags, "-o", str(made), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[:4000])
        return Compiled(made.read_bytes(), done.stderr)


def _by_nvrtc(text: str, arch: str, flags: tuple[str, ...], ptx: bool) -> Compiled:
    library = nvrtc()
    if library is None:
        raise RuntimeError(MISSING)
    program, size = ctypes.c_void_p(), ctypes.c_size_t()

    def read(what: str) -> bytes:
        getattr(library, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        getattr(library, f"nvrtcGet{what}")(program, buffer)
        return buffer.raw

    # The PTX of a virtual architecture is what the assembler is given for the real one.
    options = [f"-arch={arch.replace('sm', 'compute') if ptx else arch}", "-w", *flags]
    options += [] if ptx else ["--ptxas-options=-v"]
    library.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"text.cu", 0, None, None)
    try:
        values = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        failed = library.nvrtcCompileProgram(program, len(options), values)
        log = read("ProgramLog").decode(errors="replace")
        if failed:
            raise RuntimeError(log[:4000])
        return Compiled(read("PTX" if ptx else "CUBIN"), log)
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))
