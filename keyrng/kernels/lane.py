"""Lanes and kernels: what a sampler's mathematics is written on.

A kernel is a function ``kernel(lane, *parameters)``. A lane is one element of the result as an executor sees it; on it
the kernel asks for words, for lanes of child keys and for a rejection loop. On NumPy a lane is made of arrays
(`keyrng._executors.numpy`), for the printers of symbols (`keyrng._codegen.trace`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Dtype = np.dtype[Any]


class Lane(Protocol):
    """One element of a result: what a kernel asks for words.

    A lane's words may be asked for once, in one of the five ways; ``split`` gives lanes for more.
    """

    @property
    def dtype(self) -> Dtype:
        """The dtype the kernel computes in."""

    def bits(self, width: int | None = None) -> Any:
        """A word of 32 or 64 random bits, by default as wide as the dtype. An attempt may ask several times."""

    def strided_words(self, count: int, width: int | None = None) -> tuple[Any, ...]:
        """The words of this element in an array of ``count`` rows of the result's size: jax's ``(count, *shape)``."""

    def vector(self, count: int) -> tuple[Any, ...]:
        """Lanes, each for a word, of the values that an array with a last axis of ``count`` has for this element."""

    def split(self, count: int) -> tuple[Any, ...]:
        """The same element under the first ``count`` children of the key."""

    def rejection_loop(self, attempt: Callable[..., tuple[Any, Any]], *arguments: Any) -> Any:
        """The value of the first ``(accept, value) = attempt(lane, *arguments)`` that is accepted."""


Function = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Kernel:
    """A kernel that is compiled: its function, its name and the dtypes it computes in.

    In C, ``abreast`` vectors are computed side by side, which pays where each operation waits for the one before it,
    and a vector has as many lanes as a register has words of ``word_bits``, by default as wide as the dtype.
    """

    function: Function
    name: str
    dtypes: tuple[str, ...]
    abreast: int = 1
    word_bits: int | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters after the lane."""
        return tuple(inspect.signature(self.function).parameters)[1:]

    def __call__(self, lane: Any, *parameters: Any) -> Any:
        """The kernel as a part of another."""
        return self.function(lane, *parameters)


FLOATS = ("float32", "float64")
WORDS = ("uint32", "uint64")

_kernels: dict[str, Kernel] = {}


def kernel(*dtypes: str, abreast: int = 1, word_bits: int | None = None) -> Callable[[Function], Kernel]:
    """Mark a function as a kernel to compile for these dtypes."""

    def mark(function: Function) -> Kernel:
        name = function.__name__.strip("_").removesuffix("_kernel")
        if name in _kernels:
            raise ValueError(f"two kernels are named {name!r}")
        _kernels[name] = Kernel(function, name, dtypes, abreast, word_bits)
        return _kernels[name]

    return mark


def kernels() -> tuple[Kernel, ...]:
    """Every kernel of the modules imported so far, in the order of their definition."""
    return tuple(_kernels.values())


def kernel_of(name: str) -> Kernel:
    """The kernel of that name, for code that makes slabs; KeyError if there is none."""
    return _kernels[name]


class UseOnceGuard:
    """The rule that a lane's words are asked for once: called a second time, it raises."""

    def __init__(self) -> None:
        self._used = False

    def __call__(self) -> None:
        """Note one use; ValueError for the second."""
        if self._used:
            raise ValueError("the words of a lane were asked for twice; lane.split(n) gives lanes for more")
        self._used = True


def word_width(dtype: Dtype, width: int | None = None) -> int:
    """The width of a word for a dtype, or the one asked for: 32 or 64."""
    if width is None:
        return 64 if dtype.itemsize == 8 else 32
    if width not in (32, 64):
        raise ValueError(f"words have 32 or 64 bits, got {width!r}")
    return width
