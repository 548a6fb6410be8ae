"""The binomial distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT64, Dtype, DTypeLike, compute_dtype, number_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, wider
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions._shared.ratio_of_uniforms import NOTHING, log_binomial, proposal
from keyrng.kernels.bits import sum_as_int
from keyrng.kernels.elementary import floor
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import Requirement, integer_up_to, probability


def _attempt(lane: Any, n: Any, p: Any, peak: Any) -> tuple[Any, Any]:
    # Stadlober: k = floor(a + h (v - 1/2) / u), accepted if u**2 <= p(k) / p(mode); here k is base + x.
    mean = n * p
    base = floor(mean)
    fraction = mean - base
    x, height = proposal(lane, fraction, mean * (1.0 - p))
    k = base + x
    possible = (k >= 0.0) & (x <= n - base)
    accept = possible & (height <= log_binomial(k, x - fraction + (1.0 - p), n, p) - peak)
    certain = ~((mean > NOTHING) & (mean < math.inf))
    return accept | certain, where(certain, 0.0, x)


@kernel(*FLOATS)
def binomial_kernel(lane: Any, n: Any, p: Any) -> Any:
    """Return a binomial variate of ``n`` trials."""
    likely = p > 0.5
    # Count the rarer outcome, because 1 - p is exact for p > 1/2.
    rare = where(likely, 1.0 - p, p)
    mean = n * rare
    base = floor(mean)
    mode = floor(mean - base + rare)
    peak = log_binomial(base + mode, mode - (mean - base) + (1.0 - rare), n, rare)
    x = lane.rejection_loop(_attempt, n, rare, peak)
    return sum_as_int(where(likely, n - base, base), where(likely, -x, x))


@sampler
def binomial(
    key: Key,
    n: ArrayLike,
    p: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return the numbers of successes in ``n`` trials of success probability ``p``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    n : int or array_like of ints
        Number of trials, a whole number from 0 to the number up to which ``dtype`` represents every count: 2**24 for
        float32, 2**53 for float64 and for integers of 64 bits, 2048 for float16, 256 for bfloat16. Broadcasts to
        ``key.shape + shape``.
    p : float or array_like of floats
        Probability of success, in [0, 1]. 0 and 1 are exact. Broadcasts to ``key.shape + shape``.
    shape
        Shape of each key's sample, an int or a tuple of ints; by default the shape that the parameters broadcast to.
        With an array of keys and parameters per key, ``shape=()`` returns one sample per key.
    dtype
        Dtype of the result: any integer or float dtype, float32 by default.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Counts from 0 to ``n`` of shape ``key.shape + shape``, float32 by default, as in jax; any float or integer dtype
        is possible.

    Raises
    ------
    ValueError
        If ``n`` is negative, not a whole number or too large for ``dtype``, or ``p`` is outside [0, 1], or either is
        NaN.

    See Also
    --------
    bernoulli : A single trial.
    hypergeometric : Trials without replacement.
    multinomial : Trials with more than two outcomes.
    negative_binomial : Failures before the ``n``-th success.

    Notes
    -----
    The probability of ``k`` is ``C(n, k) * p**k * (1 - p)**(n - k)``. The method is Stadlober's ratio of uniforms [1]_,
    with probabilities that lose no digits for any ``n``. Integer dtypes are computed in float64.

    The values differ from those of ``jax.random.binomial``, which draws from chains of keys.

    References
    ----------
    .. [1] E. Stadlober, "The ratio of uniforms approach for generating discrete random variates", Journal of
       Computational and Applied Mathematics 31 (1990), 181-189. https://doi.org/10.1016/0377-0427(90)90349-5

    Examples
    --------
    >>> import keyrng
    >>> keyrng.binomial(keyrng.key(0), 10, 0.3, (5,), "int32")
    array([3, 5, 2, 3, 3], dtype=int32)
    """
    dtype = number_dtype(dtype, out)
    floats = compute_dtype(dtype) if dtype.kind not in "iu" else FLOAT64
    return sample_kernel(
        binomial_kernel, key, shape, dtype, trials(dtype)(n=n), probability(p=p), compute=floats, out=out
    )


def trials(dtype: Dtype) -> Requirement:
    """Return the requirement that a dtype, and float64 for integers, represents every count up to n."""
    if dtype.itemsize == 8:
        return integer_up_to(2**53)
    largest = int(np.iinfo(dtype).max) if dtype.kind in "iu" else _FLOATS[dtype.name]
    return integer_up_to(largest, f" for {dtype}{wider(dtype)}")


_FLOATS = {"float16": 2**11, "bfloat16": 2**8, "float32": 2**24}
