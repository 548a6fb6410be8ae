"""The hand-written AVX2 loop of avx2_threefry.c: compiled here, checked against keyrng, called through ctypes."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import keyrng
from keyrng._executors import native

SOURCE = Path(__file__).with_name("avx2_threefry.c")
PADDING = 64  # extra floats at the end of `out`: the loop writes whole groups


def uniform(key: keyrng.Key, count: int, padded: np.ndarray, registers: int) -> Callable[[], None]:
    """Return a function that writes ``keyrng.uniform(key, (count,))`` to ``padded``; RuntimeError if unavailable."""
    if "avx2" not in native.instruction_sets():
        raise RuntimeError("AVX2 is not available on this processor or in this build")
    if shutil.which("cc") is None:
        raise RuntimeError("the C compiler cc was not found")
    with tempfile.TemporaryDirectory() as folder:
        library = f"{folder}/loop.so"
        command = ["cc", "-O3", "-mavx2", f"-DREGISTERS={registers}", "-shared", "-fPIC", str(SOURCE), "-o", library]
        subprocess.run(command, check=True)
        function = ctypes.CDLL(library).uniform
    function.argtypes = [ctypes.c_uint32, ctypes.c_uint32, ctypes.c_size_t, ctypes.c_void_p]
    function.restype = None
    key0, key1 = (int(word) for word in keyrng.key_data(key))
    address = padded.ctypes.data

    def call() -> None:
        function(key0, key1, count, address)

    call()
    if not np.array_equal(padded[:count], keyrng.uniform(key, (count,))):
        raise AssertionError("the hand-written loop returns values different from keyrng's")
    return call
