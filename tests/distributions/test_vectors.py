"""Samplers of vectors, of matrices and of complex numbers: the laws, paths and out, which samplers of numbers have too.

The laws hold for the axes before those of a vector or a matrix. They hold bit for bit where a sampler goes through
LAPACK too, because the arithmetic outside of LAPACK is done in a fixed order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from cases import ALGORITHMS, CASES, FLOATS, INTEGERS, PATHS, Array, assert_same, each_algorithm, on

import keyrng

KEY = keyrng.key(0)

MEAN = np.array([1.0, -2.0, 0.5])
COV = np.array([[2.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 0.5]])
COMPLEX = ("complex64", "complex128")


@dataclass(frozen=True)
class Block:
    """A sampler of vectors or matrices of a shape: its function and parameters, and the dtypes it has."""

    name: str
    function: Callable[..., Array]
    parameters: tuple[Any, ...]
    shape: tuple[int, ...]
    dtypes: tuple[str, ...] = FLOATS
    more: dict[str, Any] = field(default_factory=dict)

    def call(self, keys: keyrng.Key, shape: tuple[int, ...] | None, dtype: str | None, **out: Any) -> Array:
        """Call the sampler for the axes before those of a vector or a matrix; for those of out with None."""
        if shape is not None:
            classes = self.shape if self.function is keyrng.multinomial else ()
            out["shape"] = (*shape, *classes)
        return self.function(keys, *self.parameters, dtype=dtype, **self.more, **out)

    def __str__(self) -> str:
        return self.name


NORMAL = keyrng.multivariate_normal
BLOCKS = (
    *(Block(m, NORMAL, (MEAN, COV), (3,), more={"method": m}) for m in ("cholesky", "svd", "eigh")),
    Block("one number", NORMAL, ([1.0], [[4.0]]), (1,)),
    Block("orthogonal", keyrng.orthogonal, (3,), (3, 3), FLOATS + COMPLEX),
    Block("tall", keyrng.orthogonal, (5,), (5, 2), FLOATS + COMPLEX, {"m": 2}),
    Block("wide", keyrng.orthogonal, (2,), (2, 4), FLOATS + COMPLEX, {"m": 4}),
    Block("wishart", keyrng.wishart, (4.5, COV), (3, 3)),
    Block("dirichlet", keyrng.dirichlet, ([2.0, 3.0, 1.0],), (3,)),
    Block("dirichlet below 1", keyrng.dirichlet, ([0.2, 1.0, 3.0, 0.9],), (4,)),
    Block("ball", keyrng.ball, (5, 2), (5,)),
    Block("ball of 1-norm", keyrng.ball, (2, 1.0), (2,)),
    Block("multinomial", keyrng.multinomial, (50, [0.2, 0.0, 0.5, 0.3]), (4,), (*INTEGERS, "float32", "float64")),
    Block("colors", keyrng.multivariate_hypergeometric, ([30, 0, 20, 10], 25), (4,), INTEGERS),
    Block("normal", keyrng.normal, (), (), COMPLEX),
    Block("lognormal", keyrng.lognormal, (0.75,), (), COMPLEX),
)
each_block = pytest.mark.parametrize("block", BLOCKS, ids=str)


def test_every_sampler_of_complex_numbers_is_here() -> None:
    assert {case.name for case in CASES if case.complex} <= {block.name for block in BLOCKS if not block.shape}


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
        assert_same(block.call(key, (), dtype), block.call(key, (1,), dtype)[0])
        assert block.call(key, (0,), dtype).shape == (0, *block.shape)
        assert block.call(keyrng.split(key, 0), (4,), dtype).shape == (0, 4, *block.shape)
        for length in (1, 2, 3, 5, 129, 2_049):
            assert_same(block.call(key, (length,), dtype), whole[:length])
        for place in np.ndindex(2, 3):
            assert_same(block.call(keys[place], (70,), dtype), many[place])


@each_block
def test_a_long_sample_begins_with_a_short_one(block: Block) -> None:
    # Longer than a block of `product`.
    dtype = block.dtypes[-1]
    whole = block.call(KEY, (70_000,), dtype)

    assert_same(block.call(KEY, (5,), dtype), whole[:5])
    assert_same(block.call(KEY, (30_011,), dtype), whole[:30_011])


@each_block
def test_every_path_gives_the_same_bits(block: Block) -> None:
    for algorithm in ALGORITHMS[::3]:
        key = keyrng.key(8, impl=algorithm)
        for dtype in block.dtypes:
            with on("numpy"):
                expected = block.call(key, (2_311,), dtype)
            for path in PATHS[1:]:
                with on(path):
                    assert_same(block.call(key, (2_311,), dtype), expected, path, dtype)


@pytest.mark.parametrize("block", [block for block in BLOCKS if "float16" in block.dtypes], ids=str)
def test_narrow_floats_are_rounded_once(block: Block) -> None:
    wide = block.call(KEY, (50,), "float32")
    for dtype in FLOATS[:-2]:
        assert_same(block.call(KEY, (50,), dtype), wide.astype(dtype))


@each_block
def test_out(block: Block) -> None:
    calls = ((KEY, (12,)), (keyrng.split(KEY, 3), (4,)), (KEY, ()))
    for dtype, (keys, shape) in itertools.product(block.dtypes[:: len(block.dtypes) - 1], calls):
        expected = block.call(keys, shape, dtype)
        outs = [np.empty_like(expected), np.empty(expected.shape, dtype, order="F")]
        outs += [np.empty((*expected.shape, 2), dtype)[..., 0]]
        for out in outs:
            for given, kind in ((shape, dtype), (shape, None), (None, None)):  # without them, those of out
                if given is None and block.function in (keyrng.dirichlet, keyrng.ball):
                    continue  # their shape is not that of out
                out[...] = 0
                assert block.call(keys, given, kind, out=out) is out
                assert_same(np.ascontiguousarray(out), np.ascontiguousarray(expected))
        for wrong, error in (
            *([(np.zeros(expected.shape[1:], dtype), ValueError)] if shape else []),
            (np.zeros(expected.shape, ">M8[s]"), TypeError),
            ([0], TypeError),
        ):
            with pytest.raises(error, match="out"):
                block.call(keys, shape, dtype, out=wrong)


@pytest.mark.parametrize("path", PATHS[1:])
@pytest.mark.parametrize("dtype", FLOATS)
def test_lengths_of_vectors(path: str, dtype: str) -> None:
    for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33):
        root = np.random.default_rng(n).normal(size=(n, n))
        cov = root @ root.T + np.eye(n)
        for call in (
            lambda n=n, cov=cov: keyrng.multivariate_normal(KEY, np.arange(float(n)), cov, (301,), dtype),
            lambda n=n, cov=cov: keyrng.multivariate_normal(KEY, np.arange(float(n)), cov, (301,), dtype, "eigh"),
            lambda n=n: keyrng.dirichlet(KEY, np.linspace(0.5, 3.0, n), (301,), dtype),
        ):
            with on("numpy"):
                expected = call()
            with on(path):
                assert_same(call(), expected, n)
