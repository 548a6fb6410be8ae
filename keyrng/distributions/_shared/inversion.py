"""Counts by inversion: a sequential search in the sums of the probabilities, from 0 on.

L. Devroye, "Non-Uniform Random Variate Generation", Springer, 1986, section X.3.3 and chapter III.2. One uniform of 52
bits makes a count, so the probabilities are multiples of 2**-52, within some units of the errors of the sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._sampling.parameters import Array
from keyrng.kernels.counting import count_sums
from keyrng.kernels.elementary import exp

# Up to this mean the search takes no longer than rejection, and the probability of 0 is many times the spacing of u.
MOST_MEAN = 30.0


def methods(means: Array) -> tuple[bool, bool]:
    """Return whether some means are small enough for inversion, and whether some are not; both if on a GPU."""
    if not isinstance(means, np.ndarray):
        return True, True
    return not means.size or bool(means.min() <= MOST_MEAN), bool(means.size and means.max() > MOST_MEAN)


def poisson_count(u: Any, lam: Any) -> Any:
    """Return the Poisson count for a uniform, for means up to `MOST_MEAN`."""
    return count_sums(u, exp(-lam), _poisson_step, lam)


def _poisson_step(p: Any, k: Any, inverse: Any, lam: Any) -> Any:
    return p * (lam * inverse)
