"""Statements in C for a graph of symbols: one statement per operation, in a fixed order.

There are two dialects. ``C`` is for the CPU: the macros of ``vector.h`` make the same source vector or scalar code.
``CUDA`` is scalar and writes each floating-point operation as a call, because only inline PTX is independent of the
flags that CuPy passes to the compiler.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from keyrng.kernels.counting import MOST_TERMS
from keyrng.kernels.lookup import Table
from keyrng.kernels.symbols import BOOL, Symbol

Dtype = np.dtype[Any]

_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "and": "&", "or": "|", "xor": "^"}
_COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


class Dialect(Protocol):
    """The types and operations of one target language."""

    columns: int  # of a table that are looked up at once

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
    """The loop of ``count_sums`` or ``sum_terms``, over the copies together."""
    first, step, *arguments = symbol.args
    known[symbol] = result = _variable(known, copies)
    number, mark, counts = len(known), "_@" * (copies > 1), symbol.op == "count"
    term, k, inverse = (f"{name}{number}" for name in ("term", "k", "inverse"))
    total = f"sum{number}{mark}" if counts else result
    inner = known | dict(
        zip(step.inputs, [total, term + mark, k, inverse, *(known[a] for a in arguments)], strict=True)
    )
    body = extend(inner, [step.going, step.sum, step.term], dialect, copies)
    kind, going = dialect.declare(first), inner[step.going]
    together = " | ".join(_repeated([going], copies)) if copies > 1 else going
    start = [f"{kind} {total} = {known[first]};"]
    if counts:
        zero = dialect.spell(symbol.graph.constant(0, symbol.dtype), [])
        start.append(f"{dialect.declare(symbol)} {result} = {zero};")
    return [
        *_repeated(start, copies),
        "{",
        *_repeated([f"{kind} {term}{mark} = {known[first]};"], copies),
        f"for (int i{number} = {step.start + 1}; i{number} <= {step.start + MOST_TERMS}; i{number}++) {{",
        *(
            f"{kind} {name} = {value};"
            for name, value in zip((k, inverse), dialect.counter(first, f"i{number}"), strict=True)
        ),
        *body,
        *_repeated([dialect.tally(result, going)] if counts else [], copies),
        f"if (!({dialect.any(step.going, together)})) break;",
        *_repeated([f"{total} = {inner[step.sum]}, {term}{mark} = {inner[step.term]};"], copies),
        "}",
        "}",
    ]


def mask_bits(symbol: Symbol) -> int:
    """Width of a condition's vector mask: the width of the compared values."""
    if symbol.op == "const":
        return 32
    operand: Symbol = symbol.args[0]
    return mask_bits(operand) if operand.dtype == BOOL else 8 * operand.dtype.itemsize


def literal(value: Any) -> str:
    """Return an exact C literal."""
    dtype = value.dtype
    if dtype.kind == "f":
        suffix = "f" if dtype.itemsize == 4 else ""
        if not np.isfinite(value):
            # As bits, because C has no such literal, and the NaN of a compiler's macro varies.
            return f"{dtype.name}_of({literal(value.view(f'uint{8 * dtype.itemsize}'))})"
        return float(value).hex() + suffix
    if dtype.kind == "u":
        return hex(int(value)) + ("u" if dtype.itemsize <= 4 else "ull")
    # C has no literal for the smallest signed integer.
    return f"({int(value) + 1} - 1)" if dtype.itemsize == 4 else f"({int(value) + 1}ll - 1)"


class C:
    """C for the CPU, with as many lanes as words of ``lanes`` (32 or 64) bits fit in a vector register."""

    columns = 4

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes

    def type(self, dtype: Dtype) -> str:
        """Return the vector or scalar type of a dtype."""
        return f"{dtype.name}_w{self.lanes}"

    def declare(self, symbol: Symbol) -> str:
        """Return the type of a symbol's variable."""
        if symbol.op == "going":
            return f"going_mask_w{self.lanes}"
        return f"mask{mask_bits(symbol)}_w{self.lanes}" if symbol.dtype == BOOL else self.type(symbol.dtype)

    def any(self, symbol: Symbol, text: str) -> str:
        """Return the test of whether a condition holds for some lane."""
        return f"any_{self.declare(symbol)}({text})"

    def look_up(self, table: Table, first: int, index: str, latest: str, names: Sequence[str]) -> str:
        """Return the statements that set variables to columns of a table."""
        targets = ", ".join(f"&{name}" for name in names)
        call = f"lookup_float64_w{self.lanes}({table.name} + {16 * first}, {index}, {targets});"
        return f"AFTER({latest}, {index}); {call}"

    def counter(self, symbol: Symbol, number: str) -> tuple[str, str]:
        """Return the values of two floats like a symbol, the same for all lanes: an int, and its inverse."""
        kind = self.declare(symbol)
        return f"SPLAT({kind}, (double){number})", f"SPLAT({kind}, 1.0 / {number})"

    def tally(self, total: str, going: str) -> str:
        """Return the statement that adds 1 where a sum counts."""
        return f"{total} = tally_w{self.lanes}({total}, {going});"

    def _mask(self, symbol: Symbol, text: str, bits: int) -> str:
        return text if mask_bits(symbol) == bits else f"CONVERT(mask{bits}_w{self.lanes}, {text})"

    def spell(self, symbol: Symbol, operands: Sequence[str]) -> str:
        """Return the expression of an operation."""
        op, dtype, args = symbol.op, symbol.dtype, symbol.args
        kind = self.declare(symbol)
        if op == "going":
            total, u, larger = operands
            return f"at_most_w{self.lanes}({total}, {u}) & below_w{self.lanes}({total}, {larger})"
        if op == "const":
            return f"SPLAT({kind}, {-int(args[1]) if dtype == BOOL else literal(args[1])})"
        if dtype == BOOL and args[0].dtype == BOOL:
            operands = [self._mask(a, text, mask_bits(symbol)) for a, text in zip(args, operands, strict=True)]
        if op == "mul" and dtype == np.uint32 and symbol.graph.has("mulhi", dtype, *symbol.args):
            # Philox needs both halves of the product: this call shares the 64-bit products with mulhi_. Where only the
            # low half is needed, the operator is faster.
            return f"mul_{kind}({', '.join(operands)})"
        if op in _OPERATORS:
            return f"{operands[0]} {_OPERATORS[op]} {operands[1]}"
        if op in _COMPARISONS:
            return f"COMPARE({kind}, {operands[0]} {_COMPARISONS[op]} {operands[1]})"
        if op == "where" and dtype == BOOL:
            condition, a, b = operands
            return f"({condition} & {a}) | (~{condition} & {b})"
        if op == "where":
            condition = self._mask(args[0], operands[0], 8 * dtype.itemsize)
            return f"SELECT({kind}, {condition}, {operands[1]}, {operands[2]})"
        if op == "cast" and args[0].dtype == BOOL:
            return f"CONVERT({kind}, {operands[0]} & 1)"
        if op == "cast":
            return f"CONVERT({kind}, {operands[0]})"
        if op == "bitcast":
            return f"BITCAST({kind}, {self.type(args[0].dtype)}, {operands[0]})"
        if op in ("shl", "shr"):
            return f"{operands[0]} {'<<' if op == 'shl' else '>>'} {operands[1]}"
        if op == "rotl":
            word, amount = operands
            return f"({word} << {amount}) | ({word} >> {8 * dtype.itemsize - int(amount)})"
        if op in ("invert", "neg"):
            return f"{'~' if op == 'invert' else '-'}{operands[0]}"
        return f"{op}_{kind}({', '.join(operands)})"


_CUDA_TYPES = {
    "bool": "bool",
    "uint8": "unsigned char",
    "int8": "signed char",
    "uint16": "unsigned short",
    "int16": "short",
    "uint32": "unsigned int",
    "int32": "int",
    "uint64": "unsigned long long",
    "int64": "long long",
    "float32": "float",
    "float64": "double",
}


class CUDA:
    """Scalar CUDA; floating-point operations call the functions of `keyrng._codegen.cuda_prelude`."""

    columns = 1

    def type(self, dtype: Dtype) -> str:
        """Return the type of a dtype."""
        return _CUDA_TYPES[dtype.name]

    def declare(self, symbol: Symbol) -> str:
        """Return the type of a symbol's variable."""
        return self.type(symbol.dtype)

    def spell(self, symbol: Symbol, operands: Sequence[str]) -> str:
        """Return the expression of an operation."""
        op, dtype, args = symbol.op, symbol.dtype, symbol.args
        if op == "const":
            return self._constant(args[1])
        if op == "where":
            return f"{operands[0]} ? {operands[1]} : {operands[2]}"
        if op == "take":  # only in functions of rows
            return f"p{operands[1]}[{operands[0]}]"
        if op == "going":
            total, u, larger = operands
            return f"f_le({total}, {u}) & f_lt({total}, {larger})"
        if op in ("cast", "bitcast"):
            return self._conversion(op, args[0].dtype, dtype, operands[0])
        if args[0].dtype.kind == "f":
            return f"f_{op}({', '.join(operands)})"
        if op in _COMPARISONS:
            return f"{operands[0]} {_COMPARISONS[op]} {operands[1]}"
        if op == "mul" and dtype == np.uint32 and symbol.graph.has("mulhi", dtype, *args):
            return f"mullo({', '.join(operands)})"  # shares the wide product with mulhi
        return self._integer(op, dtype, operands)

    def any(self, symbol: Symbol, text: str) -> str:
        """Return the test of a condition."""
        return text

    def look_up(self, table: Table, first: int, index: str, latest: str, names: Sequence[str]) -> str:
        """Return the statement that sets a variable to a column of a table."""
        return f"{names[0]} = float64_of({table.name}[{16 * first} + {index}]);"

    def counter(self, symbol: Symbol, number: str) -> tuple[str, str]:
        """Return two floats: an int, and its inverse."""
        value = f"{symbol.dtype.name}_from({number})"
        return value, f"f_div({self._constant(symbol.dtype.type(1))}, {value})"

    def tally(self, total: str, going: str) -> str:
        """Return the statement that adds 1 if a sum counts."""
        return f"{total} += {going};"

    def _constant(self, value: Any) -> str:
        dtype = value.dtype
        if dtype == BOOL:
            return str(bool(value)).lower()
        if dtype.kind == "f":
            # As bits, because compiler flags may flush a literal or change how it is read.
            return f"{dtype.name}_of({literal(value.view(f'uint{8 * dtype.itemsize}'))})"
        return literal(value)

    def _conversion(self, op: str, given: Dtype, dtype: Dtype, operand: str) -> str:
        if "f" not in (given.kind, dtype.kind):
            return f"({self.type(dtype)}){operand}"
        if op == "cast":
            return f"{dtype.name}_from({operand})"
        if dtype.kind == "f":
            return f"{dtype.name}_of({operand})"
        word = f"uint{8 * dtype.itemsize}_of({operand})"
        return word if dtype.kind == "u" else f"({self.type(dtype)}){word}"

    def _integer(self, op: str, dtype: Dtype, operands: Sequence[str]) -> str:
        if op in _OPERATORS:
            expression = f"{self._wrapping(dtype, operands[0])} {_OPERATORS[op]} {self._wrapping(dtype, operands[1])}"
        elif op in ("shl", "shr"):
            expression = f"{operands[0]} {'<<' if op == 'shl' else '>>'} {operands[1]}"
        elif op == "rotl":
            word, amount = operands
            expression = f"({word} << {amount}) | ({word} >> {8 * dtype.itemsize - int(amount)})"
        elif op == "invert":
            expression = f"{'!' if dtype == BOOL else '~'}{operands[0]}"
        elif op == "neg":
            expression = f"-{self._wrapping(dtype, operands[0])}"
        else:
            expression = f"{op}({', '.join(operands)})"
        # C promotes narrower operands to int, so that the result has to be converted back.
        return expression if dtype.name in ("bool", "uint32", "uint64") else f"({self.type(dtype)})({expression})"

    def _wrapping(self, dtype: Dtype, operand: str) -> str:
        """Make an operand unsigned, because signed overflow is undefined in C and wraps in the kernel language."""
        if dtype.name in ("bool", "uint32", "uint64"):
            return operand
        return f"({'unsigned long long' if dtype.itemsize == 8 else 'unsigned int'}){operand}"
