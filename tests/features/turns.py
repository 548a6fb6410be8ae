"""Threads that contend with each other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any


def in_threads(count: int, module: ModuleType, act: Callable[[], None]) -> None:
    """Do something in several threads at once, which take turns after every line of a module."""
    start = threading.Barrier(count)

    def turn(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename != module.__file__:
            return None
        time.sleep(1e-5)
        return turn

    def run() -> None:
        start.wait()
        act()

    before = threading.gettrace()
    threading.settrace(turn)
    try:
        threads = [threading.Thread(target=run) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        threading.settrace(before)  # type: ignore[arg-type]
