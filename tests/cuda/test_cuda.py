"""Keys on a GPU: devices, results and errors, tested with the CuPy double and on a real GPU.

That samples have the CPU's bits is tested for every sampler in test_laws.py, on the paths "cuda" and "gpu".
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import ALGORITHMS, HAVE_BFLOAT16, assert_same, each_algorithm
from gpus import Gpu, host

import keyrng

KEY = keyrng.key(2025)
KEYS = keyrng.split(KEY, (3, 4))


def same(actual: keyrng.Key, expected: keyrng.Key) -> bool:
    return actual.shape == expected.shape and bool((actual.to("cpu") == expected).all())


# Keys


def test_where_a_key_lives(there: Gpu) -> None:
    key = KEY.to("cuda")

    assert key.device == "cuda:0"
    assert key.to("cuda:0") is key
    assert key.to("cuda") is key
    assert key.to(0) is key
    assert key.to(there.cupy.cuda.Device(0)) is key
    assert key.to("cpu").device == "cpu"
    assert same(key, KEY)
    assert same(keyrng.key(2025, device="cuda"), KEY)
    assert same(keyrng.key(2025, device=there.cupy.cuda.Device(0)), KEY)
    assert repr(key) == repr(KEY).replace(", [", ", cuda:0, [")


def test_equality_on_a_gpu(there: Gpu) -> None:
    keys = keyrng.split(KEY, 3).to("cuda")
    other = keyrng.key(2025, impl="philox4x32", device="cuda")

    for equal, expected in ((keys == keys[1], [False, True, False]), (keys == other, [False] * 3)):
        assert isinstance(equal, there.cupy.ndarray)
        assert equal.tolist() == expected
    assert (keys != other).tolist() == [True] * 3
    assert bool(keys[0] == other) is False
    assert (keys == "x", keys != 0) == (False, True)


@pytest.mark.parametrize(
    ("device", "error", "message"),
    [
        ("cuda:99", ValueError, "invalid GPU number: 99 "),
        ("cuda:x", ValueError, "unknown device: 'cuda:x'"),
        (99, ValueError, "invalid GPU number: 99 "),
        (-1, ValueError, "invalid GPU number: -1"),
        (1.0, TypeError, "got float"),
        (None, TypeError, "got None"),
    ],
)
def test_devices_that_are_none(there: Gpu, device: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        KEY.to("cuda").to(device)


@each_algorithm
def test_acts_on_keys(there: Gpu, algorithm: str) -> None:
    keys = keyrng.split(keyrng.key(5, impl=algorithm), (3, 4))
    moved = keys.to("cuda")
    acts: dict[str, Callable[[keyrng.Key], keyrng.Key]] = {
        "split": keyrng.split,
        "split in a shape": lambda k: keyrng.split(k, (2, 3)),
        "split in none": lambda k: keyrng.split(k, 0),
        "one of many": lambda k: keyrng.split(k[1, 2], 1000)[::7],
        "a number": lambda k: keyrng.fold_in(k, 2**63 + 5),
        "a number, one key": lambda k: keyrng.fold_in(k[0, 1], 2**32),
        "a name": lambda k: keyrng.fold_in(k, "dropout"),
        "names": lambda k: keyrng.fold_in(k[2, 3], ("layer", 3, b"bias")),
        "index": lambda k: k[1],
        "slices": lambda k: k[::-1, 1:3],
        "ellipsis": lambda k: k[..., 0],
        "new axis": lambda k: k[:, None, 2],
        "reshape": lambda k: k.reshape(2, 6),
        "ravel": lambda k: k.ravel(),
        "transpose": lambda k: k.T,
        "squeeze": lambda k: k[:1].squeeze(0),
        "stack": lambda k: keyrng.stack([k, k], axis=1),
        "concatenate": lambda k: keyrng.concatenate([k, k[:1]]),
        "clone": keyrng.clone,
        "iteration": lambda k: list(k)[2],
        "copy": copy.deepcopy,
    }
    for name, act in acts.items():
        with there.without_waiting(uploads=False):
            made = act(moved)

        assert made.device == "cuda:0", name
        assert same(made, act(keys)), name


def test_integer_arrays_as_index(there: Gpu) -> None:
    moved = KEYS.to("cuda")
    rows = np.array([2, 0, 2])

    assert same(moved[rows], KEYS[rows])
    assert same(moved[there.cupy.asarray(rows)], KEYS[rows])
    assert same(moved[[0, 1], [3, 3]], KEYS[[0, 1], [3, 3]])
    with pytest.raises(IndexError, match="out of bounds for axis 0 with size 3"):
        moved[3]


def test_numbers_in_device_memory(there: Gpu) -> None:
    numbers = np.array([0, 1, 2**32, 2**64 - 1], np.uint64)
    moved, short = there.cupy.asarray(numbers), there.cupy.asarray(np.arange(4, dtype=np.uint8))
    key, keys = KEY.to("cuda"), KEYS.to("cuda")
    with there.without_waiting(uploads=False):
        pairs = keyrng.fold_in(keys[..., 0][:, None], moved)
        narrow = keyrng.fold_in(keys, short)
        one = keyrng.fold_in(key, moved[2])

    assert same(pairs, keyrng.fold_in(KEYS[..., 0][:, None], numbers))
    assert same(narrow, keyrng.fold_in(KEYS, np.arange(4)))
    assert same(one, keyrng.fold_in(KEY, 2**32))
    with pytest.raises(TypeError, match=r'on a GPU must be unsigned, got int64; use data.astype\("uint64"\)'):
        keyrng.fold_in(KEY.to("cuda"), moved.astype(np.int64))
    with pytest.raises(TypeError, match=r"data is on cpu but the key is on cuda:0; cupy.asarray"):
        keyrng.fold_in(KEY.to("cuda"), numbers)
    with pytest.raises(TypeError, match=r"data to fold in is on cuda:0 but the key is on cpu"):
        keyrng.fold_in(KEY, moved)
    with pytest.raises(ValueError, match="do not broadcast"):
        keyrng.fold_in(KEYS.to("cuda"), moved[:3])


def test_equality(there: Gpu) -> None:
    moved = KEYS.to("cuda")

    assert isinstance(moved == moved[0], there.cupy.ndarray)
    assert_same(host(moved == moved[0]), KEYS[0] == KEYS)
    assert_same(host(moved != moved[0]), KEYS[0] != KEYS)
    with pytest.raises(ValueError, match=r"cannot compare keys on cuda:0 and cpu; use key.to\('cuda:0'\)"):
        assert moved == KEYS
    with pytest.raises(ValueError, match="cannot put together keys on cpu and cuda:0"):
        keyrng.stack([KEYS, moved])


def test_words(there: Gpu) -> None:
    words = keyrng.key_data(KEYS.to("cuda"))

    assert isinstance(words, there.cupy.ndarray)
    assert_same(host(words), keyrng.key_data(KEYS))
    wrapped = keyrng.wrap_key_data(words)
    words[...] = 0  # a copy
    assert wrapped.device == "cuda:0"
    assert same(wrapped, KEYS)
    with pytest.raises(TypeError, match="require an array of uint32"):
        keyrng.wrap_key_data(words.astype(np.int32))


def test_pickle_goes_through_the_host_and_comes_back(there: Gpu) -> None:
    moved = KEYS.to("cuda")
    again = pickle.loads(pickle.dumps(moved))

    assert again.device == "cuda:0"
    assert same(again, KEYS)
    assert moved.to_bytes() == KEYS.to_bytes()


# Samples: the dtypes that test_laws.py does not go through, out, parameters


DTYPES = ("float16", "float32", "float64", *(["bfloat16"] if HAVE_BFLOAT16 else []))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.turns(3)
def test_every_algorithm_draws_there(there: Gpu, algorithm: str) -> None:
    keys = keyrng.split(keyrng.key(1, impl=algorithm), 3)
    moved = keys.to("cuda")
    for sampler, dtypes in ((keyrng.normal, DTYPES), (keyrng.bits, ("uint8", "uint16", "uint32", "uint64"))):
        for dtype in dtypes:
            with there.without_waiting(uploads=False):
                sample = sampler(moved, (7, 43), dtype)

            assert sample.device.id == 0
            assert_same(host(sample), sampler(keys, (7, 43), dtype), algorithm, dtype)


@pytest.mark.parametrize(
    "draw",
    [
        lambda key, p: keyrng.gamma(key, p),
        lambda key, p: keyrng.poisson(key, p),
        lambda key, p: keyrng.binomial(key, 40, p / 8),
        lambda key, p: keyrng.beta(key, p, 2.0, (3, 5)),
        lambda key, p: keyrng.uniform(key, (3, 5), "float16", -1.0, p),
        lambda key, p: keyrng.truncated_normal(key, p, p + 0.5),
        lambda key, p: keyrng.triangular(key, 0.0, p, 9.0),
        lambda key, p: keyrng.vonmises(key, p * 100, 2.0),
        lambda key, p: keyrng.negative_binomial(key, p, 0.25),
        lambda key, p: keyrng.geometric(key, p / 8),
        lambda key, p: keyrng.lognormal(key, p, (3, 5)),
        lambda key, p: keyrng.normal(key, (3, 5), "complex128"),
        lambda key, p: keyrng.bernoulli(key, p / 8),
    ],
)
@pytest.mark.turns(3)
def test_parameters_in_device_memory_are_not_waited_for(there: Gpu, draw: Callable[..., Any]) -> None:
    key = KEY.to("cuda")
    for dtype in ("float32", "float64", "float16", "int32"):
        p = np.linspace(1, 7, 15).astype(dtype).reshape(3, 5)
        given = there.cupy.asarray(p)
        with there.without_waiting(uploads=False):
            sample = draw(key, given)

        assert_same(host(sample), draw(KEY, p), dtype)


def test_integers_between_bounds_in_device_memory(there: Gpu) -> None:
    low, high = np.array([-5, 0, 2**31 - 2, -(2**31)]), np.array([-4, 10, 2**31, 2**31])
    expected = keyrng.randint(KEY, (100, 4), low, high)
    key, first, last = KEY.to("cuda"), there.cupy.asarray(low), there.cupy.asarray(high)
    with there.without_waiting(uploads=False):
        sample = keyrng.randint(key, (100, 4), first, last)
    mixed = keyrng.randint(key, (100, 4), -(2**31), last)

    assert_same(host(sample), expected)
    assert_same(host(mixed), keyrng.randint(KEY, (100, 4), -(2**31), high))
    assert host(keyrng.randint(key, (4,), last, -9)).tolist() == [-4, 10, -(2**31), -(2**31)]  # none between: minval


@pytest.mark.parametrize("bad", [-1.0, 0.0, np.nan, np.inf])
def test_parameters_out_of_range(there: Gpu, bad: float) -> None:
    a = there.cupy.asarray(np.array([2.0, bad, 3.0], np.float32))
    good = np.array([2.0, 2.0, 3.0], np.float32)
    key = KEY.to("cuda")
    for sampler in (keyrng.gamma, keyrng.loggamma, keyrng.chisquare, keyrng.t):
        sample = host(sampler(key, a))
        assert np.isnan(sample[1])
        assert_same(sample[::2], sampler(KEY, good)[::2])
    for integer, missing in (("int32", -1), ("uint32", 2**32 - 1), ("uint8", 255)):
        if bad != 0.0:
            sample = host(keyrng.poisson(key, a, None, integer))
            assert sample[1] == missing
            assert_same(sample[::2], keyrng.poisson(KEY, good, None, integer)[::2])
    if bad != 0.0:
        assert host(keyrng.bernoulli(key, a / 4)).tolist()[1] is False
    assert np.isnan(host(keyrng.uniform(key, (3,), "float32", a, 1.0))[0])  # 2 is not less than 1


def test_out(there: Gpu) -> None:
    key = KEY.to("cuda")
    expected = keyrng.normal(KEY, (6, 8))
    whole = there.cupy.empty((6, 8), np.float32)
    every_other = there.cupy.empty((6, 16), np.float32)[:, ::2]
    shifted = there.cupy.empty(49, np.float32)[1:].reshape(6, 8)
    for out in (whole, every_other, shifted):
        with there.without_waiting(uploads=False):
            assert keyrng.normal(key, out=out) is out
        assert_same(host(there.cupy.ascontiguousarray(out)), expected)
    with pytest.raises(TypeError, match=r"out is on cpu but the key is on cuda:0; use cupy.empty"):
        keyrng.normal(key, out=np.empty((6, 8), np.float32))
    with pytest.raises(TypeError, match=r"out is on cuda:0 but the key is on cpu; key.to\('cuda:0'\)"):
        keyrng.normal(KEY, out=whole)
    with pytest.raises(TypeError, match=r"out must be a CuPy array on cuda:0, got list"):
        keyrng.normal(key, out=[0.0])
    with pytest.raises(ValueError, match=r"out must have shape \(3,\), got \(6, 8\)"):
        keyrng.normal(key, (3,), out=whole)
    with pytest.raises(TypeError, match="out must have dtype float64, got float32"):
        keyrng.normal(key, dtype="float64", out=whole)


def test_a_sample_by_dlpack(there: Gpu) -> None:
    if there.double:
        pytest.skip("the double has no DLPack")
    shared = there.cupy.from_dlpack(keyrng.normal(KEY.to("cuda"), (5,)))
    assert_same(host(shared), keyrng.normal(KEY, (5,)))


def test_lists_and_numbers_go_there_and_arrays_do_not(there: Gpu) -> None:
    key = KEY.to("cuda")

    assert_same(host(keyrng.gamma(key, [1.0, 2.0])), keyrng.gamma(KEY, [1.0, 2.0]))
    assert_same(host(keyrng.gamma(key, np.float64(2.5), (3,))), keyrng.gamma(KEY, 2.5, (3,)))
    assert_same(host(keyrng.randint(key, (2,), [0, 5], [3, 9])), keyrng.randint(KEY, (2,), [0, 5], [3, 9]))
    for call in (
        lambda a: keyrng.gamma(key, a),
        lambda a: keyrng.uniform(key, (2,), "float32", 0.0, a),
        lambda a: keyrng.randint(key, (2,), 0, a.astype(int)),
        lambda a: keyrng.geometric(key, a / 4),
    ):
        with pytest.raises(TypeError, match=r" is on cpu but the key is on cuda:0; cupy.asarray\("):
            call(np.array([1.0, 2.0]))
    with pytest.raises(TypeError, match=r"a is on cuda:0 but the key is on cpu"):
        keyrng.gamma(KEY, there.cupy.asarray(np.array([1.0, 2.0])))
    with pytest.raises(ValueError, match="a must be positive and finite, got -1"):
        keyrng.gamma(key, [1.0, -1.0])
    with pytest.raises(TypeError, match="must be a number or an array of numbers, got bool"):
        keyrng.gamma(key, there.cupy.asarray(np.array([True])))


def test_a_kernel_of_a_user(there: Gpu) -> None:
    from keyrng.kernels import log1p, uniform_co

    def exponential(lane: Any, scale: Any) -> Any:
        return -log1p(-uniform_co(lane)) * scale

    sample = keyrng.sample_kernel(exponential, KEY.to("cuda"), (100,), "float32", 2.0)

    assert_same(host(sample), keyrng.sample_kernel(exponential, KEY, (100,), "float32", 2.0))


def test_more_elements_than_a_key_has(there: Gpu) -> None:
    with pytest.raises(ValueError, match="a key of threefry2x32 has"):
        keyrng.normal(KEY.to("cuda"), (2**57,))
