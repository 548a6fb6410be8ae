"""Maps without the tails of ``rarely``, whose elements are collected and computed again, side by side."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from keyrng._codegen.statements import needs
from keyrng.kernels.symbols import Symbol

_OFTEN = 0.02  # the share from which some lane of a few vectors is usually in a tail


@dataclass(frozen=True)
class Tail:
    """Outputs, by number, to compute again for the elements where a condition holds."""

    condition: Symbol
    outputs: dict[int, Symbol]
    often: bool


def without_tails(outputs: Sequence[Symbol], known: Container[Symbol]) -> tuple[list[Symbol], list[Tail]]:
    """Return the outputs without the tails that have a share, and these tails.

    A frequent tail that is itself an output is computed alone, because few of its elements are in the other tails,
    which come together and last, for all outputs.
    """
    always, needed = needs(outputs, known, tails=False), needs(outputs, known)
    used = {a: None for symbol in needed if symbol not in known for a in symbol.args if isinstance(a, Symbol)}
    numbers = {output: i for i, output in enumerate(outputs) if output not in used}
    tails: list[Tail] = []
    rare: list[Symbol] = []
    new: dict[Symbol, Symbol] = {}
    for symbol in outputs[0].graph.symbols():  # operands first
        if symbol not in needed or symbol in known:
            continue
        args = [new.get(a, a) if isinstance(a, Symbol) else a for a in symbol.args]
        if symbol.op == "rarely" and symbol.args[3] and symbol in always:
            condition, tail, new[symbol], share = args
            if share >= _OFTEN and symbol in numbers:
                tails.append(Tail(condition, {numbers[symbol]: tail}, often=True))
            else:
                rare.append(condition)
        else:
            new[symbol] = symbol.graph.node(symbol.op, symbol.dtype, *args)
    if rare:
        tails.append(Tail(reduce(or_, rare), dict(enumerate(outputs)), often=False))
    return [new.get(output, output) for output in outputs], tails
