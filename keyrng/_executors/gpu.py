"""CuPy, and whether there is a GPU for it to use: the one place that imports it.

Nothing is imported until a key is asked for on a GPU, or somebody asks what is missing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from keyrng._core.arguments import is_tensor

_OLDEST_DRIVER = {12: 525, 13: 580}  # by CUDA's major version, from NVIDIA's table of compatible drivers

_imported: Any = None


def cupy() -> Any:
    """CuPy; RuntimeError that says what is missing, and what to type, where no GPU can be used."""
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
        raise RuntimeError(f"no key can be on a GPU here: {reason}")
    return _imported


def is_on_gpu(value: object) -> bool:
    """Whether a value is an array in the memory of a GPU, of any library; TypeError if it is not shared."""
    try:
        return hasattr(value, "__cuda_array_interface__")
    except Exception as error:  # of a tensor that requires a gradient, or an array of jax on several devices
        kind, hint = type(value).__name__, "; tensor.detach() shares it" if is_tensor(value) else ""
        raise TypeError(f"the memory of a {kind} on a GPU is not shared: {first_line(error)}{hint}") from None


def is_read_only(value: Any) -> bool:
    """Whether an array on a GPU must not be written to; CuPy ignores the flag of DLPack that says so."""
    if isinstance(value, cupy().ndarray):
        return False
    return value.__cuda_array_interface__["data"][1] or type(value).__module__.startswith("jax")


def as_array(value: Any) -> Any:
    """An array in the memory of a GPU, of whatever library, as CuPy's: the same memory.

    By DLPack if it can: that orders streams without waiting for them, and knows bfloat16.
    """
    module = cupy()
    if isinstance(value, module.ndarray):
        return value
    return module.from_dlpack(value) if hasattr(value, "__dlpack__") else module.asarray(value)


def missing_reason() -> str:
    """What a key on a GPU lacks here, CuPy, a driver, a GPU or NVRTC, and what to type; empty if nothing.

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
    """The names of the GPUs, in the order of their numbers; only where nothing is missing."""
    runtime = _library("api", "runtime")
    return [runtime.getDeviceProperties(i)["name"].decode() for i in range(runtime.getDeviceCount())]


def _library(package: str, name: str) -> Any:
    """A module that CuPy rests on; with CuPy already imported what that has of this name, perhaps None."""
    if sys.modules.get("cupy") is None:
        return import_module(f"cupy_backends.cuda.{package}.{name}")
    cupy = import_module("cupy")  # and not from sys.modules: another thread may be in the middle of importing it
    return getattr(cupy.cuda, name, None)


def _without_device(runtime: Any) -> str:
    if getattr(runtime, "is_hip", False):
        return f"this CuPy is for ROCm, keyrng's kernels are for CUDA; in another environment type: {_install(13)}"
    try:
        return "" if runtime.getDeviceCount() else _NO_GPU
    except Exception as error:
        return _no_devices(runtime, error)


_UBUNTU = "on Ubuntu type: sudo ubuntu-drivers install"
_NO_GPU = (
    "the driver shows no GPU; type: nvidia-smi -L, and if CUDA_VISIBLE_DEVICES hides what it lists: "
    "unset CUDA_VISIBLE_DEVICES"
)


def _no_devices(runtime: Any, error: Exception) -> str:
    """Why devices cannot be counted, by the error's status: 35 says that a driver is missing or old, 100 no device."""
    status = getattr(error, "status", None)
    if status == 100:
        return _NO_GPU
    driver, needed = _number(runtime, "driverGetVersion"), _number(runtime, "runtimeGetVersion")
    if status != 35 or driver is None or needed is None:
        return f"CUDA says {first_line(error)}; type: nvidia-smi, which tells what the driver sees"
    if driver == 0:
        return (
            f"there is no NVIDIA driver; on a machine with a GPU of NVIDIA's install one ({_UBUNTU}); a container "
            "needs its GPUs too (type: docker run --gpus all)"
        )
    older = f", or type: pip uninstall cupy-cuda13x && {_install(12)}" if driver >= 12000 else ""
    return (
        f"the NVIDIA driver knows CUDA up to {_dotted(driver)}, this CuPy needs {_dotted(needed)}; install a driver of "
        f"version {_OLDEST_DRIVER.get(needed // 1000, 580)} or later ({_UBUNTU}){older}"
    )


def _without_compiler(runtime: Any) -> str:
    try:
        nvrtc = _library("libs", "nvrtc")
        if nvrtc is not None:
            nvrtc.getVersion()
    except Exception:
        built_for = _number(runtime, "runtimeGetVersion") or 13000
        return f"NVRTC, the compiler for the kernels, is not installed; type: {_install(built_for // 1000)}"
    return ""


def _not_loaded(error: Exception) -> str:
    return f"CuPy is installed but does not load: {first_line(error)}; type: python -c 'import cupy', which says more"


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
