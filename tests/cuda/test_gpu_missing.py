"""Without CuPy, driver, GPU or NVRTC, the error names the missing part and how to install it."""

from __future__ import annotations

import ast
import re
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from processes import python

import keyrng
from keyrng._cli import info
from keyrng._executors import gpu

PACKAGE = Path(keyrng.__file__).parent


class CUDARuntimeError(RuntimeError):
    """As CuPy's: the runtime's status and its text."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status


def fails(error: Exception) -> Any:
    def call(*_: object) -> None:
        raise error

    return call


NO_DRIVER = CUDARuntimeError(35, "cudaErrorInsufficientDriver: CUDA driver version is insufficient")
NO_DEVICE = CUDARuntimeError(100, "cudaErrorNoDevice: no CUDA-capable device is detected")
NO_LIBRARY = RuntimeError("Failure finding libnvrtc.so.13\nNo such file")


def runtime(**changes: Any) -> Any:
    """CuPy's runtime module on a machine with two GPUs, but for the changes."""
    usual = {
        "is_hip": False,
        "getDeviceCount": lambda: 2,
        "getDeviceProperties": lambda i: {"name": f"Model {i}".encode()},
        "driverGetVersion": lambda: 13010,
        "runtimeGetVersion": lambda: 13000,
    }
    return SimpleNamespace(**{**usual, **changes})


def nvrtc(**changes: Any) -> Any:
    return SimpleNamespace(**{"getVersion": lambda: (13, 0), **changes})


@pytest.fixture
def installed(monkeypatch):
    """Install a fake CuPy that has not been imported, given its two modules."""
    monkeypatch.setattr(gpu, "_imported", None)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)

    def install(runtime: Any, nvrtc: Any, cupy: Any = None) -> None:
        modules = {
            "cupy_backends.cuda.api.runtime": runtime,
            "cupy_backends.cuda.libs.nvrtc": nvrtc,
            "cupy": cupy,
        }

        def load(name: str) -> Any:
            if isinstance(modules[name], Exception):
                raise modules[name]
            if name == "cupy":
                sys.modules[name] = modules[name]
            return modules[name]

        monkeypatch.setattr(gpu, "find_spec", lambda name: ModuleSpec(name, None))
        monkeypatch.setattr(gpu, "import_module", load)

    yield install
    sys.modules.pop("cupy", None)  # before monkeypatch puts back what was there


MISSING = {
    "driver": (
        {"getDeviceCount": fails(NO_DRIVER), "driverGetVersion": lambda: 0},
        {},
        ["the NVIDIA driver is not installed", "type: sudo ubuntu-drivers install", "docker run --gpus all"],
    ),
    "new driver, for CUDA 12": (
        {"getDeviceCount": fails(NO_DRIVER), "driverGetVersion": lambda: 12040},
        {},
        [
            "supports CUDA 12.4",
            "requires 13.0",
            "580 or later",
            'pip uninstall cupy-cuda13x && pip install "keyrng[cuda12]"',
        ],
    ),
    "new driver": (
        {
            "getDeviceCount": fails(NO_DRIVER),
            "driverGetVersion": lambda: 11080,
            "runtimeGetVersion": lambda: 12090,
        },
        {},
        ["supports CUDA 11.8", "requires 12.9", "525 or later"],
    ),
    "GPU": ({"getDeviceCount": fails(NO_DEVICE)}, {}, ["shows no GPU", "nvidia-smi -L", "unset CUDA_VISIBLE_DEVICES"]),
    "GPU, without an error": ({"getDeviceCount": lambda: 0}, {}, ["shows no GPU", "nvidia-smi -L"]),
    "sound GPU": (
        {"getDeviceCount": fails(CUDARuntimeError(802, "cudaErrorSystemNotReady: not ready"))},
        {},
        ["CUDA says CUDARuntimeError: cudaErrorSystemNotReady: not ready", "type: nvidia-smi"],
    ),
    "versions": (
        {"getDeviceCount": fails(NO_DRIVER), "driverGetVersion": fails(NO_DRIVER)},
        {},
        ["CUDA says CUDARuntimeError: cudaErrorInsufficientDriver", "type: nvidia-smi"],
    ),
    "CUDA": ({"is_hip": True}, {}, ["ROCm", 'pip install "keyrng[cuda13]"']),
    "NVRTC 13": (
        {},
        {"getVersion": fails(NO_LIBRARY)},
        ["NVRTC", 'is not installed; type: pip install "keyrng[cuda13]"'],
    ),
    "NVRTC 12": (
        {"runtimeGetVersion": lambda: 12090},
        {"getVersion": fails(NO_LIBRARY)},
        ["NVRTC", 'is not installed; type: pip install "keyrng[cuda12]"'],
    ),
}


def check(parts: list[str]) -> None:
    """The reason has the parts and is one line, and `cupy()` gives it too."""
    reason = gpu.missing_reason()
    assert [part for part in parts if part not in reason] == []
    assert "type: " in reason
    assert "\n" not in reason
    with pytest.raises(RuntimeError) as caught:
        gpu.cupy()
    assert str(caught.value) == f"keys on a GPU are not available: {reason}"


@pytest.mark.parametrize("what", MISSING)
def test_what_is_missing_is_said(installed, what):
    of_runtime, of_nvrtc, parts = MISSING[what]
    installed(runtime(**of_runtime), nvrtc(**of_nvrtc))

    check(parts)
    assert "cupy" not in sys.modules


@pytest.mark.parametrize("what", MISSING)
def test_the_same_is_said_where_cupy_is_imported(installed, monkeypatch, what):
    of_runtime, of_nvrtc, parts = MISSING[what]
    cupy = ModuleType("cupy")
    cupy.cuda = SimpleNamespace(runtime=runtime(**of_runtime), nvrtc=nvrtc(**of_nvrtc))  # type: ignore[attr-defined]
    installed(None, None, cupy)
    monkeypatch.setitem(sys.modules, "cupy", cupy)

    check(parts)


def test_cupy_is_missing(monkeypatch):
    monkeypatch.setattr(gpu, "_imported", None)
    monkeypatch.setitem(sys.modules, "cupy", None)  # as a finder that finds nothing

    check(['CuPy is not installed; type: pip install "keyrng[cuda13]" (cuda12 if the driver is older than 580)'])


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ImportError("\n=====\nFailed to import CuPy.\n\nmore"), "ImportError: Failed to import CuPy."),
        (OSError("libcudart.so: cannot open"), "OSError: libcudart.so: cannot open"),
        (ValueError(), "ValueError"),
    ],
)
def test_cupy_does_not_load(installed, error, text):
    message = f"CuPy is installed but cannot be imported: {text}; for details type: python -c 'import cupy'"

    installed(error, nvrtc())
    check([message])
    installed(runtime(), nvrtc(), error)  # unknown to `missing_reason`, because it does not import CuPy
    assert gpu.missing_reason() == ""
    with pytest.raises(RuntimeError, match="keys on a GPU are not available: " + re.escape(message)):
        gpu.cupy()


def test_nothing_is_missing(installed):
    cupy = ModuleType("cupy")
    installed(runtime(), nvrtc(), cupy)

    assert gpu.missing_reason() == ""
    assert gpu.devices() == ["Model 0", "Model 1"]
    assert "cupy" not in sys.modules
    assert gpu.cupy() is cupy
    assert gpu.cupy() is cupy


def test_a_double_is_trusted(monkeypatch):
    """It has no spec and perhaps no NVRTC, and is let go when it leaves ``sys.modules``."""
    monkeypatch.setattr(gpu, "_imported", None)
    for double in (ModuleType("cupy"), ModuleType("cupy")):
        double.cuda = SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=lambda: 1))  # type: ignore[attr-defined]
        assert double.__spec__ is None
        monkeypatch.setitem(sys.modules, "cupy", double)

        assert gpu.missing_reason() == ""
        assert gpu.cupy() is double


def test_info_names_the_devices(installed, monkeypatch, capsys):
    installed(runtime(), nvrtc())
    monkeypatch.setattr(info, "_version", lambda *names: "14.2.0" if "cupy" in names else "")

    info.run()

    assert "  cuda      yes: CuPy 14.2.0; cuda:0 is Model 0, cuda:1 is Model 1\n" in capsys.readouterr().out


def test_info_says_what_is_missing(installed, capsys):
    installed(runtime(), nvrtc(getVersion=fails(NO_LIBRARY)))

    info.run()

    assert "  cuda      no: NVRTC, the compiler of CUDA kernels, is not installed; type: " in capsys.readouterr().out


# With the CuPy that is here, if there is one, and without its warnings and what it prints of errors in __del__.
SCRIPT = """
import sys
import keyrng
from keyrng._executors import gpu
gpu.missing_reason()
sys.exit("cupy" in sys.modules)
"""


def test_to_ask_imports_and_prints_nothing():
    done = python("-W", "error", "-c", SCRIPT)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_cupy_comes_from_one_module():
    """All others ask `gpu.cupy`, which imports it by its name."""
    named = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            if any(name.partition(".")[0] in {"cupy", "cupy_backends", "cupyx"} for name in names):
                named.add(str(path.relative_to(PACKAGE)))

    assert named == set()
