"""Samplers that transform uniforms: end points, tails, and parameters at the limits of their ranges."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from case import FLOATS, INTEGERS, Array
from cases import assert_same

import keyrng
from keyrng.kernels.lane import kernel_of

KEY = keyrng.key(0)
MANTISSA = {"float32": 23, "float64": 52}


class Lane:
    """A lane whose words are chosen: the first under the key itself or its first child, and so on."""

    def __init__(self, dtype: str, *words: Any) -> None:
        self.dtype = np.dtype(dtype)
        self.words = words

    def strided_words(self, count: int) -> tuple[Array, ...]:
        kind = f"uint{8 * self.dtype.itemsize}"
        return tuple(np.atleast_1d(np.array(word, kind)) for word in self.words[:count])

    def bits(self) -> Array:
        return self.strided_words(1)[0]

    def split(self, count: int) -> tuple[Lane, ...]:
        return tuple(Lane(self.dtype.name, word) for word in self.words[:count])


def value(kernel: str, dtype: str, words: tuple[Any, ...], *parameters: Any) -> Array:
    """Return the result of a kernel for words and parameters."""
    with np.errstate(all="ignore"):
        given = (np.atleast_1d(np.array(p, dtype)) for p in parameters)
        result: Array = kernel_of(kernel).function(Lane(dtype, *words), *given)
    return result


def word(dtype: str, steps: int) -> int:
    """The word whose uniform is so many steps above 0; below 1 where negative."""
    bits, digits = 8 * np.dtype(dtype).itemsize, MANTISSA[dtype]
    return steps % 2**digits << (bits - digits)


# The ends of what can occur, as the docstrings have them: kernel, parameters, steps of the uniform, values in float32
# and float64.
ENDS: list[tuple[str, tuple[float, ...], tuple[int, ...], float, float]] = [
    ("cauchy", (), (0,), -(2**23) / math.pi, -(2**52) / math.pi),
    ("cauchy", (), (-1,), 2**23 / math.pi, 2**52 / math.pi),
    ("half_cauchy", (), (0,), math.pi * 2.0**-25, math.pi * 2.0**-54),
    ("half_cauchy", (), (-1,), 2**25 / math.pi, 2**54 / math.pi),
    ("laplace", (), (0,), 24 * math.log(2), 53 * math.log(2)),
    ("laplace", (), (-1,), math.log(3) - 24 * math.log(2), math.log(3) - 53 * math.log(2)),
    ("logistic", (), (0,), -126 * math.log(2), -1022 * math.log(2)),
    ("logistic", (), (1,), -23 * math.log(2), -52 * math.log(2)),
    ("logistic", (), (-1,), 23 * math.log(2), 52 * math.log(2)),
    ("gumbel", (), (0,), -math.log(126 * math.log(2)), -math.log(1022 * math.log(2))),
    ("gumbel", (), (1,), -math.log(23 * math.log(2)), -math.log(52 * math.log(2))),
    ("gumbel", (), (-1,), 23 * math.log(2), 52 * math.log(2)),
    ("gumbel_high", (), (0, 0), 126 * math.log(2), 1022 * math.log(2)),
    ("gumbel_high", (), (0, 1), 46 * math.log(2), 104 * math.log(2)),
    ("gumbel_high", (), (-1, -1), -math.log(23 * math.log(2)), -math.log(52 * math.log(2))),
    ("rayleigh", (2.0,), (0,), 2 * math.sqrt(48 * math.log(2)), 2 * math.sqrt(106 * math.log(2))),
    ("rayleigh", (2.0,), (-1,), 2 * math.sqrt(2.0**-22), 2 * math.sqrt(2.0**-51)),
    ("exponential", (), (0,), 0.0, 0.0),
    ("exponential", (), (-1,), 23 * math.log(2), 52 * math.log(2)),
    ("weibull_min", (3.0, 2.0), (0,), 0.0, 0.0),
    ("weibull_min", (3.0, 2.0), (-1,), 3 * math.sqrt(23 * math.log(2)), 3 * math.sqrt(52 * math.log(2))),
    ("pareto", (2.0,), (0,), 1.0, 1.0),
    ("pareto", (2.0,), (-1,), 2.0**11.5, 2.0**26),
    ("pareto", (1e-4,), (-1,), math.inf, math.inf),
    ("power", (2.0,), (0,), 1.0, 1.0),
    ("power", (2.0,), (-1,), 2.0**-11.5, 2.0**-26),
    ("power", (1e-4,), (-1,), 0.0, 0.0),
    ("triangular", (1.0, 2.0, 5.0), (0,), 1.0, 1.0),
    ("triangular", (1.0, 2.0, 5.0), (-1,), 5 - 4 * math.sqrt(0.75 * 2.0**-23), 5 - 4 * math.sqrt(0.75 * 2.0**-52)),
    ("geometric", (0.5,), (0,), 1, 1),
    ("geometric", (0.5,), (1,), 24, 53),
    ("geometric", (0.5,), (-1,), 1, 1),
    ("geometric", (1.0,), (1,), 1, 1),
]


@pytest.mark.parametrize("dtype", MANTISSA)
@pytest.mark.parametrize(("kernel", "parameters", "steps", "single", "double"), ENDS)
def test_ends(dtype: str, kernel: str, parameters: Any, steps: Any, single: float, double: float) -> None:
    expected = single if dtype == "float32" else double
    found = value(kernel, dtype, tuple(word(dtype, s) for s in steps), *parameters)[0]

    # The logarithms' rounding, which an exponential multiplies by the logarithm.
    assert found == pytest.approx(expected, rel=40 * float(np.finfo(dtype).eps), abs=0)
    assert np.signbit(found) == (expected < 0), "zero is positive"


# Gumbel


def test_gumbel_highest_has_64_bits() -> None:
    rng = np.random.default_rng(1)
    words, shifts = rng.integers(2**60, 2**64, 400, np.uint64).tolist(), rng.integers(0, 60, 400).tolist()
    numbers = [number >> shift for number, shift in zip(words, shifts, strict=True)]
    numbers += [2**64 - n for n in numbers[:200]] + [1, 2, 2**63, 2**63 - 1, 2**64 - 1, 2**53, 2**53 - 1, 2**32]
    first, second = np.array([n >> 32 for n in numbers]), np.array([n & 0xFFFFFFFF for n in numbers])
    found = value("gumbel_highest", "float32", (first, second))

    for number, x in zip(numbers, found.tolist(), strict=True):
        # 24 digits of the distance from the nearer end, which has all digits left that there are.
        near = number if number < 2**63 else 2**64 - number
        near = near >> (near.bit_length() - 24) << (near.bit_length() - 24) if near >= 2**24 else near
        u = mpmath.mpf(near) / 2**64
        exact = -mpmath.log(-(mpmath.log1p(-u) if number < 2**63 else mpmath.log(u)))
        assert abs(x - exact) <= 1.5 * float(np.spacing(np.float32(max(abs(exact), 0.5)))), number
    assert value("gumbel_highest", "float32", (0, 0))[0] == np.float32(65 * math.log(2))


def test_modes_of_gumbel() -> None:
    for dtype in FLOATS:
        samples = {mode: keyrng.gumbel(KEY, (9_001,), dtype, mode) for mode in (None, "low", "high", "highest")}
        assert_same(samples[None], samples["low"], dtype)
        assert (samples["high"] != samples["low"]).any()
        assert (samples["highest"] != samples["high"]).any() == (dtype != "float64")


def test_the_tail_of_gumbel() -> None:
    # With mode "low" no value exceeds 15.9; with 46 bits the tail has the expected number of values.
    x = np.concatenate([keyrng.gumbel(keyrng.key(s), (2**22,), mode="high") for s in range(8)])
    expected = x.size * -math.expm1(-math.exp(-15.0))

    assert abs((x > 15.0).sum() - expected) < 5 * math.sqrt(expected)


# Cauchy


@pytest.mark.parametrize("dtype", MANTISSA)
def test_cauchy_is_exact_in_both_tails(dtype: str) -> None:
    # jax's largest value is an eighth too large.
    digits = MANTISSA[dtype]
    for steps in (0, 1, 2, 1000, -1, -2, -1000):
        found = float(value("cauchy", dtype, (word(dtype, steps),))[0])
        u = mpmath.mpf(steps % 2**digits) / 2**digits
        with mpmath.workdps(40):
            # u itself is rounded, by at most half a unit of the centre.
            u = mpmath.mpf(float(np.dtype(dtype).type(u * (1 - mpmath.mpf(2) ** -digits) + mpmath.mpf(2) ** -digits)))
            exact = mpmath.tan(mpmath.pi * (u - mpmath.mpf("0.5")))
        assert abs(found / exact - 1) < 2.0 ** (1 - digits), steps


# Wald


@pytest.mark.parametrize("dtype", MANTISSA)
def test_roots_of_wald(dtype: str) -> None:
    info = np.finfo(dtype)
    half = 1 << (8 * np.dtype(dtype).itemsize - 1)
    largest, smallest = word(dtype, 0), half  # of the normal's absolute value
    for mean in (info.smallest_subnormal, info.tiny, 1e-20, 1e-3, 1.0, 300.0, 1e10, 1e18, 3e18, 1e30, info.max):
        for normal in (largest, half >> 1, half >> 5, smallest):
            n = float(value("normal", dtype, (normal,))[0])
            for uniform in (word(dtype, 0), word(dtype, -1)):
                found = float(value("wald", dtype, (normal, uniform), mean)[0])
                with mpmath.workdps(60):
                    m = mpmath.mpf(float(np.dtype(dtype).type(mean)))
                    w = m * mpmath.mpf(n) ** 2
                    ratio = 1 + w / 2 + mpmath.sqrt(w + w * w / 4)
                    accepted = uniform == word(dtype, 0) or ratio > 2 ** MANTISSA[dtype]
                    exact = m / ratio if accepted else m * ratio
                tolerance = 8 * float(info.eps) * float(exact) + float(info.smallest_subnormal)
                assert abs(found - float(exact)) <= tolerance, (mean, n, uniform)


# Triangular


@pytest.mark.parametrize("dtype", FLOATS)
def test_triangular_stays_inside(dtype: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        left, mode, right = np.sort(rng.normal(0.0, 10.0 ** rng.integers(-2, 4), 3)).astype(dtype).astype(float)
        if left == right:
            continue
        for middle in (left, mode, right):
            x = keyrng.triangular(keyrng.key(int(rng.integers(2**32))), left, middle, right, (500,), dtype)
            assert (x >= left).all() and (x <= right).all(), (left, middle, right)
    # Corners that the dtype does not have are rounded to it.
    assert (keyrng.triangular(KEY, 0.1, 0.1, 0.101, (500,), dtype) >= np.array(0.1, dtype)).all()


def test_corners_of_triangular() -> None:
    for low, high in ((-1e38, 2e38), (0.0, 3.4e38), (0.0, 1e-44)):
        x = keyrng.triangular(KEY, low, low, high, (10_000,)).astype(float)
        assert abs((x.mean() - low) / (high - low) - 1 / 3) < 0.02


# Lognormal, power


@pytest.mark.parametrize("dtype", [*FLOATS, "complex64", "complex128"])
def test_lognormal_without_deviation_is_one(dtype: str) -> None:
    assert (keyrng.lognormal(KEY, 0.0, (100,), dtype) == 1).all()
    assert (keyrng.lognormal(KEY, -0.0, (100,), dtype) == 1).all()


@pytest.mark.parametrize("dtype", MANTISSA)
def test_power_is_the_reciprocal_of_pareto(dtype: str) -> None:
    a = np.array([0.3, 1.0, 20.0])
    x, y = keyrng.power(KEY, a, (1000, 3), dtype), keyrng.pareto(KEY, a, (1000, 3), dtype)

    np.testing.assert_allclose(x * y, 1.0, rtol=2 * float(np.finfo(dtype).eps))


# Weibull

SHAPES = [
    # of the key, shape, of the two parameters, of the result
    ((), (), (), (), ()),
    ((), (), (3,), (), (3,)),
    ((), (), (3,), (2, 1), (2, 3)),
    ((), (), (0,), (), (0,)),
    ((), (4,), (), (1,), (4,)),
    ((), (4, 3), (3,), (4, 1), (4, 3)),
    ((), (4, 1), (3,), (), (4, 3)),
    ((), (3,), (4, 1), (2, 1, 1), (2, 4, 3)),
    ((), 1, (3,), (), (3,)),
    ((5,), (), (3,), (), (5, 3)),
    ((5,), (), (5,), (), (5,)),  # it fits as it is: a parameter for each key
    ((5,), (3,), (5, 1), (3,), (5, 3)),
    ((5,), (3, 1), (2,), (), (5, 3, 2)),
]


@pytest.mark.parametrize(("keys", "shape", "scale", "concentration", "expected"), SHAPES)
def test_shape_of_weibull_is_broadcast(keys: Any, shape: Any, scale: Any, concentration: Any, expected: Any) -> None:
    key = keyrng.split(KEY, keys) if keys else KEY
    first, second = (1.0 + np.arange(np.prod(s)).reshape(s) for s in (scale, concentration))
    found = keyrng.weibull_min(key, first, second, shape)

    assert found.shape == expected
    assert_same(found, keyrng.weibull_min(key, first, second, expected[len(keys) :]))
    assert_same(found, keyrng.weibull_min(key, first.tolist(), second.tolist(), shape))
    out = np.empty(expected, np.float32)
    assert_same(found, keyrng.weibull_min(key, first, second, expected[len(keys) :], out=out))
    assert_same(found, keyrng.weibull_min(key, first, second, out=out))


def test_every_parameter_of_weibull_has_its_own_value() -> None:
    # jax uses one uniform for all parameters.
    x = keyrng.weibull_min(KEY, 1.0, np.ones(5))

    assert np.unique(x).size == 5
    assert_same(x, keyrng.weibull_min(KEY, 1.0, 1.0, (5,)))


# Geometric


@pytest.mark.parametrize("dtype", INTEGERS)
def test_the_least_p_of_geometric(dtype: str) -> None:
    info = np.iinfo(dtype)
    compute = "float64" if info.bits == 64 else "float32"
    with pytest.raises(ValueError, match="p must be at least") as raised:
        keyrng.geometric(KEY, 1e-30, (), dtype)
    least = float(str(raised.value).split("at least ")[1].split()[0]) * (1 + 1e-7)

    assert f"for values to fit {dtype}" in str(raised.value)
    assert ("give a wider dtype" in str(raised.value)) == (info.bits < 64)
    assert ", got 1e-30" in str(raised.value)
    keyrng.geometric(KEY, least, (10,), dtype)
    largest = int(value("geometric", compute, (word(compute, 1),), least)[0])
    assert 0.98 * info.max <= largest <= info.max
    for p in (least * (1 - 1e-5), np.array([0.5, least / 2])):
        with pytest.raises(ValueError, match=f"p must be at least .* for values to fit {dtype}"):
            keyrng.geometric(KEY, p, (2,), dtype)


# Distributions made of the normal and of gamma


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_half_normal_is_a_normal_without_its_sign(dtype: str, path: str) -> None:
    key = keyrng.key(11)

    assert (keyrng.half_normal(key, (5000,), dtype) == abs(keyrng.normal(key, (5000,), dtype))).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_skew_normals_at_the_ends_are_half_normals(dtype: str, path: str) -> None:
    key, magnitudes = keyrng.key(12), abs(keyrng.normal(keyrng.split(keyrng.key(12))[0], (5000,), dtype))
    largest = float(np.finfo(dtype).max)

    for a in (math.inf, largest, 10.0 * largest if dtype == "float32" else math.inf):
        assert (keyrng.skew_normal(key, a, (5000,), dtype) == magnitudes).all()
        assert (keyrng.skew_normal(key, -a, (5000,), dtype) == -magnitudes).all()
    for a in (0.0, 2.5, 2.0**-149):  # a sign alone depends on the parameter
        assert (abs(keyrng.skew_normal(key, a, (5000,), dtype)) == magnitudes).all()


@pytest.mark.parametrize(("dtype", "ulps"), [("float32", 6), ("float64", 6)])
def test_an_inverse_gamma_is_the_reciprocal(dtype: str, ulps: int, path: str) -> None:
    key = keyrng.key(13)
    for a in (0.3, 1.0, 40.0):
        product = keyrng.inverse_gamma(key, a, (5000,), dtype) * keyrng.gamma(key, a, (5000,), dtype)
        assert abs(product - 1).max() < ulps * float(np.finfo(dtype).eps)


def test_inverse_gammas_of_the_ends(path: str) -> None:
    key = keyrng.key(14)
    largest, least = np.finfo("float32").max, np.finfo("float32").smallest_subnormal

    assert (keyrng.inverse_gamma(key, largest, (9,)) == np.float32(1 / float(largest))).all()
    assert (keyrng.inverse_gamma(key, least, (9,)) == np.inf).all()
    x = keyrng.inverse_gamma(key, 0.01, (100_000,))  # of gamma variates that are subnormal
    assert ((x > 2.0**126) & (x < np.inf)).any()
