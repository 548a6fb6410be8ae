"""Rows of the distributions of counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import INTEGERS, Case, Integers, Parameters, scipy


def _chance(least: float) -> Any:
    # jax draws in the dtype of p.
    def fresh(rng: np.random.Generator, dtype: str) -> Parameters:
        kind = np.float64 if dtype.endswith("64") else np.float32
        return {"p": kind(np.exp(rng.uniform(np.log(least), 0.0)))}

    return fresh


ROWS: tuple[Case, ...] = (
    Case(
        "geometric",
        INTEGERS,
        parameters=({"p": 0.5}, {"p": 0.15}, {"p": 0.9}),
        distribution=lambda dtype, p: scipy("geom", p) if p < 1 else Integers(1, 2),
        extremes=({"p": 1.0},),
        jax=dict.fromkeys(INTEGERS, 1),
        jax_dtypes=("int8", "int32", "int64"),
        jax_share=dict.fromkeys(INTEGERS, 0.9999),
        fresh=_chance(0.12),
        domain={"p": "chance"},
    ),
    Case(
        "geometric of rare events",
        ("int32", "uint32", "int64", "uint64"),
        parameters=({"p": 1e-3}, {"p": 1e-6}),
        distribution=lambda dtype, p: scipy("geom", p),
        function="geometric",
        extremes=({"p": 2e-8},),
        jax=dict.fromkeys(INTEGERS, 1),
        jax_dtypes=("int32", "int64"),
        jax_share=dict.fromkeys(INTEGERS, 0.999),
        fresh=_chance(1e-3),
        domain={"p": "chance"},
    ),
)
