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


def arguments_of(traced: Program, value: Symbol) -> list[Symbol]:
    """Return the arguments of the loops that a value needs."""
    return [argument for _, loop in loops_of(traced, value) for argument in loop.arguments]


def varying(outputs: Sequence[Symbol]) -> bool:
    """Whether values depend on words."""
    return any(symbol.op in ("word", "loop") for symbol in needs(outputs, ()))


def selects_method(traced: Program) -> bool:
    """Whether the result selects between two values by a condition of the parameters alone, and they share no loop.

    Each lane then needs one of the values, so the other need not be computed for it.
    """
    result = traced.result
    if result.op != "where" or varying(result.args[:1]):
        return False
    values = result.args[1:]
    first, second = ({s for s in needs([v, *arguments_of(traced, v)], ()) if s.op in ("loop", "count")} for v in values)
    return bool(first or second) and not first & second and varying(values[:1]) and varying(values[1:])
