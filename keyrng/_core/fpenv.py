"""The floating-point mode of a thread: rounding to nearest, nothing flushed to zero; values are defined in that.

Every program starts in it, and any library may leave another one on: one linked with ``-ffast-math``, for example. The
compiled part sets its own (native/mode.h). What Python and NumPy compute goes through here, where the mode is looked at
once a call, and set where it differs.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from keyrng._core.migration import is_binding, misplaced

_P = ParamSpec("_P")
_R = TypeVar("_R")

# Variables, for Python computes with constants when it compiles; of integers, for it reads decimals by the mode.
_one, _half, _quarter = float(1), 1 / 2**53, 1 / 2**54  # half of what is between 1 and its neighbours
_smaller = 1 / 2**1022  # the smallest normal number
_small = 3 * _smaller / 2  # another one; their difference is subnormal


def is_default() -> bool:
    """Whether this thread computes floats as values are defined; three operations find out."""
    # To nearest, both steps go back to 1. A difference, for a product that is subnormal takes longer.
    return _one + _half - _quarter == _one and _small - _smaller > 0.0


def describe_fpenv() -> str:
    """What differs from the default mode, in words; empty if nothing does."""
    found = []
    if _one + _half > _one:
        found.append("rounding upward")
    elif _one - _quarter < _one:
        found.append("rounding downward" if -_one - _half < -_one else "rounding toward zero")
    if not _small - _smaller > 0.0:
        found.append("flushing subnormal numbers to zero")
    return " and ".join(found)


class default_fpenv:  # noqa: N801 (it is used like a function)
    """For a ``with``: inside, this thread is in the default mode; after it, in the one it was in before.

    RuntimeError where the mode differs and this platform's C library cannot set it.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = None if is_default() else _enter()

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            _library().fesetenv(self._before)


def in_default_fpenv(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """A function that always runs in the default mode; for those that compute with floats on the host."""

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            if is_default():  # here too: a ``with`` takes as long as all else
                return function(*args, **kwargs)
            with default_fpenv():
                return function(*args, **kwargs)
        except TypeError as error:
            if is_binding(error):
                raise misplaced(error, function) from None
            raise

    return run


def without_warnings(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """`in_default_fpenv`, and without NumPy's warnings: for functions whose results may overflow or underflow."""
    guarded = in_default_fpenv(function)

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with np.errstate(all="ignore"):
            return guarded(*args, **kwargs)

    return run


def _enter() -> Any:
    """Set the default mode, and give the environment of before."""
    import ctypes  # here: hardly any program needs it

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
        f"this thread computes floats {on}, which another library left on, and keyrng cannot turn it off on this "
        "platform: values would differ; turn it off where it was turned on (fesetround(FE_TONEAREST), "
        "torch.set_flush_denormal(False), or a library built without -ffast-math)"
    )


def _library() -> Any:
    """The C library, if it has functions for the mode and its default is known; None if not."""
    import ctypes

    try:
        library = ctypes.CDLL(None)
        library.fegetenv, library.fesetenv  # noqa: B018 (AttributeError if it has none)
        _default(library)
    except (AttributeError, OSError, TypeError, ValueError):
        return None
    return library


def _default(library: Any) -> int:
    """FE_DFL_ENV, which is -1 in glibc and musl, and the address of a variable on macOS."""
    import ctypes

    if sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64", "i686", "riscv64"):
        return -1
    return ctypes.addressof(ctypes.c_char.in_dll(library, "_FE_DFL_ENV"))
