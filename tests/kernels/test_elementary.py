"""The elementary and special functions: errors in ULP, special values, and independence of the platform.

``pytest -s`` prints the worst error of each row and where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest

from keyrng.kernels import elementary, special
from keyrng.kernels.atan import atan
from keyrng.kernels.erfinv import erfinv, erfinv_unchecked
from keyrng.kernels.symbols import BOOL, Graph

scipy_special = pytest.importorskip("scipy.special")

Array = np.ndarray[Any, np.dtype[Any]]
Function = Callable[..., Any]

INF, NAN = float("inf"), float("nan")
DTYPES = ("float32", "float64")
BINARY = ("copysign", "ldexp", "power")
FUNCTIONS = {
    "atan": atan,
    **{name: getattr(elementary, name) for name in elementary.__all__},
    "erfinv": erfinv,
    "erfinv_unchecked": erfinv_unchecked,
    **{name: getattr(special, name) for name in special.__all__},
}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):  # as the executors do: both sides of a where() are computed
        yield


# References. float32 is measured against float64, which is measured against mpmath at fewer points.


def _sinpi(x: Array) -> Array:
    return np.sin(np.pi * (x - np.rint(x))) * (1 - 2 * np.abs(np.fmod(np.rint(x), 2)))


def _cospi(x: Array) -> Array:
    r = np.abs(x - np.rint(x))
    near = np.where(r <= 0.25, np.cos(np.pi * r), np.sin(np.pi * (0.5 - r)))
    return near * (1 - 2 * np.abs(np.fmod(np.rint(x), 2)))


def _tanpi(x: Array) -> Array:
    r = x - np.rint(x)
    return np.where(np.abs(r) <= 0.25, np.tan(np.pi * r), np.sign(r) / np.tan(np.pi * (0.5 - np.abs(r))))


def _exact_lgamma(x: Any) -> Any:
    return mpmath.log(abs(mpmath.gamma(x))) if x < 200 else mpmath.loggamma(x)


@dataclass(frozen=True)
class Row:
    """A function, its references, the intervals it is measured on (``log`` ones are spaced evenly in log), a bound."""

    name: str
    exact: Function  # of mpmath
    double: Function  # of NumPy and scipy, in float64
    bound: float  # in ULP
    intervals: tuple[tuple[float, float], ...]
    magnitudes: tuple[tuple[float, float], ...] = ()
    both_signs: bool = False


# Intervals end where the functions change their ways; dtypes take what lies in their range.
ROWS = [
    Row(
        "log", mpmath.log, np.log, 1.0,
        ((0.6, 0.7), (0.65, 1.4), (0.99, 1.01), (0.0, 1.0), (1.3, 1.4)), ((5e-324, 1e308), (1e-45, 1e38)),
    ),
    Row("log_unchecked", mpmath.log, np.log, 1.0, ((0.65, 1.4), (0.01, 1.0)), ((2.3e-308, 1e308), (1.2e-38, 1e38))),
    Row(
        "log1p", mpmath.log1p, np.log1p, 1.0,
        ((-0.32, 0.5), (0.37, 0.51), (-1.0, -0.9), (-1.0, 3.0), (1.7, 5.0)), ((5e-324, 1e308), (1e-45, 1e38)),
    ),
    Row("log1p_unchecked", mpmath.log1p, np.log1p, 1.0, ((-0.9999, 0.5),), ((1e-30, 1e30),)),
    Row(
        "exp", mpmath.exp, np.exp, 1.0,
        ((-0.35, 0.35), (0.34, 1.1), (-104.0, 88.7), (-745.0, 709.7), (-103.9, -86.0), (-745.0, -705.0)),
        ((1e-20, 1.0),), both_signs=True,
    ),
    Row(
        "expm1", mpmath.expm1, np.expm1, 1.0,
        ((-0.36, 0.36), (0.34, 0.36), (-3.0, 3.0), (-40.0, 88.7), (12.0, 20.0), (32.0, 42.0), (80.0, 709.7)),
        ((5e-324, 1.0), (1e-45, 1.0)), both_signs=True,
    ),
    Row(
        "atan", mpmath.atan, np.arctan, 1.0,
        ((0.0, 0.6), (0.5625, 0.58), (0.56, 1.82), (0.9, 1.1), (1.8, 3.0), (-20.0, 20.0)),
        ((5e-324, 1e308), (1e-45, 1e38)), both_signs=True,
    ),
    Row("sinpi", mpmath.sinpi, _sinpi, 2.0, ((-0.5, 0.5), (0.4, 0.6), (-20.0, 20.0)), ((1e-300, 1e9), (1e-37, 1e5))),
    Row("cospi", mpmath.cospi, _cospi, 2.0, ((-0.5, 0.5), (0.4, 0.6), (-20.0, 20.0)), ((1e-9, 1e9), (1e-5, 1e5))),
    Row(
        "tanpi", lambda x: mpmath.sinpi(x) / mpmath.cospi(x), _tanpi, 2.0,
        ((-0.5, 0.5), (0.4, 0.6), (0.4999, 0.5), (-20.0, 20.0)), ((1e-300, 1e9), (1e-37, 1e5)),
    ),
    Row(
        "tanpi_unchecked", lambda x: mpmath.sinpi(x) / mpmath.cospi(x), _tanpi, 4.0,
        ((-0.4999, 0.4999), (0.3, 0.4)), ((1e-300, 0.49), (1e-37, 0.49)),
    ),
    Row(
        "erf", mpmath.erf, scipy_special.erf, 2.0,
        ((-0.51, 0.51), (0.49, 0.7), (0.0, 6.0)), ((5e-324, 1.0), (1e-45, 1.0)), both_signs=True,
    ),
    Row("erfc", mpmath.erfc, scipy_special.erfc, 2.0, ((-6.0, 10.0), (0.4, 0.6), (1.4, 1.7), (8.9, 10), (9.0, 27.2))),
    Row(
        "lgamma", _exact_lgamma, scipy_special.gammaln, 2.0,
        ((0.0, 1.0), (0.7, 0.8), (0.5, 3.0), (2.4, 2.6), (2.5, 20.0)), ((5e-324, 1e300), (1e-45, 1e36)),
    ),
]  # fmt: skip


def _points(row: Row, dtype: str, count: int) -> Array:
    """Grids, random points, and the ends of the intervals with their neighbours."""
    rng = np.random.default_rng(2026)
    info = np.finfo(dtype)
    parts = []
    for low, high in row.intervals:
        ends = np.array([low, high], dtype)
        parts += [np.linspace(low, high, count), rng.uniform(low, high, count)]
        parts += [ends, np.nextafter(ends, np.array(-INF, dtype)), np.nextafter(ends, np.array(INF, dtype))]
    for low, high in row.magnitudes:
        if low >= float(info.smallest_subnormal) and high <= float(info.max):
            parts += [np.exp(rng.uniform(np.log(low), np.log(high), 2 * count))]
    x = np.concatenate([part.astype(dtype) for part in parts])
    x = np.concatenate([x, -x]) if row.both_signs else x
    return x[np.isfinite(x)]


def _split(exact: list[Any]) -> tuple[Array, Array]:
    """Numbers of mpmath as float64, and what these lack, over the power of two at or above them."""
    high = np.array([float(r) for r in exact])
    exponents = np.frexp(high)[1].tolist()
    lacks = [
        0.0 if np.isinf(h) else float(mpmath.ldexp(r - h, -e)) for r, h, e in zip(exact, high, exponents, strict=True)
    ]
    return high, np.array(lacks)


def _ulps(got: Array, high: Array, low: Array | float = 0.0) -> Array:
    """The errors of ``got`` in ULP of the exact result, as ``_split`` gives it; none where both are infinite or NaN."""
    info = np.finfo(got.dtype)
    _, exponent = np.frexp(high)
    ulp = np.maximum(exponent - info.nmant - 1, info.minexp - info.nmant)
    error = np.abs(np.ldexp(got.astype(np.float64) - high, -ulp) - np.ldexp(low, exponent - ulp))
    rounded = high.astype(got.dtype)
    same = ~np.isfinite(rounded) & ((got == rounded) | (np.isnan(got) & np.isnan(rounded)))
    return np.where(same, 0.0, np.where(np.isnan(error), INF, error))


def _report(name: str, dtype: str, x: Array, errors: Array) -> float:
    worst = int(errors.argmax())
    print(f"{name:16s} {dtype} {x.size:9d} points, worst {errors[worst]:.3f} ULP at {x[worst]!r}")
    return float(errors[worst])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.turns(3)
def test_float32_is_within_its_bound(row: Row) -> None:
    x = _points(row, "float32", 100_000)
    exact = row.double(x.astype(np.float64))
    x, exact = x[~np.isnan(exact)], exact[~np.isnan(exact)]
    # The reference itself is good to a hundredth of a ULP.
    some = slice(None, None, x.size // 500)
    with mpmath.workprec(140):
        pairs = zip(x[some].tolist(), exact[some].tolist(), strict=True)
        high, _ = _split([row.exact(mpmath.mpf(v)) if np.isfinite(e) else e for v, e in pairs])
    np.testing.assert_allclose(exact[some], high, rtol=5e-10, atol=1e-47)

    assert _report(row.name, "float32", x, _ulps(FUNCTIONS[row.name](x), exact)) <= row.bound


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.turns(3)
def test_float64_is_within_its_bound(row: Row) -> None:
    x = _points(row, "float64", 400)
    x = x[~np.isnan(row.double(x)) & np.isfinite(row.double(x))]
    with mpmath.workprec(140):
        exact = _split([row.exact(mpmath.mpf(v)) for v in x.tolist()])
    errors = _ulps(FUNCTIONS[row.name](x), *exact)

    assert _report(row.name, "float64", x, errors) <= row.bound


@pytest.mark.parametrize("dtype", DTYPES)
def test_power_is_within_its_bound(dtype: str) -> None:
    rng = np.random.default_rng(2026)
    limit = {"float32": 85.0, "float64": 700.0}[dtype]
    # The range of abs(y log(x)), and the bound in ULP.
    for reach, bound in ((1.0, 1.0), (10.0, 1.5), (limit, {"float32": 8.0, "float64": 48.0}[dtype])):
        x = np.exp(rng.uniform(-3, 3, 4000)).astype(dtype)
        y = (rng.uniform(-reach, reach, 4000) / np.log(x)).astype(dtype)
        with mpmath.workprec(140):
            pairs = zip(x.tolist(), y.tolist(), strict=True)
            exact = _split([mpmath.power(mpmath.mpf(a), mpmath.mpf(b)) for a, b in pairs])

        assert _report(f"power to e**{reach:.0f}", dtype, x, _ulps(elementary.power(x, y), *exact)) <= bound


@pytest.mark.parametrize("dtype", DTYPES)
def test_lgamma_of_negative_numbers_is_as_good_as_its_terms(dtype: str) -> None:
    x = np.random.default_rng(2026).uniform(-30, 0, 4000).astype(dtype)
    with mpmath.workprec(140):
        high, _ = _split([mpmath.log(abs(mpmath.gamma(mpmath.mpf(v)))) for v in x.tolist()])
    terms = np.maximum(np.abs(high), scipy_special.gammaln(np.abs(x.astype(np.float64)) + 1))
    scale = np.maximum(1.0, terms) * float(np.finfo(dtype).eps)
    errors = np.abs(special.lgamma(x).astype(np.float64) - high) / scale

    assert _report("lgamma below 0", dtype, x, errors) <= 3


@pytest.mark.parametrize("dtype", DTYPES)
def test_erfinv_is_jax_s(dtype: str) -> None:
    jax = pytest.importorskip("jax")
    rng = np.random.default_rng(2026)
    x = np.concatenate([rng.uniform(-1, 1, 400_000), 1 - np.exp(-rng.uniform(0, 36, 100_000))]).astype(dtype)
    x = x[np.abs(x) < 1]
    with jax.enable_x64(dtype == "float64"):
        theirs = np.array(jax.jit(jax.lax.erf_inv)(x))
    word = {"float32": np.int32, "float64": np.int64}[dtype]
    distance = np.abs(theirs.view(word) - erfinv(x).view(word))
    print(f"erfinv {dtype}: equal {np.mean(distance == 0):.4f}, at most {distance.max()} ULP from jax")

    assert theirs.dtype == x.dtype
    assert distance.max() <= {"float32": 4, "float64": 64}[dtype]
    assert np.mean(distance == 0) > {"float32": 0.93, "float64": 0.45}[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
def test_erfinv_inverts_erf(dtype: str) -> None:
    x = np.random.default_rng(2026).uniform(-1, 1, 20_000).astype(dtype)
    y = erfinv(x)

    np.testing.assert_allclose(scipy_special.erf(y.astype(np.float64)), x, rtol=8 * float(np.finfo(dtype).eps))
    np.testing.assert_array_equal(erfinv_unchecked(x), y)


def _assert_same(got: Array, expected: Array) -> None:
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(np.signbit(got)[expected == 0], np.signbit(expected)[expected == 0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_rounding_is_exact(dtype: str) -> None:
    rng = np.random.default_rng(2026)
    word = {"float32": np.uint32, "float64": np.uint64}[dtype]
    x = rng.integers(0, 2 ** (8 * np.dtype(word).itemsize), 200_000, dtype=word).view(dtype)
    x = np.concatenate([x, np.arange(-1000, 1000) / 4, rng.uniform(-3e7, 3e7, 10_000)]).astype(dtype)

    for ours, theirs in ((elementary.rint, np.rint), (elementary.floor, np.floor)):
        got, expected = ours(x), theirs(x)
        np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(np.signbit(got)[~np.isnan(x)], np.signbit(expected)[~np.isnan(x)])


@pytest.mark.parametrize("dtype", DTYPES)
def test_ldexp_and_copysign(dtype: str) -> None:
    limit = {"float32": 252, "float64": 2044}[dtype]
    n = np.arange(-limit, limit + 1)
    for x in (1.0, -1.375):
        powers = elementary.ldexp(np.full(n.shape, x, dtype), n.astype(dtype))
        np.testing.assert_array_equal(powers, np.ldexp(np.array(x, dtype), n))
    signs = np.array([1.0, -1.0, 0.0, -0.0, INF, -INF], dtype)
    for x in (0.0, -2.5, INF):
        _assert_same(elementary.copysign(np.full(signs.shape, x, dtype), signs), np.copysign(np.array(x, dtype), signs))


# Arguments whose result is a convention: zeros, poles, infinities and NaN.
SPECIAL_VALUES = [  # the function, and pairs of x and its result
    ("isnan", [(0.0, False), (INF, False), (NAN, True)]),
    ("rint", [
        (0.0, 0.0), (-0.0, -0.0), (0.5, 0.0), (-0.5, -0.0), (1.5, 2.0), (2.5, 2.0), (INF, INF), (-INF, -INF),
        (NAN, NAN),
    ]),
    ("floor", [(0.0, 0.0), (-0.0, -0.0), (0.5, 0.0), (-0.5, -1.0), (-1.0, -1.0), (INF, INF), (-INF, -INF), (NAN, NAN)]),
    ("log", [(0.0, -INF), (-0.0, -INF), (1.0, 0.0), (INF, INF), (-1.0, NAN), (-1e-40, NAN), (-INF, NAN), (NAN, NAN)]),
    ("log_unchecked", [(1.0, 0.0)]),
    ("log1p", [
        (0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-1.5, NAN), (1e-40, 1e-40), (INF, INF), (-INF, NAN), (NAN, NAN),
    ]),
    ("exp", [(0.0, 1.0), (-0.0, 1.0), (800.0, INF), (-800.0, 0.0), (INF, INF), (-INF, 0.0), (NAN, NAN)]),
    ("expm1", [
        (0.0, 0.0), (-0.0, -0.0), (800.0, INF), (-800.0, -1.0), (1e-40, 1e-40), (INF, INF), (-INF, -1.0), (NAN, NAN),
    ]),
    ("atan", [
        (0.0, 0.0), (-0.0, -0.0), (1.0, np.pi / 4), (-1.0, -np.pi / 4), (1e30, np.pi / 2), (INF, np.pi / 2),
        (-INF, -np.pi / 2), (1e-40, 1e-40), (NAN, NAN),
    ]),
    ("erfinv", [
        (0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.5, NAN), (-1.5, NAN), (INF, NAN), (-INF, NAN),
        (NAN, NAN),
    ]),
    ("erf", [(0.0, 0.0), (-0.0, -0.0), (30.0, 1.0), (-30.0, -1.0), (INF, 1.0), (-INF, -1.0), (NAN, NAN)]),
    ("erfc", [(0.0, 1.0), (-0.0, 1.0), (30.0, 0.0), (-30.0, 2.0), (INF, 0.0), (-INF, 2.0), (NAN, NAN)]),
    ("sinpi", [
        (0.0, 0.0), (-0.0, -0.0), (0.5, 1.0), (1.5, -1.0), (1.0, 0.0), (-1.0, -0.0), (1e30, 0.0), (INF, NAN),
        (NAN, NAN),
    ]),
    ("sinpi", [(2.0**23 - 0.5, -1.0), (2.0**23 + 1, 0.0), (-(2.0**24) - 2, -0.0)]),
    ("cospi", [(0.0, 1.0), (0.5, 0.0), (1.5, 0.0), (1.0, -1.0), (-1.0, -1.0), (1e30, 1.0), (-INF, NAN), (NAN, NAN)]),
    ("cospi", [(2.0**23 - 1, -1.0), (2.0**23 + 1, -1.0), (2.0**24 - 1, -1.0), (2.0**24, 1.0), (2.0**24 + 2, 1.0)]),
    ("tanpi", [
        (0.0, 0.0), (-0.0, -0.0), (0.5, INF), (-0.5, -INF), (1.5, -INF), (2.5, INF), (1.0, 0.0), (INF, NAN),
        (NAN, NAN),
    ]),
    ("lgamma", [
        (1.0, 0.0), (2.0, 0.0), (0.0, INF), (-0.0, INF), (-1.0, INF), (-3.0, INF), (-1e37, INF), (INF, INF),
        (-INF, INF), (NAN, NAN),
    ]),
]  # fmt: skip
SPECIAL_POWERS = [  # x, y, x**y
    (0.0, 2.0, 0.0), (-0.0, 2.0, 0.0), (0.0, -2.0, INF), (0.0, 0.0, 1.0), (INF, 0.0, 1.0), (NAN, 0.0, 1.0),
    (1.0, NAN, 1.0), (1.0, INF, 1.0), (0.5, INF, 0.0), (0.5, -INF, INF), (2.0, INF, INF), (2.0, -INF, 0.0),
    (INF, 2.0, INF), (INF, -2.0, 0.0), (-1.0, 2.0, NAN), (NAN, 1.0, NAN), (2.0, NAN, NAN), (2.0, 1e30, INF),
    (2.0, -1e30, 0.0), (4.0, 0.5, 2.0), (10.0, 2.0, 100.0),
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "values"), SPECIAL_VALUES)
def test_special_values(name: str, values: list[tuple[float, Any]], dtype: str) -> None:
    x, expected = np.array(values, dtype).T.copy()
    got = FUNCTIONS[name](x)

    assert got.dtype == (BOOL if name == "isnan" else dtype)
    _assert_same(got.astype(dtype), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values_of_power(dtype: str) -> None:
    x, y, expected = np.array(SPECIAL_POWERS, dtype).T.copy()

    _assert_same(elementary.power(x, y), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_value_does_not_depend_on_its_neighbours(name: str, dtype: str) -> None:
    rng = np.random.default_rng(2026)
    arguments = [rng.uniform(0.01, 0.99, 300).astype(dtype) for _ in range(2 if name in BINARY else 1)]
    if name == "ldexp":
        arguments[1] = rng.integers(-100, 100, 300).astype(dtype)
    function = FUNCTIONS[name]
    whole = function(*arguments)

    for start, stop, step in ((0, 1, 1), (1, 300, 1), (3, 20, 1), (5, 12, 1), (0, 300, 2), (299, None, -3)):
        np.testing.assert_array_equal(function(*(a[start:stop:step] for a in arguments)), whole[start:stop:step])
    np.testing.assert_array_equal(function(*(a.reshape(2, 150) for a in arguments)).ravel(), whole)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_traces_in_its_own_dtype(name: str, dtype: str) -> None:
    graph = Graph()
    arguments = [graph.node("param", np.dtype(dtype), i) for i in range(2 if name in BINARY else 1)]
    result = FUNCTIONS[name](*arguments)
    sizes = {symbol.dtype.itemsize for symbol in graph._nodes.values() if symbol.dtype != BOOL}

    assert result.dtype == (BOOL if name == "isnan" else dtype)
    assert sizes == {np.dtype(dtype).itemsize}


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "isnan"])
def test_other_dtypes_are_refused(name: str) -> None:
    arguments = [np.ones(2, np.float16)] * (2 if name in BINARY else 1)

    with pytest.raises(TypeError, match="expected float32 or float64, got float16"):
        FUNCTIONS[name](*arguments)
