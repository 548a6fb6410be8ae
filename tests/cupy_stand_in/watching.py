"""A record of the devices' work: launches, and copies and waits by the keyrng function that requested them."""

from __future__ import annotations

import ctypes
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import keyrng

PACKAGE = f"{Path(keyrng.__file__).parent}{os.sep}"
ALLOWED = Path(__file__).with_name("transfers.txt")
HOOK = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_long))


@dataclass(frozen=True)
class Launch:
    """A kernel, its grid and block, and where it was launched."""

    name: str
    grid: tuple[int, ...]
    block: tuple[int, ...]
    stream: int
    device: int
    captured: bool


@dataclass
class Record:
    """All that was told since the start, or since `launches` was cleared."""

    launches: list[Launch] = field(default_factory=list)
    transfers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    forbidden: frozenset[str] = frozenset()

    def told(self, what: bytes, name: bytes, numbers: ctypes._Pointer[ctypes.c_long]) -> None:
        kind = what.decode()
        if kind == "launch":
            n = numbers[:7]
            self.launches.append(Launch(name.decode(), (n[0], n[1]), (n[2], n[3]), n[4], n[5], bool(n[6])))
        elif kind in ("refused", "damage"):
            self.faults.append(f"{kind}: {name.decode()}")
        else:
            site = _site()
            if site:
                self.transfers[f"{kind} {site}"] += 1
            if kind in self.forbidden:
                self.faults.append(f"{kind} inside without_waiting, by {site or 'the test'}")


record = Record()


def _site() -> str:
    """The innermost function of keyrng's that asks for it, as file:function; empty if a test does.

    `Device.receive` copies for others.
    """
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename.removeprefix(PACKAGE)
        if file != frame.f_code.co_filename and frame.f_code.co_name != "receive":
            return f"{file}:{frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def allowed() -> set[str]:
    """Return the transfers that keyrng may make, from the list in this folder."""
    lines = (line.partition("#")[0].strip() for line in ALLOWED.read_text().splitlines())
    return {line for line in lines if line}


@contextmanager
def without_waiting(*, uploads: bool = True) -> Iterator[None]:
    """Any copy to the host and any wait is a fault; any upload too, if `uploads` is false."""
    before = record.forbidden
    record.forbidden = frozenset({"to host", "wait"} | (set() if uploads else {"upload"}))
    try:
        yield
    finally:
        record.forbidden = before
