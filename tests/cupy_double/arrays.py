"""Arrays in the memory of a device, which is ordinary memory behind a wall.

What a real device would do silently is an error here: an index out of range, a write past the end of an allocation, an
array of another device. CuPy compiles its arithmetic with -ftz=true, so float32 arithmetic flushes subnormals (except
some reductions of contiguous arrays, so nothing may depend on it).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, TypeAlias
from weakref import WeakSet

import numpy as np

from cupy_double import devices
from cupy_double.devices import CUDARuntimeError, Device, machine

Host: TypeAlias = np.ndarray[Any, Any]

PAGE = 512  # addresses of CuPy's pool are multiples of it
UNWRITTEN = 0xA5
IMPLICIT = (
    "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array explicitly."
)


# Memory

_alive: WeakSet[Memory] = WeakSet()


class Memory:
    """An allocation on the current device, with guards on both sides that nothing may write to."""

    def __init__(self, nbytes: int) -> None:
        self.device, self.nbytes = devices.get_device(), nbytes
        self._room = np.full(nbytes + 3 * PAGE, UNWRITTEN, np.uint8)
        self._start = 2 * PAGE - self._room.ctypes.data % PAGE
        self.bytes = self._room[self._start : self._start + nbytes]
        self.ptr = self.bytes.ctypes.data if nbytes else 0
        _alive.add(self)
        devices.allocated(self)

    def spoil(self) -> None:
        self.bytes.fill(UNWRITTEN)

    def check(self, what: str) -> None:
        """Nothing may have changed beside it."""
        before, after = self._room[: self._start], self._room[self._start + self.nbytes :]
        assert (before == UNWRITTEN).all(), f"{what} wrote before the start of an array's memory"
        assert (after == UNWRITTEN).all(), f"{what} wrote behind the end of an array's memory"


def memory_at(ptr: int, nbytes: int) -> Memory:
    """The allocation an address is of."""
    for memory in list(_alive):
        if nbytes and memory.ptr <= ptr and ptr + nbytes <= memory.ptr + memory.nbytes:
            return memory
    raise CUDARuntimeError(1)


class MemoryPointer:
    """An address and the allocation it is of."""

    def __init__(self, mem: Memory, offset: int) -> None:
        self.mem, self.device_id, self.ptr = mem, mem.device, mem.ptr + offset

    @property
    def device(self) -> Device:
        return Device(self.device_id)

    def memset_async(self, value: int, size: int, stream: Any = None) -> None:
        start = self.ptr - self.mem.ptr
        devices.do(lambda: self.mem.bytes[start : start + size].fill(value))

    def __int__(self) -> int:
        return self.ptr


def flushed(x: Any) -> Any:
    """Float32 with zeros in the place of subnormals, as -ftz=true has them."""
    if getattr(x, "dtype", None) == np.complex64:
        parts = np.ascontiguousarray(x).view(np.float32).reshape(*np.shape(x), 2)
        return flushed(parts).view(np.complex64).reshape(np.shape(x))
    if getattr(x, "dtype", None) != np.float32:
        return x
    small = np.abs(x) < np.finfo(np.float32).tiny
    return np.where(small, np.copysign(np.float32(0), x), x)


# Arrays


class ndarray:
    """An array in a device's memory."""

    _array: Host
    _memory: Memory
    __array_priority__ = 100

    def __init__(
        self, shape: Any, dtype: Any = float, memptr: Any = None, strides: Any = None, order: str = "C"
    ) -> None:
        if memptr is not None and strides is not None:
            raise NotImplementedError("the double makes no arrays of strides")
        nbytes = math.prod(shape if isinstance(shape, tuple | list) else (shape,)) * np.dtype(dtype).itemsize
        self._memory = Memory(nbytes) if memptr is None else memptr.mem
        offset = 0 if memptr is None else memptr.ptr - memptr.mem.ptr
        self._array = np.ndarray(shape, dtype, self._memory.bytes, offset, order=order)

    @classmethod
    def _of(cls, array: Host, memory: Memory) -> ndarray:
        made: ndarray = object.__new__(cls)
        made._array, made._memory = array, memory
        return made

    def _here(self) -> Host:
        """The hidden array, if its device is the current one."""
        mine, current = self._memory.device, devices.get_device()
        if mine != current:
            raise ValueError(
                f"The device where the array resides ({mine}) is different from the current device ({current})."
                " Peer access is unavailable between these devices."
            )
        return self._array

    def _view(self, change: Callable[[Host], Host]) -> ndarray:
        """A view, or a copy where NumPy makes one too."""
        result = change(self._array)
        if result.size == 0 or np.may_share_memory(result, self._array):
            return ndarray._of(result, self._memory)
        return computed(lambda: change(self._here()))

    # What it is

    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    nbytes = property(lambda self: self._array.nbytes)
    itemsize = property(lambda self: self._array.itemsize)
    strides = property(lambda self: self._array.strides)
    device = property(lambda self: Device(self._memory.device))
    T = property(lambda self: self._view(np.transpose))
    real = property(lambda self: self._view(np.real))
    imag = property(lambda self: self._view(np.imag))

    @property
    def flags(self) -> SimpleNamespace:
        flags = self._array.flags
        return SimpleNamespace(c_contiguous=flags.c_contiguous, f_contiguous=flags.f_contiguous)

    @property
    def data(self) -> MemoryPointer:
        offset = self._array.__array_interface__["data"][0] - self._memory.ptr if self._memory.ptr else 0
        return MemoryPointer(self._memory, offset)

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[ndarray]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    # To the host

    def get(self, stream: Any = None, order: str = "C", out: Host | None = None, blocking: bool = True) -> Host:
        machine().count("copies_to_host", "an array is copied to the host")
        result = np.empty_like(self._array, order="C") if out is None else out
        np.copyto(result, self._array, casting="no")
        return result

    def item(self) -> Any:
        return self.get().item()

    def tolist(self) -> Any:
        return self.get().tolist()

    def __reduce__(self) -> Any:
        return array, (self.get(),)

    def __int__(self) -> int:
        return int(self.get())

    def __index__(self) -> int:
        return operator.index(self.get())

    def __bool__(self) -> bool:
        return bool(self.get())

    def __float__(self) -> float:
        return float(self.get())

    def __complex__(self) -> complex:
        return complex(self.get())

    def __repr__(self) -> str:
        return repr(self.get())

    def set(self, arr: Host, stream: Any = None) -> None:
        machine().count("copies_to_device", "an array is set to a host's")
        np.copyto(self._here(), arr, casting="no")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Host:
        raise TypeError(IMPLICIT)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise TypeError(f"NumPy's {func.__name__} is given a CuPy array; call cupy's own function")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"NumPy's {ufunc.__name__} is given a CuPy array; call cupy's own function,"
            " or write the CuPy array before the operator and the NumPy scalar behind it"
        )

    # To others on the device

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "descr": self.dtype.descr,
            "stream": devices.get_current_stream().ptr or 1,
            "version": 3,
            "strides": None if self.flags.c_contiguous else self.strides,
            "data": (self.data.ptr if self.size else 0, False),
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, self._memory.device

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Capsule:
        return Capsule(self)

    # Copies and views

    def astype(
        self, dtype: Any, order: str = "K", casting: None = None, subok: None = None, copy: bool = True
    ) -> ndarray:
        if self.dtype != dtype:
            return computed(lambda: flushed(flushed(self._here()).astype(dtype)))
        return computed(self._here) if copy else self

    def copy(self, order: str = "C") -> ndarray:
        """To the current device, from any."""
        elsewhere = self._memory.device != devices.get_device()
        if elsewhere and self.size and not (self.flags.c_contiguous or self.flags.f_contiguous):
            raise NotImplementedError("CuPy cannot copy non-contiguous array between devices.")
        return computed(lambda: self._array)

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> ndarray:
        return self.copy()

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> ndarray:
        return self._view(lambda x: x.reshape(*shape, order=order))

    def ravel(self, order: str = "C") -> ndarray:
        return self._view(lambda x: x.ravel(order))

    def transpose(self, *axes: Any) -> ndarray:
        return self._view(lambda x: x.transpose(*axes))

    def squeeze(self, axis: Any = None) -> ndarray:
        return self._view(lambda x: x.squeeze(axis))

    def swapaxes(self, axis1: int, axis2: int) -> ndarray:
        return self._view(lambda x: x.swapaxes(axis1, axis2))

    def view(self, dtype: Any = None, type: None = None) -> ndarray:
        return self._view(lambda x: x.view() if dtype is None else x.view(dtype))

    def _index(self, index: Any) -> tuple[tuple[Any, ...], bool]:
        """An index for the hidden array, and whether it is one of arrays."""
        parts = index if isinstance(index, tuple) else (index,)
        parts = tuple(array(part) if isinstance(part, list | np.ndarray) else part for part in parts)
        advanced = any(isinstance(part, ndarray) for part in parts)
        plain = tuple(part._here() if isinstance(part, ndarray) else part for part in parts)
        return plain if any(part is Ellipsis for part in plain) else (*plain, Ellipsis), advanced

    def __getitem__(self, index: Any) -> ndarray:
        plain, advanced = self._index(index)
        if not advanced:
            return self._view(lambda x: x[plain])
        if _masked(plain):
            machine().count("waits", "a mask's length is found out")
        return computed(lambda: self._here()[plain].copy())

    def __setitem__(self, index: Any, value: Any) -> None:
        plain, advanced = self._index(index)
        if _masked(plain):
            machine().count("waits", "a mask's length is found out")
        if advanced and np.ndim(value) and not isinstance(value, ndarray):
            value = array(value, self.dtype)
        _set(self, plain, value)

    def fill(self, value: Any) -> None:
        if isinstance(value, ndarray) and value.ndim:
            raise ValueError("non-scalar cupy.ndarray cannot be used for fill")
        _set(self, ..., value)

    def sort(self, axis: int = -1, kind: str | None = None) -> None:
        sortable(self)
        if not self.flags.c_contiguous:
            raise NotImplementedError("Sorting non-contiguous array is not supported.")
        self._here()
        devices.do(lambda: self._array.sort(axis, kind="stable"))


def _set(target: ndarray, index: Any, value: Any) -> None:
    if not isinstance(value, ndarray) and np.ndim(value):
        raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
    target._here()
    cast = isinstance(value, ndarray) and value.dtype != target.dtype
    ordered(target._array[index], value)

    def step() -> None:
        given = value._here() if isinstance(value, ndarray) else value
        target._array[index] = flushed(flushed(given).astype(target.dtype)) if cast else given

    devices.do(step)


def ordered(out: Host, value: Any) -> None:
    """Threads run in no order: what is written is not read, unless each element by the thread that writes it."""
    if isinstance(value, ndarray):
        x = value._array
        same = (out.ctypes.data, out.shape, out.strides) == (x.ctypes.data, x.shape, x.strides)
        assert same or not np.shares_memory(out, x), "CuPy would write memory that other threads of the kernel read"


def _masked(index: tuple[Any, ...]) -> bool:
    return any(isinstance(part, np.ndarray) and part.dtype == bool for part in index)


class Capsule:
    """What DLPack hands over, here a box with an array."""

    def __init__(self, content: ndarray) -> None:
        self.content = content


class ForeignArray:
    """Another library's array: all it has is ``__cuda_array_interface__``, of version 2, as torch's tensors have it."""

    def __init__(self, content: ndarray) -> None:
        self.content = content

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        described = self.content.__cuda_array_interface__
        return {**{name: described[name] for name in ("shape", "typestr", "strides", "data")}, "version": 2}


class ForeignTensor(ForeignArray):
    """Another library's array that speaks DLPack alone."""

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        raise AttributeError("__cuda_array_interface__")

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.content.__dlpack_device__()

    def __dlpack__(self, **how: Any) -> Capsule:
        return self.content.__dlpack__(**how)


# What is computed


def computed(compute: Callable[[], Any], out: ndarray | None = None) -> Any:
    """A new array, or several, of what is computed; again at each launch of a captured graph."""

    def results() -> tuple[Any, ...]:
        nonlocal several
        with np.errstate(all="ignore"):
            result = compute()
        several = isinstance(result, tuple)
        return result if several else (result,)

    def store(parts: tuple[Any, ...]) -> None:
        for place, part in zip(places, parts, strict=True):
            np.copyto(place._here(), part, casting="same_kind")

    several = False
    parts = results()
    places = (out,) if out is not None else tuple(ndarray(np.shape(x), np.asarray(x).dtype) for x in parts)
    store(parts)
    devices.remember(lambda: store(results()))
    return places if several else places[0]


def sortable(a: ndarray) -> None:
    if a.dtype.name == "bfloat16":
        raise NotImplementedError(f"Sorting arrays with dtype '{a.dtype}' is not supported")
    if not a.ndim:
        raise np.exceptions.AxisError("Sorting arrays with the rank of zero is not supported")


# CuPy's functions that make arrays


def empty(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    return ndarray(shape, dtype, order=order)


def zeros(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    return full(shape, 0, dtype, order)


def full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C") -> ndarray:
    made = empty(shape, np.asarray(fill_value).dtype if dtype is None else dtype, order)
    made.fill(fill_value)
    return made


def empty_like(
    prototype: ndarray, dtype: Any = None, order: str = "K", subok: None = None, shape: Any = None
) -> ndarray:
    return empty(prototype.shape if shape is None else shape, prototype.dtype if dtype is None else dtype)


def zeros_like(a: ndarray, dtype: Any = None, order: str = "K", subok: None = None, shape: Any = None) -> ndarray:
    made = empty_like(a, dtype, order, subok, shape)
    made.fill(0)
    return made


def array(
    obj: Any,
    dtype: Any = None,
    copy: bool | None = True,
    order: str = "K",
    subok: bool = False,
    ndmin: int = 0,
    *,
    blocking: bool = False,
) -> ndarray:
    """From the host, from another device, or from another library's array."""
    if blocking:
        machine().count("waits", "blocking=True")
    if not isinstance(obj, ndarray) and hasattr(obj, "__cuda_array_interface__"):
        obj = _foreign(obj.__cuda_array_interface__)
    if isinstance(obj, ndarray):
        elsewhere = obj._memory.device != devices.get_device()
        made = obj.copy() if elsewhere else obj
        made = made.astype(made.dtype if dtype is None else dtype, copy=bool(copy) and not elsewhere)
        if order == "C" and not made.flags.c_contiguous:
            made = made.copy()
        return made if made.ndim >= ndmin else made.reshape((1,) * (ndmin - made.ndim) + made.shape)
    host = np.array(obj, dtype=dtype, ndmin=ndmin)
    if host.ndim:  # a scalar goes by value
        machine().count("copies_to_device", "a host's array is copied to the device")
    return computed(lambda: host)


def asarray(
    a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None, blocking: bool = False
) -> ndarray:
    return array(a, dtype, copy, order or "K", blocking=blocking)


def _foreign(described: dict[str, Any]) -> ndarray:
    """An array of another library, without a copy."""
    if described.get("mask") is not None:
        raise ValueError("CuPy currently does not support masked arrays.")
    if described.get("stream") is not None:
        machine().count("waits", "an array of __cuda_array_interface__ names a stream, which is waited for")
    shape, dtype, strides = described["shape"], np.dtype(described["typestr"]), described.get("strides")
    if 0 in shape:
        return empty(shape, dtype)
    ptr = described["data"][0]
    strides = strides or np.broadcast_to(np.empty((), dtype), shape).copy().strides
    reach = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
    low, high = (sum(s for s in reach if s < 0), sum(s for s in reach if s > 0) + dtype.itemsize)
    memory = memory_at(ptr + low, high - low)
    return ndarray._of(np.ndarray(shape, dtype, memory.bytes, ptr - memory.ptr, strides), memory)


def from_dlpack(array: Any, *, device: Any = None, copy: bool | None = None) -> ndarray:
    kind, number = array.__dlpack_device__()
    if kind != 2:
        raise BufferError(f"the array is on a device of kind {kind}, not on one of CUDA's")
    if device is not None or copy:
        raise NotImplementedError("the double neither copies nor moves here")
    with Device(number):
        capsule = array.__dlpack__(stream=devices.get_current_stream().ptr or 1)
    return ndarray._of(capsule.content._array, capsule.content._memory)


def asnumpy(a: Any, stream: Any = None, order: str = "C", out: Host | None = None, *, blocking: bool = True) -> Host:
    return a.get(stream, order, out, blocking) if isinstance(a, ndarray) else np.asarray(a, order=order)  # type: ignore[call-overload]
