"""Device arrays: NumPy arrays that raise an error on implicit conversion and on use on another device.

CuPy compiles its arithmetic with -ftz=true, so float32 arithmetic flushes subnormals here too.
"""

from __future__ import annotations

import ctypes
import operator
from collections.abc import Callable, Iterator
from math import prod
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np

from cupy_double.devices import Device, get_current_stream, get_device, machine

Host: TypeAlias = np.ndarray[Any, np.dtype[Any]]

UNWRITTEN = 0xA5


class ndarray:
    """An array in a device's memory."""

    _array: Host
    _device: int
    __array_priority__ = 100

    def __init__(self, shape: Any, dtype: Any = float) -> None:
        size = prod(shape if isinstance(shape, tuple | list) else (shape,)) * np.dtype(dtype).itemsize
        self._array, self._device = np.ndarray(shape, dtype, np.full(size, UNWRITTEN, np.uint8)), get_device()

    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    nbytes = property(lambda self: self._array.nbytes)
    itemsize = property(lambda self: self._array.itemsize)
    strides = property(lambda self: self._array.strides)
    device = property(lambda self: Device(self._device))

    @property
    def flags(self) -> SimpleNamespace:
        flags = self._array.flags
        return SimpleNamespace(c_contiguous=flags.c_contiguous, f_contiguous=flags.f_contiguous)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        interface = self._array.__array_interface__
        return {**interface, "version": 3, "stream": get_current_stream().ptr or 1}

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[ndarray]:
        return (self[i] for i in range(len(self)))

    # To the host

    def get(self) -> Host:
        machine().tell("copy to the host", "an array is copied")
        return self._array.copy()

    def __reduce__(self) -> Any:
        return asarray, (self.get(),)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Host:
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise TypeError(f"NumPy's {function.__name__} is given a CuPy array; call cupy's own function")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        raise TypeError(f"NumPy's {ufunc.__name__} is given a CuPy array; call cupy's own function")

    # Writing

    def __setitem__(self, index: Any, value: Any) -> None:
        index = _index(index)
        if isinstance(value, np.ndarray | list) and np.ndim(value):
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        _may_be_written(self._array[index], value)
        _on_current(self)[index] = _converted(plain(value), self.dtype) if isinstance(value, ndarray) else value

    def fill(self, value: Any) -> None:
        self[...] = value

    def __getitem__(self, index: Any) -> ndarray:
        return wrapped(self._array[_index(index)], self._device)

    def astype(self, dtype: Any, copy: bool = True) -> ndarray:
        if self.dtype == dtype and not copy:
            return self
        return wrapped(_converted(_on_current(self), np.dtype(dtype)))

    def copy(self, order: str = "C") -> ndarray:
        """To the current device, from any."""
        if self._device != get_device() and not (self.flags.c_contiguous or self.flags.f_contiguous):
            raise NotImplementedError("CuPy cannot copy non-contiguous array between devices.")
        return wrapped(self._array.copy())

    def __deepcopy__(self, memo: Any) -> ndarray:
        return self.copy()


def _to_host(method: Callable[[Host], Any]) -> Any:
    return lambda self: method(self.get())


for _name, _method in {
    "item": operator.methodcaller("item"),
    "tolist": operator.methodcaller("tolist"),
    "__int__": int,
    "__index__": operator.index,
    "__bool__": bool,
    "__float__": float,
    "__repr__": repr,
}.items():
    setattr(ndarray, _name, _to_host(_method))


def _on_current(array: ndarray) -> Host:
    if array._device != get_device():
        raise ValueError(f"The array is on device {array._device}, the current device is {get_device()}")
    return array._array


def plain(value: Any, flushes: bool = False) -> Any:
    """An argument as NumPy's function takes it."""
    if isinstance(value, ndarray):
        return flushed(_on_current(value)) if flushes else _on_current(value)
    if isinstance(value, list | tuple):
        return type(value)(plain(part, flushes) for part in value)
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError(f"Unsupported type {type(value)}")
    return flushed(value) if flushes else value


def wrapped(result: Any, device: int | None = None) -> Any:
    """A result of NumPy's as an array of a device; a tuple of them, part by part."""
    if isinstance(result, tuple):
        return tuple(wrapped(part, device) for part in result)
    made: ndarray = object.__new__(ndarray)
    made._array, made._device = np.asarray(result), get_device() if device is None else device
    return made


def lifted(function: Callable[..., Any], flushes: bool = False) -> Any:
    """CuPy's function, from NumPy's."""

    def called(*args: Any, out: ndarray | None = None, **named: Any) -> Any:
        with np.errstate(all="ignore"):
            result = function(
                *(plain(value, flushes) for value in args),
                **{name: plain(value, flushes) for name, value in named.items()},
            )
        result = flushed(result) if flushes else result
        if out is None:
            return wrapped(result)
        for value in args:
            _may_be_written(out._array, value)
        np.copyto(_on_current(out), result, casting="same_kind")
        return out

    return called


def _index(index: Any) -> Any:
    """An index for the array behind the wall; a mask's length has to be found out."""
    parts = tuple(plain(p) if isinstance(p, ndarray) else p for p in (index if isinstance(index, tuple) else (index,)))
    if any(isinstance(part, list | np.ndarray) and np.asarray(part).dtype == bool for part in parts):
        machine().tell("wait", "for a mask's length")
    if any(isinstance(part, list) for part in parts):
        machine().tell("upload", "of an index")
    return parts if any(part is Ellipsis for part in parts) else (*parts, Ellipsis)


def _may_be_written(out: Host, value: Any) -> None:
    """Threads run in no order: what is written is not read, but by the thread that writes it."""
    if isinstance(value, ndarray):
        x = value._array
        same = (out.ctypes.data, out.shape, out.strides) == (x.ctypes.data, x.shape, x.strides)
        assert same or not np.shares_memory(out, x), "CuPy would write memory that other threads of the kernel read"


def flushed(x: Any) -> Any:
    """Float32 with zeros in the place of subnormals."""
    dtype = getattr(x, "dtype", None)
    if dtype == np.complex64:
        return flushed(np.ascontiguousarray(x).view(np.float32)).view(np.complex64).reshape(np.shape(x))
    if dtype != np.float32:
        return x
    return np.where(np.abs(x) < np.finfo(np.float32).tiny, np.copysign(np.float32(0), x), x)


def _converted(x: Any, dtype: Any) -> Any:
    """As NVIDIA's conversions: float32 is flushed, and a NaN that comes of float16 has no payload."""
    if x.dtype == dtype:
        return x.copy()
    made = flushed(flushed(x).astype(dtype))
    if x.dtype == np.float16 and dtype == np.float32:
        made = np.where(np.isnan(made), np.uint32(0x7FFFFFFF).view(np.float32), made)
    return made


def asarray(a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None) -> ndarray:
    """From the host, from another device, or from another library's array."""
    if not isinstance(a, ndarray) and hasattr(a, "__cuda_array_interface__"):
        a = _foreign(a.__cuda_array_interface__)
    if isinstance(a, ndarray):
        a = a.copy() if copy or a._device != get_device() else a
        return a if dtype is None else a.astype(dtype, copy=False)
    if np.ndim(a):  # a scalar goes by value
        machine().tell("upload", "of an array of the host")
    return wrapped(np.array(a, dtype))


def _foreign(described: dict[str, Any]) -> ndarray:
    """An array of another library, without a copy."""
    if described.get("stream") is not None:
        machine().tell("wait", "for the stream that an array names")
    shape, dtype = described["shape"], np.dtype(described["typestr"])
    memory = (ctypes.c_char * (prod(shape) * dtype.itemsize)).from_address(described["data"][0])
    assert described.get("strides") is None
    made: ndarray = wrapped(np.frombuffer(memory, dtype).reshape(shape))
    return made
