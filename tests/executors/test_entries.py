"""Calls that C answers (keyrng/_keys/entry.py): which these are, and that Python gives the same values and errors."""

from __future__ import annotations

import gc
import pickle
import sys
import threading
from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any

import numpy as np
import pytest
from cases import Array, Case, assert_same, each_case, without_entries
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import keyrng
from keyrng._executors import native
from keyrng._keys import key as key_module

pytestmark = pytest.mark.skipif(native.native is None, reason="no compiled part was built")

KEY = keyrng.key(5)

PUBLIC = ("keyrng.distributions", "keyrng._keys.derive")

# Python draws when bounds are rounded to 16 bits, an angle is reduced, or bernoulli has a high mode.
SOME_IN_PYTHON = {"bernoulli", "triangular", "truncated_normal", "uniform", "vonmises"}


def runs_in_python(case: Case) -> bool:
    return "mode" in case.fixed


def may_run_in_python(case: Case) -> bool:
    return runs_in_python(case) or (case.function or case.name) in SOME_IN_PYTHON


def answered(call: Callable[[], Any]) -> bool:
    """Whether C answered a call, so that no Python code of a sampler or of the functions of keys ran."""
    ran = []

    def note(frame: Any, event: str, argument: object) -> None:
        if event == "call" and frame.f_globals.get("__name__", "").startswith(PUBLIC):
            ran.append(frame)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
    return not ran


def outcome(call: Callable[[], Any]) -> Any:
    """Return the result of a call, or the type and message of its exception."""
    try:
        result = call()
    except Exception as error:
        return type(error), str(error)
    if isinstance(result, keyrng.Key):
        return result.impl, result.shape, keyrng.key_data(result).tobytes()
    return type(result), result.dtype, result.shape, result.tobytes()


def check_both(call: Callable[[], Any]) -> None:
    """C, which may leave the call to Python, and Python have the same outcome."""
    call_once = outcome(call)  # makes a plan
    with without_entries():
        expected = outcome(call)
    assert call_once == outcome(call) == expected


@each_case
def test_draws(case: Case) -> None:
    all_answered = set()
    for dtype in case.some_dtypes:
        for parameters in case.all_parameters:
            for shape in ((7,), (2, 3), 3, ()):

                def call(shape: Any = shape, dtype: str = dtype, parameters: Any = parameters, **out: Any) -> Any:
                    return case(KEY, shape, dtype, **parameters, **out)

                with without_entries():
                    expected = call()
                assert_same(call(), expected, dtype, shape, parameters)
                out = np.empty_like(expected)
                assert call(out=out) is out
                assert_same(out, expected, dtype, shape, parameters, "out")
                all_answered.add(answered(call) and answered(partial(call, out=out)))
    assert all_answered == {not runs_in_python(case)} or (may_run_in_python(case) and True in all_answered)


@each_case
def test_large_draws_in_threads(case: Case) -> None:
    def call(**out: Any) -> Any:
        return case(KEY, (3, 20011), case.some_dtypes[0], **case.parameters[0], **out)

    with without_entries():
        expected = call()
    try:
        for threads in (1, 3):
            keyrng.set_num_threads(threads)
            assert_same(call(), expected, threads)
            out = np.empty_like(expected)
            assert call(out=out) is out
            assert_same(out, expected, threads)
    finally:
        keyrng.set_num_threads(None)
    assert answered(call) or may_run_in_python(case)


@pytest.mark.parametrize("span", [1, 2, 3, 10**6 + 3, 10**12, 2**48 + 1, 2**49 - 1, 2**49, 2**49 + 1, 2**62 + 1])
def test_integers_of_64_bits_in_small_and_in_large_draws(span: int) -> None:
    for dtype, low in (("int64", -(2**62)), ("int64", 5), ("uint64", 0)):
        for shape in (9, 5000):
            check_both(lambda: keyrng.randint(KEY, shape, low, low + span, dtype))  # noqa: B023


@pytest.mark.parametrize("shape", [2**50, (2**40, 2**40), (2**31,) * 4, 2**62, 2**70], ids=repr)
def test_samples_that_do_not_fit_in_memory(shape: Any) -> None:
    check_both(lambda: keyrng.normal(KEY, shape))


@pytest.mark.parametrize("impl", keyrng.algorithms.names())
def test_keys_and_permutations(impl: str) -> None:
    parent = keyrng.key(7, impl=impl)
    for call in (
        lambda: keyrng.split(parent),
        lambda: keyrng.split(parent, 5),
        lambda: keyrng.split(parent, num=300),
        lambda: keyrng.fold_in(parent, 0),
        lambda: keyrng.fold_in(parent, data=2**63 - 1),
        lambda: keyrng.permutation(parent, 2),
        lambda: keyrng.permutation(parent, 5000),
    ):
        check_both(call)
        assert answered(call)
    for call in (
        lambda: keyrng.fold_in(parent, 2**63),
        lambda: keyrng.fold_in(parent, 2**64 - 1),
        lambda: keyrng.split(parent, 5000),
        lambda: keyrng.split(parent, (2, 3)),
        lambda: keyrng.split(parent, 0),
        lambda: keyrng.split(keyrng.split(parent), 2),
        lambda: keyrng.permutation(parent, 1),
        lambda: keyrng.permutation(parent, 40000),
        lambda: keyrng.permutation(parent, 9, independent=True),
    ):
        check_both(call)


SYMMETRIC = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, -0.25], [0.0, -0.25, 3.0]])
WIDE, FLAT = np.arange(200.0) % 7, np.full(10, 0.0)
LOGITS = np.arange(60.0).reshape(3, 4, 5) % 11

# Calls that C answers, and some that it leaves to Python.
IN_STEPS = {
    "dirichlet": [
        lambda k: keyrng.dirichlet(k, [1.0, 2, 3.0]),
        lambda k: keyrng.dirichlet(k, (1.0, 2.0, 3.0), (3,), "float64"),
        lambda k: keyrng.dirichlet(k, np.array([0.1, 1e-9, 3e4]), (2, 5), "float64"),
        lambda k: keyrng.dirichlet(k, np.array([0.1, 0.5, 3.0], "f4"), shape=40),
        lambda k: keyrng.dirichlet(k, WIDE + 1, (20,)),
        lambda k: keyrng.dirichlet(k, [2.5], (3,)),
    ],
    "multinomial": [
        lambda k: keyrng.multinomial(k, 10, [0.2, 0.3, 0.5]),
        lambda k: keyrng.multinomial(k, 100, np.full(5, 0.2), shape=(3, 2, 5), dtype="int32"),
        lambda k: keyrng.multinomial(k, 10**6, [1, 0.0, 2, 0], shape=(4, 4), dtype="int64"),
        lambda k: keyrng.multinomial(k, 0, [1.0, 2.0], dtype="float64"),
        lambda k: keyrng.multinomial(k, 1e3, [1e-300 * 0.0, 7e269], shape=(50, 2)),
        lambda k: keyrng.multinomial(k, 2**24, WIDE),
        lambda k: keyrng.multinomial(k, 100, [1.0, 1.0, 1.0], shape=(50, 3)),  # means on both sides of 30
        lambda k: keyrng.multinomial(k, 7, np.array([1, 0, 2, 2**53]), dtype="int64"),
    ],
    "multivariate_hypergeometric": [
        lambda k: keyrng.multivariate_hypergeometric(k, [16, 8, 4], 7),
        lambda k: keyrng.multivariate_hypergeometric(k, np.array([16, 0, 4, 9]), 12.0, (3, 2)),
        lambda k: keyrng.multivariate_hypergeometric(k, np.array([500, 300, 400], "i4"), 600, 50),  # by both methods
        lambda k: keyrng.multivariate_hypergeometric(k, (10**5, 10**5 + 1), 2 * 10**5 - 40, 50),
        lambda k: keyrng.multivariate_hypergeometric(k, WIDE, 590, (4,), "int64"),
        lambda k: keyrng.multivariate_hypergeometric(k, [2**40, 2**52, 1], 2**30, (9,)),
        lambda k: keyrng.multivariate_hypergeometric(k, [2**40, 3], 2**40, dtype="int64"),
        lambda k: keyrng.multivariate_hypergeometric(k, [5], 5, ()),
        lambda k: keyrng.multivariate_hypergeometric(k, [0, 0.0], 0, 3),
    ],
    "categorical": [
        lambda k: keyrng.categorical(k, FLAT, shape=(10,)),
        lambda k: keyrng.categorical(k, [0.0, -np.inf, 2.0], shape=(10, 3)),
        lambda k: keyrng.categorical(k, np.arange(4, dtype="f4")),
        lambda k: keyrng.categorical(k, np.array([128.0, -1e300, 127.0]), shape=(20,)),
        lambda k: keyrng.categorical(k, [-1e300, 5, 5.0], shape=(20,)),
        lambda k: keyrng.categorical(k, WIDE, shape=20),
        lambda k: keyrng.categorical(k, FLAT, -1, (3,), True),
        lambda k: keyrng.categorical(k, LOGITS),
        lambda k: keyrng.categorical(k, LOGITS.astype("f4"), shape=(2, 3, 4), replace=True),
        lambda k: keyrng.categorical(k, LOGITS.astype("i8"), shape=(5, 3, 4)),
        lambda k: keyrng.categorical(k, LOGITS[:1, :1], axis=-1),
        lambda k: keyrng.categorical(k, WIDE[None], shape=(30, 1)),
        lambda k: keyrng.categorical(k, np.tile(np.arange(8.0), (256, 1))),
        lambda k: keyrng.categorical(k, np.tile(np.arange(8), (256, 1))),
    ],
    "choice": [
        lambda k: keyrng.choice(k, 10, (10,), p=np.full(10, 0.1)),
        lambda k: keyrng.choice(k, 3, (5, 2), True, [0, 1, 0.5]),
        lambda k: keyrng.choice(k, 200, (9, 100), p=WIDE, replace=True),
        lambda k: keyrng.choice(k, 17, (100,), p=WIDE[:17].astype("f4")),
        lambda k: keyrng.choice(k, 1 + 31, (100,), p=WIDE[:32]),
        lambda k: keyrng.choice(k, 200, p=WIDE),
        lambda k: keyrng.choice(k, 10, (10,)),
        lambda k: keyrng.choice(k, 1, 3),
        lambda k: keyrng.choice(k, 2**15, (3, 3), replace=True),
        lambda k: keyrng.choice(k, 2**15 + 1, (50,)),
        lambda k: keyrng.choice(k, 2**31 - 1, (50,), True),
        lambda k: keyrng.choice(k, 10, (10,), replace=False),
        lambda k: keyrng.choice(k, 4000, (2, 100), False),
    ],
    "sample_without_replacement": [
        lambda k: keyrng.sample_without_replacement(k, 10, 10),
        lambda k: keyrng.sample_without_replacement(k, 1),
        lambda k: keyrng.sample_without_replacement(k, 1000, (3, 5)),
        lambda k: keyrng.sample_without_replacement(k, 2**32 + 1, (100,)),
        lambda k: keyrng.sample_without_replacement(k, n=2**63 - 1, shape=7),
    ],
    "index_shuffle": [
        lambda k: keyrng.index_shuffle(k, np.arange(33), 33),
        lambda k: keyrng.index_shuffle(k, np.arange(7, dtype="i4").reshape(7, 1), 2**32, inverse=False),
        lambda k: keyrng.index_shuffle(k, 123, 10**12),
        lambda k: keyrng.index_shuffle(k, 0, 1),
        lambda k: keyrng.index_shuffle(k, np.array(2**62), 2**63 - 1, inverse=True),
        lambda k: keyrng.index_shuffle(k, np.arange(600) % 513, n=513, inverse=True),
    ],
    "multivariate_normal": [
        lambda k: keyrng.multivariate_normal(k, [0.0, 1.0, 2], SYMMETRIC.tolist(), (5,)),
        lambda k: keyrng.multivariate_normal(k, FLAT[:3], SYMMETRIC, (5, 2)),
        lambda k: keyrng.multivariate_normal(k, np.zeros(3, "f4"), SYMMETRIC.astype("f4"), (7,)),
        lambda k: keyrng.multivariate_normal(k, np.zeros(3, "f4"), SYMMETRIC, 30),
        lambda k: keyrng.multivariate_normal(k, [3], [[2.0]], dtype="float64"),
        lambda k: keyrng.multivariate_normal(k, [2.0], [[1.8329848672013167]], (50,)),
        lambda k: keyrng.multivariate_normal(k, WIDE[:16], np.diag(WIDE[:16] + 1), (40,)),
    ],
    "permutation": [
        lambda k: keyrng.permutation(k, np.arange(10)),
        lambda k: keyrng.permutation(k, np.arange(60, dtype="u1").reshape(20, 3)),
        lambda k: keyrng.permutation(k, np.linspace(0, 1, 4000)),
        lambda k: keyrng.permutation(k, np.ones((5, 2, 2), "c16") * np.arange(5)[:, None, None]),
    ],
}


@pytest.mark.parametrize("impl", keyrng.algorithms.names())
@pytest.mark.parametrize("name", IN_STEPS)
def test_samplers_of_several_steps(name: str, impl: str) -> None:
    for seed in range(5):
        key = keyrng.key(seed, impl=impl)
        for call in IN_STEPS[name]:
            check_both(lambda call=call, key=key: call(key))
            assert answered(lambda call=call, key=key: call(key))


LARGE_IN_STEPS = {
    "dirichlet": lambda k, n: keyrng.dirichlet(k, [1.0, 2, 3.0], (n // 3,), "float64"),
    "dirichlet below one": lambda k, n: keyrng.dirichlet(k, [0.1, 0.5, 3.0], (n // 3,)),
    "multinomial": lambda k, n: keyrng.multinomial(k, 100, np.full(5, 0.2), shape=(n // 5, 5)),
    "categorical": lambda k, n: keyrng.categorical(k, FLAT, shape=(n // 10,)),
    "categorical of float32": lambda k, n: keyrng.categorical(k, [3.0, 1.5, -np.inf, 3.0], shape=(n // 4,)),
    "categorical of rows": lambda k, n: keyrng.categorical(k, np.resize(LOGITS, (n // 7, 7)).astype("f4")),
    "categorical of few rows": lambda k, n: keyrng.categorical(k, np.resize(LOGITS, (7, 25)), shape=(n // 175, 7)),
    "categorical of many": lambda k, n: keyrng.categorical(k, WIDE, shape=(n // 200,)),
    "choice": lambda k, n: keyrng.choice(k, 10, (n,), p=np.full(10, 0.1)),
    "choice of equal probabilities": lambda k, n: keyrng.choice(k, 10**6, (n,)),
    "sample_without_replacement": lambda k, n: keyrng.sample_without_replacement(k, 10**6 + 1, (n,)),
    "index_shuffle": lambda k, n: keyrng.index_shuffle(k, np.arange(n)[::-1].copy(), 10**9),
    "multivariate_hypergeometric": lambda k, n: keyrng.multivariate_hypergeometric(k, [400, 300, 200, 9], 500, n // 4),
    "multivariate_normal": lambda k, n: keyrng.multivariate_normal(k, FLAT[:3], SYMMETRIC, (n // 3,), "float64"),
}


@pytest.mark.parametrize("n", [5000, 200_000, 300_000])
@pytest.mark.parametrize("name", LARGE_IN_STEPS)
def test_large_samples_of_several_steps(name: str, n: int) -> None:
    def call() -> Any:
        return LARGE_IN_STEPS[name](KEY, n)

    with without_entries():
        expected = call()
    try:
        for threads in (1, 3):
            keyrng.set_num_threads(threads)
            assert_same(call(), expected, name, threads)
    finally:
        keyrng.set_num_threads(None)
    assert answered(call) == (n < 2**18)


def test_keys_are_immutable_and_complete() -> None:
    made = keyrng.split(KEY)
    assert type(made) is keyrng.Key
    assert not made._words.flags.writeable
    assert made.impl == KEY.impl
    assert (pickle.loads(pickle.dumps(made)) == made).all()
    with pytest.raises(AttributeError, match="immutable"):
        made._words = made._words  # type: ignore[misc]


NOT_NUMBERS = st.sampled_from(
    [None, "a", True, [1.0], np.float64(2.0), np.float32(2.0), np.array([2.0, 3.0]), KEY, 1j, ()]
)
NUMBERS = st.one_of(
    st.floats(), st.integers(-5, 5), st.integers(), st.sampled_from([2.0**128 - 2.0**103, 3.4e38, 1e-46, 1e39, -0.0])
)
SHAPES = st.sampled_from(
    [(), (3,), 3, (2, 2), None, 0, (0, 2), 4097, (64, 65), -1, (2.0,), [2, 3], "3", True, (np.int64(3),)]
)
DTYPES = st.sampled_from(
    [None, "float32", "float64", "int32", "".join(("float", "16")), np.float64, np.dtype("f4"), float, 1.0, ">f8"]
)
OUTS = st.sampled_from(
    [np.zeros(3, np.float32), np.zeros((2, 2)), np.zeros(6)[::2], np.zeros(3, np.int32), [1.0], np.zeros(0)]
)


@st.composite
def arrays(draw: st.DrawFn) -> Array:
    """An array of a few shapes, widths, orders of bytes and strides."""
    shape = draw(st.sampled_from([(3,), (3,), (2, 2), (1,), (0,), (), (3, 1)]))
    usual = st.floats(0.015625, 0.984375)
    numbers = draw(st.lists(usual | usual | st.floats(), min_size=4, max_size=4))
    with np.errstate(all="ignore"):
        array = np.resize(numbers, shape).astype(draw(st.sampled_from(["f4", "f8", "f8", ">f8", "f2", "i8"])))
    if array.ndim and draw(st.booleans()):
        array = np.repeat(array, 2, axis=-1)[..., ::2]
    return array


@given(name=st.sampled_from(sorted(keyrng.distributions.__all__)), data=st.data())
def test_any_arguments(name: str, data: st.DataObject) -> None:
    function = getattr(keyrng, name)
    arguments: dict[str, Any] = {}
    for argument, about in list(signature(function).parameters.items())[1:]:
        if about.default is not about.empty and data.draw(st.booleans()):
            continue
        strategy = {"shape": SHAPES, "dtype": DTYPES, "out": OUTS}.get(argument, NUMBERS | NOT_NUMBERS | arrays())
        arguments[argument] = data.draw(strategy, argument)
    if name in ("ball", "orthogonal", "index_shuffle", "choice", "permutation", "sample_without_replacement"):
        arguments = {a: v if not isinstance(v, int) or abs(v) < 50 else 7 for a, v in arguments.items()}
    positional = data.draw(st.booleans())
    out = arguments.get("out")

    def call() -> Any:
        own = dict(arguments)
        if isinstance(out, np.ndarray):
            own["out"] = out.copy() if out.flags.c_contiguous else np.zeros(6)[::2]
        if positional and list(own) == list(signature(function).parameters)[1 : len(own) + 1] and "out" not in own:
            return function(KEY, *own.values())
        return function(KEY, **own)

    check_both(call)


ENTRIES = st.one_of(
    st.floats(),
    st.floats(0.015625, 5),
    st.integers(-2, 5),
    st.sampled_from(
        [0.0, -0.0, 1.0, 128.0, 2.0**-60, 2.0**88, 1e-200, 1e300, True, 2**60, None, "a", np.float32(1), 1j]
    ),
)
LISTS = st.lists(st.floats(0.015625, 5), min_size=1, max_size=4) | st.lists(ENTRIES, max_size=4)


@st.composite
def rows(draw: st.DrawFn, axes: int = 1) -> Any:
    """A list, a tuple or an array along one or two axes, which may be nothing that a sampler takes."""
    made: Any = draw(LISTS)
    if axes == 2:
        made = (
            [draw(LISTS) for _ in made] if draw(st.booleans()) else np.diag([abs(x) for x in made if type(x) is float])
        )
    kinds = "list", "tuple", "f8", "f4", "f2", ">f8", "i4", "i8", "strided", "higher", "several", "subclass"
    kind = draw(st.sampled_from(kinds))
    if kind in ("list", "tuple"):
        made = made.tolist() if isinstance(made, np.ndarray) else made
        return tuple(made) if kind == "tuple" else made
    try:
        with np.errstate(all="ignore"):
            array = np.array(made, "f8" if kind in ("strided", "higher", "several", "subclass") else kind)
    except (TypeError, ValueError, OverflowError):
        return made
    if kind == "strided":
        return np.repeat(array, 2, -1)[..., ::2]
    if kind == "several":
        return np.ascontiguousarray(np.broadcast_to(array, (2, 3, *array.shape)))
    return array[None] if kind == "higher" else array.view(Own) if kind == "subclass" else array


class Own(np.ndarray):  # type: ignore[type-arg]
    pass


@given(name=st.sampled_from(sorted(IN_STEPS)), data=st.data())
def test_any_rows(name: str, data: st.DataObject) -> None:
    few = st.sampled_from([None, (), (3,), 3, (2, 3), (4, 2, 3), 0, (0,), 4097, -1, (2.0,), True])
    flags = st.sampled_from([True, False, None, 1, np.True_])
    numbers = st.integers(-1, 20) | NUMBERS | NOT_NUMBERS
    strategies: dict[str, dict[str, Any]] = {
        "dirichlet": {"alpha": rows(), "dtype": DTYPES},
        "multinomial": {"n": numbers, "p": rows(), "dtype": DTYPES},
        "multivariate_hypergeometric": {
            "colors": rows() | st.lists(st.integers(0, 9) | st.integers(0, 2**53), max_size=4),
            "nsample": numbers | st.integers(0, 2**40),
            "dtype": DTYPES | st.sampled_from(["int64", "int8", "uint64"]),
        },
        "categorical": {"logits": rows(), "axis": st.integers(-2, 1), "replace": flags},
        "choice": {"a": st.integers(-1, 40) | rows(), "replace": flags, "p": rows()},
        "sample_without_replacement": {"n": st.integers(-1, 40) | numbers},
        "index_shuffle": {
            "index": st.integers(-1, 40) | rows() | hnp.arrays(st.sampled_from(["i4", "i8", "u4", "i2"]), (2, 3)),
            "n": st.integers(-1, 40) | st.integers(2**31, 2**64) | numbers,
            "inverse": flags,
        },
        "multivariate_normal": {"mean": rows(), "cov": rows(axes=2), "dtype": DTYPES},
        "permutation": {"x": rows() | rows(axes=2)},
    }
    about = signature(getattr(keyrng, name)).parameters
    arguments = {
        argument: data.draw(strategy, argument)
        for argument, strategy in {**strategies[name], "shape": few}.items()
        if argument in about and (about[argument].default is about[argument].empty or data.draw(st.booleans()))
    }
    if name == "multinomial" and isinstance(arguments.get("shape"), tuple):
        arguments["shape"] = (*arguments["shape"], np.shape(arguments["p"])[-1] if np.ndim(arguments["p"]) else 3)
    if name == "choice" and isinstance(arguments["a"], int) and "p" in arguments and data.draw(st.booleans()):
        arguments["a"] = len(arguments["p"])
    with np.errstate(all="ignore"):
        check_both(lambda: getattr(keyrng, name)(KEY, **arguments))


@pytest.mark.parametrize("key", [keyrng.split(KEY), None, 5, "key", KEY._words], ids=repr)
def test_other_keys(key: Any) -> None:
    keyrng.normal(KEY, (3,))
    check_both(lambda: keyrng.normal(key, (3,)))
    check_both(lambda: keyrng.split(key))
    check_both(lambda: keyrng.fold_in(key, 3))
    check_both(lambda: keyrng.permutation(key, 3))


def test_a_check_of_reuse_sees_every_call() -> None:
    keyrng.normal(KEY, (3,))
    for call in (lambda: keyrng.normal(KEY, (3,)), lambda: keyrng.split(KEY), lambda: keyrng.permutation(KEY, 9)):
        call()
        with keyrng.debug.check_reuse():
            call()
            with pytest.raises(keyrng.debug.KeyReuseError):
                call()
        assert answered(call)


def test_other_paths_are_respected() -> None:
    from keyrng.testing import use_backend

    keyrng.normal(KEY, (3,))
    with use_backend("numpy"), keyrng.debug.check_reuse():
        pass
    with keyrng.debug.check_reuse(), use_backend("numpy"):
        pass
    with use_backend("numpy"):
        assert not answered(lambda: keyrng.normal(KEY, (3,)))
    assert answered(lambda: keyrng.normal(KEY, (3,)))


def test_a_sampler_that_computes_with_its_numbers_has_no_plan() -> None:
    from keyrng._sampling.sampler import sampler
    from keyrng.distributions.gamma import _gamma
    from keyrng.kernels.requirements import positive

    @sampler
    def doubled(key: keyrng.Key, a: Any, shape: Any = (), dtype: Any = "float32") -> Array:
        return keyrng.sample_kernel(_gamma, key, shape, dtype, positive(a=2 * a))

    @sampler
    def chosen(key: keyrng.Key, a: Any, shape: Any = (), dtype: Any = "float32") -> Array:
        return keyrng.sample_kernel(_gamma, key, shape, dtype, positive(a=a if a > 2 else 2.0))

    @sampler
    def reshaped(key: keyrng.Key, a: Any, shape: Any = (), dtype: Any = "float32") -> Array:
        return keyrng.sample_kernel(_gamma, key, (2, *shape), dtype, positive(a=a))

    for function in (doubled, chosen, reshaped):
        for a in (1.0, 3.0):
            check_both(lambda f=function, a=a: f(KEY, a, (3,)))
    assert_same(doubled(KEY, 1.0, (3,)), keyrng.gamma(KEY, 2.0, (3,)))
    assert_same(chosen(KEY, 1.0, (3,)), keyrng.gamma(KEY, 2.0, (3,)))


def test_threads_make_plans_together() -> None:
    expected = {n: keyrng.beta(KEY, n + 1.0, 2.0, (3,)).tobytes() for n in range(8)}
    failed = []

    def work(n: int) -> None:
        for dtype in ("float32", "float64", "float16", np.float32, np.float64, np.float16):
            for _ in range(20):
                keyrng.inverse_gamma(KEY, n + 1.0, (3,), dtype)
                if keyrng.beta(KEY, n + 1.0, 2.0, (3,)).tobytes() != expected[n]:
                    failed.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_no_references_are_lost() -> None:
    calls = (
        lambda: keyrng.normal(KEY, (3,)),
        lambda: keyrng.normal(KEY, (3,), dtype="float64"),
        lambda: keyrng.beta(KEY, 2.0, 3, (2, 2)),
        lambda: keyrng.split(KEY, 3),
        lambda: keyrng.fold_in(KEY, 3),
        lambda: keyrng.permutation(KEY, 20),
        *(partial(call, KEY) for calls in IN_STEPS.values() for call in calls),
    )
    watched = (KEY, KEY._words, KEY._algorithm, np.dtype("f4"), np.dtype("f8"), np.dtype("u4"), np.dtype("i4"))
    for call in calls:
        call()
    gc.collect()  # of what other tests have left, which holds dtypes
    before = [sys.getrefcount(o) for o in watched]
    for call in calls:
        for _ in range(100):
            call()
    after = [sys.getrefcount(o) for o in watched]
    assert all(abs(a - b) < 50 for a, b in zip(after, before, strict=True)), (before, after)
    assert sys.getrefcount(key_module.Key) < 10_000
