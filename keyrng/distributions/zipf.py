"""The Zipf distribution, cut off at the largest integer of the dtype."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT64, DTypeLike, integer_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_co
from keyrng.kernels.elementary import exp, expm1, log1p, log1p_unchecked, log_unchecked, rint
from keyrng.kernels.lane import kernel
from keyrng.kernels.ops import cast
from keyrng.kernels.requirements import Parameter, above_one


def _rejection_inversion(lane: Any, e: Any, span: Any, top: Any, end: Any) -> tuple[Any, Any]:
    """Make one attempt: draw x of density ``x**-a`` up to ``end - 1/2``, and return the integer k nearest to it.

    W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", ACM
    Transactions on Modeling and Computer Simulation 6 (1996), 169-184, https://doi.org/10.1145/235025.235029.

    With ``e = a - 1``, the paper's H is ``H(x) = (1 - x**-e) / e``. Both sides of its test are multiplied by
    ``e * k**a``, and x is taken relative to k, so that neither a small e nor a large k leaves a difference that
    cancels.
    """
    # x**-e - 1 is uniform between -e H(end - 1/2) and -e (H(3/2) - 1).
    power = uniform_co(lane) * span - top
    x = exp(log1p(power) / -e)
    k = rint(x)
    beyond = expm1(-e * log1p_unchecked(0.5 / k))
    here = expm1(-e * log1p_unchecked((x - k) / k))
    # The paper: accept k if H(k + 1/2) - H(x) <= k**-a. 1 is always accepted, because its interval begins where its
    # length is the probability of 1.
    accept = (k == 1.0) | (k * (here - beyond) <= e)
    # Accept an invalid parameter at once, so that the loop ends.
    return (accept & (k < end)) | ~((e > 0.0) & (e < math.inf)), k


@kernel("float64")
def _zipf(lane: Any, a: Any, end: Any) -> Any:
    # Draw from the integers 1 to end - 1.
    e = a - 1.0
    top = -expm1(-e * log_unchecked(end - 0.5))
    span = top + expm1(-e * 0.4054651081081644) + e  # log(3 / 2)
    return cast(lane.rejection_loop(_rejection_inversion, e, span, top, end), np.uint64)


@sampler
def zipf(
    key: Key, a: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return Zipf variates of exponent ``a``, integers from 1 to the largest of the dtype.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    a : float or array_like of floats
        Exponent, finite and greater than 1. Broadcasts to ``key.shape + shape``.
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
        If ``a`` is not greater than 1, infinite or NaN.

    See Also
    --------
    logseries : Probabilities that decrease exponentially.
    pareto : The continuous analog.

    Notes
    -----
    The probability of ``k`` is proportional to ``k**-a``, for ``k`` up to the largest integer of the dtype: a larger
    value is drawn again. For ``a`` near 1 a wider dtype therefore gives another distribution.

    The method is Hörmann and Derflinger's rejection-inversion [1]_, in float64: at least 98 of 100 attempts are
    accepted. Values beyond 2**53 are multiples of powers of two.

    The parameters are those of ``numpy.random.Generator.zipf``, which draws again beyond int64; ``jax.random`` does not
    have this distribution.

    References
    ----------
    .. [1] W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions",
       ACM Transactions on Modeling and Computer Simulation 6 (1996), 169-184. https://doi.org/10.1145/235025.235029

    Examples
    --------
    >>> import keyrng
    >>> keyrng.zipf(keyrng.key(0), 2.0, (5,))
    array([1, 1, 4, 1, 1], dtype=int32)
    """
    dtype = integer_dtype(dtype, out)
    end = Parameter("dtype", float(int(np.iinfo(dtype).max) + 1))
    return sample_kernel(_zipf, key, shape, dtype, above_one(a=a), end, compute=FLOAT64, out=out)
