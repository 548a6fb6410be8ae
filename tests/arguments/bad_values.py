"""Values that users pass by mistake, created for each call, for test_bad_input.py."""

from __future__ import annotations

import ast
import datetime
import decimal
import fractions
import math
import pathlib
import types
import warnings
from collections import OrderedDict, UserList, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from case import HAVE_BFLOAT16
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import keyrng

KEY = keyrng.key(0)


@dataclass(frozen=True)
class Value:
    """A value and the code that creates it, because some values can be consumed or modified."""

    text: str
    make: Callable[[], Any]

    def __repr__(self) -> str:
        return self.text


class Duck:
    """An array of somebody else's, by NumPy's protocol."""

    shape, dtype, ndim = (2,), np.dtype("float64"), 1

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array([0.25, 0.75], dtype)

    def __len__(self) -> int:
        return 2


class Index:
    """An integer of somebody else's."""

    def __index__(self) -> int:
        return 2


class Number(float):
    """A float of somebody else's."""


class Whole(int):
    """An int of somebody else's."""


class Text(str):
    """A str of somebody else's."""


class Sub(np.ndarray):
    """An array of somebody else's."""


class JaxLike:
    """A dtype as jax and torch have them: an object with a dtype or a name."""

    dtype = np.dtype("float32")
    name = "float32"


def _matrix() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.matrix([[0.5, 0.25], [0.25, 0.5]])


def _deep(depth: int) -> Any:
    made: Any = 0
    for _ in range(depth):
        made = [made]
    return made


def _cyclic() -> Any:
    made: list[Any] = []
    made.append(made)
    return made


def _unwritable(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def _unaligned() -> np.ndarray:
    return np.frombuffer(bytearray(33), np.uint8)[1:].view("float32")


_NAMES: dict[str, Any] = {
    "np": np, "keyrng": keyrng, "KEY": KEY, "math": math, "Duck": Duck, "Index": Index,
    "Number": Number, "Whole": Whole, "Text": Text, "Sub": Sub, "JaxLike": JaxLike, "matrix": _matrix, "deep": _deep,
    "cyclic": _cyclic, "unwritable": _unwritable, "unaligned": _unaligned, "datetime": datetime, "decimal": decimal,
    "fractions": fractions, "pathlib": pathlib, "types": types, "OrderedDict": OrderedDict, "UserList": UserList,
    "deque": deque,
}  # fmt: skip


def values(text: str) -> list[Value]:
    """Values by their code: a list without its brackets."""
    listed = f"[{text}]"
    codes = [ast.get_source_segment(listed, value) for value in ast.parse(listed, mode="eval").body.elts]
    if not HAVE_BFLOAT16:
        codes = [code for code in codes if "bfloat16" not in code]
    return [Value(code, partial(eval, compile(code, code, "eval"), dict(_NAMES))) for code in codes]


NUMBERS = values("""
    0, 1, 2, 3, -1, 5, 10, 255, 2**31, 2**32, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**70, -2**63,
    -2**64, 10**40, 10**400, -10**400, 1 << 40_000, 0.0, -0.0, 0.5, 1.0, -0.5, 2.5, 1e-30, 1e-45, 5e-324, 1e30,
    -1e30, 1e300, 1.7976931348623157e308, math.inf, -math.inf, math.nan, 0.9999999999999999, 1.0000001,
    True, False, 1j, complex(math.nan, 0), np.int8(3), np.uint8(255), np.int64(-1), np.uint64(2**64 - 1),
    np.float16(0.5), np.float32(0.5), np.float32(math.nan), np.float64(2.0), np.longdouble(0.5),
    np.longdouble("1e4000"), np.complex64(1), np.True_, np.datetime64("2020"), np.timedelta64(3, "s"),
    np.str_("3"), np.bytes_(b"3"), np.void(b"33"), fractions.Fraction(1, 2), decimal.Decimal("0.5"),
    decimal.Decimal("sNaN"), Index(), Number(0.5), Number(math.nan), Whole(3), datetime.timedelta(1)
""")

OTHERS = values(r"""
    None, ..., NotImplemented, "", "3", "abc", "float32", "cpu", "cuda", "\ud800", "a" * 100_000, "nul\0",
    Text("abc"), b"", b"3", b"\xff\x00", bytearray(b"abc"), memoryview(b"abc"), memoryview(np.zeros((2, 2))),
    (), [], {}, set(), (1,), [1, 2], [0.5, 0.5], (2, 3), [[1, 2], [3]], [[0.5, 0.25], [0.25, 0.5]], [1, "a"],
    [None], [[]], ((2,), 3), {"a": 1}, {1: 2}, {1, 2}, frozenset((1, 2)), range(3), range(10**15), range(0),
    slice(1, 2), iter([1, 2]), (i for i in (1, 2)), deque([1, 2]), UserList([1, 2]), OrderedDict(a=1),
    types.SimpleNamespace(shape=(2,), dtype="float32"), pathlib.PurePath("a"), datetime.date(2020, 1, 1),
    object(), object, int, float, len, np, lambda: 1, lambda *a, **k: None, Exception("x"), Duck(), JaxLike(),
    deep(40), deep(70), cyclic(), np.random.default_rng(0), np.random.RandomState(0), np.random.SeedSequence(0)
""")

ARRAYS = values("""
    np.array(0.5), np.array(3), np.array(math.nan), np.array([]), np.array([], int),
    np.zeros((0, 3)), np.zeros((3, 0)), np.array([1, 2]), np.array([0.5, 0.5]),
    np.array([0.25, 0.75], "float32"), np.array([0.25, 0.75], "float16"), np.array([0.25, math.nan]),
    np.array([math.inf, 1.0]), np.array([1, 2, 3], "uint8"), np.array([2**64 - 1, 1], "uint64"),
    np.array([-1, 1]), np.array([[0.5, 0.25], [0.25, 0.5]]), np.eye(3), np.eye(2)[::-1], np.ones((2, 1, 2)),
    np.arange(24.0).reshape(2, 3, 4), np.arange(10)[::2], np.arange(12.0).reshape(3, 4).T,
    np.array([0.5, 0.5]).astype(">f8"), np.array([1, 2], ">i4"), unwritable(np.array([0.5, 0.5])), unaligned(),
    np.array([True, False]), np.array([1j, 2]), np.array([0.5, 0.5], np.longdouble), np.array([1, 2], object),
    np.array([2**70, 1], object), np.array([None, 1], object), np.array([0.5, "a"], object),
    np.array([[1, 2], None], object), np.array(None), np.array(2**70, object),
    np.array(["a", "b"]), np.array([b"a", b"b"]), np.array(["a", "b"], "T"), np.array(["2020", "2021"], "M8[D]"),
    np.array([1, 2], "m8[s]"), np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
    np.zeros(2, "V3"), np.zeros(2, [("a", "f4", (2,))]),
    np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), np.ma.array([0.5, 0.5], mask=[0, 1]),
    np.ma.array([1, 2], mask=[0, 0]), np.ma.masked, matrix(), np.array([0.5, 0.5]).view(Sub),
    np.array([1, 2]).view(Sub), np.broadcast_to(0.5, (2, 3)), np.broadcast_to(0.5, 2**59),
    np.broadcast_to(np.uint8(1), 2**62), np.broadcast_to(np.float32(1), (2**30, 2**30)), np.zeros((1,) * 64),
    np.zeros((1,) * 33), keyrng.key_data(KEY), keyrng.key_data(keyrng.split(KEY, 3)),
    np.zeros(2, "uint32"), np.zeros((2, 4), "uint64"), np.memmap("/dev/zero", "float32", "r", shape=(2,))
""")

KEYS = values("""
    KEY, keyrng.key(1), keyrng.split(KEY, 2), keyrng.split(KEY, 3), keyrng.split(KEY, (2, 3)),
    keyrng.split(KEY, 0), keyrng.split(KEY, (2, 0)), keyrng.split(KEY, (1,) * 30), keyrng.split(KEY, (2, 3)).T,
    keyrng.split(KEY, 6)[::-2], keyrng.key(0, impl="threefry4x32"),
    keyrng.split(keyrng.key(0, impl="threefry2x64"), 2), keyrng.key(0, impl="threefry4x64"),
    keyrng.split(keyrng.key(0, impl="philox4x32"), 3), keyrng.key(0, impl="philox2x64"),
    keyrng.key(0, impl="philox4x64"), [KEY, KEY], [keyrng.key(0), keyrng.key(0, impl="philox4x32")],
    [KEY, keyrng.split(KEY)], [KEY, None], (KEY,), keyrng.Generator(0), keyrng.Key, keyrng.Generator,
    keyrng.lazy_array(keyrng.normal, KEY, (3,)), keyrng.lazy_array(keyrng.uniform, KEY, (2**40,)),
    keyrng.shuffled_batches(KEY, 10, 2), keyrng.algorithms.philox4x32, keyrng.normal, keyrng.initializers.zeros,
    keyrng.initializers.normal()
""")

SHAPES = values("""
    (), 0, 1, 3, (3,), [2, 3], (2, 0), (0,), (1, 2), (2, 2), (3, 2, 2), np.int64(3),
    (np.int8(3), np.uint64(2)), np.array([2, 3]), np.array(3), np.array([], int), np.array([2.0]),
    np.array([[2]]), range(3), (Index(), 2), Index(), (2.0,), 3.0, (True,), ("3",), (None,), (-1,), (2, -3),
    -1, (i for i in (2, 3)), {2, 3}, "23", (2**31, 2**31), (2**40, 2**40), (0, 2**62), (2**62, 0), (0, 2**70),
    2**40, 2**62, 2**63 - 1, 2**63, 2**70, 10**400, (2**62, 2), (1,) * 64, (1,) * 65, (1,) * 1000,
    (np.uint64(2**64 - 1),), (-2**70,), (2, (3,)), (KEY,)
""")

DTYPES = values("""
    None, "float16", "bfloat16", "float32", "float64", "complex64", "complex128", "int8", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64", "bool", "f4", "<f4", ">f4", "float", "d", "float128", "longdouble",
    np.float32, np.float64, np.int64, np.dtype("float64"), np.dtype(">f8"), np.dtype(">i4"),
    float, int, bool, complex, str, object, np.floating, np.generic, np.longdouble,
    "S", "U3", "M8[s]", "V4", "nothing", "", "f4,f4", "(2,)f4", np.dtype([("a", "f4")]), np.dtype(("f4", (2,))),
    JaxLike(), JaxLike, 3, {"names": ["a"], "formats": ["f4"]}, [("a", "f4")],
    np.zeros(2, "float32"), Text("float32")
""")

OUTS = values("""
    np.zeros(3, "float32"), np.zeros(3, "float64"), np.zeros(3, "int32"), np.zeros(3, "uint32"),
    np.zeros(3, bool), np.zeros((2, 3), "float32"), np.zeros((2, 3), "int32"), np.zeros((3, 3), "float32"),
    np.zeros((3, 2), "float32"), np.zeros((), "float32"), np.zeros(0, "float32"), np.zeros(6, "float32")[::2],
    np.zeros(3, ">f4"), np.zeros(3, "float16"), np.zeros(3, "complex64"), np.zeros(3, object), np.zeros(3, "S4"),
    np.zeros(3, [("a", "f4")]), unwritable(np.zeros(3, "float32")), unwritable(np.zeros(3, "int32")),
    unaligned()[:3], np.broadcast_to(np.zeros(1, "float32"), (3,)),
    np.lib.stride_tricks.as_strided(np.zeros(1, "float32"), (3,), (0,)), np.zeros(3, "float32").view(Sub),
    np.ma.zeros(3, "float32"), np.ma.array(np.zeros(3, "float32"), mask=[0, 1, 0]),
    np.zeros((1, 3), "float32").view(np.matrix), np.float32(1), [0.0, 0.0, 0.0],
    memoryview(np.zeros(3, "float32")), bytearray(12), Duck(), (np.zeros(3, "float32"),)
""")

AXES = values("""
    0, 1, -1, 2, -3, 63, 2**62, 10**400, (0,), (0, 1), (0, 0), [0], (), None,
    1.0, "0", True, np.int64(0), np.array(0), np.array([0]), Index()
""")

ALL = [*NUMBERS, *OTHERS, *ARRAYS, *KEYS, *SHAPES, *DTYPES, *OUTS, *AXES]

# Nothing from 300 to 2**40: such a number is neither wrong nor done in no time.
_INTEGERS = st.one_of(st.integers(-300, 300), st.integers(min_value=2**40), st.integers(max_value=-(2**40)))
_SCALARS = st.one_of(
    _INTEGERS, st.integers(0, 4), st.floats(), st.floats(0, 1), st.booleans(), st.complex_numbers(), st.none()
)

_DTYPES = st.one_of(arrays.scalar_dtypes(), arrays.byte_string_dtypes(), arrays.unicode_string_dtypes())

#: Generated values.
ANYTHING = st.one_of(
    _SCALARS,
    st.text(max_size=8),
    st.binary(max_size=8),
    st.lists(_SCALARS, max_size=4),
    st.tuples(st.integers(-2, 4), st.integers(0, 4)),
    arrays.arrays(_DTYPES, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)),
    arrays.arrays(np.float64, st.sampled_from([(), (2,), (3,), (2, 2)]), elements=st.floats(0, 1)),
    st.dictionaries(st.text(max_size=3), _SCALARS, max_size=2),
)
