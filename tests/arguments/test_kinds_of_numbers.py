"""The value of a parameter determines the draw, not its type: Python and NumPy numbers, lists, arrays of any dtype."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from case import FLOATS
from cases import CASES, HAVE_BFLOAT16, INTEGERS, Case, assert_same
from gpus import Gpu, host

import keyrng
from keyrng._core import numbers as _numbers

KEY = keyrng.key(21)
KEYS = keyrng.split(KEY, 3)


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def float_type(name: str) -> Any:
    if name == "bfloat16":
        import ml_dtypes

        return ml_dtypes.bfloat16
    return np.dtype(name).type


def scalars(value: float) -> Iterator[Any]:
    """A number in every type that has exactly this value."""
    if math.isfinite(value):
        yield from (Fraction(value), Decimal(value))
    for name in (*FLOATS, "longdouble"):
        with np.errstate(all="ignore"):
            one = float_type(name)(value)
        if float(one) == value:
            yield one
    if float(value).is_integer():
        whole = int(value)
        yield whole
        for name in INTEGERS:
            if np.iinfo(name).min <= whole <= np.iinfo(name).max:
                yield np.dtype(name).type(whole)


def forms(value: float) -> Iterator[Any]:
    """A number, or two of the same, in every form."""
    for one in scalars(value):
        yield one
        yield [one, one]
        yield (one, one)
        kind = one.dtype if isinstance(one, np.generic) else object if isinstance(one, (Fraction, Decimal)) else None
        yield np.array(one, kind)
        yield np.array([one], kind)
        yield np.full((2,), one, kind)
        yield np.array([one, one], object)


INTEGER_PARAMETERS = {"randint": ("minval", "maxval")}

#: Those that compute in the float of an array, as their docstrings say.
OTHERS = ("bernoulli",)


def taken_by(case: Case, value: Any) -> bool:
    """Whether a sampler takes a form: `randint` has integers only."""
    if (case.function or case.name) not in INTEGER_PARAMETERS:
        return True
    parts = value if isinstance(value, (list, tuple)) else np.asarray(value).ravel().tolist()
    return all(isinstance(part, (int, np.integer)) for part in parts) and np.asarray(value).dtype.kind in "iuO"


@pytest.mark.parametrize("case", [c for c in CASES if c.domain and not c.name.startswith(OTHERS)], ids=str)
@pytest.mark.turns(3)
def test_forms_of_every_parameter(case: Case) -> None:
    for dtype in case.some_dtypes:
        for parameters in case.all_parameters:
            expected = case(KEYS, (2,), dtype, **parameters)
            for name, value in parameters.items():
                for form in forms(float(value)):
                    if taken_by(case, form):
                        found = case(KEYS, (2,), dtype, **{**parameters, name: form})
                        assert_same(found, expected, name, repr(form), dtype)


def test_an_integer_is_rounded_once() -> None:
    # By way of float64 it would be a tie, which rounds down.
    number = 2**54 + 2**30 + 1
    for form in (number, np.int64(number), [number], np.array(number), np.array([number], object), Fraction(number)):
        found = keyrng.uniform(KEY, (1,), "float64", 0, form)
        assert_same(found, keyrng.uniform(KEY, (1,), "float64", 0, float(number)), repr(form))
        found = keyrng.sample_kernel(_itself, KEY, (1,), "float32", form)
        assert found.tolist() == [2.0**54 + 2.0**31]


def _itself(lane: Any, x: Any) -> Any:
    return x


@pytest.mark.parametrize("value", [3.4028235e38, np.finfo(np.float32).max, 3.4028235677973362e38, -3.4028235e38])
def test_the_largest_float32_in_every_form(value: float) -> None:
    for form in (float(value), np.float64(value), [float(value)], np.array([value], np.float64)):
        assert abs(keyrng.sample_kernel(_itself, KEY, (1,), "float32", form)) == [np.finfo(np.float32).max]


# Lists of integers that no dtype holds together


LISTS: list[tuple[list[int], str]] = [
    ([2**63 + 5, 10], "uint64"),
    ([2**64 - 1, 2**53 + 1], "uint64"),
    ([2**63, 2**63], "uint64"),
    ([2**64, 1], "uint64"),
    ([2**53 + 1, 1], "int64"),
    ([2**63, 2**62 + 1], "int64"),
    ([2**31, 7], "int32"),
    ([2**32, 2**32 - 1], "uint32"),
]


def containers(numbers: list[int]) -> list[Any]:
    return [
        numbers,
        tuple(numbers),
        np.array(numbers, object),
        [np.uint64(n) if n < 2**64 else n for n in numbers],
        [np.array(n) for n in numbers],
    ]


@pytest.mark.parametrize(("numbers", "dtype"), LISTS)
def test_randint_of_large_integers(numbers: list[int], dtype: str, path: str) -> None:
    low = [0, int(np.iinfo(dtype).min)][np.dtype(dtype).kind == "i"]
    expected = [keyrng.randint(KEYS, (2,), low, n, dtype)[:, i] for i, n in enumerate(numbers)]
    for form in containers(numbers):
        for lowest in (low, [low, low], np.array([low] * 2, object), np.array(low)):
            found = keyrng.randint(KEYS, (2,), lowest, form, dtype)
            assert_same(found, np.stack(expected, axis=-1), repr(form))
        x = keyrng.lazy_array(keyrng.randint, KEYS, (2,), minval=low, maxval=form, dtype=dtype)
        assert_same(x[...], np.stack(expected, axis=-1), "lazy", repr(form))
        assert_same(x[:, 1], expected[1], "lazy", repr(form))
        assert_same(
            keyrng.Generator(KEY).randint((2,), low, form, dtype),
            keyrng.randint(keyrng.fold_in(KEY, 0), (2,), low, np.array(numbers, object), dtype),
        )


@pytest.mark.parametrize("low", [0, [0, 0, 0], np.array(0), np.zeros(3, "int8"), np.array(0, object)])
@pytest.mark.parametrize("high", [2**64, [2**64] * 3, np.array(2**64, object), np.array([2**64] * 3, object)])
def test_randint_of_all_words(low: Any, high: Any, path: str) -> None:
    expected = keyrng.randint(KEYS, (3,), 0, 2**64, "uint64")

    assert_same(keyrng.randint(KEYS, (3,), low, high, "uint64"), expected)
    assert_same(keyrng.lazy_array(keyrng.randint, KEYS, (3,), minval=low, maxval=high, dtype="uint64")[...], expected)
    assert_same(keyrng.randint(KEYS, (3,), low, high, "uint64", out=np.empty((3, 3), "uint64")), expected)
    signed = keyrng.randint(
        KEYS, (3,), np.subtract(low, 2**63, dtype=object), np.subtract(high, 2**63, dtype=object), "int64"
    )
    assert_same((signed.view("uint64") ^ np.uint64(2**63)), expected)


@pytest.mark.parametrize(
    ("numbers", "dtype"),
    [
        ([2**63 + 5, 10], "uint64"),
        ([-1, 2**63 + 5], "int64"),
        ([2**64, 0], "uint32"),
        ([2**64 + 1, 1], "uint64"),
        (range(2**64, 2**64 + 2), "int8"),
        ([10**30, -(10**30)], "int64"),
    ],
)
def test_randint_outside_the_dtype(numbers: Any, dtype: str) -> None:
    if dtype == "uint64" and max(numbers) <= 2**64:
        assert keyrng.randint(KEY, (2,), 0, numbers, dtype).dtype == dtype
        return
    with pytest.raises(ValueError, match=rf"{dtype} holds|minval must be less than maxval"):
        keyrng.randint(KEY, (2,), -1 if dtype == "int64" else 0, numbers, dtype)


def test_ranges_of_large_integers() -> None:
    for start, step in ((2**63 - 1, 1), (2**63, 3), (-(2**63) - 1, 1), (2**64 - 5, 2), (5, 2**64), (2**63 + 4, -2)):
        numbers = range(start, start + 3 * step, step)
        array = _numbers.as_array(numbers)
        assert array.tolist() == list(numbers)
        assert all(type(n) is int for n in array.tolist())
    numbers = range(2**63, 2**63 + 3)
    found = keyrng.randint(KEY, (3,), numbers, 2**64, "uint64")
    assert_same(found, keyrng.randint(KEY, (3,), np.array(list(numbers), np.uint64), 2**64, "uint64"))


def test_large_integers_elsewhere() -> None:
    n = 2**62 + 1
    for form in containers([2**62, 3]):
        assert keyrng.index_shuffle(KEY, form, n).tolist() == [int(keyrng.index_shuffle(KEY, i, n)) for i in (2**62, 3)]
    for form in (*containers([2**63 + 5, 10]), [2**64, 1]):
        with pytest.raises(ValueError, match=r"index must be from 0 to n - 1, got \d+ with n = 4611686018427387905"):
            keyrng.index_shuffle(KEY, form, n)
    both = keyrng.fold_in(KEY, np.array([2**63 + 5, 10], object))
    assert (both == keyrng.stack([keyrng.fold_in(KEY, i) for i in (2**63 + 5, 10)])).all()
    for outside in ([2**64, 1], [-1, 2**63]):
        with pytest.raises(ValueError, match=r"data to fold in must be from 0 to 2\*\*64 - 1"):
            keyrng.fold_in(KEY, np.array(outside, object))
    assert keyrng.choice(KEY, [2**63 + 5, 2**63 + 7], (2,)).dtype == np.uint64
    assert set(keyrng.choice(KEY, [2**63 + 5, 11], (50,)).tolist()) == {2**63 + 5, 11}
    assert set(keyrng.permutation(KEY, [2**64 + 5, -1]).tolist()) == {2**64 + 5, -1}
    assert_same(keyrng.gamma(KEYS, [10**30, 2**64, 3], (3,)), keyrng.gamma(KEYS, [1e30, 2.0**64, 3.0], (3,)))
    for form in ([10**400, 1], 10**400, np.array([10**400], object), [Fraction(10**400)], [0.5, Fraction(10) ** 400]):
        with pytest.raises(ValueError, match="a must fit float32, got"):
            keyrng.gamma(KEY, form, (2,))


@pytest.mark.parametrize(
    "value",
    [[Fraction(1, 2), None], [Decimal(1), "x"], [Fraction(1, 2), True], [1j, Fraction(1)], [float], [np.float64]],
)
def test_objects_that_are_not_numbers(value: Any) -> None:
    for form in (value, np.array(value, object)):
        with pytest.raises(TypeError, match="a must be a number or an array of numbers, got"):
            keyrng.gamma(KEY, form)
        with pytest.raises(TypeError, match="minval must be an integer or an array of integers, got"):
            keyrng.randint(KEY, (2,), form, 5)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Decimal("NaN"), "a must be positive and finite, got nan"),
        (Decimal("sNaN"), "a must fit float32, got"),
        (Decimal("Infinity"), "a must be positive and finite, got inf"),
        (Decimal("1E+999999999"), "a must be positive and finite, got inf"),
        (Decimal("1E-999999999"), r"a must be positive and finite, got 0\.0"),
        (Fraction(-1, 3), "a must be positive and finite, got -0.33"),
        ([Fraction(1, 3), Decimal(-2)], r"a must be positive and finite, got -2(\.0)? among others"),
    ],
)
def test_fractions_outside_the_range(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        keyrng.gamma(KEY, value)


def test_whole_fractions_keep_their_digits() -> None:
    n = 2**53 - 1
    assert int(keyrng.binomial(KEY, Fraction(n), 1, dtype="int64")) == n
    for form in (Fraction(2**53 + 1), [Decimal(2**53 + 1), 1], Fraction(5, 2)):
        with pytest.raises(ValueError, match="n must be a whole number"):
            keyrng.binomial(KEY, form, 0.5, dtype="int64")


@pytest.mark.parametrize("numbers", [[-1], [2**32], [5, 2**40], range(-3, 0), [2**64]])
def test_words_are_never_wrapped(numbers: Any) -> None:
    for form in (numbers, np.array(numbers), np.array(numbers, object), numbers[-1] if len(numbers) == 1 else numbers):
        with pytest.raises(ValueError, match="parameter 1 must fit uint32, got"):
            keyrng.sample_kernel(_itself, KEY, (len(numbers),), "uint32", form)


# On GPUs


def test_lists_and_arrays_there(there: Gpu) -> None:
    key, cupy = KEY.to("cuda"), there.cupy
    for high in ([2**63 + 5, 10], [2**64, 2**64]):
        expected = keyrng.randint(KEY, (2,), 0, high, "uint64")
        for low in (0, [0, 0], cupy.asarray(np.zeros(2, np.int64))):
            assert_same(host(keyrng.randint(key, (2,), low, high, "uint64")), expected)
    with pytest.raises(ValueError, match=r"int32 holds .*, got maxval 1099511627776; give a wider dtype"):
        keyrng.randint(key, (2,), cupy.asarray(np.zeros(2, np.int32)), 2**40)
    assert host(keyrng.binomial(key, [3, 16777216], 1, (2,))).tolist() == [3, 16777216]
    n = cupy.asarray(np.array([3, 16777217, 16777216, 2**40], np.int64))
    assert np.isnan(host(keyrng.binomial(key, n, 1.0))).tolist() == [False, True, False, True]
    assert host(keyrng.binomial(key, n, 1.0, dtype="int32")).tolist() == [3, 16777217, 16777216, -1]
    n = cupy.asarray(np.array([2.5, 1 + 1e-9, 2.0]))
    assert np.isnan(host(keyrng.binomial(key, n, 1.0))).tolist() == [True, True, False]
    good, bad = (cupy.asarray(np.array(x)) for x in ([3 * 10**9, 3 * 10**9, 2**53], [10, 10, 1]))
    sample = cupy.asarray(np.array([5, 3 * 10**9, 5]))
    assert host(keyrng.hypergeometric(key, good, bad, sample)).tolist()[1:] == [-1, -1]
    assert 0 <= int(host(keyrng.hypergeometric(key, good, bad, sample))[0]) <= 5
    p = cupy.asarray(np.array([0.3, 1e-8]))
    assert_same(host(keyrng.geometric(key, p)), keyrng.geometric(KEY, [0.3, 1e-8]))
    lam = [3e9, 4.0]
    assert_same(
        host(keyrng.poisson(key, cupy.asarray(np.array(lam)), dtype="uint32")), keyrng.poisson(KEY, lam, dtype="uint32")
    )


assert HAVE_BFLOAT16 or "bfloat16" not in FLOATS
