"""The Cauchy distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_co
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.special import tanpi


@kernel(*FLOATS)
def _cauchy(lane: Any) -> Any:
    smallest = 2.0**-23 if lane.dtype == np.float32 else 2.0**-52
    u = uniform_co(lane) * (1.0 - smallest) + smallest
    return tanpi(u - 0.5)


@sampler
def cauchy(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Return standard Cauchy variates.

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
        Variates of shape ``key.shape + shape``, float32 by default.

    Raises
    ------
    TypeError
        If ``dtype`` is not a float dtype, or an argument is of a wrong kind.

    See Also
    --------
    laplace : A symmetric distribution with exponential tails.
    normal : A symmetric distribution with lighter tails.
    t : Student's t, of which this is the case ``df = 1``.

    Notes
    -----
    The density is ``1 / (pi * (1 + x**2))``. A variate is ``tan(pi * (u - 1/2))`` of a uniform u on [2**-23, 1) for
    float32 and on [2**-52, 1) for float64.

    Values lie in [-2.7e6, 2.7e6] for float32 and bfloat16, and in [-1.4e15, 1.4e15] for float64. In float16 one value
    in 10**5 is infinite.

    Precision: float32 values are within 3.7 ULP of the formula.

    The values are those of ``jax.random.cauchy`` within the rounding of its pi, which changes the largest one by an
    eighth.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.cauchy(keyrng.key(0), (3,))
    array([ 6.0274916 , 14.837884  , -0.58172226], dtype=float32)
    """
    return sample_kernel(_cauchy, key, shape, floating_dtype(dtype, out), out=out)
