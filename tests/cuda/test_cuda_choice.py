"""choice and categorical for keys on a GPU: the CPU's bits, without synchronization."""

from __future__ import annotations

import importlib
import itertools
from typing import Any

import numpy as np
import pytest
from both_devices import KEY, KEYS, RNG, WEIGHTS, check, each_key, to_gpu, to_host
from cases import assert_same

import keyrng
from keyrng.distributions._shared.gumbel_top_k_cuda import CudaTopK


@each_key
@pytest.mark.parametrize("replace", [True, False])
def test_choice(cupy: Any, keys: str, replace: bool) -> None:
    for a, shape in itertools.product((3, 10, 20_000), ((), (3,), (0, 2), (1, 2))):
        check("choice", KEYS[keys], a=a, shape=shape, replace=replace)
    check("choice", KEYS[keys], a=np.arange(24.0).reshape(2, 4, 3), shape=(2, 2), axis=1, replace=replace)


@each_key
@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_choice_by_weight(cupy: Any, keys: str, replace: bool, dtype: str) -> None:
    for size, weights in WEIGHTS.items():
        p = weights.astype(dtype)
        shape = (min(3, np.count_nonzero(p)), 1)
        check("choice", KEYS[keys], a=size, shape=shape, p=p, replace=replace)
    check("choice", KEYS[keys], a=np.arange(32.0).reshape(16, 2), p=WEIGHTS[16].astype(dtype), replace=replace)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_of_any_size(cupy: Any, dtype: Any) -> None:
    """Subnormal ones too, which CuPy would flush, those of zeros with a sign, and such as rounding takes back."""
    tiny = np.finfo(dtype).smallest_subnormal
    for p in (
        np.array([tiny, 0, 3 * tiny, -0.0, tiny], dtype),
        np.array([-0.0, 1, -0.0], dtype),
        np.array([1, *[np.finfo(dtype).eps / 3] * 200, 0, 0], dtype),
        np.array([np.finfo(dtype).max / 2, 1, np.finfo(dtype).max / 4], dtype),
    ):
        drawn = keyrng.choice(to_gpu(KEY), p.size, (300,), p=to_gpu(p))
        assert_same(to_host(drawn), keyrng.choice(KEY, p.size, (300,), p=p), p)
    check("choice", KEY, a=3, shape=(300,), p=np.array([-0.0, 1, -0.0]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cumulative_sums(cupy: Any, dtype: Any) -> None:
    from keyrng.distributions._shared import weighted as host
    from keyrng.distributions._shared import weighted_cuda as device

    for size in (1, 2, 15, 16, 17, 256, 257, 4_097):
        x = RNG.random(size).astype(dtype)
        assert_same(to_host(device.cumulative_sum_cuda(to_gpu(x))), host.cumulative_sum(x), size)


def test_weights_that_are_scaled(cupy: Any) -> None:
    for p in ([1e308, 1e308, 1e308], [5e-324, 0.0, 1e-323], [1e300, 1e-300, 2e300]):
        check("choice", KEY, a=3, shape=(50,), p=np.array(p))
        check("choice", KEY, a=3, shape=(2,), p=np.array(p), replace=False)
        check("multinomial", KEY, n=100, p=np.array([p, [1.0, 2.0, 3.0]]), dtype="int32")


@pytest.mark.parametrize("mode", ["low", "high"])
def test_bernoulli(cupy: Any, mode: str) -> None:
    p = np.array([0.0, 1.0, 0.3, 1e-8, 2.0**-33, 3 * 2.0**-33, 1 - 2.0**-53])
    for given in (0.3, p, p.astype(np.float32), np.float32(0.3), p[:, None]):
        check("bernoulli", KEY, p=given, shape=(40, 7) if np.ndim(given) < 2 else (7, 40), mode=mode)


def test_logits_far_from_0(cupy: Any) -> None:
    for dtype, far in (
        (
            np.float32,
            [[-1e7, -1e7 + 1, -np.inf], [1e30, 1e30, 0.0], [-3.4e38, -np.inf, -3.4e38], [128.0, 127.0, -2.0]],
        ),
        (np.float64, [[-1e15, -1e15 + 1, -np.inf], [1e300, 1e300, 0.0], [-1.7e308] * 3, [-0.0, 0.0, -1e-310]]),
    ):
        check("categorical", KEY, logits=np.array(far, dtype), shape=(30, 4))
        check("categorical", KEY, logits=np.array(far, dtype), axis=0, shape=(30, 3))
        check("categorical", KEY, logits=np.array(far, dtype), shape=(2, 4), replace=False)
        check("categorical", KEY, logits=far, shape=(30, 4))


def test_categorical_draws(cupy: Any) -> None:
    logits = RNG.normal(size=(2, 3, 5)) * 3
    logits[0, 0, 1] = -np.inf
    for dtype, axis, mode in itertools.product((np.float32, np.float64), (0, 1, -1), (None, "high", "highest")):
        rest = tuple(np.delete(logits.shape, axis).tolist())
        for key in (KEYS["one"], KEYS["several"]):
            named = {"logits": logits.astype(dtype), "axis": axis, "mode": mode}
            check("categorical", key, **named)
            check("categorical", key, **named, shape=(3, *rest))
            check("categorical", key, **named, shape=(logits.shape[axis] - 1, *rest), replace=False)


@each_key
def test_categorical_shapes(cupy: Any, keys: str) -> None:
    for shape, axis, wanted in (((5,), 0, (4, 3)), ((1, 6), -1, (4, 2)), ((3, 4), 0, (0, 4)), ((300, 7), 0, None)):
        check("categorical", KEYS[keys], logits=RNG.normal(size=shape), axis=axis, shape=wanted)
    logits = RNG.normal(size=(*KEYS[keys].shape, 4, 2))
    for axis in (-2, -1):
        check("categorical", KEYS[keys], logits=logits, axis=axis, shape=(logits.shape[-3 - axis],))


@pytest.mark.parametrize("slab", [1, 7, 40])
def test_a_race_in_slabs(cupy: Any, monkeypatch: pytest.MonkeyPatch, slab: int) -> None:
    monkeypatch.setattr(CudaTopK, "slab", slab)
    for shape, axis in (((2, 11), 1), ((11, 3), 0), ((3, 4), 0)):
        for key, replace in itertools.product((KEYS["one"], keyrng.split(KEY, 3)), (True, False)):
            wanted = (2, *np.delete(shape, axis).tolist())
            check("categorical", key, logits=RNG.normal(size=shape), axis=axis, shape=wanted, replace=replace)


def test_the_first_of_equal_scores_wins(cupy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    race = importlib.import_module("keyrng.distributions._shared.gumbel_top_k_cuda")

    def score(lane: Any, logit: Any) -> Any:
        return race.ordered_word(logit)

    monkeypatch.setattr(race, "_scores", lambda gumbel: race.Kernel(score, "bare_score", ()))
    tiny = np.float32(1e-45)
    for logits, order in (
        ([1, 5, 5, 2, 5], [1, 2, 4, 3, 0]),
        ([-0.0, 0.0, -tiny, tiny, 2 * tiny], [4, 3, 0, 1, 2]),
        ([-np.inf, -1, -2, -1e38, -np.inf], [1, 2, 3, -1, -1]),
        ([0, np.nan, 1, 2, 3], [-1] * 5),
        ([0, np.inf, 1, 2, 3], [-1] * 5),
    ):
        for dtype, slab in itertools.product((np.float32, np.float64), (1, 100)):
            monkeypatch.setattr(CudaTopK, "slab", slab)
            table = to_gpu(np.array(logits, dtype))
            assert to_host(keyrng.categorical(to_gpu(KEY), table)) == order[0]
            assert to_host(keyrng.categorical(to_gpu(KEY), table, shape=(5,), replace=False)).tolist() == order
            several = to_gpu(np.stack([np.array(logits, dtype)] * 2))
            assert (
                to_host(keyrng.categorical(to_gpu(KEY), several, shape=(5, 2), replace=False)).T.tolist() == [order] * 2
            )
