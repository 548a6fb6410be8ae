"""Student's t distribution."""

from __future__ import annotations

import math
from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.gamma import gamma_parts, large_gamma
from keyrng.distributions.normal import normal_kernel
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import sqrt, where
from keyrng.kernels.requirements import positive
from keyrng.kernels.special import exp_halves


@kernel(*FLOATS)
def _t_large(lane: Any, df: Any) -> Any:
    normal, gamma = lane.split(2)
    half = df * 0.5
    return normal_kernel(normal) * sqrt(half / large_gamma(gamma, half))


@kernel(*FLOATS, usual=(_t_large, 2.0, math.inf))
def _t(lane: Any, df: Any) -> Any:
    normal, gamma = lane.split(2)
    half = df * 0.5
    factor, boost = gamma_parts(gamma, half)
    scale, power_of_two = exp_halves(boost * -0.5)
    return normal_kernel(normal) * sqrt(_not_tiny(half) / factor) * scale * power_of_two


def _not_tiny(df: Any) -> Any:
    """Return degrees of freedom as a factor, at least 2**-60: below, the variate is 0 or infinite in any case."""
    return where(df < 2.0**-60, 2.0**-60, df)


@sampler
def t(
    key: Key, df: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return Student's t variates of ``df`` degrees of freedom.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    df : float or array_like of floats
        Degrees of freedom, positive and finite. Broadcasts to ``key.shape + shape``.
    shape
        Shape of each key's sample, an int or a tuple of ints; by default the shape that the parameters broadcast to.
        With an array of keys and parameters per key, ``shape=()`` returns one sample per key.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default) or float64.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Variates, possibly infinite, of shape ``key.shape + shape``, float32 by default.

    Raises
    ------
    ValueError
        If ``df`` is not positive and finite.

    See Also
    --------
    cauchy : The case ``df = 1``, without rejection.
    f : The distribution of the squares, for ``dfnum = 1``.
    normal : The limit for large ``df``.

    Notes
    -----
    The density is proportional to ``(1 + x**2 / df)**(-(df + 1)/2)``. A variate is a normal variate divided by
    ``sqrt(chisquare / df)``. Beyond the largest number of the dtype a value is infinite, which happens for small
    ``df``: in float32, at ``df = 0.1``, one in 8,500.

    The values differ from those of ``jax.random.t``, as those of `gamma` do.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.t(keyrng.key(0), 3.0, (3,))
    array([ 1.0073986 , -1.4670074 , -0.62687653], dtype=float32)
    """
    return sample_kernel(_t, key, shape, floating_dtype(dtype, out), positive(df=df), out=out)
