"""Floating-point modes that another library may leave enabled, set through the C library in the calling thread."""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

# Where fenv_t has the word of the mode, which bits of it flush subnormal numbers, and which are the direction; 0, the
# one to nearest, is left out.
_PLACES = {
    "x86_64": (28, 0x8040, {"upward": 0x4000, "downward": 0x2000, "toward zero": 0x6000}),
    "aarch64": (0, 1 << 24, {"upward": 1 << 22, "downward": 2 << 22, "toward zero": 3 << 22}),
}

MODES = ("flushing", "upward", "downward", "toward zero")


@contextmanager
def floating_mode(name: str) -> Iterator[None]:
    """Run in a mode: "flushing" takes subnormal numbers as zero and makes none, the others round in a direction."""
    if sys.platform != "linux" or platform.machine() not in _PLACES or platform.libc_ver()[0] != "glibc":
        pytest.skip("the position of the mode in this platform's fenv_t is unknown")
    offset, flush, directions = _PLACES[platform.machine()]
    library = ctypes.CDLL(None)
    before, changed = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
    library.fegetenv(before)
    library.fegetenv(changed)
    word = ctypes.c_uint32.from_buffer(changed, offset)
    word.value |= flush if name == "flushing" else directions[name]
    library.fesetenv(changed)
    try:
        yield
    finally:
        library.fesetenv(before)
