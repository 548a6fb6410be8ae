"""Fixtures for all tests."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Generator, Iterator
from typing import Any

import cuda_on_host
import cupy_double
import pytest
from cases import DEVICE_PATHS, PATHS, on
from gpus import Gpu
from turn import in_turn, is_in_turn

from keyrng._executors import gpu


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every", type=int, default=1, help="run every N-th test, starting from TESTS_TURN")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Mark with `long` the tests of @turns(N) that are not in turn; of those that -m and -k select, keep --every."""
    places: Counter[str] = Counter()
    for item in items:
        turns = item.get_closest_marker("turns")
        if turns and not any(map(item.get_closest_marker, ("long", "cuda"))):
            function = item.nodeid.partition("[")[0]
            if not is_in_turn(places[function], *turns.args):
                item.add_marker(pytest.mark.long)
            places[function] += 1
    yield
    every = config.getoption("every")
    config.hook.pytest_deselected(items=[item for place, item in enumerate(items) if not is_in_turn(place, every)])
    items[:] = in_turn(items, every)


@pytest.fixture(params=PATHS[:2])
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    """NumPy, and the compiled path with its best instruction set; test_laws.py compares the others."""
    with on(request.param) as name:
        yield name


@pytest.fixture(params=(*PATHS[:2], *DEVICE_PATHS))
def any_path(request: pytest.FixtureRequest) -> Iterator[str]:
    """As `path`, and the CUDA path: its source on the host, through a double of CuPy, and a real GPU."""
    with on(request.param) as name:
        yield name


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Skip the tests after TESTS_UNTIL, so that benchmarks/gpu_proof.sh gets results in a limited time."""
    if time.time() > float(os.environ.get("TESTS_UNTIL", "inf")):
        pytest.skip("not reached before TESTS_UNTIL")


@pytest.fixture(params=PATHS)
def every_path(request: pytest.FixtureRequest) -> Iterator[str]:
    """NumPy, and the compiled path with each instruction set."""
    with on(request.param) as name:
        yield name


@pytest.fixture(params=DEVICE_PATHS)
def there(request: pytest.FixtureRequest) -> Iterator[Gpu]:
    """CuPy with the GPUs of this machine, or its double with two."""
    if request.param == "gpu":
        if gpu.missing_reason():
            pytest.skip(gpu.missing_reason())
        yield Gpu(gpu.cupy(), gpu.cupy().cuda.runtime.getDeviceCount(), False)
        return
    if cuda_on_host.GXX is None:
        pytest.skip("no g++ on the PATH to run the CUDA source")
    with cupy_double.installed(devices=2):
        yield Gpu(gpu.cupy(), 2, True)


@pytest.fixture
def two(there: Gpu) -> Gpu:
    """As `there`, with at least two GPUs."""
    if there.devices < 2:
        pytest.skip("there is one GPU")
    return there


@pytest.fixture
def cupy(there: Gpu) -> Any:
    """The module of `there`."""
    return there.cupy
