"""Lazy arrays return what NumPy's indexing would select from the whole array, and compute no more than that."""

from __future__ import annotations

import inspect
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest
from cases import CASES, PATHS, Case, assert_same, keys_on_a_gpu, on
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

import keyrng
from keyrng import distributions
from keyrng._core.indexing import runs
from keyrng._executors import native
from keyrng._lazy import _TOGETHER
from keyrng.kernels import copysign, log1p, uniform_signed

KEY = keyrng.key(0)
SHAPE = (3, 4, 5)

INDICES = (
    1, (1, 2, 3), (-1, -2), ..., (..., 2), (None, 1, ..., None), slice(1, 3), slice(None, None, -1),
    (slice(0, 2), slice(3, None, -2), slice(1, 4)), (slice(None), slice(None), slice(4, 0, -3)), (2, slice(1, 3)),
    (slice(None), 2, slice(1, 2)), slice(2, 1), [2, 0, 0], ([0, 2], [1, -1], [4, 0]), ([[0], [2]], [1, 3, 1]),
    (slice(1, 3), [3, 0]), ([0, 2], slice(None), [1, 4]), (0, slice(None), [1, 4]), (slice(None), 0, [1, 4]),
    ([0, 2], None, [1, 3]), (slice(None), [1, 3], slice(None), True), (True, 0), (False,), np.array(2),
    (np.int8(1), np.array([True, False, True, False])), np.arange(12).reshape(3, 4) % 5 == 1,
    (slice(None), np.arange(20).reshape(4, 5) % 3 == 1), np.arange(60).reshape(3, 4, 5) % 7 == 1, ([],),
    (range(2), (0, 1)), (np.array([-1, 2], np.int8), slice(None, None, 2), np.array([[4], [1]], np.uint64)),
    ([True, True, False], [0, 1]),
)  # fmt: skip


def lazy(case: Case, key: Any, shape: tuple[int, ...], dtype: str, **more: Any) -> Any:
    """The lazy array of a case."""
    function = getattr(keyrng, case.function or case.name)
    named = {} if dtype == "bool" else {"dtype": dtype}
    return keyrng.lazy_array(function, key, shape, **named, **case.fixed, **more)


# Indexing


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_an_index_gives_what_numpy_takes_from_the_whole(index):
    for key in (KEY, keyrng.split(KEY, 3)):
        shape = SHAPE[key.ndim :]
        expected = keyrng.normal(key, shape)[index]
        actual = keyrng.lazy_array(keyrng.normal, key, shape)[index]

        assert type(actual) is type(expected)
        assert_same(np.asarray(actual), np.asarray(expected), index)


whole = keyrng.normal(keyrng.split(KEY, 2), (3, 1, 4), "float64")
x = keyrng.lazy_array(keyrng.normal, keyrng.split(KEY, 2), (3, 1, 4), dtype="float64")


@settings(deadline=None, derandomize=True, max_examples=150)
@given(hn.basic_indices(whole.shape, allow_newaxis=True))
def test_basic_indices(index):
    assert_same(np.asarray(x[index]), np.asarray(whole[index]), index)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.data())
def test_mixed_indices(data):
    arrays = st.lists(st.integers(-1, 0), min_size=2, max_size=2)
    part = st.one_of(st.slices(2), st.integers(-1, 0), st.none(), arrays, st.booleans())
    index = tuple(data.draw(st.lists(part, max_size=4)))
    try:
        expected = whole[index]
    except IndexError:
        with pytest.raises(IndexError):
            x[index]
        return

    assert_same(np.asarray(x[index]), np.asarray(expected), index)


@pytest.mark.parametrize("index", [7, (0, 9), (0, 0, 0, 0), 1.5, "a", [0, 9], [True, False], ([0, 1], [0, 1, 2]), None])
def test_errors_are_those_of_numpy(index):
    y, stored = keyrng.lazy_array(keyrng.normal, KEY, SHAPE), keyrng.normal(KEY, SHAPE)
    if index is None:
        assert y[index].shape == (1, *SHAPE)
        return
    with pytest.raises(IndexError) as expected:
        stored[index]
    with pytest.raises(IndexError) as actual:
        y[index]

    assert str(actual.value) == str(expected.value)


def test_runs_are_as_long_as_they_can_be():
    assert runs((), (4, 5))[1] == 20
    assert runs((slice(1, 3),), (4, 5))[1] == 10
    assert runs((slice(1, 3), slice(1, 3)), (4, 5))[1] == 2
    assert runs((slice(1, 3),), (4, 5), first=1)[1] == 5
    assert runs(([3, 1],), (4, 5))[1] == 5


# Every sampler, on every path


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_sampler_by_elements(path, case):
    key, dtype = keyrng.split(KEY, 2), case.dtypes[-1]
    more = case.mixed((5, 1)) if case.parameters[0] else {}
    expected = case(key, (5, 3), dtype, **more)
    y = lazy(case, key, (5, 3), dtype, **more)

    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    for index in (..., (1, slice(1, 4)), (slice(None), slice(None, None, -2), 1), ([1, 0, 0], [4, 0, 4], [2, 1, 1])):
        assert_same(y[index], expected[index], case, index)


@pytest.mark.parametrize("name", distributions.__all__)
def test_every_sampler_is_lazy_or_says_why_not(name):
    function = getattr(keyrng, name)
    if name in {case.function or case.name for case in CASES}:
        assert function not in _TOGETHER
        return
    arguments = {n: 2 for n, p in inspect.signature(function).parameters.items() if p.default is p.empty}
    with pytest.raises(TypeError, match=f"{name} cannot compute single elements: .*"):
        keyrng.lazy_array(function, KEY, (10**12,), **{n: v for n, v in arguments.items() if n not in ("key", "shape")})


SCATTERED = (
    ("normal", {}),
    ("bits", {"dtype": "uint64"}),
    ("bernoulli", {"p": 0.3, "mode": "high"}),
    ("gumbel", {"mode": "high"}),
    ("gamma", {"a": 0.3}),
    ("beta", {"a": 2.0, "b": 0.7, "dtype": "float64"}),
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("impl", ["threefry2x32", "threefry4x64", "philox4x32"])
@pytest.mark.parametrize(("name", "more"), SCATTERED, ids=[name for name, _ in SCATTERED])
def test_scattered_elements_on_every_path(path, impl, name, more):
    function, key = getattr(keyrng, name), keyrng.split(keyrng.key(5, impl=impl), 2)
    sizes = {"shape": (20, 300), **more}
    with on(path):
        expected = function(key, **sizes)
        y = keyrng.lazy_array(function, key, **sizes)

        # Rows of a key each and of one key; runs of 1, of a few and of many.
        for index in ((..., slice(None, None, -1)), (..., slice(7, 10)), (..., slice(1, 299)), (1, ..., 2), [1, 1, 0]):
            assert_same(y[index], expected[index], index)


def test_elements_far_out():
    y = keyrng.lazy_array(keyrng.gamma, KEY, (2**56,), a=[0.5])
    place = 2**55 + 7

    assert_same(y[[place, 3, place + 1]], np.concatenate([y[place : place + 1], y[3:4], y[place + 1 : place + 2]]))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_numbers(path, dtype):
    expected = keyrng.normal(KEY, (30, 4), dtype)
    y = keyrng.lazy_array(keyrng.normal, KEY, (30, 4), dtype=dtype)

    assert y.dtype == dtype
    for index in (..., slice(3, 9), ([3, 1], [1, 1])):
        assert np.array_equal(y[index], expected[index])


def test_keys_on_a_gpu():
    cpu = keyrng.split(KEY, 2)
    expected = keyrng.gamma(cpu, [[0.5], [2.0], [9.0]], (3, 4))
    with keys_on_a_gpu("cuda"):
        import cupy

        key = cpu.to("cuda")
        y = keyrng.lazy_array(keyrng.gamma, key, (3, 4), a=cupy.asarray(np.array([[0.5], [2.0], [9.0]], np.float32)))

        assert y.device == "cuda:0"
        for index in (..., (1, slice(1, 3)), (0, slice(None, None, -1), 1), ([1, 0], [2, 0]), slice(0)):
            assert_same(cupy.asnumpy(y[index]), expected[index], index)
        assert_same(cupy.asnumpy(y[1, 2, 3]), np.asarray(expected[1, 2, 3]))
        with pytest.raises(TypeError, match=r"cupy\.asnumpy"):
            np.asarray(y)


def laplace(key: Any, loc: Any = 0.0, shape: Any = None, dtype: Any = "float32", *, out: Any = None) -> Any:
    def kernel(lane: Any, loc: Any) -> Any:
        u = uniform_signed(lane)
        return loc - copysign(log1p(-abs(u)), u)

    return keyrng.sample_kernel(kernel, key, shape, dtype, loc, out=out)


def test_a_sampler_of_your_own():
    y = keyrng.lazy_array(laplace, KEY, SHAPE, loc=np.arange(5.0))

    assert_same(y[::-1, 2, 1:3], laplace(KEY, np.arange(5.0), SHAPE)[::-1, 2, 1:3])


# Memory and time


# Bytes that the NumPy path needs in addition to the result, for one chunk.
WORK = 0 if native.enabled else 2_000_000


def peak(act: Any) -> int:
    """Return the largest number of bytes that were in use at a time."""
    act()
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "index", [(5,), (slice(5, 8),), (slice(None, None, 10**8),), ([10**11, 7],), (-1, slice(None, None, -1))], ids=str
)
def test_memory_follows_what_is_asked_for(index):
    loc = np.linspace(-1, 1, 1000, dtype=np.float32)
    y = keyrng.lazy_array(keyrng.uniform, KEY, (10**12, 1000), minval=loc, maxval=2.0)
    asked = y[index].nbytes

    assert peak(lambda: y[index]) < 8 * asked + 20_000 + WORK


def test_a_parameter_along_one_axis_takes_no_memory():
    scale = np.linspace(1, 2, 50, dtype=np.float32)[:, np.newaxis]
    y = keyrng.lazy_array(keyrng.rayleigh, KEY, (50, 10**10), scale=scale)

    assert peak(lambda: y[:, :20_000]) < 1.1 * 50 * 20_000 * 4 + WORK
    assert_same(y[:, :3], np.concatenate([y[i : i + 1, :3] for i in range(50)]))


# An object like an array


def test_it_says_what_it_is():
    y = keyrng.lazy_array(keyrng.normal, keyrng.split(KEY, 7), (10**9, 5), dtype="float16")

    assert (y.shape, y.ndim, y.size, y.nbytes, len(y)) == ((7, 10**9, 5), 3, 35 * 10**9, 70 * 10**9, 7)
    assert (y.dtype, y.device) == (np.float16, "cpu")
    assert repr(y) == "LazyArray(normal, shape=(7, 1000000000, 5), dtype=float16)"


def test_an_int_is_a_shape_and_no_axis_is_one():
    assert keyrng.lazy_array(keyrng.normal, KEY, 5).shape == (5,)
    one = keyrng.lazy_array(keyrng.normal, KEY, ())

    assert one[()] == keyrng.normal(KEY) == np.asarray(one)
    with pytest.raises(TypeError, match="unsized"):
        len(one)
    with pytest.raises(TypeError, match="0-d"):
        iter(one)


def test_a_shape_that_parameters_widen():
    scale = np.ones(3, np.float32)

    assert_same(
        keyrng.lazy_array(keyrng.weibull_min, KEY, (), scale=scale, concentration=2.0)[...],
        keyrng.weibull_min(KEY, scale, 2.0),
    )


def test_iteration_is_over_the_first_axis():
    y = keyrng.lazy_array(keyrng.normal, KEY, (3, 2))

    assert_same(np.stack(list(y)), keyrng.normal(KEY, (3, 2)))


def test_numpy_makes_all_up_to_a_limit():
    y = keyrng.lazy_array(keyrng.normal, KEY, (10, 25), limit=1000)

    assert_same(np.asarray(y), keyrng.normal(KEY, (10, 25)))
    assert np.asarray(y, dtype="float64").dtype == "float64"
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(y, copy=False)
    with pytest.raises(ValueError, match="takes 1000 bytes, more than the limit of 999"):
        np.asarray(keyrng.lazy_array(keyrng.normal, KEY, (10, 25), limit=999))
    with pytest.raises(ValueError, match="the limit of 1073741824"):
        np.mean(keyrng.lazy_array(keyrng.normal, KEY, (2**28 + 1,)))


def test_pickles_are_small():
    y = keyrng.lazy_array(keyrng.gamma, KEY, (10**6, 10**6), a=2.0, dtype="float64")
    data = pickle.dumps(y)

    assert len(data) < 300
    assert_same(pickle.loads(data)[5:7, 3], y[5:7, 3])
