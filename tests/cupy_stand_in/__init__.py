"""The real CuPy on a machine without a GPU: a stand-in of the CUDA runtime and driver, on which everything runs.

`start` loads it before CuPy is imported. CuPy's own code, its argument packing, its memory, its streams and its
compilation by NVRTC are real; a launch calls the kernel as the host's compiler made it of the same text, memory is the
host's, and what is done is done at once. It shows neither races nor speed, and proves nothing about a driver.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import sys

import turn

from cupy_stand_in.kernels import serve_kernels, watch_compiler
from cupy_stand_in.library import folder, library, missing_reason, replace_runtime
from cupy_stand_in.routines import replace_routines
from cupy_stand_in.watching import HOOK, record, without_waiting

__all__ = ["active", "in_turn", "missing_reason", "record", "start", "without_waiting"]

_active = False
_hook = HOOK(record.told)


def active() -> bool:
    """Whether CuPy in this process runs on the stand-in."""
    return _active


def start(devices: int) -> None:
    """Load the stand-in, with so many devices, and CuPy on it."""
    global _active
    if "cupy" in sys.modules:
        raise RuntimeError("CuPy is imported already")
    if reason := missing_reason():
        raise RuntimeError(reason)
    os.environ["CUPY_CACHE_DIR"] = str(folder() / "cubins")
    os.environ["CUPY_ACCELERATORS"] = ""  # cub's kernels are compiled into CuPy
    library().stand_in_start(devices, _hook)
    atexit.register(lambda: library().stand_in_start(devices, None))
    _redirect_driver()
    replace_runtime()
    import cupy

    cupy.cuda.set_allocator(None)  # each array is an allocation, with margins that are looked at
    watch_compiler()
    serve_kernels(record.faults)
    replace_routines()
    _active = True


def in_turn(algorithms: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the algorithms to compile each kernel for: the first, and one of the others by turn."""
    return algorithms[0], *turn.in_turn(algorithms[1:], len(algorithms) - 1)


def _redirect_driver() -> None:
    """Load the stand-in where the driver's library is asked for. NVRTC looks for that too, and must not find this."""
    load = ctypes.CDLL

    class CDLL(load):  # type: ignore[misc, valid-type]
        def __init__(self, name: str | None = None, *args: object, **named: object) -> None:
            super().__init__(library()._name if name == "libcuda.so.1" else name, *args, **named)

    ctypes.CDLL = CDLL  # type: ignore[misc]
