"""Modules of CUDA source, and kernel launches on the host with the argument types that the source declares."""

from __future__ import annotations

import ctypes
from math import prod
from threading import Lock
from typing import Any

import cuda_on_host
import numpy as np
from cuda_signatures import Parameter, signatures
from cupy_stand_in.watching import Launch

from cupy_double.arrays import _on_current, ndarray
from cupy_double.devices import get_current_stream, get_device, machine

STORED_AS = {"float16": "uint16", "bfloat16": "uint16"}  # the text knows no 16-bit floats


class RawModule:
    """A module of CUDA source, compiled when a function is requested."""

    def __init__(self, *, code: str, options: tuple[str, ...]) -> None:
        assert "--fmad=false" in options, f"without --fmad=false bits depend on the compiler; options are {options}"
        self.code = code

    def get_function(self, name: str) -> RawKernel:
        host = cuda_on_host.library(cuda_on_host.host_text(self.code))
        return RawKernel(name, signatures(self.code)[name], getattr(host, f"launch_{name}"))


class RawKernel:
    """A kernel of a module."""

    _one_at_a_time = Lock()  # blockIdx and its like are variables of the library

    def __init__(self, name: str, parameters: tuple[Parameter, ...], function: Any) -> None:
        self.name, self._parameters, self._function = name, parameters, function

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...]) -> None:
        assert all(type(size) is int and size > 0 for size in (*grid, *block)), (self.name, grid, block)
        assert prod(block) <= 1024, (self.name, block)
        for parameter, value in zip(self._parameters, args, strict=True):
            _check(f"{self.name}: argument {parameter.name}", parameter, value)
        values = [_c_value(parameter, value) for parameter, value in zip(self._parameters, args, strict=True)]
        pointers = (ctypes.c_void_p * len(values))(*map(ctypes.addressof, values))
        with RawKernel._one_at_a_time:
            self._function(*map(ctypes.c_uint, (*grid, *block)), pointers)
        machine().launches.append(Launch(self.name, grid, block, get_current_stream().ptr, get_device(), False))


def _check(where: str, parameter: Parameter, value: Any) -> None:
    """Whether a value is what the C function takes; a real launch would read it as if it were."""
    if not parameter.pointer:
        assert isinstance(value, np.generic), f"{where} is a {parameter.dtype}, got {type(value)}"
        assert value.dtype == parameter.dtype, f"{where} is a {parameter.dtype}, got {value.dtype}"
    elif not (isinstance(value, np.uint64) and value == 0):
        assert isinstance(value, ndarray), f"{where} is a pointer, got {type(value)}"
        dtype = STORED_AS.get(value.dtype.name, value.dtype.name)
        assert dtype == parameter.dtype, f"{where} points to {parameter.dtype}, got an array of {value.dtype}"
        if not parameter.name.startswith("strided"):
            assert value.flags.c_contiguous, f"{where} must be contiguous, got strides {value.strides} of {value.shape}"
        _on_current(value)


def _c_value(parameter: Parameter, value: Any) -> Any:
    if parameter.pointer:
        return ctypes.c_void_p(value._array.ctypes.data if isinstance(value, ndarray) else None)
    return ctypes.create_string_buffer(value.tobytes(), value.itemsize)
