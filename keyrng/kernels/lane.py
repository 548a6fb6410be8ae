"""Lanes and kernels.

A kernel is a function ``kernel(lane, *parameters)``. A lane is one element of the result as an executor sees it; it
provides random words, lanes of child keys and rejection loops. NumPy lanes hold arrays (`keyrng._executors.numpy`),
lanes for code generation hold symbols (`keyrng._codegen.trace`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Dtype = np.dtype[Any]


class Lane(Protocol):
    """One element of a result: the source of a kernel's random words.

    Only one of the five methods may be called, once; use ``split`` if a kernel needs more. The exception is
    ``rejection_loop`` with ``bits``, because attempts have words that no direct draw has.
    """

    @property
    def dtype(self) -> Dtype:
        """The dtype the kernel computes in."""

    def bits(self, width: int | None = None) -> Any:
        """Return a word of 32 or 64 random bits, by default as wide as the dtype. Attempts may call it repeatedly."""

    def strided_words(self, count: int, width: int | None = None) -> tuple[Any, ...]:
        """Return this element's words in an array of ``count`` rows of the result's size: jax's ``(count, *shape)``."""

    def vector(self, count: int) -> tuple[Any, ...]:
        """Return a lane of one word for each value of this element in an array with a last axis of ``count``."""

    def split(self, count: int) -> tuple[Any, ...]:
        """Return lanes of this element under the first ``count`` children of the key."""

    def rejection_loop(self, attempt: Callable[..., tuple[Any, Any]], *arguments: Any) -> Any:
        """Return the value of the first ``(accept, value) = attempt(lane, *arguments)`` that is accepted."""


Function = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Kernel:
    """A kernel to compile: its function, its name and the dtypes it computes in.

    C code computes ``abreast`` vectors side by side, because most operations depend on the one before. By default it
    computes four, and one in large kernels. A vector has as many lanes as a register has words of ``word_bits``, which
    is the width of the dtype by default.

    ``usual`` is a faster kernel that draws the same values if all parameters are at least one number and less than
    another.
    """

    function: Function
    name: str
    dtypes: tuple[str, ...]
    abreast: int = 0
    word_bits: int | None = None
    usual: tuple[Kernel, float, float] | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters after the lane."""
        return tuple(inspect.signature(self.function).parameters)[1:]

    def __call__(self, lane: Any, *parameters: Any) -> Any:
        """Call the function, to use the kernel inside another kernel."""
        return self.function(lane, *parameters)


FLOATS = ("float32", "float64")
WORDS = ("uint32", "uint64")

_kernels: dict[str, Kernel] = {}


def kernel(
    *dtypes: str,
    abreast: int = 0,
    word_bits: int | None = None,
    usual: tuple[Kernel, float, float] | None = None,
) -> Callable[[Function], Kernel]:
    """Register a function as a kernel that is compiled for these dtypes; see `Kernel` for the other arguments."""

    def mark(function: Function) -> Kernel:
        name = function.__name__.strip("_").removesuffix("_kernel")
        if name in _kernels:
            raise ValueError(f"two kernels are named {name!r}")
        _kernels[name] = Kernel(function, name, dtypes, abreast, word_bits, usual)
        return _kernels[name]

    return mark


def kernels() -> tuple[Kernel, ...]:
    """Return the kernels of all modules imported so far, in order of definition."""
    return tuple(_kernels.values())


def kernel_of(name: str) -> Kernel:
    """Return the kernel with a name; KeyError if there is none."""
    return _kernels[name]


@dataclass(frozen=True)
class AttemptIn:
    """The lane of an attempt that computes in another dtype than its kernel."""

    lane: Any
    dtype: Dtype

    def bits(self, width: int | None = None) -> Any:
        """Return the next word, by default as wide as the dtype."""
        return self.lane.bits(word_width(self.dtype, width))


class UseOnceGuard:
    """Enforces that the words of a lane are taken once."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def __call__(self, use: str = "others") -> None:
        """Record a use; ValueError if it is the second, unless one takes "bits" and the other "attempts"."""
        uses = {use, *self._used}
        if use in self._used or (len(uses) > 1 and uses != {"bits", "attempts"}):
            raise ValueError("the words of a lane can be taken once; use lane.split(n) to get more lanes")
        self._used = uses


def word_width(dtype: Dtype, width: int | None = None) -> int:
    """Return the width of a word, 32 or 64: the given one, or that of the dtype."""
    if width is None:
        return 64 if dtype.itemsize == 8 else 32
    if width not in (32, 64):
        raise ValueError(f"width must be 32 or 64, got {width!r}")
    return width
