"""Kernels of modules that CuPy loads, compiled for the host from the source that NVRTC received."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import cuda_on_host
from cuda_signatures import signatures

from cupy_stand_in.library import HERE, compiled, includes, library
from keyrng._codegen.cuda_prelude import HEADER

STRICT = ("-std=c++17", "-O1", "-ffp-contract=off", "-w", "-fPIC")

NO_SIZES = (ctypes.c_uint * 1)(0)

_texts: dict[int, str] = {}  # by the address of a module
_kept: list[Any] = []


def watch_compiler() -> None:
    """Remember the text of each module that CuPy compiles, or finds compiled on disk."""
    from cupy.cuda import compiler

    compile_ = compiler._compile_module_with_cache

    def remembered(source: str, options: tuple[str, ...] = (), **named: Any) -> Any:
        module = compile_(source, options, **named)
        _texts[module.ptr] = source
        return module

    compiler._compile_module_with_cache = remembered


def serve_kernels(failed: list[str]) -> None:
    """Give the driver a function of the host for each kernel that CuPy asks for; what does not compile is `failed`."""
    type_ = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
    library().stand_in_kernel.restype = ctypes.c_void_p

    def find(module: int, encoded: bytes) -> int | None:
        name = encoded.decode()
        try:
            found: int = library().stand_in_kernel(encoded, *host_function(_texts[module], name))
            return found
        except Exception as error:  # an exception would end in C
            failed.append(f"{name}: {error}")
            return None

    _kept.append(type_(find))
    library().stand_in_find_kernels(_kept[-1])


def host_function(text: str, name: str) -> tuple[Any, ...]:
    """A kernel on the host: function, sizes of the arguments, which are pointers, whether it flushes subnormals."""
    if text.startswith(HEADER):
        host = cuda_on_host.library(cuda_on_host.host_text(text))
        parameters = signatures(text)[name]
        sizes = (ctypes.c_uint * (len(parameters) + 1))(*[8] * len(parameters), 0)
        _kept.append(sizes)
        pointers = sum(1 << i for i, parameter in enumerate(parameters) if parameter.pointer)
        return _address(host, f"launch_{name}"), sizes, ctypes.c_uint64(pointers), 0
    if "%globaltimer" in text:  # the benchmarks' kernel that waits
        return ctypes.cast(library().stand_in_nothing, ctypes.c_void_p), NO_SIZES, ctypes.c_uint64(0), 0
    host = _host_library(text, name)
    sizes_of = getattr(host, f"sizes_{name}")
    sizes_of.restype = ctypes.c_void_p
    return _address(host, f"launch_{name}"), ctypes.c_void_p(sizes_of()), ctypes.c_uint64(0), 1


def _address(host: ctypes.CDLL, name: str) -> ctypes.c_void_p:
    return ctypes.cast(getattr(host, name), ctypes.c_void_p)


@cache
def _host_library(text: str, name: str) -> ctypes.CDLL:
    """A text of CuPy's, compiled with a header that is compiled before."""
    header = _header()
    walk = "walk_in_turns" if "__syncthreads" in text else "walk"
    whole = f'#include "{header}"\n{text.replace("#include <cupy/atomics.cuh>", "")}\nLAUNCHER({name}, {walk})\n'
    return ctypes.CDLL(str(compiled(whole, ".cpp", ".so", ("g++", *STRICT, "-shared", *includes(), "-o", "OUT", "IN"))))


@cache
def _header() -> Path:
    text = (HERE / "host.hpp").read_text()
    header = compiled(text, ".hpp", ".hpp", ("cp", "IN", "OUT"))
    command = ("g++", *STRICT, *includes(), "-x", "c++-header", "IN", "-o", "OUT")
    made = compiled(text, ".hpp", ".gch", command)
    with_header = Path(f"{header}.gch")
    if not with_header.exists():
        with suppress(FileExistsError):  # another process was faster
            with_header.hardlink_to(made)
    return header
