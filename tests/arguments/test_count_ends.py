"""Counts at the limits of their parameters: the count is possible, or a ValueError names the argument."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import HAVE_BFLOAT16, INTEGERS, PATHS, on
from test_arguments import REFUSED

import keyrng

KEYS = keyrng.split(keyrng.key(31), 3)

ENDS = (2**7, 2**8, 2**11, 2**15, 2**16, 2**24, 2**31, 2**32, 2**53, 2**63, 2**64)
WHOLE: tuple[Any, ...] = (
    *(0, 1, 2, -1, 2**127, 10**30, 10**400, 0.5, float("nan"), float("inf"), -float("inf")),
    *(end + step for end in ENDS for step in (-1, 0, 1)),
    *(float(end) for end in ENDS),
    *(np.float32(end) for end in ENDS),
)
ALMOST_WHOLE = (2.0000001, 1 - 1e-9, -1e-300, 2.0**24 - 2.0**-20, np.float64(1 + 3e-16))
REAL: tuple[Any, ...] = (
    *(0.0, -0.0, 5e-324, 1e-310, 1e-45, 1e-38, 1e-30, 1e-16, 1e-8, 1e-3, 0.5, 1.0, 30.0, -1.0),
    *(float("nan"), float("inf"), 1e38, 1e39, 1e308, 10**400),
    *(float(end) * factor for end in ENDS for factor in (0.999, 1.0, 1.001)),
)
CHANCE: tuple[Any, ...] = (
    *(0, 0.0, -0.0, 5e-324, 1e-310, 1e-45, 1e-38, 1e-30, 1e-17, 4e-15, 1e-12, 8e-9, 1e-7, 9.5e-7, 1e-5, 0.25, 0.5),
    *(1 - 1e-5, 1 - 1e-7, 1 - 2.0**-24, 1 - 2.0**-25, 1 - 1e-9, 1 - 1e-12, 1 - 2.0**-53, 1, 1.0, 1 + 2.0**-52),
    *(1 + 1e-9, -5e-324, -1.0, 2.0, float("nan"), float("inf"), np.float16(0.1), np.float32(1e-7)),
)


Sampler = Callable[..., Any]
SOME = ("int8", "int32", "uint32", "int64", "uint64")


def outcomes(sampler: Sampler, dtype: str, named: dict[str, Any]) -> list[list[int]] | None:
    """The counts on every path, which are the same, or None where the parameters are refused in words that name one."""
    found: list[Any] = []
    for path in PATHS[:2]:
        with on(path):
            try:
                x = sampler(KEYS, **named, shape=(4,), dtype=dtype)
            except ValueError as error:
                text = str(error)
            else:
                assert x.dtype == dtype and x.shape[:2] == (3, 4)
                found.append([int(n) for n in x.ravel()])
                continue
        assert any(re.search(rf"\b{name}\b", text) for name in named), (named, text)
        assert len(text) < 500
        found.append(None)
    assert found.count(found[0]) == len(found), (named, found)
    return found[0]


@pytest.mark.parametrize("dtype", SOME)
def test_counts_of_means(dtype: str) -> None:
    top = int(np.iinfo(dtype).max)
    for lam in REAL:
        x = outcomes(keyrng.poisson, dtype, {"lam": lam})
        assert (x is None) or 0 <= min(x) <= max(x) <= top
        if x and lam > 1e4:
            assert max(abs(n - int(lam)) for n in x) < 8 * float(lam) ** 0.5 + lam * 1e-6
    for a in (*REAL, *CHANCE, *(1 + 2.0**-k for k in range(1, 53, 5))):
        x = outcomes(keyrng.zipf, dtype, {"a": a})
        assert (x is None) == (not 1 < (a if isinstance(a, int) else float(a)) < 1.7e308)
        assert (x is None) or 1 <= min(x) <= max(x) <= top


@pytest.mark.parametrize("dtype", SOME)
def test_counts_of_chances(dtype: str) -> None:
    top = int(np.iinfo(dtype).max)
    for p in CHANCE:
        x = outcomes(keyrng.geometric, dtype, {"p": p})
        assert (x is None) or 1 <= min(x) <= max(x) <= top
        assert x is not None or not 0.13 < p <= 1
        x = outcomes(keyrng.logseries, dtype, {"p": p})
        assert (x is None) or 1 <= min(x) <= max(x) <= top
        assert x is not None or not 0 <= p < 0.7
    for n, p in itertools.product(REAL[::4], CHANCE[::3]):
        x = outcomes(keyrng.negative_binomial, dtype, {"n": n, "p": p})
        assert (x is None) or 0 <= min(x) <= max(x) <= top


#: Up to which number of trials every count is exact.
TRIALS = {
    **{"float16": 2**11, "float32": 2**24, "float64": 2**53, **({"bfloat16": 2**8} if HAVE_BFLOAT16 else {})},
    **{dtype: min(int(np.iinfo(dtype).max), 2**53) for dtype in INTEGERS},
}


def is_count(n: Any, largest: int) -> bool:
    """Whether a number is an integer from 0 to the largest one; compared as Python's, which are not rounded."""
    return 0 <= n < 2**70 and int(n) == n and int(n) <= largest


@pytest.mark.parametrize("dtype", TRIALS)
@pytest.mark.turns(3)
def test_counts_of_trials(dtype: str) -> None:
    for n in (*WHOLE, *ALMOST_WHOLE):
        fits = is_count(n, TRIALS[dtype])
        for p in (0, 1e-310, 1e-8, 0.5, 1 - 1e-9, 1 - 2.0**-53, 1):
            x = outcomes(keyrng.binomial, dtype, {"n": n, "p": p})
            assert (x is not None) == fits, n
            if x is not None:
                assert 0 <= min(x) <= max(x) <= n
                assert p != 1 or x == [n] * 12
                assert p != 0 or x == [0] * 12
    for n in (*WHOLE[::7], TRIALS[dtype], TRIALS[dtype] + 1, *ALMOST_WHOLE):
        fits = is_count(n, TRIALS[dtype])
        for weights in ([1.0, 1.0], [0.0, 5e-324], [1.0, 1e-300, 0], [1e300, 1e-300], [3, 1, 2**64], [1.0]):
            x = outcomes(_multinomial(len(weights)), dtype, {"n": n, "p": weights})
            assert (x is not None) == fits, n
            if x is not None:
                rows = np.array(x, object).reshape(-1, len(weights))
                assert (rows.sum(axis=1) == n).all() and (rows >= 0).all()
                assert not rows[:, np.array(weights) == 0].any()


def _multinomial(classes: int) -> Sampler:
    def sampler(keys: Any, n: Any, p: Any, shape: tuple[int, ...], dtype: str) -> Any:
        return keyrng.multinomial(keys, n, p, shape=(*shape, classes), dtype=dtype)

    return sampler


@pytest.mark.parametrize("dtype", SOME)
@pytest.mark.turns(3)
def test_counts_of_items(dtype: str) -> None:
    some = [0, 1, 2**31 - 1, 2**31, 2**53 - 1, 2**53, 2**53 + 1]
    for good, bad, sample in itertools.product(some, some, some):
        x = outcomes(keyrng.hypergeometric, dtype, {"ngood": good, "nbad": bad, "nsample": sample})
        fine = all(n in range(2**53 + 1) for n in (good, bad, sample, good + bad)) and sample <= good + bad
        assert (x is not None) == (fine and min(good, sample) <= int(np.iinfo(dtype).max)), (good, bad, sample)
        assert (x is None) or max(0, sample - bad) <= min(x) <= max(x) <= min(good, sample)
        if sample in (0, 1, 2**31):
            rows = outcomes(keyrng.multivariate_hypergeometric, dtype, {"colors": [good, bad], "nsample": sample})
            top = int(np.iinfo(dtype).max)
            assert (rows is not None) == (fine and max(min(good, sample), min(bad, sample)) <= top)
            assert rows is None or {a + b for a, b in zip(rows[::2], rows[1::2], strict=True)} == {sample}


# Samples without elements


# Not 0: randint(key, 0, low, high) has the order of NumPy's arguments, which is an error.
EMPTY_SHAPES: list[Any] = [(0,), (2, 0), (0, 3), [0]]


@pytest.mark.parametrize("shape", EMPTY_SHAPES)
def test_nothing_is_drawn_of_nothing(shape: Any) -> None:
    for key in (KEYS, KEYS[0], keyrng.split(KEYS[0], 0)):
        full = key.shape + (tuple(shape) if isinstance(shape, (tuple, list)) else (shape,))
        for dtype in INTEGERS:
            for end in (0, 5, np.int8(3), [7], np.array(7), np.array([7], object)):
                x = keyrng.randint(key, shape, end, end, dtype)
                assert x.shape == full and x.dtype == dtype
        for end in (0.0, 1, np.float32(2), [-1.5], np.inf):
            if end != np.inf:
                assert keyrng.uniform(key, shape, "float64", end, end).shape == full
            assert keyrng.truncated_normal(key, end, end, shape).shape == full
        for replace in (True, False):
            for p in (None, []):
                assert keyrng.choice(key, 0, shape, replace, p).shape == full
        assert keyrng.lazy_array(keyrng.randint, key, shape, minval=2, maxval=2).shape == full
        assert keyrng.lazy_array(keyrng.uniform, key, shape, minval=2, maxval=2).shape == full
        assert keyrng.randint(key, (), 4, 4, out=np.zeros(full, "int32")).shape == full
    assert keyrng.randint(keyrng.split(KEYS[0], 0), (3,), 4, 4).shape == (0, 3)
    assert keyrng.index_shuffle(KEYS, np.zeros((2, 0), int), 0).shape == (3, 2, 0)
    assert keyrng.index_shuffle(KEYS, [], 0, inverse=True).shape == (3, 0)
    assert keyrng.permutation(KEYS, 0).shape == (3, 0)
    assert keyrng.multinomial(KEYS, 0, [], dtype="int32").shape == (3, 0)
    assert keyrng.multivariate_hypergeometric(KEYS, [], 0).shape == (3, 0)
    generator = keyrng.Generator(KEYS[0])
    assert generator.randint((0,), 3, 3).shape == generator.choice(0, (0,)).shape == (0,)


@pytest.mark.parametrize("shape", [(2,), (), (2, 3)])
def test_something_is_not_drawn_of_nothing(shape: Any) -> None:
    for sampler, message in (
        (lambda: keyrng.randint(KEYS, shape, 4, 4), "minval must be less than maxval, got 4 and 4"),
        (lambda: keyrng.randint(KEYS, shape, [4], [4]), "minval must be less than maxval"),
        (lambda: keyrng.uniform(KEYS, shape, None, 4, 4), "minval must be less than maxval, got 4 and 4"),
        (lambda: keyrng.truncated_normal(KEYS, 4, 4, shape), "lower must be less than upper, got 4 and 4"),
        (lambda: keyrng.lazy_array(keyrng.randint, KEYS, shape, minval=4, maxval=4), "minval must be less than maxval"),
        (lambda: keyrng.choice(KEYS, 0, shape), "a must not be empty"),
        (lambda: keyrng.index_shuffle(KEYS, np.zeros(shape, int), 0), r"n must be from 1 to 2\*\*63, got 0"),
        (lambda: keyrng.multinomial(KEYS, 1, [], shape=(*shape, 0)), "p must have a positive weight"),
    ):
        with pytest.raises(ValueError, match=message):
            sampler()


@pytest.mark.parametrize("shape", EMPTY_SHAPES)
def test_an_interval_in_disorder_is_refused_for_nothing_too(shape: Any) -> None:
    for low, high in ((1, 0), (np.int64(5), -5), (np.array(3), 2), (1, [0]), (2**64, 0)):
        with pytest.raises(ValueError, match="minval must be less than maxval, got"):
            keyrng.randint(KEYS, shape, low, high, "uint64")
        with pytest.raises(ValueError, match="minval must be less than maxval, got"):
            keyrng.uniform(KEYS, shape, "float32", low, high)
        with pytest.raises(ValueError, match="lower must be less than upper, got"):
            keyrng.truncated_normal(KEYS, low, high, shape)
    for bound in (300, -129, 2**70):
        with pytest.raises(ValueError, match="int8 holds -128 to 127"):
            keyrng.randint(KEYS, shape, bound, bound, "int8")


def test_parameters_are_refused_for_nothing_too() -> None:
    from cases import CASES

    wrong = []
    for case in CASES:
        dtype = case.dtypes[-2:][0] if "float32" in case.dtypes else case.dtypes[0]
        for name, domain in case.domain.items():
            for value, error, message in REFUSED[domain]:
                if isinstance(value, (list, np.ndarray)):
                    continue  # which do not broadcast to nothing
                for keys, shape in ((KEYS, (0,)), (keyrng.split(KEYS[0], 0), (2,))):
                    try:
                        case(keys, shape, dtype, **{**case.parameters[0], name: value})
                    except error as raised:
                        if not re.search(message.format(name=name), str(raised)):
                            wrong.append(f"{case} {name}={value!r:.60}: {raised}")
                    else:
                        wrong.append(f"{case} {name}={value!r:.60}: accepted")
        for parameters, message in case.refused:
            if not any(np.ndim(value) for value in parameters.values()) and "equal" not in message:
                try:
                    case(KEYS, (0,), dtype, **parameters)
                except ValueError:
                    continue
                if len(set(parameters.values())) > 1:  # an interval that is empty is not wrong
                    wrong.append(f"{case} {parameters}: accepted")

    assert not wrong, "\n" + "\n".join(wrong)
