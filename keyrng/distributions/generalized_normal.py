"""The generalized normal distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.ball import _MOST
from keyrng.distributions.gamma import gamma_parts
from keyrng.kernels.bits import random_sign
from keyrng.kernels.elementary import exp, log
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import positive


@kernel(*FLOATS)
def _generalized_normal(lane: Any, p: Any) -> Any:
    size, sign = lane.split(2)
    p = where(p > _MOST, _MOST, p)
    factor, boost = gamma_parts(size, 1.0 / p)
    x = exp((log(factor) + boost) / p)
    return random_sign(sign, x)


@sampler
def generalized_normal(
    key: Key, p: ArrayLike, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return generalized normal variates of exponent ``p``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    p : float or array_like of floats
        Exponent, positive and finite: 1 for the Laplace distribution, 2 for a normal distribution of variance 1/2.
        Broadcasts to ``key.shape + shape``.
    shape
        Shape of each key's sample, an int or a tuple of ints; () by default. With an array of keys and parameters per
        key, ``shape=()`` returns one sample per key.
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
    ValueError
        If ``p`` is not positive and finite.

    See Also
    --------
    ball : Points of the unit ball of the p-norm, made of such variates.
    gamma : The variates that are raised to the power ``1 / p``.
    laplace : The case ``p = 1``, without rejection.
    normal : The case ``p = 2``, times ``sqrt(2)``, without rejection.

    Notes
    -----
    The density is ``p * exp(-abs(x)**p) / (2 * gamma(1 / p))``. A variate is a gamma variate of shape ``1 / p``, raised
    to the power ``1 / p``, with a random sign.

    The values differ from those of ``jax.random.generalized_normal``, as those of `gamma` do.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.generalized_normal(keyrng.key(0), 1.5, (3,))
    array([ 1.0783788 ,  1.369356  , -0.23227228], dtype=float32)
    """
    return sample_kernel(_generalized_normal, key, shape, floating_dtype(dtype, out), positive(p=p), out=out)
