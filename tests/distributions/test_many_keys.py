"""Every sampler under many keys: the p-values of 200 keys are themselves uniform.

A key's p-value is that of the Kolmogorov-Smirnov test of its values, mapped through their distribution function. Each
value represents all numbers that round to it, so its position is drawn among theirs by another library's generator.
If the sampler is correct, these positions are independent and uniform, for integers as for floats, and so the p-values
are uniform as well. The test fails if too many p-values are small, and also if too few are, which means that keys give
values more alike than chance.

Each of the N combinations of sampler and parameters fails below 0.001 / N (Bonferroni correction), so the probability
that correct samplers failed any test was 0.001 when the tests were written. Keys are fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from cases import ALGORITHMS, BY_NAME, CASES, Array, Case
from test_statistics import midpoints

import keyrng

stats = pytest.importorskip("scipy.stats")

KEYS, DRAWS = 200, 100
THRESHOLD = 0.001 / sum(len(case.all_parameters) for case in CASES)


def places(sample: Array, distribution: Any) -> Array:
    """Return positions of the values in their distribution, drawn among all numbers that round to them."""
    kind = sample.dtype.kind if sample.dtype.name != "bfloat16" else "f"
    values, which = np.unique(sample, return_inverse=True)
    if kind in "iub":
        wide = values.astype(float)
        low, high = wide - 0.5, wide + 0.5
    else:
        with np.errstate(over="ignore"):
            above = np.nextafter(values, values.dtype.type(np.inf))
        low, high = midpoints(values, "f"), midpoints(above, "f")
    below, upto = distribution.cdf(low)[which], distribution.cdf(high)[which]
    drawn = below + np.random.default_rng(1).random(which.shape) * (upto - below)
    return drawn.reshape(sample.shape)


def p_values(sample: Array, distribution: Any) -> Array:
    """Return the p-value of the Kolmogorov-Smirnov test of each row."""
    drawn = np.sort(places(sample, distribution), axis=1)
    n = drawn.shape[1]
    steps = np.arange(n + 1) / n
    distance = np.maximum(drawn - steps[:-1], steps[1:] - drawn).max(axis=1)
    return stats.kstwo.sf(distance, n)


def of_keys(p: Array) -> float:
    return float(stats.kstest(p, "uniform").pvalue)


def keys_of(algorithm: str) -> keyrng.Key:
    """Half of them children of one key, half of neighbouring seeds."""
    seeds = [keyrng.key(seed, impl=algorithm) for seed in range(KEYS // 2)]
    return keyrng.concatenate([keyrng.split(keyrng.key("children", impl=algorithm), KEYS // 2), keyrng.stack(seeds)])


def usual_dtype(case: Case) -> str:
    return next((name for name in ("float32", "int32") if name in case.dtypes), case.dtypes[-1])


@pytest.mark.parametrize("which", ["parameters", pytest.param("extremes", marks=pytest.mark.long)])
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.turns(4)
def test_p_values_of_many_keys_are_uniform(case: Case, which: str) -> None:
    dtype = usual_dtype(case)
    for parameters, algorithm in zip(getattr(case, which), cycle(ALGORITHMS), strict=False):
        sample = case(keys_of(algorithm), (DRAWS,), dtype, **parameters)

        found = of_keys(p_values(sample, case.distribution(dtype, **parameters)))
        assert found > THRESHOLD, (algorithm, parameters, found)


# These tests can fail


def _stratified(x: Array) -> Array:
    """Every key's values at the middles of equal parts."""
    return np.broadcast_to(stats.norm.ppf((np.arange(DRAWS) + 0.5) / DRAWS), x.shape)


ROW = np.arange(KEYS)[:, None]
WRONG: dict[str, tuple[str, dict[str, Any], Callable[[Array], Array]]] = {
    "too wide": ("normal", {}, lambda x: x * 1.3),
    "off": ("normal", {}, lambda x: x + 0.2),
    "one key of four is off": ("normal", {}, lambda x: np.where(ROW % 4, x, x + 1)),
    "one sample for all keys": ("normal", {}, lambda x: np.broadcast_to(x[:1], x.shape)),
    "half a sample for all keys": ("normal", {}, lambda x: np.where(np.arange(DRAWS) < DRAWS // 2, x[:1], x)),
    "too regular": ("normal", {}, _stratified),
    "a count that is missing": ("poisson", {"lam": 10.0}, lambda x: np.where(x == 10, 9, x)),
    "too few": ("bernoulli", {"p": 0.5}, lambda x: x & (np.arange(DRAWS) % 4 > 0)),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_rejected(what: str) -> None:
    name, parameters, wrong = WRONG[what]
    case = BY_NAME[name]
    dtype = usual_dtype(case)
    sample = wrong(case(keys_of("threefry2x32"), (DRAWS,), dtype, **parameters)).astype(dtype)

    assert of_keys(p_values(sample, case.distribution(dtype, **parameters))) < THRESHOLD
