"""The fast path of small draws: the draws that use it, and agreement with the general path."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import BY_NAME, Array, Case, assert_same, each_case, without_entries

import keyrng
from keyrng._executors import native as compiled

pytestmark = pytest.mark.skipif(compiled.native is None, reason="no compiled part was built")

KEY = keyrng.key(5)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Array]]:
    """The arrays that the fast path wrote; its cache is empty at first, and entries, which precede it, are paused."""
    written: list[Array] = []
    native = compiled.native.run_small

    def run_small(*arguments: Any) -> Array | None:
        sample: Array | None = native(*arguments)
        if sample is not None:
            written.append(sample)
        return sample

    monkeypatch.setattr(compiled, "dispatch_cache", {})
    monkeypatch.setattr(compiled.native, "run_small", run_small)
    with without_entries():
        yield written


def check(case: Case, shape: Any, dtype: str, parameters: dict[str, Any], taken: list[Array]) -> None:
    """Both paths give the same; the second of two calls takes the fast one, and so does one with ``out``."""
    expected = case(KEY, shape, dtype, **parameters)
    taken.clear()
    sample = case(KEY, shape, dtype, **parameters)
    out = np.empty_like(sample)
    assert case(KEY, shape, dtype, **parameters, out=out) is out
    assert len(taken) == 2, (case, shape, dtype, parameters)
    assert_same(sample, expected, dtype, shape, parameters)
    assert_same(out, expected, dtype, shape, parameters, "out")


@each_case
def test_numbers(case: Case, taken: list[Array]) -> None:
    for dtype in case.some_dtypes:
        for parameters in case.all_parameters:
            for shape in ((7,), (2, 3), 3, ()):
                check(case, shape, dtype, dict(parameters), taken)


@pytest.mark.parametrize("case", [case for case in BY_NAME.values() if case.parameters[0]], ids=str)
def test_arrays(case: Case, taken: list[Array]) -> None:
    for dtype in case.some_dtypes:
        check(case, (3, 2), dtype, case.mixed((3, 2)), taken)
        check(case, (3, 2), dtype, {n: v.T for n, v in case.mixed((2, 3)).items()}, taken)
        first, *others = case.mixed((4,)).items()
        numbers = {name: case.parameters[0][name] for name, _ in others}
        check(case, (1,), dtype, {first[0]: first[1][:1], **numbers}, taken)


@pytest.mark.parametrize(
    "shape", [0, (2, 0), 4097, (64, 65), (10**12, 0), [2, 3], np.array([2, 3]), (np.int64(3),), (1,) * 40], ids=repr
)
def test_what_is_not_small_or_usual_is_drawn_all_the_same(shape: Any, taken: list[Array]) -> None:
    keyrng.normal(KEY, (3,))
    sample = keyrng.normal(KEY, shape)
    assert not taken
    assert sample.shape == np.broadcast_to(0, shape).shape
    assert_same(sample.ravel()[:3], keyrng.normal(KEY, (min(3, sample.size),)))


def test_keys_of_an_axis_take_the_general_path(taken: list[Array]) -> None:
    one = keyrng.stack([KEY])
    for _ in range(2):
        assert_same(keyrng.normal(one, (3,)), keyrng.normal(KEY, (3,))[None])
        assert_same(keyrng.gamma(one, 2.0, (3,)), keyrng.gamma(KEY, 2.0, (3,))[None])


def test_a_shape_left_out_is_that_of_the_arrays(taken: list[Array]) -> None:
    means = np.array([[1.0, 20.0], [300.0, 4.0]])
    for _ in range(2):
        sample = keyrng.poisson(KEY, means)
    assert taken[-1] is sample
    assert_same(sample, keyrng.poisson(KEY, means, (2, 2)))
    assert keyrng.poisson(KEY, 4.0).shape == ()
    assert keyrng.poisson(KEY, means[:, :1], (2, 2)).shape == (2, 2)
    with pytest.raises(ValueError, match="broadcast"):
        keyrng.poisson(KEY, means, (3,))


@pytest.mark.parametrize(
    "parameter",
    [
        -1.0,
        math.nan,
        1e30,
        10**400,
        "a",
        None,
        True,
        [1.0, -1.0],
        np.array([1.0, np.nan]),
        np.ma.masked_array([1.0, 2.0]),
    ],
    ids=repr,
)
def test_refused_as_on_the_general_path(parameter: Any, taken: list[Array]) -> None:
    raised = []
    for _ in range(2):
        with pytest.raises((TypeError, ValueError), match="lam ") as error:
            keyrng.poisson(KEY, parameter)
        raised.append((error.type, str(error.value)))
        keyrng.poisson(KEY, 3.0)
    assert raised[0] == raised[1]


def test_zeros_are_not_taken_for_each_other() -> None:
    for zero in (0.0, -0.0, 0.0):
        sample = keyrng.sample_kernel(lambda lane, x: x, KEY, (), "float32", zero)
        assert math.copysign(1.0, sample) == math.copysign(1.0, zero)


def test_a_number_of_another_kind_is_no_remembered_one() -> None:
    assert keyrng.randint(KEY, (3,), 0, 10).dtype == np.int32
    with pytest.raises(TypeError, match="maxval must be an integer"):
        keyrng.randint(KEY, (3,), 0, 10.0)
    with pytest.raises(TypeError, match="minval must be an integer"):
        keyrng.randint(KEY, (3,), False, 10)


def test_the_settings_of_numpy_for_errors_change_nothing() -> None:
    with np.errstate(all="raise"):
        for _ in range(2):
            keyrng.exponential(KEY, (3,))
            keyrng.rayleigh(KEY, np.float64(1e-40), (3,))
            keyrng.rayleigh(KEY, np.full(3, 1e-40))


def test_a_float_among_words_is_refused() -> None:
    def plus(lane: Any, a: Any) -> Any:
        return lane.bits() + a

    assert keyrng.sample_kernel(plus, KEY, (2,), "uint32", 2).shape == (2,)
    for wrong in (2.5, 2.0, math.nan):
        with pytest.raises(TypeError, match="parameter 1 must be a number or an array of integers, got"):
            keyrng.sample_kernel(plus, KEY, (2,), "uint32", wrong)
