"""Tracing: call a kernel on symbols and record its words, loops and operations as a `Program`.

Kernels are traced at build time and for GPUs, never for a draw on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keyrng.kernels.lane import Dtype, Function, UseOnceGuard, word_width
from keyrng.kernels.symbols import BOOL, Graph, Symbol


@dataclass(frozen=True)
class Source:
    """Words of direct draws: element ``i`` reads word ``i * step + place + plane * size`` of a key, ``bits`` wide.

    With ``half``, it reads the first 32 bits of a word of 64 bits.
    """

    key: int
    bits: int
    plane: int = 0
    step: int = 1
    place: int = 0
    half: int = 0


@dataclass
class Attempt:
    """The body of a loop, in a separate graph: ``param`` nodes are arguments, ``word`` nodes are words.

    ``state`` has the values that the first arguments get for the next attempt.
    """

    graph: Graph
    bits: int = 0
    words: int = 0
    accept: Symbol = field(init=False)
    value: Symbol = field(init=False)
    state: tuple[Symbol, ...] = ()


@dataclass(frozen=True)
class Loop:
    """A loop: the key of its blocks, its body and the arguments of its body."""

    key: int
    body: Attempt
    arguments: tuple[Symbol, ...]


@dataclass
class Program:
    """A traced kernel. ``keys`` are pairs (parent, child index); key 0 is the key of the draw."""

    dtype: Dtype
    parameters: tuple[Symbol, ...]
    keys: list[tuple[int, int]]
    sources: list[Source]
    loops: list[Loop]
    result: Symbol = field(init=False)


class _SymbolicLane:
    """Lane that records what a kernel draws.

    Kernels that only GPUs run may use two more methods, `shared_words` and `loop`.
    """

    def __init__(self, program: Program, graph: Graph, key: int) -> None:
        self._program = program
        self._graph = graph
        self._key = key
        self._once = UseOnceGuard()
        self.dtype = program.dtype

    def _word(self, bits: int, **where: int) -> Symbol:
        self._program.sources.append(Source(self._key, bits, **where))
        return self._graph.node("word", np.dtype(f"uint{bits}"), len(self._program.sources) - 1)

    def bits(self, width: int | None = None) -> Symbol:
        self._once("bits")
        return self._word(word_width(self.dtype, width))

    def strided_words(self, count: int, width: int | None = None) -> tuple[Symbol, ...]:
        self._once()
        return tuple(self._word(word_width(self.dtype, width), plane=plane) for plane in range(count))

    def vector(self, count: int) -> tuple[_SymbolicRowLane, ...]:
        self._once()
        return tuple(_SymbolicRowLane(self, count, place) for place in range(count))

    def split(self, count: int) -> tuple[_SymbolicLane, ...]:
        self._once()
        first = len(self._program.keys)
        self._program.keys.extend((self._key, child) for child in range(count))
        return tuple(_SymbolicLane(self._program, self._graph, first + child) for child in range(count))

    def rejection_loop(self, attempt: Callable[..., tuple[Any, Any]], *arguments: Any) -> Symbol:
        self._once("attempts")
        inputs = tuple(a if isinstance(a, Symbol) else self._graph.constant(a, self.dtype) for a in arguments)
        body = Attempt(Graph())
        accept, value = attempt(
            _AttemptLane(body, self.dtype), *(body.graph.node("param", a.dtype, i) for i, a in enumerate(inputs))
        )
        if accept.dtype != BOOL:
            raise TypeError(f"attempt must return (accept, value) with a boolean first, got {accept.dtype}")
        body.accept, body.value = accept, value
        return self._looped(body, inputs)

    def shared_words(self, count: int, width: int) -> tuple[Symbol, ...]:
        """Return the first words of the key, the same for all elements."""
        self._once()
        return tuple(self._word(width, step=0, place=place) for place in range(count))

    def loop(self, step: Callable[..., tuple[Any, ...]], state: tuple[Symbol, ...], *arguments: Symbol) -> Symbol:
        """Repeat ``(done, *state) = step(*state, *arguments)`` until done; return the first value of the state."""
        body, inputs = Attempt(Graph()), (*state, *arguments)
        body.accept, *new = step(*(body.graph.node("param", a.dtype, i) for i, a in enumerate(inputs)))
        body.value, body.state = new[0], tuple(new)
        return self._looped(body, inputs)

    def _looped(self, body: Attempt, inputs: tuple[Symbol, ...]) -> Symbol:
        self._program.loops.append(Loop(self._key, body, inputs))
        return self._graph.node("loop", body.value.dtype, len(self._program.loops) - 1)


class _SymbolicRowLane:
    """Lane of one value in a vector."""

    def __init__(self, lane: _SymbolicLane, step: int, place: int) -> None:
        self._lane = lane
        self._where = {"step": step, "place": place}
        self._once = UseOnceGuard()
        self.dtype = lane.dtype

    def bits(self, width: int | None = None) -> Symbol:
        self._once()
        return self._lane._word(word_width(self.dtype, width), **self._where)


class _AttemptLane:
    """Lane of an attempt: each call of ``bits`` takes the next word of the attempt's blocks."""

    def __init__(self, body: Attempt, dtype: Dtype) -> None:
        self._body = body
        self.dtype = dtype

    def bits(self, width: int | None = None) -> Symbol:
        bits = word_width(self.dtype, width)
        if self._body.bits not in (0, bits):
            raise ValueError("all words of an attempt must have the same width")
        self._body.bits = bits
        self._body.words += 1
        return self._body.graph.node("word", np.dtype(f"uint{bits}"), self._body.words - 1)


def trace(function: Function, dtype: Dtype, parameters: int | Sequence[Dtype]) -> Program:
    """Trace a kernel that computes in ``dtype``; ``parameters`` is their number, or a dtype for each."""
    graph, dtypes = Graph(), [dtype] * parameters if isinstance(parameters, int) else parameters
    symbols = tuple(graph.node("param", each, i) for i, each in enumerate(dtypes))
    program = Program(dtype, symbols, [(-1, 0)], [], [])
    program.result = function(_SymbolicLane(program, graph, 0), *symbols)
    return program


def leaves(program: Program) -> dict[tuple[str, int], Symbol]:
    """Symbols of a program's words and loops, by kind and number: values that a printer computes itself."""
    graph = program.result.graph
    words = {("word", i): graph.node("word", np.dtype(f"uint{s.bits}"), i) for i, s in enumerate(program.sources)}
    return words | {("loop", i): graph.node("loop", loop.body.value.dtype, i) for i, loop in enumerate(program.loops)}
