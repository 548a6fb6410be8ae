"""Student's t distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, positive
from keyrng._sampling.shapes import Shape
from keyrng.distributions.gamma import gamma_parts
from keyrng.distributions.normal import normal_kernel
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import sqrt, where
from keyrng.kernels.special import exp_halves


@kernel(*FLOATS)
def _t(lane: Any, df: Any) -> Any:
    normal, gamma = lane.split(2)
    half = df * 0.5
    factor, boost = gamma_parts(gamma, half)
    scale, power_of_two = exp_halves(boost * -0.5)
    return normal_kernel(normal) * sqrt(_not_tiny(half) / factor) * scale * power_of_two


def _not_tiny(df: Any) -> Any:
    """Degrees of freedom as a factor; from 2**-60 down the variate is 0 or infinite, whatever they are."""
    return where(df < 2.0**-60, 2.0**-60, df)


def t(
    key: Key, df: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Student's t variates of ``df`` degrees of freedom: density proportional to ``(1 + x*x/df)**(-(df + 1)/2)``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    df
        Positive finite numbers that broadcast to the result.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If a ``df`` is zero, negative, infinite or NaN.

    Notes
    -----
    A normal over the square root of a chi-square over ``df``; beyond the dtype's largest number it is infinite, which
    for small ``df`` happens (at ``df = 0.1`` and float32 once in 8,500). Values differ from jax.random.t, as those of
    `gamma`.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.t(keyrng.key(0), 3.0, (3,))
    array([ 1.0073986 , -1.4670074 , -0.62687653], dtype=float32)
    """
    return sample_kernel(_t, key, shape, floating_dtype(dtype, out), positive(df=df), out=out)
