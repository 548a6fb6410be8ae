"""A test double of CuPy: the array functions that keyrng uses, in host memory, for tests without CuPy.

`installed` puts it in the place of ``cupy``. It checks the types of the arguments of launches, which nothing real does,
and refuses copies to the host and waits. All else is proved better by `cupy_stand_in`, on which CuPy itself runs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

from cupy_double import arrays, functions, launches
from cupy_double import devices as there
from cupy_double.arrays import ndarray
from cupy_double.devices import Machine, machine, no_synchronization, start

__all__ = ["Machine", "installed", "machine", "ndarray", "no_synchronization"]

_NUMPY = """
bool_ int8 int16 int32 int64 intp uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128
"""


def _module(name: str, **content: Any) -> ModuleType:
    module = ModuleType(name, "A double.")
    module.__spec__ = ModuleSpec(name, None, is_package=True)
    module.__path__ = []
    module.__dict__.update(content)
    return module


def modules() -> dict[str, ModuleType]:
    """All of them, by the names they are imported by."""
    runtime = _module(
        "cupy_backends.cuda.api.runtime",
        CUDARuntimeError=there.CUDARuntimeError,
        getDevice=there.get_device,
        getDeviceCount=there.get_device_count,
    )
    nvrtc = _module("cupy_backends.cuda.libs.nvrtc", getVersion=lambda: (13, 0))
    cuda = _module(
        "cupy.cuda",
        Device=there.Device,
        Stream=there.Stream,
        get_current_stream=there.get_current_stream,
        runtime=runtime,
        nvrtc=nvrtc,
    )
    cupy = _module(
        "cupy",
        **functions.FUNCTIONS,
        **{name: getattr(np, name) for name in _NUMPY.split()},
        ndarray=arrays.ndarray,
        RawModule=launches.RawModule,
        cuda=cuda,
        linalg=_module("cupy.linalg", **functions.FACTORS),
    )
    return {part.__name__: part for part in (cupy, cuda, cupy.linalg, runtime, nvrtc)}


_MODULES = modules()


@contextmanager
def installed(devices: int = 2) -> Iterator[Machine]:
    """Put the double in the place of ``cupy``, with a machine of so many devices."""
    before = {name: sys.modules.get(name) for name in _MODULES}
    new = Machine(devices)
    old = start(new)
    sys.modules.update(_MODULES)
    try:
        yield new
    finally:
        start(old)
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
