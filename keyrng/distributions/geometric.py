"""The geometric distribution."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT32, FLOAT64, Dtype, DTypeLike, float_dtype, integer_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors.device import Device, may_hold
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, cache_scalars, checked_parameter
from keyrng._sampling.plan import Plan
from keyrng._sampling.sampler import sampler_of
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import to_uniform_co, uniform_co
from keyrng.kernels.elementary import floor, log1p, log_unchecked
from keyrng.kernels.lane import FLOATS, Kernel, kernel
from keyrng.kernels.ops import cast, where
from keyrng.kernels.requirements import Interval, Parameter, Requirement, positive_probability

# For p below this, which is rounded up to a float32, values of the float32 formula can exceed 2**24.
_RARE = float(np.float32(23 * math.log(2.0) / 2**24 * (1.0 + 2.0**-20)))


def _trials(u: Any, p: Any) -> Any:
    # Inversion: k = floor(log(u) / log(1 - p)) + 1.
    trials = floor(log_unchecked(where(u == 0.0, 1.0, u)) / log1p(-p)) + 1.0
    return cast(trials, np.uint32 if u.dtype == np.float32 else np.uint64)


@kernel(*FLOATS)
def _geometric(lane: Any, p: Any) -> Any:
    return _trials(uniform_co(lane), p)


@kernel("float64")
def _geometric_rare(lane: Any, p: Any) -> Any:
    # The midpoint of the interval of the 32-bit word; its first 23 bits are those of the float32 formula.
    word = lane.bits(32)
    u = to_uniform_co(word, FLOAT32)
    middle = where(u == 0.0, 1.0, (cast(word, np.float64) + 0.5) * 2.0**-32)
    return where(p < _RARE, cast(_trials(middle, p), np.uint32), _trials(u, cast(p, np.float32)))


@lru_cache
@in_default_fpenv
def _fits(dtype: Dtype) -> Requirement:
    """Return the requirement on ``p`` that the largest value, that of the smallest uniform, fits a dtype."""
    largest = (52 if dtype.itemsize == 8 else 23) * math.log(2.0)
    least = -math.expm1(-largest / np.iinfo(dtype).max) * (1.0 + 2.0**-20)  # a margin for rounding of the quotient
    least = float(np.nextafter(np.float32(least), np.float32(1)))  # a float32, so that comparisons are exact
    hint = "" if dtype.itemsize == 8 else '; give a wider dtype: dtype="int64"'
    return Requirement(f"at least {least:.8g} for values to fit {dtype}{hint}", Interval(least, 1))


def _plans(dtype: DTypeLike, p: Any) -> Iterable[Plan]:
    dtype = integer_dtype(dtype)
    fitting = _fits(dtype)
    if dtype.itemsize == 8:
        yield Plan(_geometric, (fitting(p=p),), dtype, FLOAT64)
        return
    assert isinstance(fitting.predicate, Interval)
    least = fitting.predicate.low
    yield Plan(_geometric, (Requirement("", Interval(max(least, _RARE), 1))(p=p),), dtype, FLOAT32)
    yield Plan(_geometric_rare, (fitting(p=p),), dtype, FLOAT64)


@sampler_of(_plans)
def geometric(
    key: Key, p: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return the numbers of trials up to the first success of probability ``p``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    p : float or array_like of floats
        Probability of success, in (0, 1], and large enough for every value to fit ``dtype``: at least 7.5e-9 for int32.
        Broadcasts to ``key.shape + shape``.
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
        Counts, one or more, of shape ``key.shape + shape``, int32 by default; any integer dtype is possible.

    Raises
    ------
    ValueError
        If ``p`` is outside (0, 1], NaN, or too small for ``dtype``.

    See Also
    --------
    bernoulli : A single trial.
    exponential : The continuous analog.
    negative_binomial : Failures before the ``n``-th success.

    Notes
    -----
    The probability of ``k`` is ``(1 - p)**(k - 1) * p``. A variate is ``floor(log(u) / log(1 - p)) + 1`` of a uniform u
    on [0, 1), and 1 where u is 0, in float32, or in float64 for dtypes of 64 bits.

    Precision: u has 23 (52) bits, so the largest value is about ``15.9 / p`` (``36 / p``), and for a very small ``p``
    not all smaller ones occur. For dtypes of 32 bits and a ``p`` below 9.5e-7, whose values can exceed 2**24, u has 32
    bits and the computation is in float64. For dtypes of 64 bits, values beyond 2**53 are multiples of powers of two.

    The values are those of ``jax.random.geometric`` for a ``p`` of the dtype of the computation that is at least
    9.5e-7, except for the few that differ by one where the quotient is next to an integer.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.geometric(keyrng.key(0), 0.1, (5,))
    array([ 1,  1, 11,  8,  6], dtype=int32)
    """
    dtype = integer_dtype(dtype, out)
    chosen, parameter, compute = _prepared(key, p, dtype)
    return sample_kernel(chosen, key, shape, dtype, parameter, compute=compute, out=out)


@cache_scalars
def _prepared(device: Device, p: ArrayLike, dtype: Dtype) -> tuple[Kernel, Parameter, Dtype]:
    """Return the kernel for a probability, the probability, and the dtype of the computation."""
    compute = float_dtype(dtype)
    checked_parameter(device, positive_probability(p=p), compute)  # the error for an invalid probability comes first
    fitting = _fits(dtype)(p=p)
    if dtype.itemsize == 4:
        exact = checked_parameter(device, fitting, FLOAT64)
        if may_hold(_is_rare, exact.value):
            return _geometric_rare, exact, FLOAT64
    return _geometric, fitting, compute


def _is_rare(p: Any) -> Any:
    return p < _RARE
