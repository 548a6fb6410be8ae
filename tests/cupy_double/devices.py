"""The simulated machine: devices, streams, the current ones, and operations that block the host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import local
from typing import Any


class CUDARuntimeError(RuntimeError):
    """CuPy's exception for an error of the runtime."""

    def __init__(self, status: int) -> None:
        super().__init__(f"cudaError {status}")
        self.status = status


@dataclass
class Machine:
    """How many devices there are, what was launched, and what may not happen now."""

    devices: int
    launches: list[Any] = field(default_factory=list)
    forbidden: frozenset[str] = frozenset()
    here: local = field(default_factory=local)  # of each host thread: its device, and the streams it has entered

    def tell(self, what: str, why: str) -> None:
        """A copy to the host, an upload or a wait: an error where it may not be."""
        assert what not in self.forbidden, f"no {what} is allowed here: {why}"


_machine = Machine(devices=0)


def machine() -> Machine:
    """The machine that is installed."""
    return _machine


def start(new: Machine) -> Machine:
    """Put another machine in the place of the one there is, which is returned."""
    global _machine
    old, _machine = _machine, new
    return old


@contextmanager
def no_synchronization(*, uploads: bool = True) -> Iterator[None]:
    """Any copy to the host and any wait is an error; any upload too, if `uploads` is false."""
    now = machine()
    before = now.forbidden
    now.forbidden = frozenset({"copy to the host", "wait"} | (set() if uploads else {"upload"}))
    try:
        yield
    finally:
        now.forbidden = before


def get_device_count() -> int:
    if machine().devices == 0:
        raise CUDARuntimeError(100)
    return machine().devices


def get_device() -> int:
    get_device_count()
    return getattr(machine().here, "device", 0)


class Device:
    """A device by its number; current inside a ``with``."""

    def __init__(self, device: int | None = None) -> None:
        self.id = get_device() if device is None else int(device)

    def __enter__(self) -> Device:
        before = get_device()
        self.use()
        machine().here.__dict__.setdefault("stack", []).append(before)
        return self

    def __exit__(self, *error: object) -> None:
        machine().here.device = machine().here.stack.pop()

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, Device) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # the real one has none either

    def use(self) -> None:
        if not 0 <= self.id < get_device_count():
            raise CUDARuntimeError(101)
        machine().here.device = self.id

    @property
    def attributes(self) -> dict[str, int]:
        return {"MultiProcessorCount": 2}


_addresses = count(16, 16)


class Stream:
    """A stream, on which everything is done at once; current inside a ``with``."""

    def __init__(self, null: bool = False, non_blocking: bool = False) -> None:
        self.ptr = 0 if null else next(_addresses)

    @classmethod
    def from_external(cls, stream: Any) -> Stream:
        """Another library's stream, which has the protocol __cuda_stream__."""
        made = cls()
        _, made.ptr = stream.__cuda_stream__()
        return made

    def __enter__(self) -> Stream:
        machine().here.__dict__.setdefault("streams", []).append(self)
        return self

    def __exit__(self, *error: object) -> None:
        machine().here.streams.pop()

    def synchronize(self) -> None:
        machine().tell("wait", "for a stream")


def get_current_stream() -> Stream:
    streams = getattr(machine().here, "streams", None)
    return streams[-1] if streams else Stream(null=True)
