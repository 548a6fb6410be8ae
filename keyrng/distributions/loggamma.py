"""The distribution of logarithms of gamma variates."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.gamma import gamma_parts
from keyrng.kernels.elementary import log
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.requirements import positive


@kernel(*FLOATS)
def loggamma_kernel(lane: Any, a: Any) -> Any:
    """Return the logarithm of a gamma variate."""
    factor, boost = gamma_parts(lane, a)
    return log(factor) + boost


@sampler
def loggamma(
    key: Key, a: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return logarithms of gamma variates of shape ``a`` and scale 1.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    a : float or array_like of floats
        Shape of the gamma distribution, positive and finite. Broadcasts to ``key.shape + shape``.
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
        Variates of shape ``key.shape + shape``, float32 by default, finite except for the smallest ``a``: see Notes.

    Raises
    ------
    ValueError
        If ``a`` is not positive and finite.

    See Also
    --------
    gamma : The variates themselves, which underflow to 0 for small ``a``.
    gumbel : The case ``a = 1`` with the opposite sign, without rejection.

    Notes
    -----
    The density is ``exp(a * x - exp(x)) / gamma(a)``. A variate is the logarithm of that of `gamma` for the same key.

    Precision: the error is at most 2 ULP of the value, or of 1 if that is larger. A value is -inf only below the
    smallest number of the dtype, as most values are for an ``a`` below 2e-39 (4e-309 for float64).

    The values differ from those of ``jax.random.loggamma``, as those of `gamma` do.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.gamma(keyrng.key(0), 1e-3), keyrng.loggamma(keyrng.key(0), 1e-3)
    (array(0.00108612, dtype=float32), array(-6.825146, dtype=float32))
    """
    return sample_kernel(loggamma_kernel, key, shape, floating_dtype(dtype, out), positive(a=a), out=out)
