"""The half-normal distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.normal import normal_kernel
from keyrng.kernels.lane import FLOATS, kernel


@kernel(*FLOATS)
def _half_normal(lane: Any) -> Any:
    return abs(normal_kernel(lane))


@sampler
def half_normal(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    r"""Return standard half-normal variates, the absolute values of normal variates.

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
        Samples of shape ``key.shape + shape``, from 7.5e-8 to 5.42 for float32 (and narrower floats), from 1.4e-16 to
        8.29 for float64. 0 does not occur.

    See Also
    --------
    normal : Normal variates on both sides of 0.
    half_cauchy : A half-distribution with a heavy tail.
    rayleigh : Lengths of normal vectors in the plane.
    maxwell : Lengths of normal vectors in space.

    Notes
    -----
    The density is

    .. math:: f(x) = \sqrt{\frac{2}{\pi}} \, e^{-x^2 / 2}, \qquad x \ge 0

    ``half_normal(key, shape)`` equals ``abs(normal(key, shape))``. The distribution is that of
    ``scipy.stats.halfnorm``; ``jax.random`` does not have it.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.half_normal(keyrng.key(0), (3,))
    array([1.6226422 , 2.0252647 , 0.43359444], dtype=float32)
    """
    return sample_kernel(_half_normal, key, shape, floating_dtype(dtype, out), out=out)
