"""The C code accesses only its arguments, does not leak, and rejects sizes that it cannot hold.

Most of these say more under sanitizers, which `bash tests/sanitized.sh tests/executors/test_memory.py` builds and runs.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import pytest
from cases import ALGORITHMS, CASES, PATHS, Array, Case, assert_same, each_algorithm, each_case, on
from processes import python

import keyrng
import keyrng.interop.numpy
from keyrng._executors import native as compiled

SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")
KEY = keyrng.key(11)
WITH_OUT = [case for case in CASES if case.name in ("bits", "normal", "gamma", "poisson", "randint", "bernoulli")]

needs_compiled = pytest.mark.skipif(not compiled.enabled, reason=f"no compiled path: {compiled.missing_reason()}")


# Calls of all kinds


def some_call(rng: np.random.Generator, case: Case) -> tuple[keyrng.Key, tuple[int, ...], str, dict[str, Array]]:
    """Keys, a shape, a dtype and parameters, of lengths that fit no vector and no chunk."""
    long = int(rng.choice([1, 2, 5, 63, 64, 65, 127, 129, 200, 2_047, 2_049, 4_095, 4_161]))
    shape = [(long,), (3, long), (long, 3), (1, long, 1), ()][rng.integers(5)]
    batch = [(), (), (1,), (3,), (2, 5), (130,)][rng.integers(6) if prod(shape) < 300 else rng.integers(3)]
    key = keyrng.key(int(rng.integers(2**60)), impl=str(rng.choice(ALGORITHMS)))
    keys = keyrng.split(key, batch) if batch else key
    dtype = case.dtypes[rng.integers(len(case.dtypes))]
    full, together = batch + shape, bool(rng.integers(2))
    turns, parameters = None, {}
    for name in case.parameters[0]:
        if turns is None or not together:  # of one set, the parameters may be of different shapes
            whole = tuple(1 if rng.integers(2) else n for n in full[rng.integers(len(full) + 1) :])
            turns = rng.integers(len(case.parameters), size=whole) if together else np.full(whole, 0)
        values = np.array([p[name] for p in case.parameters])[turns]
        parameters[name] = values[..., ::-1] if turns.ndim else values.item()
    return keys, shape, dtype, parameters


@needs_compiled
@each_case
def test_the_paths_agree_on_calls_of_all_kinds(case: Case) -> None:
    rng = np.random.default_rng(5)
    for number in range(12):
        keys, shape, dtype, parameters = some_call(rng, case)
        with on("numpy"):
            expected = case(keys, shape, dtype, **parameters)
        out = placed(rng, expected.shape, dtype)
        with on(PATHS[1 + number % (len(PATHS) - 1)]):
            assert_same(case(keys, shape, dtype, **parameters), expected, number, dtype, parameters)
            case(keys, shape, dtype, out=out.array, **parameters)
        assert_same(out.array, expected, number, dtype, "out")
        out.check()


class placed:
    """An array with room around it that stays as it is: unaligned, upside down, with steps, or in Fortran's order."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> None:
        order, step = "CF"[rng.integers(2)], int(rng.choice([1, 1, -1, 3]))
        offset, kind = int(rng.integers(8)), np.dtype(dtype)
        wide = (*shape[:-1], shape[-1] * abs(step)) if shape else ()
        self._room = np.full(128 + offset + prod(wide) * kind.itemsize + 128, 77, np.uint8)
        inside = self._room[128 + offset : len(self._room) - 128]
        array = inside.view(kind).reshape(wide, order=order)
        self.array = array[..., ::step] if shape else array
        self._before = self._room.copy()
        before = self._before[128 + offset : len(self._room) - 128].view(kind).reshape(wide, order=order)
        self._hole = before[..., ::step] if shape else before

    def check(self) -> None:
        self._hole[...] = self.array
        assert self._room.tobytes() == self._before.tobytes()


@each_algorithm
def test_keys_of_keys_of_all_lengths(algorithm: str) -> None:
    key = keyrng.key(1, impl=algorithm)
    for count in (1, 2, 63, 64, 65, 129, 257, 1_025):
        for keys in (key, keyrng.split(key, (3, 1))):
            numbers = np.arange(count, dtype=np.int16)[::-1] + 2
            got = {}
            for path in PATHS:
                with on(path):
                    made = keyrng.split(keys, count), keyrng.fold_in(keys, numbers), keyrng.fold_in(keys, "a")
                    got[path] = [keyrng.key_data(new) for new in made]
            for path in PATHS[1:]:
                for one, other in zip(got[path], got["numpy"], strict=True):
                    assert_same(one, other, path, count)


# Arrays that are given


@pytest.mark.parametrize("case", WITH_OUT, ids=str)
def test_out_that_has_memory_in_common_with_parameters_or_itself(case: Case, path: str) -> None:
    dtype, named = case.dtypes[-1], case.parameters[0]
    for name in named:
        if np.dtype(dtype).kind == "b":
            continue
        for shift in (0, 1, 500):
            buffer = np.empty(1_501, dtype)
            buffer[...] = case.mixed((1_501,))[name]
            value, out = buffer[: 1_501 - shift], buffer[shift:]
            expected = case(KEY, value.shape, dtype, **{**named, name: value.copy()})
            case(KEY, (), dtype, out=out, **{**named, name: value})
            assert_same(out, expected, name, shift)

    one = np.lib.stride_tricks.as_strided(np.empty(1, dtype), (300,), (0,))
    with pytest.raises(ValueError, match="overlapping elements"):
        case(KEY, (), dtype, out=one, **named)


def test_arrays_may_be_dropped_while_they_are_drawn_into(path: str) -> None:
    expected = keyrng.normal(keyrng.key(3), (300_007,))
    kept: list[Array] = []

    def draw() -> None:
        kept.append(keyrng.normal(keyrng.key(3), (300_007,)))

    drawing = [threading.Thread(target=draw) for _ in range(4)]
    for thread in drawing:
        thread.start()
    for _ in range(100):
        keyrng.normal(keyrng.key(3), out=np.empty(5_000, np.float32))
    for thread in drawing:
        thread.join()
    for sample in kept:
        assert_same(sample, expected)
    rng = np.random.Generator(keyrng.interop.numpy.bit_generator(keyrng.key(3)))
    gc.collect()
    assert rng.bit_generator.random_raw() == keyrng.bits(keyrng.key(3), (1,), "uint64")[0]
    assert rng.random(1_000).shape == (1_000,)


# Sizes

HUGE = [(2**47,), (2**20, 2**27), (2**61,), (2**62, 8), (2**40, 2**40), (2**70,)]
MANY_AXES = (1,) * 65


@each_case
def test_huge_sizes_are_an_error_at_once(case: Case, path: str) -> None:
    parameters, dtype = case.parameters[0], case.dtypes[0]
    for key in (KEY, keyrng.split(KEY, 3), keyrng.key(1, impl="philox4x64")):
        for shape in (*HUGE, MANY_AXES):
            with pytest.raises((MemoryError, ValueError)):
                case(key, shape, dtype, **parameters)


def test_huge_numbers_of_keys_and_places_are_an_error_at_once(path: str) -> None:
    some = keyrng.split(KEY, 3)
    acts: tuple[Callable[[tuple[int, ...], int], object], ...] = (
        lambda shape, size: keyrng.split(KEY, shape),
        lambda shape, size: keyrng.split(some, shape),
        lambda shape, size: keyrng.permutation(KEY, size),
        lambda shape, size: keyrng.permutation(some, size),
        lambda shape, size: keyrng.choice(KEY, 10, shape),
        lambda shape, size: keyrng.choice(KEY, size, (3,), replace=False),
        lambda shape, size: keyrng.categorical(KEY, np.zeros(3), shape=shape),
        lambda shape, size: keyrng.multivariate_normal(KEY, np.zeros(3), np.eye(3), shape=shape),
        lambda shape, size: keyrng.orthogonal(KEY, size),
        lambda shape, size: keyrng.lazy_array(keyrng.normal, KEY, shape)[...],
    )
    for shape in HUGE:
        for act in acts:
            with pytest.raises((MemoryError, ValueError, OverflowError)):
                act(shape, prod(shape))


@each_case
def test_zero_sizes_touch_nothing(case: Case, path: str) -> None:
    parameters, dtype = case.parameters[0], case.dtypes[-1]
    for keys in (KEY, keyrng.split(KEY, 0), keyrng.split(KEY, (2, 0))):
        for shape in ((0,), (3, 0), (0, 2**40)):
            full = keys.shape + shape
            assert case(keys, shape, dtype, **parameters).shape == full
            room = np.full(64, 77, np.uint8)
            out = np.ndarray(full, dtype, room[32:])
            assert case(keys, shape, dtype, out=out, **parameters) is out
            assert set(room.tolist()) == {77}


# Nothing is kept


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists() or SANITIZED, reason="no /proc, or freed memory is kept")
@pytest.mark.turns(2)
def test_small_calls_keep_no_memory(path: str) -> None:
    out, some = np.empty(70, np.float64), keyrng.split(KEY, 5)
    numbers, shapes, frozen = np.arange(5), np.full(70, 0.5), np.empty(3, np.float32)
    frozen.flags.writeable = False

    def calls(times: int) -> None:
        for _ in range(times):
            keyrng.normal(KEY, (10,))
            keyrng.gamma(KEY, shapes, (70,), "float64", out=out)
            keyrng.uniform(some, (3,))
            keyrng.split(KEY)
            keyrng.fold_in(some, numbers)
            with pytest.raises(ValueError, match="read-only"):
                keyrng.normal(KEY, out=frozen)

    times = 6_000 if path != "numpy" else 600
    calls(2 * times)  # until malloc holds what they take in turn
    counts = [sys.getrefcount(x) for x in (out, some, KEY, KEY._words, some._words, numbers, shapes)]
    before = resident()
    calls(times)  # of one object of 48 bytes kept by each call this would see 1.7 MB, or 170 kB
    assert resident() - before < times * 6 * 16 + 2**16
    assert counts == [sys.getrefcount(x) for x in (out, some, KEY, KEY._words, some._words, numbers, shapes)]


@needs_compiled
def test_calls_of_the_c_that_fail_keep_nothing() -> None:
    native, words, out = compiled.native, KEY._words.copy(), np.empty(8, np.uint32)
    number = compiled.algorithm_number(KEY._algorithm)
    dispatch_key = number  # program 0, no conversion
    calls = [
        (native.run_small, (dispatch_key, words[:1], 8, np.uint32, np.empty)),
        (native.run_small, (dispatch_key, words, 8, np.uint32, np.empty, out)),
        (native.run_small, (dispatch_key, words, 8, "no dtype", np.empty)),
        (native.run_small, (dispatch_key, words, 8, np.uint32, lambda shape, dtype: out[:7])),
        (native.run, (0, -1, number, words, 2, 0, 4, 4, out, 4, 1, (4,), ())),
        (native.run, (0, -1, number, words, 1, 0, 9, 9, out, 4, 1, (9,), ())),
        (native.run, (0, -1, number, words, 1, out, 8, 8, out, 4, 1, (8,), ())),
        (native.run, (0, -1, number, words, 1, 0, 8, 8, out, 4, 1, (8,), (out,))),
        (native.children, (number, words, 1, 0, 5, 1, out)),
        (native.short_orders, (number, words, 9, 1, out)),
        (native.sort_lines, (words, None, 2, 1, out)),
        (native.scatter, (-1, words, None, 2, 2, 1, 1, out, out)),
        (native.sort_buckets, (out, words, 1, 1, 1, out)),
        (native.take_elements, (words, 4, words, 1, out)),
        (native.count_below, (0, number, words, 1, 9, 1, out, out)),
        (native.first_arrivals, (0, number, words, 2, 1.5, out, 1, out)),
        (native.affine, (out, words, 4, 1, out)),
        (native.shares, (3, 4, 1, out)),
        (native.derive, (number, words, out, 0, 1, out[1:])),
        (native.derive, (number, np.tile(words, 3), out, 0, 1, np.empty(8, np.uint32))),
        (native.derive_one, (number, words, 0, 0, 0, out)),
        (native.histogram, (words, 31, out)),
        (native.read_stream, (out, out)),
    ]
    for function, arguments in calls:
        before = [sys.getrefcount(words), sys.getrefcount(out)]
        for _ in range(50):
            with pytest.raises((SystemError, ValueError, TypeError, BufferError)) as raised:
                function(*arguments)
            assert " takes " not in str(raised.value)  # the number of arguments is right
        assert [sys.getrefcount(words), sys.getrefcount(out)] == before, function


# The sanitizers themselves

BROKEN = {
    # A stride that leads out of the parameter; starts at an odd address.
    "AddressSanitizer: heap-buffer-overflow": """
native.run(*program, words, 1, 0, 8, 8, out, 4, 1, (8,), ((few, (1000,)),) * n)""",
    "runtime error: load of misaligned address": """
odd = np.zeros(25, np.uint8)[1:].view(np.uint64)
sample = np.empty(600, np.float32)
native.run(*program, np.tile(words, 3), 3, odd, 200, 200, sample, 4, 1, (600,), (one,) * n)""",
}


@pytest.mark.skipif(not SANITIZED, reason="bash tests/sanitized.sh runs this")
@pytest.mark.parametrize("found", BROKEN)
def test_the_sanitizers_see_what_is_wrong(found: str) -> None:
    code = f"""
import numpy as np, keyrng
from keyrng._executors import native as compiled
from keyrng.distributions.gamma import _gamma
native, words = compiled.native, keyrng.key(0)._words
kernel = _gamma
single = np.dtype("float32")
program = compiled._program(kernel, single, single, keyrng.key(0)._algorithm, True)
n = len(kernel.parameters)
out, few, one = np.empty(8, np.float32), np.ones(1000, np.float32), np.ones(1, np.float32)
{BROKEN[found]}
"""
    done = python("-c", code)
    assert done.returncode
    assert found in done.stderr
