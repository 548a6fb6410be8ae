"""The named operations of the kernel language; other operations are operators.

A kernel uses ``+ - * /`` on floats, ``+ - * % & | ^ ~ << >>`` on unsigned words, comparisons, ``& | ~`` on booleans,
``abs``, and the functions below. Each operation is exact or rounded once as IEEE 754 requires, so that it gives the
same bits on NumPy arrays (of at least one dimension, because NumPy's scalars follow other rules) and in generated C
and CUDA. The language does not include ``**``: NumPy's float32 ``v ** 3`` differs from ``v * v * v``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from keyrng.kernels.symbols import BOOL, Symbol

__all__ = ["bitcast", "cast", "mod_wide", "mulhi", "rarely", "rotl", "sqrt", "where"]

# NumPy arrays in the NumPy executor, symbols in code generation; a union type would not help a type checker.
Value = Any


def where(condition: Value, a: Value, b: Value) -> Value:
    """Return ``a`` where the condition is true, else ``b``; at least one of them must have a dtype."""
    typed = a if hasattr(a, "dtype") else b
    if not hasattr(typed, "dtype"):
        raise TypeError(f"where() of two Python numbers, {a!r} and {b!r}, has no dtype; use cast(condition) instead")
    if isinstance(condition, Symbol):
        dtype = typed.dtype
        graph = condition.graph
        a, b = (v if isinstance(v, Symbol) else graph.constant(v, dtype) for v in (a, b))
        if a.dtype != b.dtype:
            raise TypeError(f"where() of {a.dtype} and {b.dtype}; cast() one of them")
        if condition.dtype != BOOL:
            raise TypeError(f"condition of where() must be boolean, got {condition.dtype}")
        return graph.node("where", dtype, condition, a, b)
    a, b = (v if hasattr(v, "dtype") else typed.dtype.type(v) for v in (a, b))
    if condition.size < _MASK_FROM or typed.dtype == BOOL:
        return np.where(condition, a, b)
    return _masked(condition, a.view(_word(a.dtype)), b.view(_word(b.dtype))).view(typed.dtype)


def rarely(condition: Value, common: Value, tail: Callable[..., Value], *arguments: Value, share: float = 0.0) -> Value:
    """Return ``tail(*arguments)`` where the condition is true, else ``common``.

    The tail is computed only if the condition is true for some element of a vector, so this is faster than `where` if
    it is true for less than one element in a hundred. ``tail`` must use no values but its arguments. A number as
    ``common`` has the dtype of the first of them.

    ``share`` is the share of elements for which the condition is true, estimated. If it is given, C collects these
    elements and computes them again, side by side.
    """
    if isinstance(condition, Symbol):
        selected: Symbol = where(condition, tail(*arguments), common)
        return selected.graph.node("rarely", selected.dtype, *selected.args, share)
    if hasattr(common, "dtype") and not condition.any():
        return common
    shape = np.broadcast_shapes(*(np.shape(value) for value in (condition, common, *arguments)))
    places = np.broadcast_to(condition, shape).nonzero()
    result = np.full(shape, common, getattr(common, "dtype", arguments[0].dtype))
    result[places] = tail(*(np.broadcast_to(argument, shape)[places] for argument in arguments))
    return result


# np.where branches on every element: 4.7 ns if the condition is random, 0.5 if it is predictable. A mask takes 0.5 ns
# always, but needs more calls.
_MASK_FROM = 1024


def _masked(condition: Value, a: Value, b: Value) -> Value:
    """Select between words with bit operations."""
    mask = np.negative(condition.view(np.int8)).astype(f"i{a.dtype.itemsize}").view(a.dtype)
    mask &= a ^ b
    mask ^= b
    return mask


@lru_cache
def _word(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(f"u{dtype.itemsize}")


def cast(x: Value, dtype: Any) -> Value:
    """Convert by value: integers wrap, integers become the nearest float, floats are truncated towards zero.

    A float must be in the range of the integer type, because the result depends on the machine otherwise; kernels
    clamp first.
    """
    dtype = np.dtype(dtype)
    if dtype == BOOL and x.dtype != BOOL:
        raise TypeError("cast() to bool is not supported; compare instead, as in x != 0")
    if isinstance(x, Symbol):
        return x if x.dtype == dtype else x.graph.node("cast", dtype, x)
    return x.astype(dtype, copy=False)


def bitcast(x: Value, dtype: Any) -> Value:
    """Reinterpret the bits as another dtype of the same size."""
    dtype = np.dtype(dtype)
    if x.dtype.itemsize != dtype.itemsize:
        raise TypeError(f"bitcast from {x.dtype} to {dtype} would change the number of bits")
    if isinstance(x, Symbol):
        return x if x.dtype == dtype else x.graph.node("bitcast", dtype, x)
    return x.view(dtype)


def sqrt(x: Value) -> Value:
    """Return the square root, rounded once."""
    return x.apply("sqrt") if isinstance(x, Symbol) else np.sqrt(x)


def rotl(x: Value, amount: int) -> Value:
    """Rotate a word left by a constant."""
    if isinstance(x, Symbol):
        return x.shifted("rotl", amount)
    left, right = _shifts(x.dtype, amount)
    rotated = x << left
    rotated |= x >> right  # in place: a third array would cost 10 % of Threefry's time
    return rotated


@lru_cache
def _shifts(dtype: np.dtype[Any], amount: int) -> tuple[Value, Value]:
    """Both shifts of a rotation as 0-d arrays, which NumPy handles faster than Python integers."""
    return np.array(amount, dtype), np.array(dtype.itemsize * 8 - amount, dtype)


def mulhi(a: Value, b: Value) -> Value:
    """Return the high word of the product of two words."""
    if isinstance(a, Symbol):
        return a.apply("mulhi", b)
    if a.dtype.itemsize == 4:
        return ((a.astype(np.uint64) * b) >> 32).astype(np.uint32)
    a_low, a_high = a & 0xFFFFFFFF, a >> 32
    b_low, b_high = b & 0xFFFFFFFF, b >> 32
    middle = a_high * b_low + (a_low * b_low >> 32)
    carry = (middle & 0xFFFFFFFF) + a_low * b_high
    return a_high * b_high + (middle >> 32) + (carry >> 32)


def mod_wide(high: Value, low: Value, divisor: Value) -> Value:
    """Return ``high * 2**width + low`` modulo a divisor of one word, which must not be zero."""
    if isinstance(high, Symbol):
        return high.apply("modwide", low, divisor)
    if high.dtype.itemsize == 4:
        wide = (high.astype(np.uint64) << 32) | low
        return (wide % divisor.astype(np.uint64)).astype(np.uint32)
    return _mod_wide64(high, low, divisor)


def _mod_wide64(high: Value, low: Value, divisor: Value) -> Value:
    """Long division with two digits of 32 bits: Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D."""
    high, low, divisor = np.broadcast_arrays(high % divisor, low, divisor)
    # Normalize: with the divisor's top bit set, the estimate of a digit is at most 2 too large.
    shift = (64 - _bit_length(divisor)).astype(np.uint64)
    scaled = divisor << shift
    spill = np.where(shift == 0, np.uint64(0), low >> ((64 - shift) & 63))
    remainder = (high << shift) | spill
    low = low << shift
    d1, d0 = scaled >> 32, scaled & 0xFFFFFFFF
    for digit in (low >> 32, low & 0xFFFFFFFF):
        quotient = remainder // d1
        rest = remainder - quotient * d1
        for _ in range(2):
            high_estimate = (rest < 2**32) & (
                (quotient >= 2**32) | (quotient * d0 > ((rest & 0xFFFFFFFF) << 32 | digit))
            )
            quotient = quotient - high_estimate
            rest = rest + np.where(high_estimate, d1, np.uint64(0))
        remainder = ((remainder << 32) | digit) - quotient * scaled
    return remainder >> shift


def _bit_length(x: Value) -> Value:
    """Return the bit length of 64-bit words."""
    length = np.zeros(x.shape, np.uint64)
    for step in (32, 16, 8, 4, 2, 1):
        large = (x >> step) != 0
        length += np.where(large, np.uint64(step), np.uint64(0))
        x = np.where(large, x >> step, x)
    return length + (x != 0)
