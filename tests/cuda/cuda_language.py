"""Kernels for every operation of the language, because samplers do not use all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from cuda_text import Dtype, Subject
from tails import counts, looked_up, nested_tails

from keyrng import kernels as language_of_kernels
from keyrng.kernels.lane import Kernel
from keyrng.kernels.ops import bitcast, cast, mod_wide, mulhi, rarely, rotl, sqrt, where


def extreme(word: Any, dtype: str) -> Any:
    """Floats of every kind from words: any bits, and often zeros, subnormals, infinities and NaN."""
    bits = 8 * np.dtype(dtype).itemsize
    low = (word >> 3) & 0x7
    special = where(low == 0, 0, where(low == 1, 1 << (bits - 1), where(low == 2, 3, word)))
    special = where(low == 3, 0x7F800000 if bits == 32 else 0x7FF << 52, special)
    special = where(low == 4, 0x7FC00000 if bits == 32 else 0xFFF << 51, special)
    return bitcast(special, dtype)


def floats(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """A kernel of two such floats."""
    return lambda lane: function(*(extreme(word, lane.dtype) for word in lane.strided_words(2)))


def words(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """A kernel of as many words as the function has arguments."""
    return lambda lane: function(*lane.strided_words(function.__code__.co_argcount))


def real(exponent: int, dtype: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A kernel of a float with random digits from 2**exponent to twice that."""
    mantissa, bias = (23, 127) if dtype == "float32" else (52, 1023)
    bits = 8 * np.dtype(dtype).itemsize
    first = (exponent + bias) << mantissa
    return lambda lane: function(bitcast((lane.bits() >> (bits - mantissa)) | first, dtype))


def number(x: Any) -> Any:
    """The float without NaN, whose bits are each processor's own."""
    return where(x == x, x, 0.25)


def comparisons(x: Any, y: Any) -> Any:
    tests = [x < y, x <= y, x > y, x >= y, x == y, x != y, x < x, x != x]
    word = cast(tests[0] ^ tests[5], "uint32")
    for test in tests:
        word = word * 2 + cast(test, "uint32")
    return word


def signed(dtype: str) -> Callable[[Any], Any]:
    def arithmetic(word: Any) -> Any:
        x = cast(word, dtype)
        return x * x + x * 100 - -x

    return words(arithmetic)


def short(word: Any) -> Any:
    x = cast(word, "uint16")
    return rotl(x * x, 5) + ~(x >> 3) - (x << 2)


def casts(*dtypes: str) -> Callable[[Any], Any]:
    def chain(word: Any) -> Any:
        for dtype in dtypes:
            word = cast(word, dtype)
        return word

    return words(chain)


def two_loops(lane: Any) -> Any:
    """The second loop needs the first one's value, and the end what stood before both."""
    first, second, third = lane.split(3)
    limit = third.bits() | 1 << 29

    def below(lane: Any, limit: Any, scale: Any) -> tuple[Any, Any]:
        word = lane.bits()
        return (word < limit) | (word > lane.bits()), (word >> 3) * scale

    x = first.rejection_loop(below, limit, 5)
    y = second.rejection_loop(below, x | 1 << 30, limit)
    return x + y * limit


def accepted_in_a_tail(lane: Any) -> Any:
    """A loop whose attempts decide half of the elements in a tail."""

    def attempt(lane: Any) -> tuple[Any, Any]:
        word = lane.bits()
        certain = word < 1 << 31
        return rarely(~certain, certain, lambda word: word & 1 == 0, word, share=0.5), word

    return lane.rejection_loop(attempt)


ELEMENTARY = [
    "atan", "cospi", "erf", "erfc", "erfinv", "exp", "expm1", "floor", "lgamma", "log", "log1p", "rint", "sinpi",
    "tanpi",
]  # fmt: skip


def elementary(name: str) -> Callable[[Any], Any]:
    function = getattr(language_of_kernels, name)
    return floats(lambda x, y: number(function(x)))


# Name, dtype of the computation, dtype of the result, kernel.
LANGUAGE: list[tuple[str, str, str, Callable[[Any], Any]]] = [
    ("int8", "uint32", "int8", signed("int8")),
    ("int32", "uint32", "int32", signed("int32")),
    ("int64", "uint64", "int64", signed("int64")),
    ("uint16", "uint32", "uint16", words(short)),
    ("mulhi", "uint32", "uint32", words(mulhi)),
    ("mulhi 64", "uint64", "uint64", words(mulhi)),
    ("rotl 64", "uint64", "uint64", words(lambda a: rotl(a, 41))),
    ("mod", "uint32", "uint32", words(lambda a, b: a % ((b >> 7) + 1))),
    ("mod by zero", "uint64", "uint64", words(lambda a, b: where(b & 1 == 0, a, a % (b & 1)))),
    ("mod_wide", "uint32", "uint32", words(lambda a, b, c: mod_wide(a, b, c | 1))),
    ("mod_wide 64", "uint64", "uint64", words(lambda a, b, c: mod_wide(a, b, c | 1))),
    ("mod_wide 64 small", "uint64", "uint64", words(lambda a, b, c: mod_wide(a, b, (c >> 31) + 1))),
    ("mod_wide 64 large", "uint64", "uint64", words(lambda a, b, c: mod_wide(a | 3 << 62, b, ~(c >> 33)))),
    ("comparisons", "float32", "uint32", floats(comparisons)),
    ("comparisons 64", "float64", "uint32", floats(comparisons)),
    ("conditions", "float32", "bool", floats(lambda x, y: ~(x < y) & (x != 0.0) | (y > x) ^ (x == y))),
    ("condition to float", "float32", "float32", floats(lambda x, y: cast(x < y, "float32"))),
    ("rarely", "float32", "float32", floats(lambda x, y: number(nested_tails(number(x), number(y))))),
    ("rarely 64", "float64", "float64", floats(lambda x, y: number(nested_tails(number(x), number(y))))),
    ("lookup", "float64", "float64", floats(lambda x, y: number(looked_up(number(x), number(y))))),
    ("count_sums", "float32", "float32", floats(counts)),
    ("count_sums 64", "float64", "float64", floats(counts)),
    ("add", "float32", "float32", floats(lambda x, y: number(x + y))),
    ("sub", "float64", "float64", floats(lambda x, y: number(x - y))),
    ("mul", "float32", "float32", floats(lambda x, y: number(x * y))),
    ("div", "float32", "float32", floats(lambda x, y: number(x / y))),
    ("div 64", "float64", "float64", floats(lambda x, y: number(x / y))),
    ("sqrt", "float32", "float32", floats(lambda x, y: number(sqrt(abs(x)) * 2.0**-100 - sqrt(y)))),
    ("neg", "float32", "float32", floats(lambda x, y: where(x == y, x, -x))),
    ("neg 64", "float64", "float64", floats(lambda x, y: where(x == y, -abs(x), -x))),
    ("constants", "float32", "float32", floats(lambda x, y: where(x > -0.0, where(y > x, 1e-42, x), -np.inf))),
    ("bits of a float", "float32", "int32", floats(lambda x, y: bitcast(x, "int32") - 1)),
    ("float to int32", "float32", "int32", real(30, "float32", lambda x: cast(x * -0.9, "int32"))),
    ("float to int64", "float64", "int64", real(62, "float64", lambda x: cast(x * -0.9, "int64"))),
    ("float to uint8", "float32", "uint8", real(6, "float32", lambda x: cast(x, "uint8"))),
    ("float to uint32", "float32", "uint32", real(31, "float32", lambda x: cast(x, "uint32"))),
    ("float to uint64", "float64", "uint64", real(63, "float64", lambda x: cast(x, "uint64"))),
    ("uint32 to float", "uint32", "float32", casts("float32")),
    ("int32 to float", "uint32", "float32", casts("int32", "float32")),
    ("int16 to float", "uint32", "float32", casts("int16", "float32")),
    ("uint64 to float", "uint64", "float32", casts("float32")),
    ("int64 to float", "uint64", "float64", casts("int64", "float64")),
    ("int8 to int64", "uint32", "int64", casts("int8", "int64")),
    ("float64 to float32", "float64", "float32", floats(lambda x, y: number(cast(x * 2.0**100, "float32")))),
    ("float32 to float64", "float32", "float64", floats(lambda x, y: number(cast(x, "float64")))),
    ("float64 to float16", "float64", "float16", floats(lambda x, y: number(x))),
    ("children of children", "uint32", "uint32", lambda lane: lane.split(2)[1].split(3)[2].bits()),
    ("words of another width", "float32", "uint64", lambda lane: lane.bits(64)),
    ("two loops", "uint32", "uint32", two_loops),
    ("accepted in a tail", "uint32", "uint32", accepted_in_a_tail),
    (
        "a loop of conditions",
        "float32",
        "bool",
        lambda lane: lane.rejection_loop(lambda lane: (lane.bits() > 9, lane.bits() > 1 << 31)),
    ),
    # The elementary functions at floats of every kind, which samplers do not reach.
    *((f"{name} {dtype}", dtype, dtype, elementary(name)) for name in ELEMENTARY for dtype in ("float32", "float64")),
    ("power", "float32", "float32", floats(lambda x, y: number(language_of_kernels.power(x, y)))),
    ("power 64", "float64", "float64", floats(lambda x, y: number(language_of_kernels.power(x, y)))),
]


@cache
def language() -> list[tuple[Subject, Dtype]]:
    made = []
    for name, compute, dtype, function in LANGUAGE:
        subject = Subject(Kernel(function, f"language {name}", (compute,)), np.dtype(compute))
        made.append((subject, np.dtype(dtype)))
    return made
