"""Modules of CUDA text and launches of their kernels, run on the host and checked as no real launch is."""

from __future__ import annotations

import ctypes
import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any

import cuda_on_host
import numpy as np

from cupy_double import devices
from cupy_double.arrays import ndarray
from cupy_double.devices import CUDADriverError, machine

DTYPES = {
    "bool": "bool",
    "signed char": "int8",
    "unsigned char": "uint8",
    "short": "int16",
    "unsigned short": "uint16",
    "int": "int32",
    "unsigned": "uint32",
    "unsigned int": "uint32",
    "long long": "int64",
    "unsigned long long": "uint64",
    "float": "float32",
    "double": "float64",
}
STORED_AS = {"float16": "uint16", "bfloat16": "uint16"}  # the text knows no 16-bit floats
LIMITS = {"grid": (2**31 - 1, 2**16 - 1, 2**16 - 1), "block": (1024, 1024, 64)}
THREADS = 1024  # of a block


@dataclass(frozen=True)
class Parameter:
    """An argument's name, the dtype of it or of what it points to, and whether it does."""

    name: str
    dtype: str
    pointer: bool


@dataclass(frozen=True)
class Launch:
    """What was launched, where, and with which arguments."""

    name: str
    grid: tuple[int, ...]
    block: tuple[int, ...]
    stream: int
    device: int
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Signature:
    """A kernel's parameters, and the threads that a block may have."""

    parameters: tuple[Parameter, ...]
    threads: int


@cache
def signatures(text: str) -> dict[str, Signature]:
    """The kernels of a text."""
    types = dict(DTYPES)
    for known, name in re.findall(r"\btypedef\s+([\w ]+?)\s+(\w+)\s*;", text):
        types[name] = types.get(known, known)
    found = {}
    for kernel in cuda_on_host.GLOBAL.finditer(text):
        listed = text[kernel.end() : text.index(")", kernel.end())]
        parameters = tuple(_parameter(each, types) for each in listed.split(",") if each.strip())
        found[kernel["name"]] = Signature(parameters, int(kernel["threads"] or THREADS))
    return found


def _parameter(declared: str, types: dict[str, str]) -> Parameter:
    words = re.findall(r"\w+|\*", declared)
    name, pointer = words.pop(), "*" in words
    kind = " ".join(word for word in words if word not in ("*", "const", "__restrict__", "volatile"))
    if kind not in types:
        raise TypeError(f"the double does not know the type of the parameter {declared.strip()!r}")
    return Parameter(name, types[kind], pointer)


class RawModule:
    """CUDA text, compiled when a function is got; `options` as CuPy wants them, and what keyrng's bits need."""

    folder: Path | None = None  # where libraries are kept; the system's folder of temporary files if None

    def __init__(self, *, code: str | None = None, options: tuple[str, ...] = (), backend: str = "nvrtc") -> None:
        if not isinstance(code, str):
            raise TypeError(f"code must be CUDA text, got {type(code)}")
        if not isinstance(options, tuple):
            raise TypeError(f"Argument 'options' has incorrect type (expected tuple, got {type(options).__name__})")
        if not all(isinstance(option, str) for option in options):
            raise TypeError(f"options must be str, got {options}")
        assert "--fmad=false" in options, f"without --fmad=false bits depend on the compiler; options are {options}"
        self.code, self.options = code, options

    def get_function(self, name: str) -> RawKernel:
        devices.get_device()
        devices.nvrtc_version()
        if name not in signatures(self.code):
            raise CUDADriverError("CUDA_ERROR_NOT_FOUND: named symbol not found")
        host = cuda_on_host.library(cuda_on_host.host_text(self.code), folder=RawModule.folder)
        return RawKernel(name, signatures(self.code)[name], getattr(host, f"launch_{name}"))


def fitting_blocks(function: int, threads: int, shared_memory: int) -> int:
    """How many blocks of a kernel fit on a multiprocessor of 2048 threads and 65536 registers."""
    return min(2048, 65536 // RawKernel.num_regs) // threads


class RawKernel:
    """A kernel of a module."""

    num_regs = 40
    kernel = SimpleNamespace(ptr=1)
    _one_at_a_time = Lock()  # blockIdx and its like are variables of the library

    def __init__(self, name: str, signature: Signature, function: Any) -> None:
        self.name, self._function = name, function
        self._parameters, self._threads = signature.parameters, signature.threads

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...]) -> None:
        _within(self.name, "grid", grid)
        _within(self.name, "block", block)
        if math.prod(block) > self._threads:
            raise CUDADriverError(f"{self.name}: {block} is a block of more than {self._threads} threads")
        if len(args) != len(self._parameters):
            raise TypeError(f"{self.name} takes {len(self._parameters)} arguments, {len(args)} were given")
        for parameter, value in zip(self._parameters, args, strict=True):
            _check(self.name, parameter, value)

        def step() -> None:
            self._run(grid, block, args)

        devices.do(step)

    def _run(self, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...]) -> None:
        values = [_c_value(parameter, value) for parameter, value in zip(self._parameters, args, strict=True)]
        pointers = (ctypes.c_void_p * len(values))(*map(ctypes.addressof, values))
        (grid_x, grid_y, *_), (block_x, block_y, *_) = (*grid, 1), (*block, 1)
        with RawKernel._one_at_a_time:
            self._function(*map(ctypes.c_uint, (grid_x, grid_y, block_x, block_y)), pointers)
        stream = devices.get_current_stream().ptr
        machine().launches.append(Launch(self.name, grid, block, stream, devices.get_device(), tuple(args)))
        for value in args:
            if isinstance(value, ndarray):
                value._memory.check(self.name)


def _within(name: str, what: str, sizes: Any) -> None:
    if not isinstance(sizes, tuple) or not all(type(size) is int for size in sizes):
        raise TypeError(f"{name}: {what} must be a tuple of int, got {sizes!r}")
    if not 1 <= len(sizes) <= 3 or any(
        not 1 <= size <= limit for size, limit in zip(sizes, LIMITS[what], strict=False)
    ):
        # CuPy would make one of zero, without a word.
        raise CUDADriverError(f"{name}: {what} {sizes} is not within 1 and {LIMITS[what][: len(sizes)]}")
    if len(sizes) == 3 and sizes[2] > 1:
        raise NotImplementedError(f"{name}: cuda_host.h walks {what}s of two dimensions")


def _check(name: str, parameter: Parameter, value: Any) -> None:
    """Whether a value is what the C function takes; a real launch would read it as if it were."""
    where = f"{name}: argument {parameter.name}"
    if not parameter.pointer:
        if not isinstance(value, np.generic) or value.dtype != parameter.dtype:
            raise TypeError(f"{where} is a {parameter.dtype}, so must be a numpy.{parameter.dtype}, got {_kind(value)}")
        return
    if value is None or (isinstance(value, np.uint64 | np.intp) and value == 0):
        return
    if not isinstance(value, ndarray):
        raise TypeError(f"{where} is a pointer, so must be a cupy.ndarray or None, got {_kind(value)}")
    if STORED_AS.get(value.dtype.name, value.dtype.name) != parameter.dtype:
        raise TypeError(f"{where} points to {parameter.dtype}, got an array of {value.dtype}")
    value._here()
    if not value.flags.c_contiguous:
        raise ValueError(f"{where} must be contiguous, got strides {value.strides} of shape {value.shape}")
    if value.data.ptr % value.itemsize:
        raise ValueError(f"{where} is at {value.data.ptr:#x}, which is no multiple of {value.itemsize}")


def _kind(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__} {value!r}"


def _c_value(parameter: Parameter, value: Any) -> Any:
    if parameter.pointer:
        return ctypes.c_void_p(value.data.ptr if isinstance(value, ndarray) else None)
    return ctypes.create_string_buffer(value.tobytes(), value.itemsize)
