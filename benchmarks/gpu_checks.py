"""Checks of gpu_smoke.py that need keyrng and CuPy only: each compares a GPU draw with the bits of the CPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import keyrng
from keyrng import algorithms


class SkippedError(Exception):
    """A check cannot run on this machine."""


@dataclass(frozen=True)
class Place:
    """CuPy, the device of the keys, and whether to use small sizes."""

    cupy: Any
    device: str = "cuda"
    small: bool = False

    def size(self, large: int, small: int) -> int:
        return small if self.small else large

    def put(self, array: Any) -> Any:
        """Copy a NumPy array to the device of the keys."""
        return array if self.device == "cpu" else self.cupy.asarray(array)

    def host(self, array: Any) -> Any:
        return self.cupy.asnumpy(array)


Check = Callable[[Place], None]
CHECKS: dict[str, Check] = {}  # in order of execution


def check(name: str) -> Callable[[Check], Check]:
    """Register a check."""

    def add(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return add


def same(actual: Any, expected: Any) -> None:
    """Assert equal dtype, shape and bits."""
    kinds = f"got {actual.dtype} {actual.shape}, the CPU returns {expected.dtype} {expected.shape}"
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape), kinds
    x, y = (np.frombuffer(a.tobytes(), np.uint8).reshape(-1, a.itemsize) for a in (actual, expected))
    wrong = np.flatnonzero((x != y).any(axis=1))
    if wrong.size:
        first = wrong[0]
        got, want = (
            f"{a.reshape(-1)[first]} ({a.reshape(-1)[first].tobytes()[::-1].hex()})" for a in (actual, expected)
        )
        raise AssertionError(f"{wrong.size} of {expected.size} differ; number {first} is {got}, on the CPU {want}")


# Samplers

Draw = Callable[[Any, Callable[[Any], Any], int], Any]  # arguments: key, `Place.put`, size

RNG = np.random.default_rng(0)
SHAPES = RNG.uniform(0.1, 30, 1003).astype(np.float32)
LOGITS = RNG.normal(size=(50, 17)).astype(np.float32)
WEIGHTS = RNG.random(100).astype(np.float32)
ALPHA = np.array([0.5, 1.0, 2.0, 7.0], np.float32)
INDICES = np.arange(0, 1000, 7)

DRAWS: dict[str, Draw] = {
    "uniform": lambda key, put, n: keyrng.uniform(key, (n,)),
    "normal": lambda key, put, n: keyrng.normal(key, (n,)),
    **{
        f"{name} {dtype}": lambda key, put, n, name=name, dtype=dtype: getattr(keyrng, name)(key, (n,), dtype)
        for name, dtypes in {
            "bits": ("uint8", "uint16", "uint32", "uint64"),
            "uniform": ("float64",),
            "normal": ("float16", "bfloat16", "float64", "complex64"),
        }.items()
        for dtype in dtypes
    },
    "gamma": lambda key, put, n: keyrng.gamma(key, 2.5, (n,)),
    "gamma of an array": lambda key, put, n: keyrng.gamma(key, put(SHAPES)),
    "poisson": lambda key, put, n: keyrng.poisson(key, 5.0, (n,)),
    "poisson of an array": lambda key, put, n: keyrng.poisson(key, put(SHAPES)),
    "randint": lambda key, put, n: keyrng.randint(key, (n,), -5, 1000),
    "bernoulli": lambda key, put, n: keyrng.bernoulli(key, 0.3, (n,)),
    "categorical": lambda key, put, n: keyrng.categorical(key, put(LOGITS)),
    "permutation of 1000": lambda key, put, n: keyrng.permutation(key, 1000),
    "choice with p": lambda key, put, n: keyrng.choice(key, 100, (n,), p=put(WEIGHTS)),
    "choice with p, no replacement": lambda key, put, n: keyrng.choice(key, 100, (20,), False, put(WEIGHTS)),
    "dirichlet": lambda key, put, n: keyrng.dirichlet(key, put(ALPHA), (n // 10,)),
    "index_shuffle": lambda key, put, n: keyrng.index_shuffle(key, put(INDICES), 1000),
    "split": lambda key, put, n: keyrng.split(key, (5, 7)),
    "fold_in": lambda key, put, n: keyrng.fold_in(key, 2**40 + 1),
    "fold_in of a name": lambda key, put, n: keyrng.fold_in(key, "dropout"),
    "fold_in of an array": lambda key, put, n: keyrng.fold_in(key.reshape(-1, 1), put(np.arange(100, dtype=np.uint64))),
}


def compare(place: Place, draw: Draw, impl: str = "threefry2x32") -> None:
    """Compare a draw with one key and with several keys to the CPU's."""
    key, n = keyrng.key(3, impl=impl), place.size(100_003, 1_003)
    for keys in (key, keyrng.split(key, 3)):
        expected, actual = draw(keys, lambda array: array, n), draw(keys.to(place.device), place.put, n)
        if isinstance(expected, keyrng.Key):
            actual, expected = keyrng.key_data(actual), keyrng.key_data(expected)
        same(place.host(actual), expected)


CHECKS |= {name: partial(compare, draw=draw) for name, draw in DRAWS.items()}
CHECKS |= {f"uniform, {name}": partial(compare, draw=DRAWS["uniform"], impl=name) for name in algorithms.names()}


@check("permutation of 3,000,000")
def long_permutation(place: Place) -> None:
    key, n = keyrng.key(3), place.size(3_000_000, 3_000)
    same(place.host(keyrng.permutation(key.to(place.device), n)), keyrng.permutation(key, n))


@check("more than 2**32 values")
def many_values(place: Place) -> None:
    key, n = keyrng.key(3), place.size(2**32, 2**16) + 3
    sample = keyrng.bits(key.to(place.device), (n,), "uint8")
    lazy = keyrng.lazy_array(keyrng.bits, key, shape=(n,), dtype="uint8")
    for start in (0, n // 2, n - 1003):
        same(place.host(sample[start : start + 1003]), lazy[start : start + 1003])


@check("out with gaps")
def into_gaps(place: Place) -> None:
    key, out = keyrng.key(3), place.put(np.zeros((1003, 2), np.float32))[:, 1]
    assert keyrng.normal(key.to(place.device), out=out) is out
    same(place.host(out), keyrng.normal(key, (1003,)))


@check("dropout of float16 with NaN")
def dropout_of_nan(place: Place) -> None:
    x = np.array([1.5, np.nan, -np.nan, np.inf, 0.0] * 100, np.float16)
    same(
        place.host(keyrng.dropout(keyrng.key(3).to(place.device), place.put(x), 0.3)),
        keyrng.dropout(keyrng.key(3), x, 0.3),
    )


@check("a captured graph, launched three times")
def captured(place: Place) -> None:
    cupy, n = place.cupy, place.size(100_003, 1_003)
    stream, pool = cupy.cuda.Stream(non_blocking=True), cupy.cuda.MemoryPool()
    with stream, cupy.cuda.using_allocator(pool.malloc):
        key = keyrng.key(3, device=place.device)
        counter, out = cupy.zeros((), dtype="uint64"), cupy.empty(n, dtype="float32")
        keyrng.normal(keyrng.fold_in(key, counter), out=out)
        counter += 1
        stream.begin_capture()
        keyrng.normal(keyrng.fold_in(key, counter), out=out)
        counter += 1
        graph = stream.end_capture()
        counter.fill(1)
        for step in (1, 2, 3):
            graph.launch()
            same(place.host(out), keyrng.normal(keyrng.fold_in(keyrng.key(3), step), (n,)))


# cuSOLVER, whose last bits differ from the CPU's

GOOD = [[2.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 0.5]]
BAD = {
    "negative": [[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "lopsided": [[1.0, 0.5, 0.0], [0.4, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "infinite": [[np.inf, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "NaN": [[1.0, np.nan, 0.0], [np.nan, 1.0, 0.0], [0.0, 0.0, 1.0]],
}
ZERO = [[0.0] * 3] * 3


def near(actual: Any, expected: Any) -> None:
    error = np.abs(actual - expected).max()
    assert error < 1e-4, f"the largest error is {error}"


def covariances(place: Place, method: str) -> None:
    """Check good, bad and zero matrices, single and in a batch."""
    key, mean = keyrng.key(3), np.array([1.0, -2.0, 0.5], np.float32)

    def drawn(cov: Any, shape: tuple[int, ...] | None = None) -> Any:
        cov = place.put(np.array(cov, np.float32))
        return place.host(keyrng.multivariate_normal(key.to(place.device), place.put(mean), cov, shape, method=method))

    n = place.size(50_000, 1_000)
    good, z = drawn(GOOD, (n,)), keyrng.normal(key, (n, 3))
    factor = np.linalg.lstsq(z, good - mean, rcond=None)[0].T
    near(factor @ factor.T, GOOD)
    if method == "cholesky":
        near(good, keyrng.multivariate_normal(key, mean, np.array(GOOD, np.float32), (n,)))
    for name, cov in BAD.items():
        assert np.isnan(drawn(cov, (5,))).all(), f"a {name} matrix has a factor"
    for count in (1, place.size(20_000, 10)):
        batch = drawn([GOOD, *BAD.values(), ZERO] * count).reshape(count, -1, 3)
        assert np.isfinite(batch[:, 0]).all(), f"{count} times: the good one of a batch is lost"
        assert np.isnan(batch[:, 1:-1]).all(), f"{count} times: a bad one of a batch has a factor"
        lost = np.isnan(batch[:, -1]).all() if method == "cholesky" else (batch[:, -1] == mean).all()
        assert lost, f"{count} times: zeros give {batch[0, -1]}"
        batch = drawn([GOOD] * (5 * count), None)
        assert np.isfinite(batch).all(), f"a batch of {5 * count} has NaN"


for _method in ("cholesky", "svd", "eigh"):
    CHECKS[f"multivariate_normal, {_method}"] = partial(covariances, method=_method)


@check("wishart")
def wishart(place: Place) -> None:
    key, scale = keyrng.key(3), np.array([GOOD, *BAD.values()], np.float32)
    sample = place.host(keyrng.wishart(key.to(place.device), 4.5, place.put(scale)))
    assert np.isnan(sample[1:]).all()
    near(sample[0], keyrng.wishart(key, 4.5, np.array([GOOD] * len(scale), np.float32))[0])


@check("orthogonal")
def orthogonal(place: Place) -> None:
    key, n = keyrng.key(3), place.size(200, 20)
    for arguments in ((3, (10,)), (n,), (3, (10,), "complex64")):
        q = place.host(keyrng.orthogonal(key.to(place.device), *arguments))
        near(q @ q.conj().swapaxes(-1, -2), np.eye(q.shape[-1]))
        near(q, keyrng.orthogonal(key, *arguments))
