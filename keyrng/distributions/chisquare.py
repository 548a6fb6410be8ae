"""The chi-square distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, positive
from keyrng._sampling.shapes import Shape
from keyrng.distributions.gamma import gamma_parts
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import FLOATS, kernel


@kernel(*FLOATS)
def _chisquare(lane: Any, df: Any) -> Any:
    factor, boost = gamma_parts(lane, df * 0.5)
    return factor * exp(boost) * 2.0


def chisquare(
    key: Key, df: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Chi-square variates of ``df`` degrees of freedom: density proportional to ``x**(df/2 - 1) * exp(-x/2)``.

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
    Twice what `gamma` draws for ``df / 2``; it underflows to 0 for small ``df``. Values differ from
    jax.random.chisquare, as those of `gamma`.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.chisquare(keyrng.key(0), 3.0, (3,))
    array([4.7171974, 1.5068436, 1.980483 ], dtype=float32)
    """
    return sample_kernel(_chisquare, key, shape, floating_dtype(dtype, out), positive(df=df), out=out)
