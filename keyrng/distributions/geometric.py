"""The geometric distribution.

Must not import anything above the distributions.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from keyrng.backends.mode import in_default_mode
from keyrng.dtypes import Dtype, DTypeLike, float_dtype, integer
from keyrng.kernels.bits import unit
from keyrng.kernels.elementary import floor, log1p, log_unchecked
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import cast, where
from keyrng.keys import Key, memory_of
from keyrng.parameters import Array, ArrayLike, Requirement, chance, checked
from keyrng.sampling import draw
from keyrng.shapes import Shape


@kernel(*FLOATS)
def _geometric(lane: Any, p: Any) -> Any:
    u = unit(lane)
    trials = floor(log_unchecked(where(u == 0.0, 1.0, u)) / log1p(-p)) + 1.0
    return cast(trials, np.uint32 if lane.dtype == np.float32 else np.uint64)


@lru_cache
@in_default_mode
def _fits(dtype: Dtype) -> Requirement:
    """What ``p`` must be for the largest value, that of the smallest uniform, to fit a dtype."""
    largest = (52 if dtype.itemsize == 8 else 23) * math.log(2.0)
    least = -math.expm1(-largest / np.iinfo(dtype).max) * (1.0 + 2.0**-20)  # what the quotient's rounding may add
    wider = "" if dtype.itemsize == 8 else "; give a wider dtype"
    return Requirement(f"at least {least:.8g} for values to fit {dtype}{wider}", lambda p: (p >= least) & (p <= 1))


def geometric(
    key: Key, p: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Numbers of trials up to the first success, each with probability ``p``: ``P(X = k) = (1 - p)**(k - 1) * p``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `draw`: the result has shape ``key.shape + shape``.
    p
        Probabilities above 0 and at most 1 that broadcast to the result, and not so small that a value might not fit
        ``dtype``: at least 7.5e-9 for int32.
    dtype
        Any integer dtype; int32 by default.

    Raises
    ------
    ValueError
        If a ``p`` is outside (0, 1], NaN, or too small for the dtype.

    Notes
    -----
    ``floor(log(u) / log(1 - p)) + 1`` of a uniform u on [0, 1), in float32, or float64 for dtypes of 64 bits; 1 where u
    is 0. As u has 23 (52) bits, the largest value is about ``15.9 / p`` (``36 / p``), and for a very small ``p`` not
    all up to it occur. The values of ``jax.random.geometric`` for a ``p`` of that float, but for those few that are
    one off, where the quotient is next to an integer.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.geometric(keyrng.key(0), 0.1, (5,))
    array([ 1,  1, 11,  8,  6], dtype=int32)
    """
    dtype = integer(dtype, out)
    compute = float_dtype(dtype)
    checked(memory_of(key), chance(p=p), compute)  # what is no probability is told first
    return draw(_geometric, key, shape, dtype, _fits(dtype)(p=p), compute=compute, out=out)
