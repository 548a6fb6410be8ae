"""Rows of gamma and what is made of it."""

from __future__ import annotations

from case import Case, scipy

ROWS: tuple[Case, ...] = (
    Case(
        "gamma",
        parameters=({"a": 2.5}, {"a": 0.3}, {"a": 1.0}),
        distribution=lambda dtype, a: scipy("gamma", a),
        extremes=tuple({"a": a} for a in (1e-3, 0.1, 0.9, 30.0, 1e4, 1e8)),
        jax=None,
        domain={"a": "positive"},
    ),
)
