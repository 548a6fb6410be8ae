"""Calls of public functions that draw and have no Case; values.json has their values, by name.

Bits that depend on LAPACK (`orthogonal`, and factors of covariances) are not guaranteed, so the covariances here have
factors of small integers, which every library computes exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import FLOATS, Array

import keyrng
from keyrng import initializers
from keyrng.interop.numpy import bit_generator

Call = Callable[[keyrng.Key], Any]

COVARIANCE = [[4.0, 2.0, -2.0], [2.0, 5.0, 3.0], [-2.0, 3.0, 21.0]]  # the factor: 2; 1, 2; -1, 2, 4
MEAN, SHAPE = [0.1, 2.0, -3.0], [0.5, 1.0, 2.0]
LOGITS = np.array([0.0, 1.5, -2.25, 0.1, -7.0, 0.9], np.float32)
WEIGHTS = [0.0, 1.0, 2.5, 0.1, 1e-3, 7.0]
SHAPES = {"encoder": [{"weight": (3, 4), "bias": (4,)}], "decoder": (4, 3)}

#: Names in ``keyrng.__all__`` that do not draw, or whose bits are not guaranteed.
WITHOUT_VALUES = {
    "EpochBatches", "Key", "LazyArray", "ShuffledBatches", "algorithms", "debug", "get_num_threads", "key_impl",
    "orthogonal", "set_num_threads", "initializers", "initializers.Initializer", "initializers.delta_orthogonal",
    "initializers.orthogonal",
    "sample_kernel",  # which every sampler calls
}  # fmt: skip


def data(*keys: keyrng.Key) -> list[Array]:
    return [keyrng.key_data(key) for key in keys]


KEYS: dict[str, Call] = {
    "key": lambda key: data(key),
    "key_data": lambda key: keyrng.key_data(keyrng.split(key, 3)),
    "wrap_key_data": lambda key: keyrng.bits(keyrng.wrap_key_data(keyrng.key_data(key), impl=key.impl), 9),
    "clone": lambda key: data(keyrng.clone(key)),
    "split": lambda key: data(keyrng.split(key), keyrng.split(key, (3, 67)), keyrng.split(keyrng.split(key, 3), 5)),
    "fold_in": lambda key: data(
        *(keyrng.fold_in(key, number) for number in (0, 1, 2**32 - 1, 2**32, 2**64 - 1)),
        keyrng.fold_in(key, np.arange(200)),
        keyrng.fold_in(keyrng.split(key, 3)[:, None], np.array([5, 2**40], np.uint64)),
    ),
    "fold_in by name": lambda key: data(
        *(keyrng.fold_in(key, name) for name in ("", "dropout", b"\x00", "éß漢", ("layer", 3, "bias")))
    ),
    "keys_like": lambda key: data(*leaves(keyrng.keys_like(key, SHAPES))),
    "stack": lambda key: data(keyrng.stack([key, keyrng.clone(key)])),
    "concatenate": lambda key: data(keyrng.concatenate([keyrng.split(key, 2), keyrng.split(key, 3)])),
    "key.generate_state": lambda key: [key.generate_state(9), key.generate_state(5, np.uint64)],
    "key.spawn": lambda key: data(*key.spawn(3)),
    "key of a name": lambda key: data(*(keyrng.key(seed, impl=key.impl) for seed in ("experiment 7", b"\x01\x02"))),
    "interop.numpy.bit_generator": lambda key: bit_generator(key).random_raw(600),
}

ORDERS: dict[str, Call] = {
    "permutation": lambda key: [keyrng.permutation(key, n) for n in (1000, 1, 70_000)],
    "permutation of an axis": lambda key: keyrng.permutation(key, np.arange(60).reshape(3, 20), 1),
    "permutation independent": lambda key: keyrng.permutation(key, np.arange(60).reshape(3, 20), 1, True),
    "permutation of keys": lambda key: data(keyrng.permutation(key, keyrng.split(key, 20))),
    "index_shuffle": lambda key: [keyrng.index_shuffle(key, np.arange(50), n) for n in (50, 10**6, 2**63)],
    "sample_without_replacement": lambda key: [keyrng.sample_without_replacement(key, n, 50) for n in (50, 2**63)],
    "index_shuffle inverse": lambda key: keyrng.index_shuffle(key, np.arange(50), 10**12, inverse=True),
    "choice": lambda key: keyrng.choice(key, 1000, (100,)),
    "choice without replacement": lambda key: [keyrng.choice(key, n, (100,), False) for n in (1000, 100_000)],
    "choice by weight": lambda key: keyrng.choice(key, 6, (1000,), p=WEIGHTS),
    "choice by weight float64": lambda key: keyrng.choice(key, 6, (1000,), p=np.array(WEIGHTS)),
    "choice by weight without replacement": lambda key: keyrng.choice(key, 6, (4,), False, WEIGHTS),
    "categorical": lambda key: keyrng.categorical(key, LOGITS, shape=(500,)),
    "categorical float64": lambda key: keyrng.categorical(key, np.arange(12.0).reshape(3, 4), shape=(200, 3)),
    "categorical axis": lambda key: keyrng.categorical(key, LOGITS.reshape(2, 3), 0, (200, 3)),
    "categorical without replacement": lambda key: keyrng.categorical(key, np.arange(9.0), shape=(5,), replace=False),
    "categorical highest": lambda key: keyrng.categorical(key, [0.5, 1.0, 2.0], shape=(200,), mode="highest"),
    "shuffled_batches": lambda key: [
        batch for epoch in (0, 3) for batch in keyrng.shuffled_batches(key, 1000, 96)[epoch]
    ],
    "shuffled_batches by rank": lambda key: list(
        keyrng.shuffled_batches(key, 100, 8, drop_last=True, rank=1, world_size=3)[2]
    ),
}

COUNTS: dict[str, Call] = {
    f"multinomial {dtype}": lambda key, dtype=dtype: keyrng.multinomial(key, 100, WEIGHTS, shape=(50, 6), dtype=dtype)
    for dtype in ("int32", "int64", "float32", "float64")
} | {
    f"multivariate_hypergeometric {dtype}": lambda key, dtype=dtype: keyrng.multivariate_hypergeometric(
        key, [30, 0, 12, 50], 40, (50, 4), dtype
    )
    for dtype in ("int16", "int32", "int64")
}  # fmt: skip


def _rows(dtype: str) -> dict[str, Call]:
    """Vectors and matrices, weights and dropout, in one dtype."""
    made: dict[str, Call] = {
        "ball": lambda key: [keyrng.ball(key, 3, p, (100,), dtype) for p in (2, 1, 0.5)],
        "dirichlet": lambda key: keyrng.dirichlet(key, [0.3, 2.0, 5.5], (100, 3), dtype),
        "dirichlet small": lambda key: keyrng.dirichlet(key, [1e-3, 1e-3], (100, 2), dtype),
        "multivariate_normal": lambda key: keyrng.multivariate_normal(key, MEAN, COVARIANCE, (100,), dtype),
        "wishart": lambda key: keyrng.wishart(key, 4.5, COVARIANCE, (50,), dtype),
        "dropout": lambda key: keyrng.dropout(key, keyrng.normal(keyrng.fold_in(key, 1), (1000,), dtype), 0.3),
        "dropout of rows": lambda key: keyrng.dropout(
            key, keyrng.normal(keyrng.fold_in(key, 1), (50, 4), dtype), 0.3, broadcast_dims=1
        ),
        "lazy_array": lambda key: keyrng.lazy_array(keyrng.gamma, key, (100, 40, 3), dtype=dtype, a=SHAPE)[
            3::7, [5, 2]
        ],
        "initializers.uniform": lambda key: initializers.uniform(0.3)(key, (40, 25), dtype),
        "initializers.normal": lambda key: initializers.normal(0.3)(key, (40, 25), dtype),
        "initializers.truncated_normal": lambda key: initializers.truncated_normal(0.3, lower=-1.0)(
            key, (40, 25), dtype
        ),
        "initializers.sparse": lambda key: initializers.sparse(0.3)(key, (40, 25), dtype),
        "initializers.constant": lambda key: initializers.constant(0.1)(key, (3, 3), dtype),
        "initializers.zeros": lambda key: initializers.zeros(key, (3, 3), dtype),
        "initializers.ones": lambda key: initializers.ones(key, (3, 3), dtype),
        "initializers.identity": lambda key: initializers.identity()(key, (3, 3), dtype),
        "initializers.dirac": lambda key: initializers.dirac(2)(key, (4, 3, 3), dtype),
        "initializers.init_tree": lambda key: leaves(
            initializers.init_tree(key, SHAPES, initializers.normal(0.1), dtype)
        ),
    }
    for mode in ("fan_in", "fan_out", "fan_avg", "fan_geo_avg"):
        for law in ("truncated_normal", "normal", "uniform"):
            made[f"initializers.variance_scaling {mode} {law}"] = lambda key, mode=mode, law=law: (
                initializers.variance_scaling(1.7, mode, law)(key, (3, 5, 7), dtype)
            )
    for name in ("glorot", "he", "kaiming", "lecun", "xavier"):
        for law in ("normal", "uniform"):
            made[f"initializers.{name}_{law}"] = lambda key, name=f"{name}_{law}": getattr(initializers, name)()(
                key, (13, 7), dtype
            )
    return {f"{name} {dtype}": call for name, call in made.items()}


def _complex(dtype: str) -> dict[str, Call]:
    made: dict[str, Call] = {
        "normal": lambda key: keyrng.normal(key, (1000,), dtype),
        "lognormal": lambda key: keyrng.lognormal(key, 0.7, (1000,), dtype),
        "initializers.normal": lambda key: initializers.normal(0.3)(key, (40, 25), dtype),
        "initializers.variance_scaling uniform": lambda key: initializers.variance_scaling(1.0, "fan_in", "uniform")(
            key, (40, 25), dtype
        ),
        "initializers.he_normal": lambda key: initializers.he_normal()(key, (40, 25), dtype),
    }
    return {f"{name} {dtype}": call for name, call in made.items()}


def generator(key: keyrng.Key) -> list[Any]:
    """Draws, children, and draws after a state was put back."""
    g = keyrng.Generator(key)
    first = [g.normal((50,)), g.randint((50,), 0, 1000), *data(g.next_key(), g.next_key(3))]
    state = g.get_state()
    second = [g.uniform((50,)), *(child.bits((9,)) for child in g.spawn(2))]
    return [*first, *second, g.set_state(state).permutation(50)]


def leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for name in sorted(tree) for leaf in leaves(tree[name])]
    return [leaf for branch in tree for leaf in leaves(branch)] if isinstance(tree, (list, tuple)) else [tree]


CALLS: dict[str, Call] = {
    **KEYS,
    **ORDERS,
    **COUNTS,
    "dropout_mask": lambda key: keyrng.dropout_mask(key, (1000,), 0.3),
    "Generator": generator,
    **{name: call for dtype in FLOATS for name, call in _rows(dtype).items()},
    **_complex("complex64"),
    **_complex("complex128"),
}

#: Calls that JSON can hold, for the table of ``python -m keyrng selftest``: name, arguments, shape.
PLAIN_CALLS: list[tuple[str, dict[str, Any], list[int] | None]] = [
    ("permutation", {"x": 1000}, None),
    ("choice", {"a": 1000}, [100]),
    ("choice without replacement", {"a": 1000, "replace": False}, [100]),
    ("choice by weight", {"a": 6, "p": WEIGHTS}, [500]),
    ("categorical", {"logits": [0.0, 1.5, -2.25, 0.1]}, [500]),
    ("index_shuffle", {"index": list(range(50)), "n": 10**12}, None),
    ("multinomial", {"n": 100, "p": WEIGHTS}, [50, 6]),
    ("multivariate_hypergeometric", {"colors": [30, 0, 12, 50], "nsample": 40}, [50, 4]),
    ("dirichlet", {"alpha": [0.3, 2.0, 5.5]}, [100, 3]),
    ("ball", {"d": 3}, [100]),
    ("multivariate_normal", {"mean": MEAN, "cov": COVARIANCE}, [100]),
    ("wishart", {"df": 4.5, "scale": COVARIANCE}, [50]),
    ("dropout_mask", {"rate": 0.3}, [1000]),
    ("initializers.he_normal", {}, [40, 25]),
    ("initializers.glorot_uniform", {}, [40, 25]),
]
