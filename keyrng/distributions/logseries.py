"""The logarithmic (log-series) distribution."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT64, Dtype, DTypeLike, integer_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors.device import Device
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, cache_scalars, checked_parameter, wider
from keyrng._sampling.plan import Plan
from keyrng._sampling.sampler import sampler_of
from keyrng._sampling.shapes import Shape
from keyrng.distributions._shared.inversion import MOST_RATIO, logseries_count, logseries_is_small, methods
from keyrng.kernels.bits import uniform_co, uniform_oc
from keyrng.kernels.elementary import exp, floor, log1p, log_unchecked
from keyrng.kernels.lane import Kernel, kernel
from keyrng.kernels.ops import cast, where
from keyrng.kernels.requirements import Interval, Parameter, Requirement, below_one


def _ls(u: Any, second: Any, p: Any) -> Any:
    # Kemp's LS: k = floor(1 + log(V) / log(q)) with q = 1 - (1 - p)**U. If q rounds to 0, log(q) is -inf and k is 1.
    log_q = log1p(-exp(u * log1p(-p)))
    return cast(floor(log_unchecked(uniform_oc(second)) / log_q) + 1.0, np.uint64)


@kernel("float64")
def _logseries(lane: Any, p: Any) -> Any:
    first, second = lane.split(2)
    u, small = uniform_co(first), logseries_is_small(p)
    return where(small, logseries_count(u, where(small, p, 0.0)), _ls(u, second, p))


@kernel("float64")
def _logseries_small(lane: Any, p: Any) -> Any:
    first, _ = lane.split(2)
    return logseries_count(uniform_co(first), p)


@kernel("float64")
def _logseries_large(lane: Any, p: Any) -> Any:
    first, second = lane.split(2)
    return _ls(uniform_co(first), second, p)


_small = Requirement(f"at most {MOST_RATIO}", Interval(0, MOST_RATIO))


def _plans(dtype: DTypeLike, p: Any) -> Iterable[Plan]:
    dtype = integer_dtype(dtype)
    if float(np.iinfo(dtype).max) > 38.0 / (1.0 - MOST_RATIO):
        yield Plan(_logseries_small, (_small(p=p),), dtype, FLOAT64)
    yield Plan(_logseries, (_fitting(dtype)(p=p),), dtype, FLOAT64)


@sampler_of(_plans)
def logseries(
    key: Key, p: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return variates of the logarithmic distribution, integers from 1 on.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    p : float or array_like of floats
        Parameter of the distribution, in [0, 1), and at most ``1 - 38 / largest`` for a dtype whose largest integer is
        ``largest``. 0 always gives 1. Broadcasts to ``key.shape + shape``.
    shape
        Shape of each key's sample, an int or a tuple of ints; by default the shape that the parameters broadcast to.
        With an array of keys and parameters per key, ``shape=()`` returns one sample per key.
    dtype
        Dtype of the result: any integer dtype, int32 by default.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Integers, one or more, of shape ``key.shape + shape``, int32 by default; any integer dtype is possible.

    Raises
    ------
    ValueError
        If ``p`` is outside [0, 1), NaN, or so near 1 that a value might not fit ``dtype``.

    See Also
    --------
    geometric : Probabilities that decrease without the factor ``1 / k``.
    zipf : Probabilities that decrease as a power of ``k``.

    Notes
    -----
    The probability of ``k`` is ``-p**k / (k * log(1 - p))``. For ``p`` up to 0.9 the method is inversion by
    sequential search, with one uniform that is a multiple of 2**-52. For larger ``p`` it is algorithm LS of [1]_: two
    uniforms, no rejection, accurate for ``p`` however near 1. The computation is in float64.

    No value is above ``1 + 36.05 / (1 - p)``, so every value fits the dtype. Values beyond 2**53 are multiples of
    powers of two.

    The parameters are those of ``numpy.random.Generator.logseries``; ``jax.random`` does not have this distribution.

    References
    ----------
    .. [1] A. W. Kemp, "Efficient generation of logarithmically distributed pseudo-random variables", Applied Statistics
       30 (1981), 249-253. https://doi.org/10.2307/2346348

    Examples
    --------
    >>> import keyrng
    >>> keyrng.logseries(keyrng.key(0), 0.9, (5,))
    array([17,  1,  3, 25,  1], dtype=int32)
    """
    dtype = integer_dtype(dtype, out)
    chosen, parameter = _prepared(key, p, dtype)
    return sample_kernel(chosen, key, shape, dtype, parameter, compute=FLOAT64, out=out)


@cache_scalars
def _prepared(device: Device, p: ArrayLike, dtype: Dtype) -> tuple[Kernel, Parameter]:
    checked_parameter(device, below_one(p=p), FLOAT64)  # the error for an invalid p comes before that for the dtype
    parameter = checked_parameter(device, _fitting(dtype)(p=p), FLOAT64)
    small, large = methods(logseries_is_small, parameter.value)
    return (_logseries if small else _logseries_large) if large else _logseries_small, parameter


@lru_cache
@in_default_fpenv
def _fitting(dtype: Dtype) -> Requirement:
    # The second uniform is at least 2**-52, whose logarithm is -36.05, and log(q) is at most p - 1.
    limit = min(1.0 - 38.0 / float(np.iinfo(dtype).max), 1.0 - 2.0**-53)
    return Requirement(f"at most {limit} for {dtype}{wider(dtype)}", Interval(0, limit))
