"""The chi-square distribution."""

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
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.requirements import positive


@kernel(*FLOATS)
def _chisquare_large(lane: Any, df: Any) -> Any:
    return large_gamma(lane, df * 0.5) * 2.0


@kernel(*FLOATS, usual=(_chisquare_large, 2.0, math.inf))
def _chisquare(lane: Any, df: Any) -> Any:
    factor, boost = gamma_parts(lane, df * 0.5)
    return factor * exp(boost) * 2.0


@sampler
def chisquare(
    key: Key, df: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return chi-square variates of ``df`` degrees of freedom.

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
        Variates, zero or more, of shape ``key.shape + shape``, float32 by default.

    Raises
    ------
    ValueError
        If ``df`` is not positive and finite.

    See Also
    --------
    f : Ratios of chi-square variates.
    gamma : Chi-square variates are gamma variates times 2.
    noncentral_chisquare : Squares of normal variates whose means are not 0.
    wishart : The generalization to matrices.

    Notes
    -----
    The density is ``(x / 2)**(df/2 - 1) * exp(-x/2) / (2 * gamma(df/2))``. A variate is twice that of `gamma` for
    ``df / 2``. It underflows to 0 for small ``df``.

    The values differ from those of ``jax.random.chisquare``, as those of `gamma` do.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.chisquare(keyrng.key(0), 3.0, (3,))
    array([4.7171974, 1.5068436, 1.980483 ], dtype=float32)
    """
    return sample_kernel(_chisquare, key, shape, floating_dtype(dtype, out), positive(df=df), out=out)
