"""The floating-point environment of a thread: values are defined for round-to-nearest without flush-to-zero.

Threads start in this environment; a library, for example one linked with ``-ffast-math``, may change it. The compiled
part sets the environment itself (csrc/fpenv.h). This module does so for Python and NumPy: it tests the environment once
per call and sets it if it differs.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from keyrng._core.migration import misplaced

_P = ParamSpec("_P")
_R = TypeVar("_R")

# Variables, because the compiler folds constants; from integers, because parsing decimals depends on the environment.
_one, _half, _quarter = float(1), 1 / 2**53, 1 / 2**54  # half the distance from 1 to its neighbours
_smaller = 1 / 2**1022  # the smallest normal number
_small = 3 * _smaller / 2  # a normal number; their difference is subnormal


def is_default() -> bool:
    """Whether this thread is in the default environment, by three operations."""
    # Rounding to nearest, both sums return to 1. A difference, because a subnormal product is slower.
    return _one + _half - _quarter == _one and _small - _smaller > 0.0


def describe_fpenv() -> str:
    """Describe how the environment differs from the default; empty if it does not."""
    found = []
    if _one + _half > _one:
        found.append("rounding upward")
    elif _one - _quarter < _one:
        found.append("rounding downward" if -_one - _half < -_one else "rounding toward zero")
    if not _small - _smaller > 0.0:
        found.append("flushing subnormal numbers to zero")
    return " and ".join(found)


class default_fpenv:  # noqa: N801 (it is used like a function)
    """Context manager: run a block in the default environment, and restore the previous one.

    RuntimeError if the environment differs and this platform's C library cannot set it.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = None if is_default() else _enter()

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            _library().fesetenv(self._before)


def in_default_fpenv(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorator: run a function that computes floats on the host in the default environment."""

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            if is_default():  # avoids ``with``, which would double the overhead
                return function(*args, **kwargs)
            with default_fpenv():
                return function(*args, **kwargs)
        except TypeError as error:
            if (hinted := misplaced(error, function)) is not None:
                raise hinted from None
            raise

    return run


def without_warnings(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorator: `in_default_fpenv` without NumPy's warnings, for functions whose results may overflow or underflow."""
    guarded = in_default_fpenv(function)

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with np.errstate(all="ignore"):
            return guarded(*args, **kwargs)

    return run


def _enter() -> Any:
    """Set the default environment and return the previous one."""
    import ctypes  # rarely needed

    on = describe_fpenv()
    library = _library()
    if library is not None:
        before = ctypes.create_string_buffer(256)  # fenv_t has 8 to 32 bytes
        library.fegetenv(before)
        library.fesetenv(ctypes.c_void_p(_default(library)))
        if is_default():
            return before
        library.fesetenv(before)
    raise RuntimeError(
        f"another library has set this thread to {on}, which would change samples, and keyrng cannot reset it on this "
        "platform; reset it where it was set: fesetround(FE_TONEAREST), torch.set_flush_denormal(False), or a library "
        "built without -ffast-math"
    )


def _library() -> Any:
    """Return the C library if it has the functions and their default is known, else None."""
    import ctypes

    try:
        library = ctypes.CDLL(None)
        library.fegetenv, library.fesetenv  # noqa: B018 (AttributeError if it has none)
        _default(library)
    except (AttributeError, OSError, TypeError, ValueError):
        return None
    return library


def _default(library: Any) -> int:
    """Return FE_DFL_ENV: -1 in glibc and musl, the address of a variable on macOS."""
    import ctypes

    if sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64", "i686", "riscv64"):
        return -1
    return ctypes.addressof(ctypes.c_char.in_dll(library, "_FE_DFL_ENV"))
