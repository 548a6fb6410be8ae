"""Run GPU tests on the stand-in: pytest -p cupy_stand_in.plugin -m cuda; STAND_IN_DEVICES sets the number of devices.

A test fails that makes a transfer which transfers.txt does not list, or that asks for what the stand-in lacks.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import cupy_stand_in
from cupy_stand_in.watching import allowed, record

REASON = cupy_stand_in.missing_reason()
if not REASON:
    cupy_stand_in.start(int(os.environ.get("STAND_IN_DEVICES", "1")))

_all: Counter[str] = Counter()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if REASON and item.get_closest_marker("cuda"):
        pytest.skip(REASON)


@pytest.fixture(autouse=True)
def _transfers() -> Iterator[None]:
    """Compare what a test has done with the list."""
    yield
    others, faults = sorted(set(record.transfers) - allowed()), list(record.faults)
    _all.update(record.transfers)
    record.transfers.clear()
    record.faults.clear()
    record.launches.clear()
    if others or faults:
        pytest.fail("\n".join([*(f"not in transfers.txt: {other}" for other in others), *faults]), pytrace=False)


def pytest_sessionfinish(session: Any) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["transfers"] = json.dumps(_all)


class _Gather:
    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        _all.update(json.loads(getattr(node, "workeroutput", {}).get("transfers", "{}")))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Gather())


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.section("transfers that keyrng asked for")
    for name, count in sorted(_all.items()):
        terminalreporter.write_line(f"{count:8} {name}")
