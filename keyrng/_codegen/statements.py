"""Statements of a target language for a graph of symbols: one per operation, in a fixed order."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Protocol

from keyrng.kernels.counting import MOST_TERMS
from keyrng.kernels.lookup import Table
from keyrng.kernels.symbols import Symbol


class Dialect(Protocol):
    """The types and operations of one target language."""

    columns: int  # of a table that are looked up at once
    quick_steps: int  # of a count, before sums are compared with the next one

    def declare(self, symbol: Symbol) -> str:
        """Return the type of a symbol's variable."""

    def spell(self, symbol: Symbol, operands: Sequence[str]) -> str:
        """Return the expression of an operation."""

    def any(self, symbol: Symbol, text: str) -> str:
        """Return the test of whether a condition holds for some lane."""

    def look_up(self, table: Table, first: int, index: str, latest: str, names: Sequence[str]) -> str:
        """Return the statements that set variables to columns of a table; ``latest`` was set before."""

    def counter(self, symbol: Symbol, number: str) -> tuple[str, str]:
        """Return the values of two floats like a symbol, the same for all lanes: an int, and its inverse."""

    def tally(self, total: str, going: str) -> str:
        """Return the statement that adds 1 to a count where a sum counts."""


def walk(outputs: Sequence[Symbol], known: Container[Symbol]) -> list[Symbol]:
    """The symbols that the outputs need and that are not known yet, operands first.

    A tail of ``rarely`` is left out, except for what is needed outside of it too.
    """
    always = needs(outputs, known, tails=False)
    order: dict[Symbol, None] = {}
    stack = list(reversed(outputs))
    while stack:
        symbol = stack[-1]
        operands = _operands(symbol, tails=False)
        if symbol.op == "rarely":
            operands += [inner for inner in needs([symbol.args[1]], always) if inner in always]
        missing = [a for a in operands if a not in order and a not in known]
        if symbol in order or not missing:
            order.setdefault(stack.pop())
        else:
            stack.extend(reversed(missing))
    return list(order)


def needs(outputs: Sequence[Symbol], known: Container[Symbol], tails: bool = True) -> dict[Symbol, None]:
    """The symbols that the outputs are computed from, up to known ones; without ``tails``, those of every element."""
    found: dict[Symbol, None] = {}
    stack = list(outputs)
    while stack:
        symbol = stack.pop()
        if symbol not in found:
            found[symbol] = None
            stack.extend([] if symbol in known else _operands(symbol, tails))
    return found


def _operands(symbol: Symbol, tails: bool) -> list[Symbol]:
    operands = (symbol.args[0], symbol.args[2]) if symbol.op == "rarely" and not tails else symbol.args
    return [a for a in operands if isinstance(a, Symbol)]


def statements(
    outputs: Sequence[Symbol], names: Mapping[Symbol, str], dialect: Dialect, copies: int = 1
) -> tuple[list[str], list[str]]:
    """Return the statements that compute the outputs, and the outputs' variables; ``names`` are the leaves' variables.

    With ``copies`` > 1, each statement is repeated for variables that end in ``_0``, ``_1``, ..., and ``@`` in a name
    is replaced by the number of the copy. The copies are independent, so that the processor can overlap them.
    """
    known = dict(names)
    lines = extend(known, outputs, dialect, copies)
    return lines, [known[output] for output in outputs]


def extend(known: dict[Symbol, str], outputs: Sequence[Symbol], dialect: Dialect, copies: int = 1) -> list[str]:
    """Like `statements`, for a function built in parts: reuse the variables in ``known``, and add the new ones."""
    lines: list[str] = []
    for symbol in walk([output for output in outputs if output not in known], known):
        if symbol.op == "rarely":
            lines += _branch(known, symbol, dialect, copies)
            continue
        if symbol.op == "lookup":
            lines += [] if symbol in known else _columns(known, symbol, dialect, copies)
            continue
        if symbol.op in ("count", "total"):
            lines += _summed(known, symbol, dialect, copies)
            continue
        operands = [known[a] if isinstance(a, Symbol) else str(a) for a in symbol.args]
        if symbol.op == "const":
            known[symbol] = dialect.spell(symbol, operands)
            continue
        known[symbol] = _variable(known, copies)
        line = f"{dialect.declare(symbol)} {known[symbol]} = {dialect.spell(symbol, operands)};"
        lines += _repeated([line], copies)
    return lines


def _repeated(lines: Sequence[str], copies: int) -> list[str]:
    """The lines for each copy. A single one keeps its ``@``, because it may be a part of a line for several copies."""
    return list(lines) if copies == 1 else for_each_copy(lines, copies)


def for_each_copy(lines: Sequence[str], copies: int) -> list[str]:
    """The lines for each copy, whose number replaces ``@``."""
    return [line.replace("@", str(copy)) for copy in range(copies) for line in lines]


def _variable(known: Mapping[Symbol, str], copies: int) -> str:
    return f"t{len(known)}" + ("_@" if copies > 1 else "")


def _branch(known: dict[Symbol, str], symbol: Symbol, dialect: Dialect, copies: int) -> list[str]:
    """The statements of ``rarely``: the common value, and the tail in a branch that is usually not taken."""
    condition, tail, common = symbol.args[:3]
    known[symbol] = name = _variable(known, copies)
    inner = dict(known)
    body = extend(inner, [tail], dialect)
    selected = dialect.spell(
        symbol.graph.node("where", symbol.dtype, condition, tail, common), [known[condition], inner[tail], name]
    )
    test = dialect.any(condition, known[condition])
    lines = _repeated([f"{dialect.declare(symbol)} {name} = {known[common]};"], copies)
    branch = _repeated([f"if ({test}) {{", *body, f"{name} = {selected};", "}"], copies)
    if copies == 1:
        return lines + branch
    together = " | ".join(_repeated([known[condition]], copies))
    return [*lines, f"if ({dialect.any(condition, together)}) {{", *branch, "}"]  # one test of all copies first


def _columns(known: dict[Symbol, str], symbol: Symbol, dialect: Dialect, copies: int) -> list[str]:
    """The statements that look up a column of a table, with those next to it if the dialect reads several at once."""
    index, table, column = symbol.args
    first = column - column % dialect.columns
    latest = next(text for other, text in reversed(known.items()) if other.op != "const")
    names = []
    for each in range(first, first + dialect.columns):
        sibling = symbol.graph.node("lookup", symbol.dtype, index, table, each)
        known[sibling] = _variable(known, copies)
        names.append(known[sibling])
    declared = f"{dialect.declare(symbol)} {', '.join(names)};"
    return _repeated([declared, dialect.look_up(table, first, known[index], latest, names)], copies)


def _summed(known: dict[Symbol, str], symbol: Symbol, dialect: Dialect, copies: int) -> list[str]:
    """The loop of ``count_sums`` or ``sum_terms``, over the copies together.

    Only a number above all sums reaches a sum that the next one does not exceed. So the first steps of a count do not
    compare sums with each other, which saves a fifth of the time, and counts that take more steps begin again.
    """
    known[symbol] = result = _variable(known, copies)
    number, counts = len(known), symbol.op == "count"
    start = [f"{dialect.declare(symbol.args[0])} sum{number}{'_@' * (copies > 1)};"] if counts else []
    lines = _repeated([*start, f"{dialect.declare(symbol)} {result};"], copies)
    if not counts or not dialect.quick_steps:
        return [*lines, *_steps(known, symbol, number, dialect, copies, MOST_TERMS)]
    return [
        *lines,
        f"int open{number} = 1;",
        *_steps(known, symbol, number, dialect, copies, dialect.quick_steps, quick=True),
        f"if (open{number}) {{",
        *_steps(known, symbol, number, dialect, copies, MOST_TERMS),
        "}",
    ]


def _steps(
    known: dict[Symbol, str], symbol: Symbol, number: int, dialect: Dialect, copies: int, most: int, quick: bool = False
) -> list[str]:
    first, step, *arguments = symbol.args
    mark, counts, result = "_@" * (copies > 1), symbol.op == "count", known[symbol]
    term, k, inverse = (f"{name}{number}" for name in ("term", "k", "inverse"))
    total = f"sum{number}{mark}" if counts else result
    inner = known | dict(
        zip(step.inputs, [total, term + mark, k, inverse, *(known[a] for a in arguments)], strict=True)
    )
    test = step.going.graph.node("reached", step.going.dtype, *step.going.args[:2]) if quick else step.going
    body = extend(inner, [test, step.sum, step.term], dialect, copies)
    kind, going = dialect.declare(first), inner[test]
    together = " | ".join(_repeated([going], copies)) if copies > 1 else going
    end = f"{{ open{number} = 0; break; }}" if quick else "break;"
    start = [f"{total} = {known[first]};"]
    if counts:
        start.append(f"{result} = {dialect.spell(symbol.graph.constant(0, symbol.dtype), [])};")
    return [
        *_repeated(start, copies),
        "{",
        *_repeated([f"{kind} {term}{mark} = {known[first]};"], copies),
        f"for (int i{number} = {step.start + 1}; i{number} <= {step.start + most}; i{number}++) {{",
        *(
            f"{kind} {name} = {value};"
            for name, value in zip((k, inverse), dialect.counter(first, f"i{number}"), strict=True)
        ),
        *body,
        *_repeated([dialect.tally(result, going)] if counts else [], copies),
        f"if (!({dialect.any(test, together)})) {end}",
        *_repeated([f"{total} = {inner[step.sum]}, {term}{mark} = {inner[step.term]};"], copies),
        "}",
        "}",
    ]
