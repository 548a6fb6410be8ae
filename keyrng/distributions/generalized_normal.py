"""The generalized normal distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, positive
from keyrng._sampling.shapes import Shape
from keyrng.distributions.ball import _MOST
from keyrng.distributions.gamma import gamma_parts
from keyrng.kernels.bits import random_sign
from keyrng.kernels.elementary import exp, log
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where


@kernel(*FLOATS)
def _generalized_normal(lane: Any, p: Any) -> Any:
    size, sign = lane.split(2)
    p = where(p > _MOST, _MOST, p)
    factor, boost = gamma_parts(size, 1.0 / p)
    x = exp((log(factor) + boost) / p)
    return random_sign(sign, x)


def generalized_normal(
    key: Key, p: ArrayLike, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Generalized normal variates of exponent ``p``: density proportional to ``exp(-abs(x)**p)``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    p
        Positive finite numbers that broadcast to the result: 1 for Laplace, 2 for a normal of variance 1/2.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If a ``p`` is zero, negative, infinite or NaN.

    Notes
    -----
    A gamma variate of shape ``1 / p`` to the power of ``1 / p``, with a random sign. Values differ from
    jax.random.generalized_normal, as those of `gamma`.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.generalized_normal(keyrng.key(0), 1.5, (3,))
    array([ 1.0783788 ,  1.369356  , -0.23227228], dtype=float32)
    """
    return sample_kernel(_generalized_normal, key, shape, floating_dtype(dtype, out), positive(p=p), out=out)
