"""The Laplace distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_signed
from keyrng.kernels.elementary import copysign, log1p_unchecked
from keyrng.kernels.lane import FLOATS, kernel


@kernel(*FLOATS)
def _laplace(lane: Any) -> Any:
    u = uniform_signed(lane)
    return copysign(log1p_unchecked(-abs(u)), -u)


@sampler
def laplace(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Return standard Laplace variates.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    shape
        Shape of each key's sample, an int or a tuple of ints; () by default.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default) or float64.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Variates of shape ``key.shape + shape``, float32 by default, in [-15.6, 16.7] for float32 and narrower dtypes
        and in [-35.7, 36.8] for float64.

    Raises
    ------
    TypeError
        If ``dtype`` is not a float dtype, or an argument is of a wrong kind.

    See Also
    --------
    exponential : The absolute values.
    generalized_normal : The generalization to other exponents.
    logistic : A symmetric distribution with similar tails.

    Notes
    -----
    The density is ``exp(-abs(x)) / 2``. A variate is ``sign(u) * log(1 - abs(u))`` of a uniform u on (-1, 1).

    Precision: float32 values are within 0.9 ULP of the formula, near 0 as in the tails. 0 never occurs in float32 and
    float64.

    The values are those of ``jax.random.laplace`` within rounding.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.laplace(keyrng.key(0), (3,))
    array([-2.2569816 , -3.1502788 ,  0.40859547], dtype=float32)
    """
    return sample_kernel(_laplace, key, shape, floating_dtype(dtype, out), out=out)
