"""Logarithms of gamma variates."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, positive
from keyrng._sampling.shapes import Shape
from keyrng.distributions.gamma import gamma_parts
from keyrng.kernels.elementary import log
from keyrng.kernels.lane import FLOATS, kernel


@kernel(*FLOATS)
def loggamma_kernel(lane: Any, a: Any) -> Any:
    """Return the logarithm of a gamma variate."""
    factor, boost = gamma_parts(lane, a)
    return log(factor) + boost


def loggamma(
    key: Key, a: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Logarithms of gamma variates of shape ``a``, finite also where the variate itself would underflow to 0.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    a
        Positive finite numbers that broadcast to the result.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If an ``a`` is zero, negative, infinite or NaN.

    Notes
    -----
    The logarithm of what `gamma` draws for the same key, with an absolute error of 2 ULP of 1 or of the value. It is
    -inf only below the smallest number of the dtype, as most values are for an ``a`` below 2e-39 (float64: 4e-309).
    Values differ from jax.random.loggamma, as those of `gamma`.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.gamma(keyrng.key(0), 1e-3), keyrng.loggamma(keyrng.key(0), 1e-3)
    (array(0.00108612, dtype=float32), array(-6.825146, dtype=float32))
    """
    return sample_kernel(loggamma_kernel, key, shape, floating_dtype(dtype, out), positive(a=a), out=out)
