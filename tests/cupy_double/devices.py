"""The machine: its devices and streams, which of them are current, graphs, and the count of what makes a host wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import local
from typing import Any, ClassVar

ERRORS = {
    1: "cudaErrorInvalidValue: invalid argument",
    35: "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version",
    100: "cudaErrorNoDevice: no CUDA-capable device is detected",
    101: "cudaErrorInvalidDevice: invalid device ordinal",
    900: "cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing",
}


class CUDARuntimeError(RuntimeError):
    """What CuPy raises where the runtime refuses."""

    def __init__(self, status: int) -> None:
        super().__init__(ERRORS[status])
        self.status = status


class CUDADriverError(RuntimeError):
    """What CuPy raises where the driver refuses, such as a launch."""


@dataclass
class Machine:
    """What is there, and what was done with it."""

    devices: int = 2
    multiprocessors: int = 2
    driver: bool = True
    nvrtc: bool = True
    copies_to_host: int = 0
    copies_to_device: int = 0
    waits: int = 0
    launches: list[Any] = field(default_factory=list)
    synchronization: bool = True
    uploads: bool = True
    here: local = field(default_factory=local)  # of each host thread: its device, and its stream on each

    def count(self, what: str, why: str) -> None:
        """Count a copy or a wait, where it may be."""
        allowed = self.uploads if what == "copies_to_device" else self.synchronization
        assert allowed, f"no {what.replace('_', ' ')} is allowed here: {why}"
        if _capturing() is not None:
            raise CUDARuntimeError(900)
        setattr(self, what, getattr(self, what) + 1)


_machine = Machine(devices=0, driver=False)


def machine() -> Machine:
    """The machine there is now."""
    return _machine


def start(new: Machine) -> Machine:
    """Put a new machine in the old one's place, which is returned."""
    global _machine
    old, _machine = _machine, new
    return old


@contextmanager
def no_synchronization(*, uploads: bool = True) -> Iterator[None]:
    """Any copy to the host, and any wait for the device, is an error; copies to the device, if `uploads` is false."""
    now = machine()
    before = now.synchronization, now.uploads
    now.synchronization, now.uploads = False, uploads
    try:
        yield
    finally:
        now.synchronization, now.uploads = before


# Devices


def get_device_count() -> int:
    if not machine().driver:
        raise CUDARuntimeError(35)
    if machine().devices == 0:
        raise CUDARuntimeError(100)
    return machine().devices


def get_device() -> int:
    get_device_count()
    return getattr(machine().here, "device", 0)


def set_device(device: int) -> None:
    if not 0 <= device < get_device_count():
        raise CUDARuntimeError(101)
    machine().here.device = device


def synchronize_device() -> None:
    machine().count("waits", "the host waits for the device")


def is_available() -> bool:
    try:
        return get_device_count() > 0
    except CUDARuntimeError as error:
        if error.status != 100:  # as the real one
            raise
        return False


class Device:
    """A device by its number, which is only looked at when the device is used."""

    def __init__(self, device: Any = None) -> None:
        self.id = get_device() if device is None else int(device)

    def __enter__(self) -> Device:
        before = get_device()
        if self.id != before:
            set_device(self.id)
        machine().here.__dict__.setdefault("stack", []).append(before)
        return self

    def __exit__(self, *error: object) -> None:
        set_device(machine().here.stack.pop())

    def __int__(self) -> int:
        return self.id

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, Device) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # the real one has none either

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"

    def use(self) -> None:
        set_device(self.id)

    def synchronize(self) -> None:
        with self:
            synchronize_device()

    @property
    def attributes(self) -> dict[str, int]:
        with self:
            return {
                "MultiProcessorCount": machine().multiprocessors,
                "MaxThreadsPerBlock": 1024,
                "L2CacheSize": 2**16,
                "ClockRate": 1_980_000,  # kHz
            }

    @property
    def compute_capability(self) -> str:
        with self:
            return "90"

    @property
    def mem_info(self) -> tuple[int, int]:
        """Bytes that are free, and all."""
        with self:
            return 2**36, 2**36


# Streams and graphs

_pointers = count(0x5EED0000, 16)


class Stream:
    """A stream of the device that was current; current for one host thread and that device."""

    null: ClassVar[Stream]
    ptds: ClassVar[Stream]

    def __init__(
        self, null: bool = False, non_blocking: bool = False, ptds: bool = False, priority: int | None = None
    ) -> None:
        self.device_id = -1 if null or ptds else get_device()
        self.ptr = 0 if null else 2 if ptds else next(_pointers)
        self._graph: Graph | None = None
        self._before: list[tuple[int, Stream]] = []

    @classmethod
    def from_external(cls, stream: Any) -> Stream:
        """A stream of another library's, which has the protocol __cuda_stream__."""
        assert len(stream.__cuda_stream__()) == 2
        return cls()

    def _here(self) -> int:
        if self.device_id not in (-1, get_device()):
            raise RuntimeError(f"This stream was not created on the current device {get_device()}: {self}")
        return get_device()

    def __enter__(self) -> Stream:
        self._before.append((self._here(), get_current_stream()))
        return self.use()

    def __exit__(self, *error: object) -> None:
        device, before = self._before.pop()
        _streams()[device] = before

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.ptr == other.ptr

    def __hash__(self) -> int:
        return self.ptr

    def __repr__(self) -> str:
        return f"<Stream {self.ptr} (device {self.device_id})>"

    def use(self) -> Stream:
        _streams()[self._here()] = self
        return self

    def synchronize(self) -> None:
        machine().count("waits", "the host waits for a stream")

    def begin_capture(self, mode: int | None = None) -> None:
        if self.ptr in (0, 1):
            raise RuntimeError("cannot capture on the default (legacy) stream")
        self._graph = Graph._of(get_device())

    def end_capture(self) -> Graph:
        if self._graph is None:
            raise CUDARuntimeError(1)
        graph, self._graph = self._graph, None
        for memory in graph._allocated:
            memory.spoil()
        return graph

    def is_capturing(self) -> bool:
        return self._graph is not None


Stream.null = Stream(null=True)
Stream.ptds = Stream(ptds=True)


def _streams() -> dict[int, Stream]:
    return machine().here.__dict__.setdefault("streams", {})


def get_current_stream(device_id: int = -1) -> Stream:
    return _streams().get(get_device() if device_id == -1 else device_id, Stream.null)


class Graph:
    """What was done on a stream while it was captured, to be done again with the memory as it is then.

    Unlike in a real capture it is done once during the capture too, for later steps may need its results; what was
    allocated meanwhile is spoilt at the end, for in truth nothing has written there yet.
    """

    def __init__(self) -> None:
        raise NotImplementedError("a graph comes from the capture of a stream")

    @classmethod
    def _of(cls, device: int) -> Graph:
        graph: Graph = object.__new__(cls)
        graph._device, graph._steps, graph._allocated = device, [], []
        return graph

    _device: int
    _steps: list[Callable[[], None]]
    _allocated: list[Any]

    def launch(self, stream: Stream | None = None) -> None:
        with Device(self._device), get_current_stream() if stream is None else stream:
            for step in self._steps:
                step()

    def upload(self, stream: Stream | None = None) -> None:
        pass


def _capturing() -> Graph | None:
    return get_current_stream()._graph if machine().devices and machine().driver else None


def remember(step: Callable[[], None]) -> None:
    """Do this again when the graph is launched that the current stream is captured into, if it is."""
    graph = _capturing()
    if graph is not None:
        graph._steps.append(step)


def do(step: Callable[[], None]) -> None:
    """Do something on the current stream."""
    step()
    remember(step)


def allocated(memory: Any) -> None:
    """Count memory for the pool, and remember it during a capture."""
    pool = getattr(machine().here, "pool", None)
    if pool is not None:
        pool.total += memory.nbytes
    graph = _capturing()
    if graph is not None:
        graph._allocated.append(memory)


class MemoryPool:
    """It only counts, because memory is never used again here."""

    def __init__(self) -> None:
        self.total = 0

    def malloc(self, size: int) -> Any:
        raise NotImplementedError("the double has pools for using_allocator alone")

    def total_bytes(self) -> int:
        return self.total

    def free_all_blocks(self) -> None:
        pass


@contextmanager
def using_allocator(allocator: Any) -> Iterator[None]:
    """With a pool's ``malloc``: the pool counts what this thread allocates."""
    here, pool = machine().here, allocator.__self__
    before = getattr(here, "pool", None)
    here.pool = pool
    try:
        yield
    finally:
        here.pool = before


class Event:
    """A moment; here that of the host."""

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        self.time = 0.0

    def record(self, stream: Stream | None = None) -> None:
        self.time = time.perf_counter()

    def synchronize(self) -> None:
        machine().count("waits", "the host waits for an event")

    @property
    def done(self) -> bool:
        return True


def get_elapsed_time(start_event: Event, end_event: Event) -> float:
    return (end_event.time - start_event.time) * 1e3


def nvrtc_version() -> tuple[int, int]:
    if not machine().nvrtc:
        raise RuntimeError('Failure finding "libnvrtc.so.13 or libnvrtc.so.12": No such file')
    return 12, 9
