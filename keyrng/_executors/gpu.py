"""Access to CuPy, and diagnosis of missing GPU support; no other module imports CuPy.

CuPy is imported when a key is created on a GPU or support is queried.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from keyrng._core.arguments import is_tensor

_OLDEST_DRIVER = {12: 525, 13: 580}  # by major version of CUDA, from NVIDIA's compatibility table

_imported: Any = None


def cupy() -> Any:
    """Return CuPy; RuntimeError that says what is missing and how to install it if no GPU can be used."""
    global _imported
    if _imported is not None and sys.modules.get("cupy") is _imported:
        return _imported
    reason = missing_reason()
    if not reason:
        try:
            _imported = import_module("cupy")
        except Exception as error:
            reason = _not_loaded(error)
    if reason:
        raise RuntimeError(f"keys on a GPU are not available: {reason}")
    return _imported


class PendingValue:
    """A value that a GPU computes when it is read; see `keyrng._executors.pending`."""

    __slots__ = ()


def is_on_gpu(value: object) -> bool:
    """Whether a value is an array in the memory of a GPU, of any library; TypeError if it is not shared."""
    try:
        return isinstance(value, PendingValue) or hasattr(value, "__cuda_array_interface__")
    except Exception as error:  # of a tensor that requires a gradient, or an array of jax on several devices
        kind, hint = type(value).__name__, "; tensor.detach() shares it" if is_tensor(value) else ""
        raise TypeError(f"the memory of a {kind} on a GPU is not shared: {first_line(error)}{hint}") from None


def is_read_only(value: Any) -> bool:
    """Whether an array on a GPU must not be written to; CuPy ignores the flag of DLPack that says so."""
    if isinstance(value, cupy().ndarray):
        return False
    return value.__cuda_array_interface__["data"][1] or type(value).__module__.startswith("jax")


def as_array(value: Any) -> Any:
    """Return an array in GPU memory, of any library, as a CuPy array of the same memory.

    DLPack is preferred, because it orders streams without synchronizing and supports bfloat16.
    """
    module = cupy()
    if isinstance(value, (module.ndarray, PendingValue)):
        return value
    return module.from_dlpack(value) if hasattr(value, "__dlpack__") else module.asarray(value)


def missing_reason() -> str:
    """Return what is missing for keys on a GPU, CuPy, driver, GPU or NVRTC, and how to install it; empty if nothing is.

    It never raises. Without a driver or a GPU it loads one module of CuPy in milliseconds; then it looks for NVRTC,
    which imports CuPy and takes a second.
    """
    try:
        if sys.modules.get("cupy") is None and find_spec("cupy") is None:
            return f"CuPy is not installed; type: {_install(13)} (cuda12 if the driver is older than 580)"
        runtime = _library("api", "runtime")
    except Exception as error:
        return _not_loaded(error)
    return _without_device(runtime) or _without_compiler(runtime)


def devices() -> list[str]:
    """Return the names of the GPUs, in order of their numbers; requires that nothing is missing."""
    runtime = _library("api", "runtime")
    return [runtime.getDeviceProperties(i)["name"].decode() for i in range(runtime.getDeviceCount())]


def _library(package: str, name: str) -> Any:
    """Import a library that CuPy is based on; if CuPy is imported already, return what it has under this name."""
    if sys.modules.get("cupy") is None:
        return import_module(f"cupy_backends.cuda.{package}.{name}")
    cupy = import_module("cupy")  # not sys.modules: another thread may be importing it
    return getattr(cupy.cuda, name, None)


def _without_device(runtime: Any) -> str:
    if getattr(runtime, "is_hip", False):
        return f"this CuPy is for ROCm, but keyrng requires CUDA; in another environment type: {_install(13)}"
    try:
        return "" if runtime.getDeviceCount() else _NO_GPU
    except Exception as error:
        return _no_devices(runtime, error)


_UBUNTU = "on Ubuntu type: sudo ubuntu-drivers install"
_NO_GPU = (
    "the driver shows no GPU; type: nvidia-smi -L, and if CUDA_VISIBLE_DEVICES hides a GPU: unset CUDA_VISIBLE_DEVICES"
)


def _no_devices(runtime: Any, error: Exception) -> str:
    """Explain by an error's status why devices cannot be counted: 35 for a missing or old driver, 100 for no device."""
    status = getattr(error, "status", None)
    if status == 100:
        return _NO_GPU
    driver, needed = _number(runtime, "driverGetVersion"), _number(runtime, "runtimeGetVersion")
    if status != 35 or driver is None or needed is None:
        return f"CUDA says {first_line(error)}; type: nvidia-smi, which shows what the driver finds"
    if driver == 0:
        return (
            f"the NVIDIA driver is not installed; install it ({_UBUNTU}); a container "
            "needs access to GPUs too (type: docker run --gpus all)"
        )
    older = f", or type: pip uninstall cupy-cuda13x && {_install(12)}" if driver >= 12000 else ""
    return (
        f"the NVIDIA driver supports CUDA {_dotted(driver)}, but CuPy requires {_dotted(needed)}; install driver "
        f"version {_OLDEST_DRIVER.get(needed // 1000, 580)} or later ({_UBUNTU}){older}"
    )


def _without_compiler(runtime: Any) -> str:
    try:
        nvrtc = _library("libs", "nvrtc")
        if nvrtc is not None:
            nvrtc.getVersion()
    except Exception:
        built_for = _number(runtime, "runtimeGetVersion") or 13000
        return f"NVRTC, the compiler of CUDA kernels, is not installed; type: {_install(built_for // 1000)}"
    return ""


def _not_loaded(error: Exception) -> str:
    return f"CuPy is installed but cannot be imported: {first_line(error)}; for details type: python -c 'import cupy'"


def _install(cuda: int) -> str:
    return f'pip install "keyrng[cuda{cuda}]"'


def _number(runtime: Any, name: str) -> int | None:
    try:
        return int(getattr(runtime, name)())
    except Exception:
        return None


def _dotted(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"


def first_line(error: Exception) -> str:
    """The type of an error and the first line of its text."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" =")]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
