"""Samplers of keyrng, jax and NumPy: a row each, with keyrng's paths and the calls of other libraries' users."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import peers
from timing import Subject

import keyrng

MILLION = 1_000_000
TRILLION = 10**12
ALPHA = (1.5, 2.0, 3.0)

Call = Callable[..., object]
#: keyrng's and jax's call: a name and the arguments after the key, with SHAPE for the shape. NumPy's call gets a size.
Row = tuple[str, tuple[Any, ...], Call | None]
SHAPE = object()

ROWS: dict[str, Row] = {
    "exponential": ("exponential", (SHAPE,), lambda g, n: g.standard_exponential(n, dtype=np.float32)),
    "gumbel": ("gumbel", (SHAPE,), lambda g, n: g.gumbel(size=n)),
    "logistic": ("logistic", (SHAPE,), lambda g, n: g.logistic(size=n)),
    "laplace": ("laplace", (SHAPE,), lambda g, n: g.laplace(size=n)),
    "cauchy": ("cauchy", (SHAPE,), lambda g, n: g.standard_cauchy(n)),
    "weibull_min": ("weibull_min", (1.0, 1.5, SHAPE), lambda g, n: g.weibull(1.5, n)),
    "truncated_normal": ("truncated_normal", (-2.0, 2.0, SHAPE), None),
    "geometric": ("geometric", (0.3, SHAPE), lambda g, n: g.geometric(0.3, n)),
    "randint(0, 1000)": ("randint", (SHAPE, 0, 1000), lambda g, n: g.integers(0, 1000, n, dtype=np.int32)),
    "bernoulli": ("bernoulli", (0.3, SHAPE), lambda g, n: g.random(n, dtype=np.float32) < 0.3),
    "gamma": ("gamma", (2.5, SHAPE), lambda g, n: g.standard_gamma(2.5, n, dtype=np.float32)),
    "beta": ("beta", (2.0, 3.0, SHAPE), lambda g, n: g.beta(2.0, 3.0, n)),
    "dirichlet(3)": ("dirichlet", (np.array(ALPHA, np.float32), SHAPE), lambda g, n: g.dirichlet(ALPHA, n)),
    "chisquare": ("chisquare", (5.0, SHAPE), lambda g, n: g.chisquare(5.0, n)),
    "t": ("t", (5.0, SHAPE), lambda g, n: g.standard_t(5.0, n)),
    "poisson(5)": ("poisson", (5.0, SHAPE), lambda g, n: g.poisson(5.0, n)),
    "poisson(100)": ("poisson", (100.0, SHAPE), lambda g, n: g.poisson(100.0, n)),
    "binomial(100, .3)": ("binomial", (100, 0.3, SHAPE), lambda g, n: g.binomial(100, 0.3, n)),
}
#: Samplers of rows of 3 values; they draw fewer rows, so that all groups have the same number of values.
IN_ROWS = {"dirichlet(3)": 3}


def groups(count: int, on_paths: Callable[[Callable[[], object]], list[Subject]]) -> dict[str, list[Subject]]:
    """Return the rows as subjects for ``count`` values."""
    generator, key = np.random.default_rng(0), keyrng.key(0)
    made: dict[str, list[Subject]] = {}
    for name, (function, arguments, numpy) in ROWS.items():
        shape = (count // IN_ROWS.get(name, 1),)
        given = [shape if a is SHAPE else a for a in arguments]
        made[name] = on_paths(partial(getattr(keyrng, function), key, *given))
        made[name] += peers.jax_random(function, "k", *given)
        if numpy:
            made[name].append(Subject("numpy PCG64", partial(numpy, generator, shape[0])))
    return made


def selections(on_paths: Callable[[Callable[[], object]], list[Subject]]) -> dict[str, list[Subject]]:
    """Return permutations and selections, timed per call."""
    generator, key = np.random.default_rng(0), keyrng.key(0)
    logits = np.random.default_rng(1).normal(size=1000).astype(np.float32)
    rows = np.random.default_rng(2).normal(size=(10_000, 10)).astype(np.float32)
    return {
        **{
            f"permutation({size:_})": [
                *on_paths(partial(keyrng.permutation, key, size)),
                Subject("numpy PCG64", partial(generator.permutation, size)),
            ]
            for size in (10, 1_000, 100_000)
        },
        "permutation(1_000_000)": [
            *on_paths(partial(keyrng.permutation, key, MILLION)),
            *peers.jax_random("permutation", "k", MILLION),
            Subject("numpy PCG64", partial(generator.permutation, MILLION)),
        ],
        "choice(1_000_000, 1000, replace=False)": [
            *on_paths(partial(keyrng.choice, key, MILLION, (1000,), False)),
            *peers.jax_random("choice", "k", MILLION, (1000,), False),
            Subject("numpy PCG64", partial(generator.choice, MILLION, 1000, False)),
        ],
        "sample_without_replacement(1_000_000, 1000)": [
            *on_paths(partial(keyrng.sample_without_replacement, key, MILLION, 1000)),
            Subject("numpy PCG64", partial(generator.choice, MILLION, 1000, False)),
        ],
        "categorical, 10,000 draws of 1000 classes": [
            *on_paths(partial(keyrng.categorical, key, logits, shape=(10_000,))),
            *peers.jax_random("categorical", "k", logits, shape=(10_000,)),
        ],
        "categorical, 10,000 rows of 10 classes": [
            *on_paths(partial(keyrng.categorical, key, rows)),
            *peers.jax_random("categorical", "k", rows),
        ],
    }


def shuffled(count: int, on_paths: Callable[[Callable[[], object]], list[Subject]]) -> dict[str, list[Subject]]:
    """Return elements of a permutation that is not stored."""
    index = np.arange(count, dtype=np.int64) * 238_418 % TRILLION
    return {"index_shuffle of 10**12": on_paths(partial(keyrng.index_shuffle, keyrng.key(0), index, TRILLION))}
