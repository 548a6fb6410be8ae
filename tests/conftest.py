"""Fixtures of the whole suite."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import cuda_on_host
import cupy_double
import pytest
from cases import DEVICE_PATHS, PATHS, on
from gpus import Gpu

from keyrng._executors import gpu


@pytest.fixture(params=PATHS[:2])
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    """NumPy, and the compiled path with its best instruction set; that the others agree is a test of test_laws.py."""
    with on(request.param) as name:
        yield name


@pytest.fixture(params=(*PATHS[:2], *DEVICE_PATHS))
def any_path(request: pytest.FixtureRequest) -> Iterator[str]:
    """As `path`, and a GPU: its text on the host, by a double of CuPy, and CuPy itself."""
    with on(request.param) as name:
        yield name


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Where time is limited, as in benchmarks/gpu_proof.sh, late tests are skipped, and results are still written."""
    if time.time() > float(os.environ.get("TESTS_UNTIL", "inf")):
        pytest.skip("not reached before TESTS_UNTIL")


@pytest.fixture(params=PATHS)
def every_path(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every executor there is: NumPy, and the compiled path with each instruction set."""
    with on(request.param) as name:
        yield name


@pytest.fixture(params=DEVICE_PATHS)
def there(request: pytest.FixtureRequest) -> Iterator[Gpu]:
    """CuPy with the GPUs there are, or its double with two."""
    if request.param == "gpu":
        if gpu.missing_reason():
            pytest.skip(gpu.missing_reason())
        yield Gpu(gpu.cupy(), gpu.cupy().cuda.runtime.getDeviceCount(), False)
        return
    if cuda_on_host.GXX is None:
        pytest.skip("no g++ on the PATH to run the CUDA text with")
    with cupy_double.installed(devices=2):
        yield Gpu(gpu.cupy(), 2, True)


@pytest.fixture
def two(there: Gpu) -> Gpu:
    """As `there`, where there is more than one GPU."""
    if there.devices < 2:
        pytest.skip("there is one GPU")
    return there


@pytest.fixture
def cupy(there: Gpu) -> Any:
    """As `there`, the module alone."""
    return there.cupy
