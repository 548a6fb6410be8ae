"""Words of 64 bits of which a kernel uses the first half only: they are drawn as words of 32 bits, in less time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from keyrng._codegen.statements import needs
from keyrng._codegen.trace import Program, leaves
from keyrng.kernels.symbols import Symbol

_HALF = np.dtype(np.uint32)


def halved(traced: Program) -> Program:
    """Return a program whose sources are halves where the value only shifts a word by 32 or more and narrows that."""
    graph, needed = traced.result.graph, needs([traced.result], ())
    uses: dict[Symbol, list[Symbol]] = defaultdict(list, {traced.result: [traced.result]})
    for symbol in needed:
        for operand in symbol.args:
            if isinstance(operand, Symbol):
                uses[operand].append(symbol)
    words = [(i, leaves(traced)["word", i]) for i, source in enumerate(traced.sources) if source.bits == 64]
    halves = {word: i for i, word in words if all(_shifts(use) and all(map(_narrows, uses[use])) for use in uses[word])}
    if traced.loops or not halves:
        return traced
    new: dict[Symbol, Symbol] = {}
    for symbol in graph.symbols():  # operands first
        if symbol not in needed or symbol in halves:
            continue
        if _narrows(symbol) and symbol.args[0].op == "shr" and symbol.args[0].args[0] in halves:
            word, amount = symbol.args[0].args
            half = graph.node("word", _HALF, halves[word])
            new[symbol] = half if amount == 32 else graph.node("shr", _HALF, half, amount - 32)
        else:
            args = (new.get(a, a) if isinstance(a, Symbol) else a for a in symbol.args)
            new[symbol] = graph.node(symbol.op, symbol.dtype, *args)
    numbers = halves.values()
    sources = [replace(source, bits=32, half=1) if i in numbers else source for i, source in enumerate(traced.sources)]
    program = replace(traced, sources=sources)
    program.result = new[traced.result]
    return program


def _shifts(symbol: Symbol) -> bool:
    return symbol.op == "shr" and isinstance(symbol.args[1], int) and symbol.args[1] >= 32


def _narrows(symbol: Symbol) -> bool:
    return symbol.op == "cast" and symbol.dtype == _HALF
