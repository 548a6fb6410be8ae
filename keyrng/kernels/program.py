"""A traced kernel: what it draws, what it computes, and in which order.

A kernel is a function ``kernel(lane, *parameters)``. A lane is one element of the result as an executor sees it; on it
the kernel asks for words, for lanes of child keys and for a rejection loop. Here the lane is made of symbols, and what
remains after the call is a `Program` for the printers. On NumPy the same function runs on a lane of arrays
(`keyrng.backends.numpy`).

Must not import anything of keyrng but symbols.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from keyrng.kernels.symbols import BOOL, Graph, Symbol

Dtype = np.dtype[Any]


class Lane(Protocol):
    """One element of a result: what a kernel asks for words.

    A lane's words may be asked for once, in one of the four ways; ``split`` gives lanes for more.
    """

    @property
    def dtype(self) -> Dtype:
        """The dtype the kernel computes in."""

    def bits(self, width: int | None = None) -> Any:
        """A word of 32 or 64 random bits, by default as wide as the dtype. An attempt may ask several times."""

    def planes(self, count: int) -> tuple[Any, ...]:
        """The words of this element in an array with ``count`` rows of the result's size, as jax's (count, *shape)."""

    def split(self, count: int) -> tuple[Any, ...]:
        """The same element under the first ``count`` children of the key."""

    def attempts(self, attempt: Callable[..., tuple[Any, Any]], *arguments: Any) -> Any:
        """The value of the first ``(accept, value) = attempt(lane, *arguments)`` that is accepted."""


Function = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Kernel:
    """A kernel that is compiled: its function, its name and the dtypes it computes in."""

    function: Function
    name: str
    dtypes: tuple[str, ...]

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


def kernel(*dtypes: str) -> Callable[[Function], Kernel]:
    """Mark a function as a kernel to compile for these dtypes."""

    def mark(function: Function) -> Kernel:
        name = function.__name__.lstrip("_")
        if name in _kernels:
            raise ValueError(f"two kernels are named {name!r}")
        _kernels[name] = Kernel(function, name, dtypes)
        return _kernels[name]

    return mark


def kernels() -> tuple[Kernel, ...]:
    """Every kernel of the modules imported so far, in the order of their definition."""
    return tuple(_kernels.values())


@dataclass(frozen=True)
class Source:
    """Direct words: element ``i`` reads word ``i + plane * size`` of a key, in values of ``bits`` bits."""

    key: int
    bits: int
    plane: int


@dataclass
class Attempt:
    """The body of a rejection loop: symbols of its own graph, ``param`` for arguments and ``word`` for words."""

    graph: Graph
    bits: int = 0
    words: int = 0
    accept: Symbol = field(init=False)
    value: Symbol = field(init=False)


@dataclass(frozen=True)
class Loop:
    """A rejection loop: the key of its blocks, its body and the arguments of the body."""

    key: int
    body: Attempt
    arguments: tuple[Symbol, ...]


@dataclass
class Program:
    """A traced kernel. ``keys`` are (parent, child index); key 0 is the one given."""

    dtype: Dtype
    parameters: tuple[Symbol, ...]
    keys: list[tuple[int, int]]
    sources: list[Source]
    loops: list[Loop]
    result: Symbol = field(init=False)


class _SymbolicLane:
    """The lane of a program being traced."""

    def __init__(self, program: Program, graph: Graph, key: int) -> None:
        self._program = program
        self._graph = graph
        self._key = key
        self._used = False
        self.dtype = program.dtype

    def _once(self) -> None:
        if self._used:
            raise ValueError("the words of a lane were asked for twice; lane.split(n) gives lanes for more")
        self._used = True

    def _word(self, bits: int, plane: int) -> Symbol:
        self._program.sources.append(Source(self._key, bits, plane))
        return self._graph.node("word", np.dtype(f"uint{bits}"), len(self._program.sources) - 1)

    def bits(self, width: int | None = None) -> Symbol:
        self._once()
        return self._word(word_width(self.dtype, width), 0)

    def planes(self, count: int) -> tuple[Symbol, ...]:
        self._once()
        return tuple(self._word(word_width(self.dtype), plane) for plane in range(count))

    def split(self, count: int) -> tuple[_SymbolicLane, ...]:
        self._once()
        first = len(self._program.keys)
        self._program.keys.extend((self._key, child) for child in range(count))
        return tuple(_SymbolicLane(self._program, self._graph, first + child) for child in range(count))

    def attempts(self, attempt: Callable[..., tuple[Any, Any]], *arguments: Any) -> Symbol:
        self._once()
        inputs = tuple(a if isinstance(a, Symbol) else self._graph.constant(a, self.dtype) for a in arguments)
        body = Attempt(Graph())
        accept, value = attempt(
            _AttemptLane(body, self.dtype), *(body.graph.node("param", a.dtype, i) for i, a in enumerate(inputs))
        )
        if accept.dtype != BOOL:
            raise TypeError(f"an attempt returns (accept, value) with a condition first, got {accept.dtype}")
        body.accept, body.value = accept, value
        self._program.loops.append(Loop(self._key, body, inputs))
        return self._graph.node("loop", value.dtype, len(self._program.loops) - 1)


class _AttemptLane:
    """The lane of an attempt being traced: its words come one after the other from the attempt's own blocks."""

    def __init__(self, body: Attempt, dtype: Dtype) -> None:
        self._body = body
        self.dtype = dtype

    def bits(self, width: int | None = None) -> Symbol:
        bits = word_width(self.dtype, width)
        if self._body.bits not in (0, bits):
            raise ValueError("an attempt draws words of one width")
        self._body.bits = bits
        self._body.words += 1
        return self._body.graph.node("word", np.dtype(f"uint{bits}"), self._body.words - 1)


def word_width(dtype: Dtype, width: int | None = None) -> int:
    """The width of a word for a dtype, or the one asked for: 32 or 64."""
    if width is None:
        return 64 if dtype.itemsize == 8 else 32
    if width not in (32, 64):
        raise ValueError(f"words have 32 or 64 bits, got {width!r}")
    return width


def trace(function: Function, dtype: Dtype, parameters: int) -> Program:
    """The program of a kernel that computes in ``dtype``."""
    graph = Graph()
    symbols = tuple(graph.node("param", dtype, i) for i in range(parameters))
    program = Program(dtype, symbols, [(-1, 0)], [], [])
    program.result = function(_SymbolicLane(program, graph, 0), *symbols)
    return program


def leaves(program: Program) -> dict[tuple[str, int], Symbol]:
    """The symbols of a program's words and loops, by kind and number: what a printer must compute by other means."""
    graph = program.result.graph
    words = {("word", i): graph.node("word", np.dtype(f"uint{s.bits}"), i) for i, s in enumerate(program.sources)}
    return words | {("loop", i): graph.node("loop", loop.body.value.dtype, i) for i, loop in enumerate(program.loops)}
