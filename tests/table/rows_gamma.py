"""Rows of gamma and the distributions derived from it."""

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
    Case(
        "loggamma",
        parameters=({"a": 2.5}, {"a": 0.3}, {"a": 1.0}),
        distribution=lambda dtype, a: scipy("loggamma", a),
        extremes=tuple({"a": a} for a in (1e-3, 30.0, 1e4)),
        jax=None,
        domain={"a": "positive"},
    ),
    Case(
        "inverse_gamma",
        parameters=({"a": 2.5}, {"a": 0.6}, {"a": 1.0}),
        distribution=lambda dtype, a: scipy("invgamma", a),
        extremes=tuple({"a": a} for a in (0.1, 30.0, 1e4, 1e8)),
        jax=None,
        domain={"a": "positive"},
    ),
    Case(
        "chisquare",
        parameters=({"df": 5.0}, {"df": 0.6}, {"df": 2.0}),
        distribution=lambda dtype, df: scipy("chi2", df),
        extremes=({"df": 0.2}, {"df": 1e6}),
        jax=None,
        domain={"df": "positive"},
    ),
    Case(
        "t",
        parameters=({"df": 5.0}, {"df": 0.7}, {"df": 2.0}),
        distribution=lambda dtype, df: scipy("t", df),
        extremes=({"df": 0.3}, {"df": 1e6}),
        jax=None,
        domain={"df": "positive"},
    ),
    Case(
        "f",
        parameters=({"dfnum": 3.0, "dfden": 5.0}, {"dfnum": 0.5, "dfden": 2.0}, {"dfnum": 20.0, "dfden": 0.9}),
        distribution=lambda dtype, dfnum, dfden: scipy("f", dfnum, dfden),
        extremes=({"dfnum": 1e4, "dfden": 1e4},),
        jax=None,
        domain={"dfnum": "positive", "dfden": "positive"},
    ),
    Case(
        "beta",
        parameters=({"a": 2.0, "b": 3.0}, {"a": 0.5, "b": 0.4}, {"a": 1.0, "b": 6.0}),
        distribution=lambda dtype, a, b: scipy("beta", a, b),
        extremes=({"a": 1e-2, "b": 0.5}, {"a": 1e-4, "b": 1e-4}, {"a": 1e6, "b": 1e6}, {"a": 1e-1, "b": 1e4}),
        jax=None,
        domain={"a": "positive", "b": "positive"},
    ),
    Case(
        "noncentral_chisquare",
        parameters=(
            {"df": 3.0, "nonc": 2.0},
            {"df": 0.5, "nonc": 0.0},
            {"df": 1.0, "nonc": 20.0},
            {"df": 0.7, "nonc": 3.0},
        ),
        distribution=lambda dtype, df, nonc: scipy("ncx2", df, nonc) if nonc else scipy("chi2", df),
        extremes=({"df": 2.0, "nonc": 1e4},),
        jax=None,
        domain={"df": "positive", "nonc": "non-negative"},
    ),
    Case(
        "noncentral_f",
        parameters=(
            {"dfnum": 3.0, "dfden": 5.0, "nonc": 2.0},
            {"dfnum": 2.0, "dfden": 9.0, "nonc": 0.0},
            {"dfnum": 1.0, "dfden": 4.0, "nonc": 6.0},
            {"dfnum": 0.7, "dfden": 4.0, "nonc": 3.0},
        ),
        distribution=lambda dtype, dfnum, dfden, nonc: scipy("ncf", dfnum, dfden, nonc),
        jax=None,
        domain={"dfnum": "positive", "dfden": "positive", "nonc": "non-negative"},
    ),
    Case(
        "generalized_normal",
        parameters=({"p": 2.0}, {"p": 0.7}, {"p": 3.0}),
        distribution=lambda dtype, p: scipy("gennorm", p),
        extremes=({"p": 1.0}, {"p": 50.0}),
        jax=None,
        domain={"p": "positive"},
    ),
)
