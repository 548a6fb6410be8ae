"""Samplers that use array functions, for keys on a GPU: the CPU's bits, without synchronization."""

from __future__ import annotations

import importlib
import itertools
from typing import Any

import numpy as np
import pytest
from both_devices import KEY, KEYS, RNG, WEIGHTS, Named, check, compare, each_key, to_gpu, to_host
from case import FLOATS, HAVE_BFLOAT16
from cases import assert_same
from gpus import without_waiting

import keyrng

# Orders


@each_key
def test_permutation_of_numbers(cupy: Any, keys: str) -> None:
    for x in (0, 1, 2, 7, 1_625, 1_626, np.int16(300)):
        check("permutation", KEYS[keys], x=x)


@each_key
@pytest.mark.parametrize("shape", [(4,), (1,), (0,), (3, 5), (5, 0), (2, 3, 4), (2, 1, 900)], ids=str)
def test_permutation_of_arrays(cupy: Any, keys: str, shape: tuple[int, ...]) -> None:
    x = RNG.normal(size=shape).astype(np.float32)
    for axis, independent in itertools.product(range(-len(shape), len(shape)), (False, True)):
        check("permutation", KEYS[keys], x=x, axis=axis, independent=independent)


@pytest.mark.parametrize("dtype", [*FLOATS, "bool", "int8", "uint64", "complex128"])
def test_elements_of_any_dtype(cupy: Any, dtype: str) -> None:
    x = (np.arange(12).reshape(3, 4) * 1.1).astype(np.dtype(dtype) if dtype != "bfloat16" else bfloat16())
    for key in (KEYS["one"], KEYS["several"]):
        moved = to_gpu(x)
        for axis in (0, 1):
            assert_same(to_host(keyrng.permutation(to_gpu(key), moved, axis)), keyrng.permutation(key, x, axis))
            drawn = keyrng.choice(to_gpu(key), moved, (2, 2), axis=axis)
            assert_same(to_host(drawn), keyrng.choice(key, x, (2, 2), axis=axis))


def bfloat16() -> Any:
    assert HAVE_BFLOAT16
    return importlib.import_module("ml_dtypes").bfloat16


@each_key
def test_keys_in_random_order(cupy: Any, keys: str) -> None:
    x = keyrng.split(keyrng.key(1), (4, 3))
    for axis in (0, 1):
        check("permutation", KEYS[keys], x=x, axis=axis)
        check("choice", KEYS[keys], a=x, shape=(2,), axis=axis, replace=False)


def test_any_algorithm(cupy: Any) -> None:
    key = keyrng.key(3, impl="philox4x32")
    check("permutation", key, x=2_000)
    check("choice", key, a=17, p=WEIGHTS[17], shape=(5,))
    check("categorical", key, logits=WEIGHTS[250], shape=(5,), replace=False)
    check("index_shuffle", key, index=np.arange(7), n=10)
    check("sample_without_replacement", key, n=10, shape=(2, 3))
    check("sample_without_replacement", KEYS["several"], n=10, shape=())


def test_permutation_into_its_own_array(cupy: Any) -> None:
    x = to_gpu(np.arange(100))
    assert keyrng.permutation(to_gpu(KEY), x, out=x) is x
    assert_same(to_host(x), keyrng.permutation(KEY, np.arange(100)))


# Rows


@each_key
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.turns(3)
def test_rows(cupy: Any, keys: str, dtype: str) -> None:
    key = KEYS[keys]
    for alpha in (np.array([1.0, 2.0, 3.0]), np.array([[0.1, 0.01, 5.0], [2, 2, 2]]), np.full(35, 0.5)):
        check("dirichlet", key, alpha=alpha, shape=(3, *alpha.shape[:-1]), dtype=dtype)
    for d in (0, 1, 3, 17):
        check("ball", key, d=d, shape=(2,), dtype=dtype)
        check("ball", key, d=d, p=np.array([0.5, 3.0]), shape=(4, 2), dtype=dtype)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.turns(3)
def test_extremes(cupy: Any, dtype: str) -> None:
    key, many = KEYS["one"], (1000,)
    largest, tiny = (1.7e308, 5e-324) if dtype == "float64" else (3.4e38, 2.0**-149)
    angles = np.array([0.5, 1e6, -3e15, 1e22, 1e28, -1.7e308])
    check("vonmises", key, mu=angles, kappa=np.full(6, 1e30), dtype=dtype)
    for a in (tiny, 1e-37, 1e-9, 0.5, largest):
        check("dirichlet", key, alpha=np.array([[a, 2 * a, 7 * a], [a, 1, 1]]) if a < 1 else np.full(3, a), dtype=dtype)
        check("beta", key, a=np.full(many, a), b=np.full(many, a if a > 1 else 3 * a), dtype=dtype)
        check("f", key, dfnum=np.full(many, a), dfden=np.full(many, a), dtype=dtype)
        check("t", key, df=np.full(many, a), dtype=dtype)
        check("noncentral_f", key, dfnum=np.full(many, a), dfden=2.0, nonc=np.full(many, 1.0), dtype=dtype)
        check("generalized_normal", key, p=np.full(many, a), shape=many, dtype=dtype)
        check("loggamma", key, a=np.full(many, a), dtype=dtype)
        check("weibull_min", key, scale=np.full(many, a), concentration=np.full(many, 0.05), shape=many, dtype=dtype)
        check("double_sided_maxwell", key, loc=np.full(many, a), scale=np.full(many, a), shape=many, dtype=dtype)
        for d in (1, 2):
            check("ball", key, d=d, p=np.full(many, a), shape=many, dtype=dtype)
    check("wishart", key, near=True, df=3.0, scale=np.array([[1e33, 0], [0, 1e-30]]), shape=(20,), dtype=dtype)


@each_key
@pytest.mark.parametrize("dtype", [*FLOATS, "uint8", "int32", "int64"])
@pytest.mark.turns(3)
def test_counts(cupy: Any, keys: str, dtype: str) -> None:
    key, p = KEYS[keys], np.array([[0.1, 0.2, 0, 0.7], [1, 1, 3, 0]])
    check("multinomial", key, n=100, p=p, dtype=dtype)
    check("multinomial", key, n=np.array([[3], [0], [90]]), p=p, dtype=dtype)
    check("multinomial", key, n=9, p=p[0], shape=(5, 4), dtype=dtype)
    if dtype not in FLOATS:
        colors = np.array([[16, 8, 4], [5, 3, 9]])
        check("multivariate_hypergeometric", key, colors=colors, nsample=7, dtype=dtype)
        check("multivariate_hypergeometric", key, colors=colors, nsample=np.array([7, 3]), shape=(4, 2), dtype=dtype)
        check("multivariate_hypergeometric", key, colors=np.zeros((2, 0)), nsample=0, dtype=dtype)


@each_key
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.turns(3)
def test_matrices(cupy: Any, keys: str, dtype: str) -> None:
    key = KEYS[keys]
    for n, m in ((3, 3), (4, 2), (2, 4), (1, 1), (0, 2)):
        check("orthogonal", key, near=True, n=n, m=m, shape=(2,), dtype=dtype)
    matrix = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 1.0]])
    for cov in (matrix, np.stack([matrix, 2 * matrix])):
        shape = (4, *cov.shape[:-2])
        for method in ("cholesky", "svd", "eigh"):
            named = {"cov": cov, "dtype": dtype, "method": method}
            check("multivariate_normal", key, near=True, mean=np.array([0.0, 1.0, 2.0]), shape=shape, **named)
        check("wishart", key, near=True, df=5, scale=cov, shape=shape, dtype=dtype)
        check("wishart", key, near=True, df=np.array([[3.0], [5.5]]), scale=cov, dtype=dtype)
    big = np.diag(np.arange(1.0, 20.0))
    check("multivariate_normal", key, near=True, mean=np.zeros(19), cov=big, dtype=dtype)
    check("wishart", key, near=True, df=21, scale=big, dtype=dtype)
    check("multivariate_normal", key, mean=np.zeros(0), cov=np.zeros((0, 0)), shape=(2,), dtype=dtype)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_unitary_matrices(cupy: Any, dtype: str) -> None:
    for key in (KEYS["one"], KEYS["several"]):
        check("orthogonal", key, near=True, n=3, m=2, shape=(2,), dtype=dtype)


# index_shuffle


@each_key
def test_index_shuffle(cupy: Any, keys: str) -> None:
    for n in (1, 2, 3, 9, 545, 1000, 10**6, 2**40 + 5, 2**63):
        for inverse in (False, True):
            index = RNG.integers(0, n, (2, 3), dtype=np.uint64)
            check("index_shuffle", KEYS[keys], index=index, n=n, inverse=inverse)
            check("index_shuffle", KEYS[keys], index=n // 2, n=n, inverse=inverse)


def test_whole_permutations_by_index(cupy: Any) -> None:
    for n in (*range(1, 40), 545, 577):
        index = to_gpu(np.arange(n, dtype=np.int32))
        shuffled = keyrng.index_shuffle(to_gpu(KEY), index, n)
        assert_same(to_host(shuffled), keyrng.index_shuffle(KEY, range(n), n))
        assert_same(to_host(keyrng.index_shuffle(to_gpu(KEY), shuffled, n, inverse=True)), np.arange(n))


def test_what_is_no_index(cupy: Any) -> None:
    index = to_gpu(np.array([-1, 0, 9, 10, 2**40]))
    inside = keyrng.index_shuffle(KEY, [0, 9], 10).tolist()
    for inverse in (False, True):
        inside = keyrng.index_shuffle(KEY, [0, 9], 10, inverse=inverse).tolist()
        assert to_host(keyrng.index_shuffle(to_gpu(KEY), index, 10, inverse=inverse)).tolist() == [-1, *inside, -1, -1]


# Values on a GPU, which are not checked on the host


def missing(name: str, **named: Any) -> list[bool]:
    """Return which rows of a result are NaN or -1 for parameters on a GPU; fail if only part of a row is."""
    with without_waiting():
        result = getattr(keyrng, name)(to_gpu(KEY), **{name: to_gpu(value) for name, value in named.items()})
    sample = to_host(result)
    gone = np.isnan(sample) if sample.dtype.kind == "f" else sample == np.array(-1).astype(sample.dtype)
    rows = gone.reshape(len(gone), -1)
    assert (rows.all(axis=1) == rows.any(axis=1)).all()
    found: list[bool] = rows.all(axis=1).tolist()
    return found


NAN, INF = np.nan, np.inf
N, NOT = np.array([5, -1, 5.5, NAN, 5, 5, 5, 5]), [False, True, True, True, True, True, True, False]
P = np.array([[1, 1], [1, 1], [1, 1], [1, 1], [-1, 2], [0, 0], [NAN, 1], [0, 1]])
COLORS, BYTES = np.array([[3, 4], [-1, 5], [0.5, 5], [2.0**53, 4], [1, 1], [2, 2]]), np.ones((3, 2), np.uint8)


@pytest.mark.parametrize(
    ("name", "named", "gone"),
    [
        ("categorical", {"logits": np.array([[0, NAN], [0, 1], [-INF, -INF], [INF, 0]])}, [True, False, True, True]),
        ("dirichlet", {"alpha": np.array([[1.0, 2], [0, 1], [1, NAN], [INF, 1], [-1, 1]])}, [False] + [True] * 4),
        ("ball", {"d": 2, "p": np.array([1.0, 0, -1, NAN, INF]), "shape": (5,)}, [False] + [True] * 4),
        ("multinomial", {"n": N, "p": P}, NOT),
        ("multinomial", {"n": N, "p": P, "dtype": "int32"}, NOT),
        ("multinomial", {"n": N, "p": P, "dtype": "uint8"}, NOT),
        (
            "multivariate_hypergeometric",
            {"colors": COLORS, "nsample": np.array([5, 2, 2, 1, 3, NAN]), "dtype": "int64"},
            [False, True, True, True, True, True],
        ),
        ("choice", {"a": 3, "shape": (2,), "p": np.array([0.0, 0, 0])}, [True, True]),
        ("choice", {"a": 3, "shape": (2,), "p": np.array([1.0, -1, 1])}, [True, True]),
        ("choice", {"a": 3, "shape": (2,), "p": np.array([1.0, NAN, 1])}, [True, True]),
        ("choice", {"a": 3, "shape": (2,), "p": np.array([1.0, INF, 1])}, [True, True]),
        ("choice", {"a": 3, "shape": (2,), "p": np.array([1.0, NAN, 1]), "replace": False}, [True, True]),
        ("choice", {"a": 3, "shape": (3,), "p": np.array([1.0, 0, 1]), "replace": False}, [False, False, True]),
        ("choice", {"a": np.ones(3), "shape": (2,), "p": np.zeros(3)}, [True, True]),
        ("choice", {"a": BYTES, "shape": (3,), "p": np.eye(3)[0], "replace": False}, [False, True, True]),
        ("wishart", {"df": np.array([1.5, 1.0, NAN, INF]), "scale": np.eye(2)}, [False, True, True, True]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_out_of_range_on_a_gpu(cupy: Any, name: str, named: Named, gone: list[bool]) -> None:
    assert missing(name, **named) == gone


METHODS = ("cholesky", "svd", "eigh")
GOOD, ZERO = [[2.0, 1.0], [1.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]]
WITHOUT_FACTORS = {
    "negative": [[1.0, 2.0], [2.0, 1.0]],
    "lopsided": [[1.0, 0.5], [0.4, 1.0]],
    "infinite": [[INF, 0.0], [0.0, 1.0]],
    "infinite off the diagonal": [[1.0, INF], [INF, 1.0]],
    "both infinities": [[1.0, INF], [-INF, 1.0]],
    "NaN": [[1.0, NAN], [NAN, 1.0]],
    "NaN on the diagonal": [[NAN, 0.0], [0.0, 1.0]],
    "all NaN": [[NAN, NAN], [NAN, NAN]],
}


@pytest.mark.parametrize("method", METHODS)
def test_matrices_without_factors(cupy: Any, method: str) -> None:
    """Alone and in a batch, in which the others have theirs."""
    mean, bad = [0.0, 0.0], list(WITHOUT_FACTORS.values())
    for cov in (GOOD, *bad):
        gone = missing("multivariate_normal", mean=mean, cov=np.array(cov), method=method, shape=(1,))
        assert gone == [cov is not GOOD], (cov, method)
    batch = np.array([GOOD, *bad, GOOD])
    lost = [False, *[True] * len(bad), False]
    assert missing("multivariate_normal", mean=mean, cov=batch, method=method) == lost
    key = keyrng.split(KEY, 3)
    sample = to_host(keyrng.multivariate_normal(to_gpu(key), mean, to_gpu(batch), method=method))
    good = keyrng.multivariate_normal(key, mean, np.array([GOOD] * len(batch)), method=method)
    compare(sample[:, [0, -1]], good[:, [0, -1]], True, "multivariate_normal", {"method": method})


def test_scales_without_factors(cupy: Any) -> None:
    bad = list(WITHOUT_FACTORS.values())
    assert missing("wishart", df=3, scale=np.array([GOOD, *bad, ZERO])) == [False, *[True] * len(bad), True]
    for cov in (*bad, ZERO):
        assert missing("wishart", df=3, scale=np.array(cov), shape=(1,)) == [True]


@pytest.mark.parametrize("method", METHODS)
def test_a_covariance_of_zeros(cupy: Any, method: str) -> None:
    """The mean itself, as on the CPU; Cholesky takes no eigenvalue of 0."""
    mean, key = np.array([1.0, -2.0]), to_gpu(KEY)
    batch = to_gpu(np.array([ZERO, GOOD, ZERO]))
    one = to_host(keyrng.multivariate_normal(key, to_gpu(mean), batch[0], (4,), method=method))
    many = to_host(keyrng.multivariate_normal(key, to_gpu(mean), batch, method=method))
    if method == "cholesky":
        assert np.isnan(one).all()
        assert np.isnan(many).all(axis=-1).tolist() == [True, False, True]
        return
    assert (one == mean).all()
    assert (many[[0, 2]] == mean).all()
    assert np.isfinite(many[1]).all()


@pytest.mark.parametrize("method", ["svd", "eigh"])
def test_eigenvalues_that_are_slightly_negative(cupy: Any, method: str) -> None:
    """They are roundings of zeros, as on the CPU, for matrices of any size and scale."""
    rng = np.random.default_rng(5)
    for n, scale in ((2, 1.0), (2, 1e-200), (3, 1e200), (12, 1.0), (40, 1e-3)):
        turn = np.linalg.qr(rng.normal(size=(n, n)))[0]
        turn[:, 0] = 1.0  # the other vectors of a constant one: the largest eigenvalue for these entries
        turn = np.linalg.qr(turn)[0]
        values = np.zeros(n)
        values[0], values[-1] = 1.0, -0.9e-5
        cov = (turn * values * scale) @ turn.T
        cov = (cov + cov.T) / 2
        gone = missing("multivariate_normal", mean=np.zeros(n), cov=cov, method=method, shape=(1,), dtype="float64")
        assert gone == [False], (n, scale)


def test_what_a_library_leaves_instead_of_a_factor(cupy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """CuPy says nothing of it, so the factor is looked at: its product is the matrix, and its diagonal positive."""
    matrix = np.array([[[4.0, 0.0], [0.0, 9.0]], [[2.0, 1.0], [1.0, 2.0]]])
    right = np.linalg.cholesky(matrix)
    for left, gone in (
        (right, [False, False]),
        (matrix, [True, True]),
        (-right, [True, True]),
        (right[:1], [False, True]),
    ):
        given = to_gpu(np.ascontiguousarray(np.broadcast_to(left, matrix.shape)))
        monkeypatch.setattr(cupy.linalg, "cholesky", lambda a, given=given: given)
        assert missing("multivariate_normal", mean=[0.0, 0.0], cov=matrix) == gone
        assert missing("wishart", df=5, scale=matrix) == gone


@pytest.mark.parametrize("method", ["svd", "eigh"])
def test_wrong_eigenvectors_are_seen(cupy: Any, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """The factors of either routine are used only where their product is the matrix."""
    matrix = np.array([[[4.0, 0.0], [0.0, 9.0]], GOOD, [[1.0, 0.5], [0.5, 3.0]]])
    values, vectors = np.linalg.eigh(matrix)
    diagonals = np.sort(np.diagonal(matrix, axis1=-2, axis2=-1))
    for left, right, gone in (
        (values, vectors, [False, False, False]),
        (diagonals, vectors, [False, True, True]),
        (values * np.nan, vectors, [True, True, True]),
        (values, vectors * [[[np.nan]], [[1.0]], [[1.0]]], [True, False, False]),
        (values, vectors[..., ::-1], [True, True, True]),
        (values * [[1.0], [1.0], [1.001]], vectors, [False, False, True]),
    ):
        given = tuple(map(to_gpu, (left, np.ascontiguousarray(right))))
        if method == "svd":
            turned = given[1], given[0], given[1].swapaxes(-1, -2)
            monkeypatch.setattr(cupy.linalg, "svd", lambda a, turned=turned: turned)
        else:
            monkeypatch.setattr(cupy.linalg, "eigh", lambda a, given=given: given)
        assert missing("multivariate_normal", mean=[0.0, 0.0], cov=matrix, method=method) == gone
