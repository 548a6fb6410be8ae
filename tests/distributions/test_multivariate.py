"""multivariate_normal, orthogonal and wishart, which go through LAPACK: jax and laws.

The laws hold bit for bit for the axes before those of a vector or a matrix, because the arithmetic outside of LAPACK is
done in a fixed order.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import FLOATS, PATHS, Array, assert_same, each_algorithm, on

import keyrng
from keyrng.distributions._shared.covariance import factor

DATA = Path(__file__).parents[1] / "data"
KEY = keyrng.key(0)

MEAN = np.array([1.0, -2.0, 0.5])
COV = np.array([[2.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 0.5]])
COMPLEX = ("complex64", "complex128")


@dataclass(frozen=True)
class Block:
    """A sampler of vectors or matrices of a shape: a call for the axes before them, and the dtypes it has."""

    name: str
    call: Callable[..., Array]
    shape: tuple[int, ...]
    dtypes: tuple[str, ...] = FLOATS

    def __str__(self) -> str:
        return self.name


BLOCKS = (
    *(
        Block(method, lambda k, s, d, m=method, **o: keyrng.multivariate_normal(k, MEAN, COV, s, d, m, **o), (3,))
        for method in ("cholesky", "svd", "eigh")
    ),
    Block("one number", lambda k, s, d, **o: keyrng.multivariate_normal(k, [1.0], [[4.0]], s, d, **o), (1,)),
    Block("orthogonal", lambda k, s, d, **o: keyrng.orthogonal(k, 3, s, d, **o), (3, 3), FLOATS + COMPLEX),
    Block("tall", lambda k, s, d, **o: keyrng.orthogonal(k, 5, s, d, 2, **o), (5, 2), FLOATS + COMPLEX),
    Block("wide", lambda k, s, d, **o: keyrng.orthogonal(k, 2, s, d, 4, **o), (2, 4), FLOATS + COMPLEX),
    Block("wishart", lambda k, s, d, **o: keyrng.wishart(k, 4.5, COV, s, d, **o), (3, 3)),
)
each_block = pytest.mark.parametrize("block", BLOCKS, ids=str)


# Laws


@each_block
@each_algorithm
def test_laws_of_the_axes_before(block: Block, algorithm: str) -> None:
    key = keyrng.key(7, impl=algorithm)
    for dtype in block.dtypes[-3:]:
        whole = block.call(key, (2_100,), dtype)
        keys = keyrng.split(key, (2, 3))
        many = block.call(keys, (70,), dtype)

        assert whole.shape == (2_100, *block.shape) and whole.dtype == np.dtype(dtype)
        assert_same(block.call(key, (30, 70), dtype), whole.reshape(30, 70, *block.shape))
        assert_same(block.call(key, (), dtype), block.call(key, 1, dtype)[0])
        assert block.call(key, (0,), dtype).shape == (0, *block.shape)
        assert block.call(keyrng.split(key, 0), (4,), dtype).shape == (0, 4, *block.shape)
        for length in (1, 2, 3, 5, 129):
            assert_same(block.call(key, (length,), dtype), whole[:length])
        for place in np.ndindex(2, 3):
            assert_same(block.call(keys[place], (70,), dtype), many[place])


@each_block
def test_a_long_sample_begins_with_a_short_one(block: Block) -> None:
    # Longer than a block of `product`.
    whole = block.call(KEY, (70_000,), "float32")

    assert_same(block.call(KEY, (5,), "float32"), whole[:5])
    assert_same(block.call(KEY, (30_011,), "float32"), whole[:30_011])


@each_block
def test_every_path_gives_the_same_bits(block: Block) -> None:
    for dtype in block.dtypes:
        with on("numpy"):
            expected = block.call(KEY, (1_100,), dtype)
        for path in PATHS[1:]:
            with on(path):
                assert_same(block.call(KEY, (1_100,), dtype), expected, path, dtype)


@each_block
def test_narrow_floats_are_rounded_once(block: Block) -> None:
    wide = block.call(KEY, (50,), "float32")
    for dtype in block.dtypes[:-2]:
        if np.dtype(dtype).itemsize == 2:
            assert_same(block.call(KEY, (50,), dtype), wide.astype(dtype))


@each_block
def test_out(block: Block) -> None:
    for keys, shape in ((KEY, (12,)), (keyrng.split(KEY, 3), (4,)), (KEY, ())):
        dtype = block.dtypes[-1]
        expected = block.call(keys, shape, dtype)
        out = np.zeros_like(expected)
        spaced = np.zeros((*expected.shape, 2), dtype)[..., 0]

        assert block.call(keys, shape, dtype, out=out) is out
        assert block.call(keys, shape, dtype, out=spaced) is spaced
        assert_same(out, expected)
        assert_same(np.ascontiguousarray(spaced), expected)
        out[...] = 0
        block.call(keys, () if len(block.shape) == 2 and block.name != "wishart" else None, dtype, out=out)
        assert_same(out, expected)
        for wrong, error in (
            (np.zeros((*expected.shape[:-1], 7), dtype), ValueError),
            (np.zeros(expected.shape, np.int32), TypeError),
            ([0], TypeError),
        ):
            with pytest.raises(error, match="out"):
                block.call(keys, shape, dtype, out=wrong)


def test_parameters_broadcast() -> None:
    key, keys = KEY, keyrng.split(KEY, 2)
    means = np.stack([MEAN, MEAN + 1, MEAN * 2])
    covs = np.stack([COV, COV * 4]).reshape(2, 1, 3, 3)
    for method in ("cholesky", "svd", "eigh"):
        x = keyrng.multivariate_normal(key, means, covs, method=method)
        assert x.shape == (2, 3, 3)
        assert_same(keyrng.multivariate_normal(key, means, covs, (2, 3), method=method), x)
        z = keyrng.multivariate_normal(key, np.zeros(3), COV, (2, 3), method=method)
        np.testing.assert_allclose(x[0], means + z[0], 1e-12)
        np.testing.assert_allclose(x[1], means + 2 * z[1], 1e-12)
        batch = keyrng.multivariate_normal(keys, means, covs, method=method)
        assert batch.shape == (2, 2, 3, 3)
        assert_same(batch[1], keyrng.multivariate_normal(keys[1], means, covs, method=method))
        # A matrix for each key.
        one = keyrng.multivariate_normal(keys, MEAN, covs, (3,), method=method)
        assert_same(one[1], keyrng.multivariate_normal(keys[1], MEAN, covs[1, 0], (3,), method=method))
    df = np.array([[3.0], [5.5]])
    x = keyrng.wishart(key, df, covs[:, 0])
    assert x.shape == (2, 2, 3, 3)
    assert_same(keyrng.wishart(key, df, covs[:, 0], (2, 2)), x)
    alone = keyrng.wishart(key, 3.0, COV, (2, 2))[0]
    np.testing.assert_allclose(x[0], alone * np.array([1, 4]).reshape(2, 1, 1), 1e-12)
    assert_same(keyrng.wishart(keys, df, covs[:, 0])[1], keyrng.wishart(keys[1], df, covs[:, 0]))


def test_dtype_is_that_of_the_arrays() -> None:
    listed = MEAN.tolist(), COV.tolist()
    for given, expected in (
        (listed, "float32"),
        ((MEAN, COV), "float64"),
        ((MEAN.astype("float32"), COV), "float64"),
        ((MEAN.astype("float32"), listed[1]), "float32"),
        ((listed[0], COV.astype("float16")), "float16"),
        ((np.zeros(3, int), np.eye(3, dtype=int)), "float32"),
        ((np.zeros(3, int), COV), "float64"),
        *((((MEAN.astype("float16"), COV.astype("bfloat16")), "float32"),) if "bfloat16" in FLOATS else ()),
    ):
        assert keyrng.multivariate_normal(KEY, *given).dtype == expected
        assert keyrng.multivariate_normal(KEY, *given, dtype="float32").dtype == "float32"
    assert keyrng.wishart(KEY, 3, COV).dtype == "float64"
    assert keyrng.wishart(KEY, 3, COV.tolist()).dtype == "float32"
    assert keyrng.wishart(KEY, np.float64(3), COV.tolist()).dtype == "float64"
    assert keyrng.wishart(KEY, np.float64(3), COV, dtype="float32").dtype == "float32"


# jax

NEAR = {"float32": 2e-6, "complex64": 2e-6, "float64": 1e-13, "complex128": 1e-13}


def golden() -> Iterator[tuple[dict[str, Any], Array]]:
    arrays = np.load(DATA / "jax_golden.npz")
    for entry in json.loads((DATA / "jax_golden.json").read_text())["entries"]:
        if entry["fn"] in ("multivariate_normal", "orthogonal"):
            yield entry, arrays[entry["id"]]


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        if "__a__" in value:
            return np.array(value["__a__"], value["dtype"])
        return tuple(value["__t__"]) if "__t__" in value else value["__dt__"]
    return value


def test_golden() -> None:
    found = 0
    for entry, expected in golden():
        args = [plain(a) for a in entry["args"]]
        kwargs = {name: plain(v) for name, v in entry["kwargs"].items()}
        actual = getattr(keyrng, entry["fn"])(keyrng.key(entry["key"]["seed"]), *args, **kwargs)

        assert actual.shape == expected.shape and actual.dtype == expected.dtype, entry["id"]
        assert np.abs(actual - expected).max() < NEAR[entry["dtype"]], entry["id"]
        found += 1
    assert found == 21


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_multivariate_normal_of_jax_with_fresh_keys(dtype: str) -> None:
    jax = pytest.importorskip("jax")
    rng = np.random.default_rng(4)
    # Eigenvalues apart, so that eigenvectors are no matter of roundings, but for their signs.
    turn = np.linalg.qr(rng.normal(size=(2, 1, 3, 3)))[0]
    cov = ((turn * np.array([1.0, 3.0, 8.0])) @ np.swapaxes(turn, -1, -2)).astype(dtype)
    mean, seed = rng.normal(size=(4, 3)).astype(dtype), int(rng.integers(2**62))
    z = keyrng.normal(keyrng.key(seed), (2, 4, 3), dtype)
    for method in ("cholesky", "svd", "eigh"):
        with jax.enable_x64(True):
            theirs = np.asarray(jax.random.multivariate_normal(jax.random.key(seed), mean, cov, method=method))
        ours = keyrng.multivariate_normal(keyrng.key(seed), mean, cov, method=method)
        assert ours.shape == theirs.shape == (2, 4, 3) and ours.dtype == theirs.dtype
        for i in range(2):
            root = factor("cov", cov[i, 0].astype(float), method)
            signs = itertools.product((1, -1), repeat=3) if method != "cholesky" else [(1, 1, 1)]
            near = [np.abs(mean + z[i] @ (root * s).T - theirs[i]).max() for s in signs]
            assert np.abs(mean + z[i] @ root.T - ours[i]).max() < 10 * NEAR[dtype], method
            assert min(near) < 10 * NEAR[dtype], method


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_orthogonal_of_jax_with_fresh_keys(dtype: str) -> None:
    jax = pytest.importorskip("jax")
    seed = 2**40 + 17
    for m in (None, 1, 5):
        with jax.enable_x64(True):
            theirs = np.asarray(jax.random.orthogonal(jax.random.key(seed), 3, (4,), dtype, m))
        ours = keyrng.orthogonal(keyrng.key(seed), 3, (4,), dtype, m)
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        assert np.abs(ours - theirs).max() < NEAR[dtype], m
