"""The logarithmic distribution, of counts that are never zero."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT64, Dtype, DTypeLike, integer_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, Requirement, below_one, checked_parameter, wider
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_co, uniform_oc
from keyrng.kernels.elementary import exp, floor, log1p, log_unchecked
from keyrng.kernels.lane import kernel
from keyrng.kernels.ops import cast


@kernel("float64")
def _logseries(lane: Any, p: Any) -> Any:
    # Geometric, with q = 1 - (1 - p)**U. Where that cannot be told from 0 its logarithm is -inf, and the value 1.
    first, second = lane.split(2)
    log_q = log1p(-exp(uniform_co(first) * log1p(-p)))
    return cast(floor(log_unchecked(uniform_oc(second)) / log_q) + 1.0, np.uint64)


def logseries(
    key: Key, p: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Integers from 1 on, ``k`` with probability ``-p**k / (k * log(1 - p))``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    p
        Numbers from 0, which gives 1 always, to below 1 that broadcast to the result; at most ``1 - 38 / largest`` for
        a dtype with that largest integer.
    dtype
        Any integer dtype; int32 by default.

    Raises
    ------
    ValueError
        If a ``p`` is negative, not less than 1 or NaN, or so near 1 that a value might not fit the dtype.

    Notes
    -----
    Algorithm LS of A. W. Kemp, "Efficient generation of logarithmically distributed pseudo-random variables", Applied
    Statistics 30 (1981), 249-253, in float64: two uniforms, no rejection, right for ``p`` however near 1. No value is
    above ``1 + 36.05 / (1 - p)``, so each fits. Beyond 2**53 values are multiples of powers of two. The parameters of
    ``numpy.random.Generator.logseries``; jax has none.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.logseries(keyrng.key(0), 0.9, (5,))
    array([1, 4, 6, 9, 2], dtype=int32)
    """
    dtype = integer_dtype(dtype, out)
    checked_parameter(
        device_of(key), below_one(p=p), FLOAT64
    )  # the error for a value that is not a probability comes first
    return sample_kernel(_logseries, key, shape, dtype, _fitting(dtype)(p=p), compute=FLOAT64, out=out)


@lru_cache
@in_default_fpenv
def _fitting(dtype: Dtype) -> Requirement:
    # The second uniform is at least 2**-52, whose logarithm is -36.05, and log(q) is at most p - 1.
    limit = 1.0 - 38.0 / float(np.iinfo(dtype).max)
    return Requirement(f"at most {limit} for {dtype}{wider(dtype)}", lambda x: (x >= 0) & (x <= limit))
