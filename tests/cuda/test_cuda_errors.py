"""Errors for keys on a GPU: raised before any launch, with the same messages as for keys on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from both_devices import KEY, WEIGHTS, Named, compare, to_gpu
from cases import assert_same
from gpus import Gpu, host

import keyrng

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("name", "named", "error", "says"),
    [
        ("permutation", {"x": np.arange(3)}, TypeError, r"x is on cpu but the key is on cuda:0; cupy.asarray\(x\)"),
        ("permutation", {"x": ["a", "b"]}, TypeError, "x is an array of <U1, which GPUs do not support"),
        ("permutation", {"x": keyrng.split(KEY)}, TypeError, r"x is on cpu but the key is on cuda:0; x.to\('cuda:0'\)"),
        ("permutation", {"x": 5, "out": np.empty(5, "int32")}, TypeError, "out is on cpu"),
        ("choice", {"a": np.arange(3)}, TypeError, "a is on cpu"),
        ("choice", {"a": 3, "p": np.ones(3)}, TypeError, "p is on cpu"),
        ("choice", {"a": 3, "p": [0.0, 0.0, 0.0]}, ValueError, "p must have a positive weight"),
        ("choice", {"a": 3, "p": [1.0, -1.0, 0.0]}, ValueError, "p must be finite and not negative"),
        ("categorical", {"logits": np.ones(3)}, TypeError, "logits is on cpu"),
        ("categorical", {"logits": [-INF, -INF]}, ValueError, "at least one class must have positive probability"),
        ("categorical", {"logits": [NAN]}, ValueError, "logits must be a number below infinity"),
        ("dirichlet", {"alpha": np.ones(3)}, TypeError, "alpha is on cpu"),
        ("dirichlet", {"alpha": [0.0, 1.0]}, ValueError, "alpha must be positive"),
        ("ball", {"d": 2, "p": np.ones(3), "shape": (3,)}, TypeError, "p is on cpu"),
        ("multinomial", {"n": 3, "p": np.ones(3)}, TypeError, "p is on cpu"),
        ("multinomial", {"n": 3, "p": [[0, 0]]}, ValueError, "a positive weight in every row"),
        ("multivariate_hypergeometric", {"colors": [1, 2], "nsample": 4}, ValueError, "at most the sum of colors"),
        ("multivariate_normal", {"mean": [0.0], "cov": np.ones((1, 1))}, TypeError, "cov is on cpu"),
        ("multivariate_normal", {"mean": [0.0], "cov": [[-1.0]]}, ValueError, "cov must be positive definite"),
        ("wishart", {"df": 0.5, "scale": [[1, 0], [0, 1]]}, ValueError, "df must be above 1"),
        ("index_shuffle", {"index": np.arange(3), "n": 3}, TypeError, "index is on cpu"),
        ("index_shuffle", {"index": [3], "n": 3}, ValueError, "index must be from 0 to n - 1"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() else "",
)
def test_errors(cupy: Any, name: str, named: Named, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        getattr(keyrng, name)(to_gpu(KEY), **named)


def test_what_is_on_another_device(cupy: Any) -> None:
    if cupy.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("there is one GPU")
    with cupy.cuda.Device(1):
        elsewhere = cupy.arange(3.0)
    for name, argument in (("permutation", "x"), ("choice", "a"), ("categorical", "logits"), ("dirichlet", "alpha")):
        with pytest.raises(TypeError, match=f"{argument} is on cuda:1 but the key is on cuda:0"):
            getattr(keyrng, name)(to_gpu(KEY), elsewhere)
        with pytest.raises(TypeError, match=f"{argument} is on cuda:0 but the key is on cpu"):
            getattr(keyrng, name)(KEY, to_gpu(np.arange(3.0)))
    # And everything works there, whichever device is the current one.
    key = KEY.to("cuda:1")
    assert_same(cupy.asnumpy(keyrng.permutation(key, elsewhere)), keyrng.permutation(KEY, np.arange(3.0)))
    for name, named in (
        ("choice", {"a": 5, "p": [0.1, 0.2, 0.3, 0.2, 0.2], "shape": (4,)}),
        ("categorical", {"logits": [0.0, 1.0, 2.0], "shape": (2,), "replace": False}),
        ("dirichlet", {"alpha": [0.5, 1.0], "shape": (2,)}),
        ("ball", {"d": 3, "shape": (2,)}),
        ("multinomial", {"n": 9, "p": [1.0, 2.0]}),
        ("multivariate_hypergeometric", {"colors": [9, 8], "nsample": 3}),
        ("index_shuffle", {"index": [0, 1], "n": 9}),
    ):
        sample = getattr(keyrng, name)(key, **named)
        assert sample.device.id == 1
        assert_same(cupy.asnumpy(sample), getattr(keyrng, name)(KEY, **named), name)
    for name, named in (
        ("orthogonal", {"n": 3}),
        ("multivariate_normal", {"mean": [0.0, 1.0], "cov": [[1.0, 0.5], [0.5, 1.0]]}),
        ("wishart", {"df": 3, "scale": [[1.0, 0.5], [0.5, 1.0]]}),
    ):
        sample = getattr(keyrng, name)(key, **named)
        assert sample.device.id == 1
        compare(cupy.asnumpy(sample), getattr(keyrng, name)(KEY, **named), True, name, named)


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("permutation", {"x": 2_000}),
        ("permutation", {"x": np.arange(6.0).reshape(2, 3), "axis": 1, "independent": True}),
        ("choice", {"a": 9, "shape": (3,), "replace": False}),
        ("choice", {"a": np.arange(17), "shape": (3,), "p": WEIGHTS[17]}),
        ("choice", {"a": 17, "shape": (3,), "p": WEIGHTS[17], "replace": False}),
        ("categorical", {"logits": WEIGHTS[250].reshape(50, 5)}),
        ("dirichlet", {"alpha": np.array([[0.5, 1.0], [2.0, 3.0]])}),
        ("ball", {"d": 3, "p": 2}),
        ("multinomial", {"n": 9, "p": WEIGHTS[16]}),
        ("multivariate_hypergeometric", {"colors": np.array([9, 8, 7]), "nsample": 3}),
        ("multivariate_normal", {"mean": np.zeros(2), "cov": np.eye(2)}),
        ("orthogonal", {"n": 3}),
        ("wishart", {"df": 3, "scale": np.eye(2)}),
        ("index_shuffle", {"index": np.arange(5), "n": 9}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_captured_sampler_follows_its_key(there: Gpu, name: str, named: Named) -> None:
    """Nothing comes from the host, not even a constant: words, when a graph is replayed, are those that are there then.

    On a real GPU libraries for matrices may refuse to be captured.
    """
    if there.double or (there.real and name in ("multivariate_normal", "orthogonal", "wishart")):
        pytest.skip("the double has no graphs, and cuSOLVER may refuse to be captured")
    cupy = there.cupy
    function, given = getattr(keyrng, name), {name: to_gpu(value) for name, value in named.items()}
    stream, pool = cupy.cuda.Stream(non_blocking=True), cupy.cuda.MemoryPool()
    with stream, cupy.cuda.using_allocator(pool.malloc):
        words = cupy.zeros(2, np.uint32)
        out = cupy.empty_like(function(keyrng.wrap_key_data(words), **given))
        counter = words[1]
        function(keyrng.fold_in(keyrng.wrap_key_data(words), counter), **given, out=out)  # compiles
        with there.without_waiting(uploads=False):
            stream.begin_capture()
            function(keyrng.fold_in(keyrng.wrap_key_data(words), counter), **given, out=out)
            graph = stream.end_capture()
    for number in (5, 6):
        with stream:
            words[...] = cupy.asarray(keyrng.key_data(keyrng.key(number)))
            counter[...] = number
            graph.launch()
        stream.synchronize()
        expected = function(keyrng.fold_in(keyrng.wrap_key_data(host(words)), number), **named)
        compare(host(out), expected, True, name, named)
