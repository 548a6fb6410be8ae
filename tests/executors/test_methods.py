"""Arrays of parameters for which a kernel has two methods: C computes each for its lanes, with the values of NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import ALGORITHMS, PATHS, assert_same, on

import keyrng
from keyrng._codegen.methods import selects_method
from keyrng._codegen.trace import trace
from keyrng._executors import native
from keyrng.kernels import lane

pytestmark = pytest.mark.skipif(native.native is None, reason="no compiled part was built")

# A few lanes, all sizes of a vector, of a chunk and more, and none a multiple of both.
SIZES = (1, 2, 7, 16, 31, 33, 64, 65, 500, 2048, 2049, 4096 + 65)

# The share of lanes of the first method, and where there are one or two of the other.
SHARES = {"all": 1.0, "none": 0.0, "half": 0.5, "few": 0.02, "most": 0.98}


def parameters(share: float, n: int, rng: np.random.Generator) -> dict[str, tuple[Any, ...]]:
    """Parameters whose lanes have inversion as their method in about this share."""
    small = rng.random(n) < share
    lam = np.where(small, rng.uniform(0, 30, n), rng.uniform(30.5, 90, n))
    p = np.where(rng.random(n) < 0.5, lam / 400, 1 - lam / 400)
    good = np.where(small, rng.integers(1, 29, n), rng.integers(200, 300, n))
    return {
        "poisson": (lam,),
        "binomial": (np.full(n, 400), p),
        "negative_binomial": (np.where(small, 3.0, 300.0), rng.uniform(0.2, 0.6, n)),
        "hypergeometric": (good, np.full(n, 250), np.full(n, 200)),
        "logseries": (np.where(small, rng.uniform(0, 0.9, n), rng.uniform(0.91, 0.998, n)),),
    }


def check_paths(call: Callable[[], Any]) -> None:
    with on("numpy"):
        expected = call()
    for path in PATHS:
        with on(path):
            assert_same(call(), expected, path)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("name", ["poisson", "binomial", "negative_binomial", "hypergeometric", "logseries"])
@pytest.mark.turns(2)
def test_each_lane_has_its_method(name: str, share: str) -> None:
    rng, draw = np.random.default_rng(1), getattr(keyrng, name)
    for at, n in enumerate(SIZES):
        key = keyrng.key(at, impl=ALGORITHMS[at % len(ALGORITHMS)])
        given = parameters(SHARES[share], n, rng)[name]
        for dtype in ("int32", "int64", "int16"):
            check_paths(lambda: draw(key, *given, (n,), dtype))  # noqa: B023 (called in this turn)
        if name == "binomial":
            for dtype in ("float32", "float64"):
                check_paths(lambda: draw(key, *given, (n,), dtype))  # noqa: B023


@pytest.mark.parametrize("name", ["poisson", "binomial", "hypergeometric"])
def test_a_key_for_each_lane(name: str) -> None:
    rng, draw = np.random.default_rng(2), getattr(keyrng, name)
    for n in (5, 200, 2500):
        given = parameters(0.5, n, rng)[name]
        keys = keyrng.split(keyrng.key(3), n)
        check_paths(lambda: draw(keys, *given, ()))  # noqa: B023 (called in this turn)
        columns = [v[:, np.newaxis] for v in given]
        check_paths(lambda: draw(keys, *columns, (3,)))  # noqa: B023


def test_out_and_strides() -> None:
    key, lam = keyrng.key(4), np.linspace(0, 60, 3000).reshape(30, 100)
    for dtype in ("uint8", "int32", "int64"):
        out = np.full((30, 100), 77, dtype)
        assert keyrng.poisson(key, lam, out=out) is out
        expected = keyrng.poisson(key, lam, (30, 100), dtype)
        assert_same(out, expected, dtype)
    check_paths(lambda: keyrng.poisson(key, np.linspace(0, 60, 100), (30, 100)))
    check_paths(lambda: keyrng.poisson(key, np.asfortranarray(lam), (30, 100)))
    assert (keyrng.poisson(key, np.asfortranarray(lam), (30, 100), "int64") == expected).all()


def test_kernels_with_two_methods() -> None:
    found = set()
    for kernel in lane.kernels():
        for dtype in kernel.dtypes:
            if selects_method(trace(kernel.function, np.dtype(dtype), len(kernel.parameters))):
                found.add(kernel.name)
    wanted = {"poisson", "poisson_in_float32", "binomial", "binomial_in_float32", "hypergeometric", "negative_binomial"}
    assert found == wanted | {"logseries"}
