"""Keys on a GPU: devices, streams and the shape of launches, tested with the CuPy double and on a real GPU."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from cases import assert_same
from gpus import Gpu, host

import keyrng
from keyrng._keys.derive import device_of
from keyrng.distributions.normal import normal_kernel
from keyrng.kernels import finite

KEY = keyrng.key(2025)


# Devices and streams


def test_samples_appear_where_the_key_lives(two: Gpu) -> None:
    for number, key in enumerate(keyrng.split(KEY, 2)):
        moved = key.to(f"cuda:{number}")
        sample = keyrng.normal(keyrng.fold_in(keyrng.split(moved)[0], 3), (5,), dtype="float64")

        assert sample.device.id == number
        assert two.cupy.cuda.runtime.getDevice() == 0
        assert_same(host(sample), keyrng.normal(keyrng.fold_in(keyrng.split(key)[0], 3), (5,), dtype="float64"))
    assert KEY.to("cuda:1").to(0).device == "cuda:0"
    with two.cupy.cuda.Device(1):
        assert KEY.to("cuda").device == "cuda:1"
        assert keyrng.normal(KEY.to("cuda:0"), (3,)).device.id == 0
        assert two.cupy.cuda.runtime.getDevice() == 1


def test_two_gpus_in_one_call(two: Gpu) -> None:
    with two.cupy.cuda.Device(1):
        a = two.cupy.asarray(np.array([1.0, 2.0]))
        out = two.cupy.empty(2, np.float32)
    key = KEY.to("cuda:0")
    for call in (lambda: keyrng.gamma(key, a), lambda: keyrng.normal(key, out=out)):
        with pytest.raises(TypeError, match=r" is on cuda:1 but the key is on cuda:0; both must be on the same device"):
            call()


def test_a_key_shared_out_over_devices(two: Gpu) -> None:
    parts = [keyrng.uniform(k.to(f"cuda:{i % 2}"), (10,)) for i, k in enumerate(keyrng.split(KEY, 4))]

    assert [part.device.id for part in parts] == [0, 1, 0, 1]
    assert_same(np.stack([host(part) for part in parts]), keyrng.uniform(keyrng.split(KEY, 4), (10,)))


def test_slabs_of_a_lazy_array_from_two_gpus(two: Gpu) -> None:
    whole = keyrng.gamma(KEY, [0.5, 2.0], (300, 2))
    lazy = [keyrng.lazy_array(keyrng.gamma, KEY.to(f"cuda:{i}"), (300, 2), a=[0.5, 2.0]) for i in range(2)]
    parts = [lazy[0][:123], lazy[1][123:]]

    assert [part.device.id for part in parts] == [0, 1]
    assert_same(np.concatenate([host(part) for part in parts]), whole)


def test_the_current_stream(there: Gpu) -> None:
    key = KEY.to("cuda")
    samples = []
    for _ in range(2):
        with there.cupy.cuda.Stream() as stream:
            samples.append((stream, keyrng.normal(keyrng.fold_in(key, 1), (1000,))))
            if not there.real:
                assert {launch.stream for launch in there.launches[-2:]} == {stream.ptr}
    for stream, sample in samples:
        stream.synchronize()
        assert_same(host(sample), keyrng.normal(keyrng.fold_in(KEY, 1), (1000,)))


def test_a_key_used_from_several_threads(there: Gpu) -> None:
    key = KEY.to("cuda")
    with ThreadPoolExecutor(4) as pool:
        samples = list(pool.map(lambda i: keyrng.normal(keyrng.fold_in(key, i), (257,)), range(16)))

    for i, sample in enumerate(samples):
        assert_same(host(sample), keyrng.normal(keyrng.fold_in(KEY, i), (257,)))


def test_a_captured_graph_reads_the_words_at_replay(there: Gpu) -> None:
    if there.double:
        pytest.skip("the double has no graphs")
    cupy = there.cupy
    key = KEY.to("cuda")
    counter = cupy.zeros((), np.uint64)
    out, folded = cupy.empty(100, np.float32), cupy.empty(50, np.float32)
    keyrng.normal(key, out=out)  # compiled before it is captured
    keyrng.uniform(keyrng.fold_in(key, counter), out=folded)
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        keyrng.normal(key, out=out)
        child = keyrng.fold_in(key, counter)  # kept, because a graph does not own the memory allocated in it
        keyrng.uniform(child, out=folded)
        graph = stream.end_capture()
    for step, seed in enumerate((7, 8, 9)):
        with stream:
            key._words[...] = cupy.asarray(keyrng.key_data(keyrng.key(seed)))
            counter[...] = step
            graph.launch()
        stream.synchronize()
        assert_same(host(out), keyrng.normal(keyrng.key(seed), (100,)))
        assert_same(host(folded), keyrng.uniform(keyrng.fold_in(keyrng.key(seed), step), (50,)))


# The shape of launches


def test_batched_keys_are_one_launch(there: Gpu) -> None:
    for keys, shape in ((1, (10**5,)), (10**4, (3,)), (5, (10**4,)), (1, (1,)), (70_000, ()), (3, (2, 5, 7))):
        many = keyrng.split(KEY, keys).to("cuda")
        there.launches.clear()
        sample = keyrng.uniform(many, shape)
        (launch,) = there.launches

        assert launch.block[0] * launch.block[1] == 256
        assert_same(host(sample), keyrng.uniform(keyrng.split(KEY, keys), shape))


SINGLE = np.dtype(np.float32)


def scaled(lane: Any, a: Any) -> Any:
    return a * normal_kernel(lane)


def test_draws_like_an_earlier_one(two: Gpu) -> None:
    keys = KEY, keyrng.split(KEY, 3)
    for _, key, device in itertools.product(range(2), keys, (0, 1)):
        moved = key.to(f"cuda:{device}")
        with two.cupy.cuda.Device(device):
            outs = two.cupy.empty((*key.shape, 5), np.float32), two.cupy.empty((*key.shape, 10), np.float32)[..., ::2]
        for call in (
            lambda key, **out: keyrng.uniform(key, 5, **out),
            lambda key, **out: keyrng.gamma(key, 0.5, (5,), **out),
            lambda key, **out: keyrng.gamma(key, 2.5, (5,), **out),
            lambda key, **out: keyrng.uniform(key, (5,), None, -1, 2, **out),
            lambda key, **out: keyrng.sample_kernel(normal_kernel, key, (5,), SINGLE, compute="float64", **out),
            lambda key, **out: keyrng.sample_kernel(scaled, key, (5,), SINGLE, finite(a=2.5), compute="float64", **out),
        ):
            expected = call(key)
            for out in outs:
                assert call(moved, out=out) is out
                assert_same(host(out), expected)
            sample = call(moved)
            assert sample.device.id == device
            assert_same(host(sample), expected)


def test_what_is_like_an_earlier_draw_but_wrong(there: Gpu) -> None:
    key = KEY.to("cuda")
    for _ in range(2):
        keyrng.uniform(key, (2,))
        keyrng.bernoulli(key, 0.5, (1,))
        with pytest.raises(TypeError, match="shape must be"):
            keyrng.uniform(key, (2.0,))  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="shape must be"):
            keyrng.uniform(key, (True,))
        with pytest.raises(ValueError, match="p must be"):
            keyrng.bernoulli(key, 1.5, (1,))
        for out in (there.cupy.empty(3, np.float32), there.cupy.empty(2, np.float64)):
            with pytest.raises((TypeError, ValueError), match="out must have"):
                keyrng.uniform(key, (2,), "float32", out=out)
    assert_same(host(keyrng.split(key, 5)._words), keyrng.split(KEY, 5)._words)
    for number in (0, 2**32, 2**64 - 1):
        assert_same(host(keyrng.fold_in(key, number)._words), keyrng.fold_in(KEY, number)._words)


def test_memory_of_what_is_no_key() -> None:
    with pytest.raises(TypeError, match="expected a key, got int"):
        device_of(0)
