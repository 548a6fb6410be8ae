"""Counts by inversion: a sequential search in the sums of the probabilities, from 0 on.

L. Devroye, "Non-Uniform Random Variate Generation", Springer, 1986, section X.3.3 and chapter III.2. One uniform of 52
bits makes a count, so the probabilities are multiples of 2**-52, within some units of the errors of the sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keyrng._core.arguments import broadcast
from keyrng._sampling.parameters import Array
from keyrng.kernels.counting import count_sums, sum_terms
from keyrng.kernels.elementary import exp, log, log1p
from keyrng.kernels.ops import cast, sqrt, where

# Up to this mean the search takes no longer than rejection, and the probability of 0 is many times the spacing of u.
MOST_MEAN = 30.0

# From this probability of failure, or of the log-series distribution, on the tail is long.
MOST_RATIO = 0.9


def methods(small: Callable[..., Any], *parameters: Array | float) -> tuple[bool, bool]:
    """Return whether inversion is the method for some parameters, and whether for some it is not; both on a GPU."""
    if not all(isinstance(p, (np.ndarray, float)) for p in parameters) or broadcast(*map(np.shape, parameters)) is None:
        return True, True
    with np.errstate(all="ignore"):
        chosen = np.asarray(small(*map(np.asarray, parameters)))
    every = bool(chosen.all())
    return every or bool(chosen.any()), not every


# Poisson


def poisson_is_small(lam: Any) -> Any:
    """Return whether inversion is the method."""
    return lam <= MOST_MEAN


def poisson_count(u: Any, lam: Any) -> Any:
    """Return the count for a uniform."""
    return count_sums(u, exp(-lam), _poisson_step, lam)


def _poisson_step(p: Any, k: Any, inverse: Any, lam: Any) -> Any:
    return p * (lam * inverse)


# Binomial


def binomial_is_small(n: Any, p: Any) -> Any:
    """Return whether inversion is the method: for few successes or for few failures."""
    return (n * p <= MOST_MEAN) | (n * (1.0 - p) <= MOST_MEAN)


def binomial_count(u: Any, n: Any, rare: Any) -> Any:
    """Return the count for a uniform, with probabilities of at most 1/2."""
    return count_sums(u, exp(n * log1p(-rare)), _binomial_step, n + 1.0, rare / (1.0 - rare))


def _binomial_step(p: Any, k: Any, inverse: Any, size: Any, odds: Any) -> Any:
    return p * (((size - k) * inverse) * odds)


# Negative binomial


def negative_binomial_is_small(n: Any, p: Any) -> Any:
    """Return whether inversion is the method: the probability of 0, p**n, is above exp(-30), and the tail is short."""
    return (p >= 1.0 - MOST_RATIO) & (n * (1.0 - p) <= MOST_MEAN * sqrt(p))  # -log(p) < (1 - p) / sqrt(p)


def negative_binomial_count(u: Any, n: Any, p: Any) -> Any:
    """Return the count for a uniform."""
    return count_sums(u, exp(n * log(p)), _negative_binomial_step, n, 1.0 - p)


def _negative_binomial_step(p: Any, k: Any, inverse: Any, n: Any, q: Any) -> Any:
    return p * ((n + (k - 1.0)) * (q * inverse))


# Hypergeometric


def hypergeometric_is_small(good: Any, bad: Any, sample: Any) -> Any:
    """Return whether inversion is the method: for few items of one of the kinds in the sample or in the rest."""
    total = good + bad
    limit, rest = MOST_MEAN * total, total - sample
    return (good * sample <= limit) | (bad * sample <= limit) | (good * rest <= limit) | (bad * rest <= limit)


def hypergeometric_count(u: Any, rare: Any, common: Any, taken: Any) -> Any:
    """Return the count of the rare kind for a uniform; at most half of the items are rare, and half are taken.

    The probabilities are relative to that of 0 first, because a closed formula of it loses digits for many items.
    """
    parameters = rare + 1.0, taken + 1.0, common - taken
    total = sum_terms(1.0, _hypergeometric_step, *parameters)
    return count_sums(u, 1.0 / total, _hypergeometric_step, *parameters)


def _hypergeometric_step(p: Any, k: Any, inverse: Any, rare: Any, taken: Any, rest: Any) -> Any:
    return p * (((rare - k) * inverse) * ((taken - k) / (rest + k)))


# Log-series


def logseries_is_small(p: Any) -> Any:
    """Return whether inversion is the method."""
    return p <= MOST_RATIO


def logseries_count(u: Any, p: Any) -> Any:
    """Return the variate for a uniform, one or more, as a word."""
    first = where(p > 0.0, -p / log1p(-p), 1.0)
    return cast(count_sums(u, first, _logseries_step, p, start=1), np.uint64) + 1


def _logseries_step(term: Any, k: Any, inverse: Any, p: Any) -> Any:
    return term * (p * ((k - 1.0) * inverse))
