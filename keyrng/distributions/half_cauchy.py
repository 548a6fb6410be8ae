"""The half-Cauchy distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_midpoint
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.special import tanpi


@kernel(*FLOATS)
def _half_cauchy(lane: Any) -> Any:
    return tanpi(uniform_midpoint(lane) * 0.5)


@sampler
def half_cauchy(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    r"""Return standard half-Cauchy variates, the absolute values of Cauchy variates.

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
        Samples of shape ``key.shape + shape``, from 9.4e-8 to 1.07e7 for float32 and bfloat16, from 1.7e-16 to 5.73e15
        for float64. 0 does not occur. One float16 sample in 10**5 is infinite.

    See Also
    --------
    cauchy : Cauchy variates on both sides of 0.
    half_normal : A half-distribution with a light tail.

    Notes
    -----
    The density is

    .. math:: f(x) = \frac{2}{\pi \, (1 + x^2)}, \qquad x \ge 0

    A sample is ``tan(pi / 2 * u)`` with u uniform on the odd multiples of 2**-24 (float64: 2**-53) in (0, 1), with an
    error of at most 1.7 ULP. The distribution is that of ``scipy.stats.halfcauchy``; ``jax.random`` does not have it.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.half_cauchy(keyrng.key(0), (3,))
    array([12.137387 , 29.70951  ,  0.5751704], dtype=float32)
    """
    return sample_kernel(_half_cauchy, key, shape, floating_dtype(dtype, out), out=out)
