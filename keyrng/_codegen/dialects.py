"""The two dialects of C that kernels are printed in: types, and expressions of operations.

``C`` is for the CPU: the macros of ``vector.h`` make the same source vector or scalar code.
``CUDA`` is scalar and writes each floating-point operation as a call, because only inline PTX is independent of the
flags that CuPy passes to the compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keyrng.kernels.lookup import Table
from keyrng.kernels.symbols import BOOL, Symbol

Dtype = np.dtype[Any]

_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "and": "&", "or": "|", "xor": "^"}
_COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


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

    columns, quick_steps = 4, 64

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes

    def type(self, dtype: Dtype) -> str:
        """Return the vector or scalar type of a dtype."""
        return f"{dtype.name}_w{self.lanes}"

    def declare(self, symbol: Symbol) -> str:
        """Return the type of a symbol's variable."""
        if symbol.op in ("going", "reached"):
            return f"going_mask_w{self.lanes}"
        return f"mask{mask_bits(symbol)}_w{self.lanes}" if symbol.dtype == BOOL else self.type(symbol.dtype)

    def any(self, symbol: Symbol, text: str) -> str:
        """Return the test of whether a condition holds for some lane."""
        return f"any_{self.declare(symbol)}({text})"

    def look_up(self, table: Table, first: int, index: str, latest: str, names: Sequence[str]) -> str:
        """Return the statements that set variables to columns of a table."""
        targets = ", ".join(f"&{name}" for name in names)
        call = f"lookup_float64_w{self.lanes}({table.name} + {16 * first}, {index}, {targets});"
        return f"AFTER({latest}); {call}"

    def counter(self, symbol: Symbol, number: str) -> tuple[str, str]:
        """Return the values of two floats like a symbol, the same for all lanes: an int, and its inverse."""
        kind = self.declare(symbol)
        return f"SPLAT({kind}, (double){number})", f"SPLAT({kind}, inverses[{number}])"

    def tally(self, total: str, going: str) -> str:
        """Return the statement that adds 1 where a sum counts."""
        return f"{total} = tally_w{self.lanes}({total}, {going});"

    def mask(self, symbol: Symbol, text: str, bits: int) -> str:
        """Return a condition as a mask of a number of bits for each lane."""
        return text if mask_bits(symbol) == bits else f"CONVERT(mask{bits}_w{self.lanes}, {text})"

    def spell(self, symbol: Symbol, operands: Sequence[str]) -> str:
        """Return the expression of an operation."""
        op, dtype, args = symbol.op, symbol.dtype, symbol.args
        kind = self.declare(symbol)
        if op == "reached":
            return f"at_most_w{self.lanes}({operands[0]}, {operands[1]})"
        if op == "going":
            total, u, larger = operands
            return f"at_most_w{self.lanes}({total}, {u}) & below_w{self.lanes}({total}, {larger})"
        if op == "const":
            return f"SPLAT({kind}, {-int(args[1]) if dtype == BOOL else literal(args[1])})"
        if dtype == BOOL and args[0].dtype == BOOL:
            operands = [self.mask(a, text, mask_bits(symbol)) for a, text in zip(args, operands, strict=True)]
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
            condition = self.mask(args[0], operands[0], 8 * dtype.itemsize)
            return f"SELECT({kind}, {condition}, {operands[1]}, {operands[2]})"
        if op == "cast" and args[0].dtype == BOOL:
            return f"CONVERT({kind}, {operands[0]} & 1)"
        if op == "cast":
            return f"CONVERT({kind}, {operands[0]})"
        if op == "bitcast":
            return f"BITCAST({kind}, {self.type(args[0].dtype)}, {operands[0]})"
        if op in ("shl", "shr"):
            return f"{operands[0]} {'<<' if op == 'shl' else '>>'} {operands[1]}"
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

    columns, quick_steps = 1, 0

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
