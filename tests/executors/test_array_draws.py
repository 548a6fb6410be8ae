"""Draws with arrays as parameters: C checks the arrays (csrc/rules.h) as Python does, and draws the same values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from cases import Case, each_case, without_entries
from test_entries import answered, outcome

import keyrng
from keyrng._executors import native
from keyrng._sampling import array_draw

pytestmark = pytest.mark.skipif(native.native is None, reason="no compiled part was built")

KEY = keyrng.key(6)

# One chunk and a part of the next, which is not a whole number of vectors.
SIZE = 2048 + 77


def check_both(call: Callable[[], Any]) -> None:
    with without_entries():
        expected = outcome(call)
    assert outcome(call) == expected


@each_case
def test_arrays(case: Case) -> None:
    if not case.domain or case.fixed or (case.function or case.name) == "randint":
        pytest.skip("no parameters, a mode, or integers")
    in_c = False
    rng = np.random.default_rng(1)
    for dtype in case.some_dtypes:
        for width in ("float64", "float32"):
            arrays = {n: np.asarray(v).astype(width) for n, v in case.mixed((SIZE,)).items()}

            def call(dtype: str = dtype, **changed: Any) -> Any:
                return case(KEY, (SIZE,), dtype, **{**arrays, **changed})  # noqa: B023 (called in this turn)

            check_both(call)
            for one_set in case.parameters:
                equal = {n: np.full(SIZE, v).astype(width) for n, v in one_set.items()}
                check_both(lambda: call(**equal))  # noqa: B023
                in_c |= answered(lambda: call(**equal))  # noqa: B023
            one = str(rng.choice(list(arrays)))
            first = arrays[one][0]
            check_both(lambda: call(**{one: arrays[one][0].item()}))  # noqa: B023
            check_both(lambda: call(**{one: np.full((3, 1), first)}))  # noqa: B023
            check_both(lambda: call(**{one: np.repeat(arrays[one], 2)[::2]}))  # noqa: B023
            for wrong in (np.nan, -np.inf, np.inf, -1.0, 0.0, 0.5, 1.0, 1e30, 2.0**53 + 2, -(2.0**-149)):
                at = rng.choice([0, 1500, 2047, 2048, SIZE - 1])
                values = arrays[one].copy()
                values[at] = wrong
                check_both(lambda: call(**{one: values}))  # noqa: B023
    assert in_c


def test_out_is_not_written_if_a_parameter_is_wrong() -> None:
    low, high, out = np.zeros(SIZE), np.ones(SIZE), np.full(SIZE, 7.0)
    high[-1] = -1.0
    with pytest.raises(ValueError, match="minval must be less than maxval"):
        keyrng.uniform(KEY, (SIZE,), "float64", low, high, out=out)
    assert (out == 7.0).all()


def test_out_is_a_parameter() -> None:
    scale = np.linspace(0.5, 4.0, 3 * 2048)
    expected = keyrng.gamma(KEY, scale, dtype="float64")
    shared = scale.copy()
    assert keyrng.gamma(KEY, shared, dtype="float64", out=shared) is shared
    assert (shared == expected).all()
    shared = np.concatenate([scale, [1.0]])
    keyrng.gamma(KEY, shared[:-1], dtype="float64", out=shared[1:])
    assert (shared[1:] == expected).all()


LOW, HIGH = np.linspace(-1.0, 0.0, 30), np.linspace(1.0, 2.0, 30)


@pytest.mark.parametrize(
    ("call", "in_c"),
    [
        (lambda: keyrng.uniform(KEY, (30,), "float64", LOW, HIGH), True),
        (lambda: keyrng.uniform(KEY, 30, "float64", LOW, 1.5), True),
        (lambda: keyrng.uniform(KEY, (5, 6), minval=LOW.reshape(5, 6), maxval=HIGH.reshape(5, 6)), True),
        (lambda: keyrng.uniform(KEY, (30,), None, LOW.astype("f4"), HIGH), True),
        (lambda: keyrng.gamma(KEY, HIGH), True),
        (lambda: keyrng.gamma(KEY, np.linspace(1.0, 9.0, 10_000)), True),
        (lambda: keyrng.gamma(KEY, np.linspace(1.0, 9.0, 10_000, dtype="f4"), None, "float64"), True),
        (lambda: keyrng.gamma(KEY, HIGH, None, "float64"), True),
        (lambda: keyrng.poisson(KEY, lam=HIGH), True),
        (lambda: keyrng.poisson(KEY, HIGH * 50, (30,), "int64"), True),
        (lambda: keyrng.poisson(KEY, np.array([3.0, 200.0])), False),  # two methods
        (lambda: keyrng.gamma(KEY, HIGH, (2, 30)), False),
        (lambda: keyrng.gamma(KEY, HIGH[::2]), False),
        (lambda: keyrng.gamma(KEY, HIGH.astype(">f8")), False),
        (lambda: keyrng.gamma(KEY, HIGH.astype(int)), False),
        (lambda: keyrng.gamma(KEY, HIGH[:0]), False),
        (lambda: keyrng.gamma(KEY, HIGH[0, ...]), False),
        (lambda: keyrng.gamma(KEY, HIGH, out=np.empty(30, np.float32)), False),
        (lambda: keyrng.gamma(KEY, LOW), False),
        (lambda: keyrng.uniform(KEY, (30,), "float64", HIGH, LOW), False),
        (lambda: keyrng.uniform(KEY, (), "float64", LOW, HIGH), False),
        (lambda: keyrng.uniform(KEY, minval=LOW, maxval=HIGH), False),
        (lambda: keyrng.gamma(keyrng.split(KEY, 30), HIGH), False),
    ],
)
def test_arrays_that_one_call_of_c_takes(call: Callable[[], Any], in_c: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    check_both(call)
    in_python = []
    original = array_draw.ArrayPlan._value

    def value(*arguments: Any) -> Any:
        in_python.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(array_draw.ArrayPlan, "_value", value)
    outcome(call)
    assert (answered(partial(outcome, call)) and not in_python) == in_c


def test_keys_and_broadcasting() -> None:
    keys = keyrng.split(KEY, 5)
    for low, high in (
        (np.zeros((5, 1)), np.arange(1.0, 301)),
        (np.zeros(5), np.ones(5)),
        (np.zeros((2, 5, 1)), np.ones(300)),
        (np.zeros(0), np.full(1, np.nan)),
    ):
        for shape in ((300,), (), (0,), 300):
            check_both(lambda: keyrng.uniform(keys, shape, "float64", low, high))  # noqa: B023
    check_both(lambda: keyrng.triangular(keys, np.zeros((5, 1)), 0.5, np.ones(300)))


def test_threads() -> None:
    low = np.linspace(-1.0, 0.0, 1 << 19)
    expected = keyrng.uniform(KEY, low.shape, "float64", low, 1.0)
    keyrng.set_num_threads(3)
    try:
        assert (keyrng.uniform(KEY, low.shape, "float64", low, 1.0) == expected).all()
        low[-1] = np.nan
        with pytest.raises(ValueError, match="minval must be finite"):
            keyrng.uniform(KEY, low.shape, "float64", low, 1.0)
    finally:
        keyrng.set_num_threads(None)
