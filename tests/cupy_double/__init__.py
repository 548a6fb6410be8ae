"""A double of CuPy: what keyrng uses of it, in the host's memory, with checks that the real one does not make.

`installed` puts it in the place of ``cupy``. All devices are one machine's: `machine` tells what was launched, copied
and waited for. It shows neither races nor speed: all is done at once, in the order in which it is called.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from cupy_double import arrays, devices, functions, launches, randoms
from cupy_double.arrays import ForeignArray, ForeignTensor, ndarray
from cupy_double.devices import Machine, machine, no_synchronization
from cupy_double.launches import Launch, RawModule

__all__ = [
    "ForeignArray",
    "ForeignTensor",
    "Launch",
    "Machine",
    "RawModule",
    "installed",
    "machine",
    "ndarray",
    "no_synchronization",
]

_ARRAYS = "ndarray empty zeros full empty_like zeros_like array asarray from_dlpack asnumpy"
_FUNCTIONS = """
arange ascontiguousarray broadcast_to moveaxis swapaxes expand_dims may_share_memory shares_memory concatenate stack
where take take_along_axis sort argsort argmax cumsum amax amin sum all searchsorted nonzero flatnonzero repeat tile
maximum minimum fmod rint
"""
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
        CUDARuntimeError=devices.CUDARuntimeError,
        getDevice=devices.get_device,
        setDevice=devices.set_device,
        getDeviceCount=devices.get_device_count,
        deviceSynchronize=devices.synchronize_device,
        runtimeGetVersion=lambda: 12090,
        driverGetVersion=lambda: 12090 if machine().driver else 0,
        getDeviceProperties=lambda device: {"name": b"double", "multiProcessorCount": machine().multiprocessors},
        is_hip=False,
    )
    driver = _module(
        "cupy_backends.cuda.api.driver",
        CUDADriverError=devices.CUDADriverError,
        occupancyMaxActiveBlocksPerMultiprocessor=launches.fitting_blocks,
    )
    nvrtc = _module("cupy_backends.cuda.libs.nvrtc", getVersion=devices.nvrtc_version)
    api = _module("cupy_backends.cuda.api", runtime=runtime, driver=driver)
    libs = _module("cupy_backends.cuda.libs", nvrtc=nvrtc)
    backends_cuda = _module("cupy_backends.cuda", api=api, libs=libs)
    stream = _module("cupy.cuda.stream", Stream=devices.Stream, get_current_stream=devices.get_current_stream)
    cuda = _module(
        "cupy.cuda",
        Device=devices.Device,
        Stream=devices.Stream,
        Graph=devices.Graph,
        Event=devices.Event,
        MemoryPointer=arrays.MemoryPointer,
        MemoryPool=devices.MemoryPool,
        using_allocator=devices.using_allocator,
        set_allocator=lambda allocator=None: None,
        get_current_stream=devices.get_current_stream,
        get_elapsed_time=devices.get_elapsed_time,
        is_available=devices.is_available,
        runtime=runtime,
        driver=driver,
        nvrtc=nvrtc,
        stream=stream,
        curand=_module("cupy.cuda.curand", **randoms.CURAND),
    )
    random = _module(
        "cupy.random", **{n: getattr(randoms, n) for n in ("Generator", "RandomState", "XORWOW", "Philox4x3210")}
    )
    linalg = _module("cupy.linalg", **{name: getattr(functions, name) for name in ("qr", "cholesky", "eigh", "svd")})
    cupy = _module(
        "cupy",
        **{name: getattr(arrays, name) for name in _ARRAYS.split()},
        **{name: getattr(functions, name) for name in _FUNCTIONS.split()},
        **{name: getattr(np, name) for name in _NUMPY.split()},
        any=functions.any_,
        max=functions.amax,
        min=functions.amin,
        RawModule=launches.RawModule,
        RawKernel=randoms.RawKernel,
        get_default_memory_pool=devices.MemoryPool,
        cuda=cuda,
        linalg=linalg,
        random=random,
        __version__="14.2.0",
    )
    backends = _module("cupy_backends", cuda=backends_cuda)
    parts = (cupy, cuda, stream, linalg, random, backends, backends_cuda, api, runtime, driver, libs, nvrtc)
    return {part.__name__: part for part in parts}


@contextmanager
def installed(
    devices: int = 2,
    *,
    multiprocessors: int = 2,
    driver: bool = True,
    nvrtc: bool = True,
    folder: Path | None = None,
) -> Iterator[Machine]:
    """Put the double in the place of ``cupy``, with a machine of so many devices; compiled text is kept in `folder`."""
    before = {name: sys.modules.get(name) for name in _MODULES}
    new = Machine(devices, multiprocessors, driver, nvrtc)
    old, folder_before = _start(new), RawModule.folder
    sys.modules.update(_MODULES)
    RawModule.folder = folder
    try:
        yield new
    finally:
        RawModule.folder = folder_before
        _start(old)
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


_start = devices.start
_MODULES = modules()
