"""Which loops and counts a value needs, and kernels that select between two methods by their parameters."""

from __future__ import annotations

from collections.abc import Sequence

from keyrng._codegen.statements import needs
from keyrng._codegen.trace import Loop, Program, leaves
from keyrng.kernels.symbols import Symbol


def loops_of(traced: Program, value: Symbol) -> list[tuple[Symbol, Loop]]:
    """Return the loops that a value needs, in order of dependency."""
    leaf, wanted, found = leaves(traced), [value], []
    for i, loop in reversed(list(enumerate(traced.loops))):
        if leaf["loop", i] in needs(wanted, ()):
            found.append((leaf["loop", i], loop))
            wanted += loop.arguments
    return found[::-1]


def inputs_of(traced: Program, value: Symbol) -> list[Symbol]:
    """Return the values that the statements of a value, and its loops, start from or end in."""
    return [value, *(argument for _, loop in loops_of(traced, value) for argument in loop.arguments)]


def varying(outputs: Sequence[Symbol]) -> bool:
    """Whether values depend on words."""
    return any(symbol.op in ("word", "loop") for symbol in needs(outputs, ()))


def methods(traced: Program) -> tuple[Symbol, Symbol, Symbol] | None:
    """Return a condition of the parameters alone, and the two values that it selects between, if they share no loop.

    Each lane then needs one of them, so the others need not be computed for it.
    """
    result = traced.result
    if result.op != "where" or varying(result.args[:1]):
        return None
    condition, *values = result.args
    first, second = ({s for s in needs(inputs_of(traced, v), ()) if s.op in ("loop", "count")} for v in values)
    apart = (first or second) and not first & second and varying(values[:1]) and varying(values[1:])
    return (condition, values[0], values[1]) if apart else None
