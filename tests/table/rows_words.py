"""Rows of words, integers and booleans."""

from __future__ import annotations

import numpy as np
from case import BOOL, INTEGERS, SIGNED, UNSIGNED, Case, Integers, Parameters, Signs, scipy


def _range(rng: np.random.Generator, dtype: str) -> Parameters:
    # Where jax has no bias: spans up to the square root of the range, and powers of two.
    info = np.iinfo(dtype)
    width = max(info.bits, 32)
    largest = min(2 ** (width // 2), int(info.max) - int(info.min))
    span = int(rng.integers(1, largest + 1)) if rng.integers(2) else 2 ** int(rng.integers(0, min(info.bits, 62)))
    low = int(rng.integers(int(info.min), min(int(info.max) - span, 2**62), endpoint=True))
    return {"minval": low, "maxval": low + span}


ROWS: tuple[Case, ...] = (
    Case(
        "bits",
        UNSIGNED,
        distribution=lambda dtype: Integers(0, 2 ** (8 * np.dtype(dtype).itemsize)),
        jax_dtypes=UNSIGNED,
    ),
    Case(
        "randint",
        INTEGERS,
        parameters=({"minval": 0, "maxval": 10}, {"minval": 3, "maxval": 100}, {"minval": 9, "maxval": 127}),
        distribution=lambda dtype, minval, maxval: Integers(minval, maxval),
        fresh=_range,
        jax_dtypes=INTEGERS,
        domain={"minval": "integer", "maxval": "integer"},
        refused=(
            ({"minval": 5, "maxval": 5}, r"minval must be less than maxval, got 5 and 5"),
            ({"minval": 7, "maxval": 3}, r"minval must be less than maxval, got 7 and 3"),
            ({"minval": np.array([0, 9]), "maxval": 5}, r"minval must be less than maxval"),
            ({"minval": np.zeros(2, int), "maxval": np.ones(3, int)}, r"minval.*\(2,\).*maxval.*\(3,\).*broadcast"),
            ({"minval": 0, "maxval": 2**64 + 1}, r"holds.* to .*, got minval 0 and maxval 18446744073709551617"),
            ({"minval": -(2**63) - 1, "maxval": 0}, r"holds.* to .*, got minval -9223372036854775809"),
            ({"minval": 0, "maxval": np.array([2**64 + 1], object)}, r"holds.* to .*maxval.*18446744073709551617"),
        ),
    ),
    Case(
        "randint of wide spans",
        ("int32", "uint32", "int64"),
        function="randint",
        parameters=(
            {"minval": 0, "maxval": 100_000},
            {"minval": 7, "maxval": 2**31 - 1},
            {"minval": 5, "maxval": 5 + 2**15 + 1},
        ),
        distribution=lambda dtype, minval, maxval: Integers(minval, maxval),
        fresh=_range,
        jax_dtypes=("int32", "uint32", "int64"),
        domain={"minval": "integer", "maxval": "integer"},
    ),
    Case(
        "bernoulli",
        BOOL,
        parameters=({"p": 0.5}, {"p": 0.1}, {"p": np.float64(0.7)}),
        distribution=lambda dtype, p: scipy("bernoulli", p),
        extremes=({"p": 0.0}, {"p": 1.0}, {"p": 1e-3}),
        jax_dtypes=BOOL,
        jax_x64=False,
        fresh=lambda rng, dtype: {"p": rng.choice([np.float32, np.float64])(rng.random())},
        domain={"p": "probability"},
    ),
    Case(
        "bernoulli high",
        BOOL,
        parameters=({"p": 0.5}, {"p": 0.1}, {"p": np.float64(0.7)}),
        distribution=lambda dtype, p: scipy("bernoulli", p),
        function="bernoulli",
        fixed={"mode": "high"},
        extremes=({"p": 0.0}, {"p": 1.0}, {"p": 1e-3}),
        jax_dtypes=BOOL,
        jax_x64=False,
        fresh=lambda rng, dtype: {"p": rng.choice([np.float32, np.float64])(rng.random())},
        domain={"p": "probability"},
        not_prefix="element i of n also reads word i + n, as in jax",
    ),
    Case(
        "rademacher",
        SIGNED,
        distribution=lambda dtype: Signs(),
        # jax draws a word as wide as its default float, so 32 bits without x64; keyrng 32 bits for every dtype.
        jax_dtypes=("int8", "int16", "int32", "float32"),
        jax_x64=False,
    ),
)
