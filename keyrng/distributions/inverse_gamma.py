"""The inverse gamma distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.gamma import gamma_parts
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.requirements import positive
from keyrng.kernels.special import exp_halves


@kernel(*FLOATS)
def _inverse_gamma(lane: Any, a: Any) -> Any:
    factor, boost = gamma_parts(lane, a)
    scale, power_of_two = exp_halves(-boost)
    return 1.0 / factor * scale * power_of_two


@sampler
def inverse_gamma(
    key: Key, a: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    r"""Return inverse gamma variates of shape ``a`` and scale 1, the reciprocals of gamma variates.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    a : array_like
        The shape parameter, positive and finite. Arrays broadcast to the shape of the result.
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
        Samples of shape ``key.shape + shape``, positive; infinite beyond the largest number of the dtype, which occurs
        for small ``a`` only.

    Raises
    ------
    ValueError
        If an ``a`` is zero, negative, infinite or NaN.

    See Also
    --------
    gamma : Gamma variates; with the same key their reciprocals, except for rounding.
    loggamma : Logarithms of gamma variates.

    Notes
    -----
    The density is

    .. math:: f(x) = \frac{x^{-a - 1} \, e^{-1 / x}}{\Gamma(a)}, \qquad x > 0

    A sample is the reciprocal of a sample by `gamma` before that is rounded, so it does not overflow where the gamma
    variate is subnormal. The distribution is that of ``scipy.stats.invgamma``; ``jax.random`` does not have it.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.inverse_gamma(keyrng.key(0), 3.0, (3,))
    array([0.23121066, 0.49716198, 0.4175333 ], dtype=float32)
    """
    return sample_kernel(_inverse_gamma, key, shape, floating_dtype(dtype, out), positive(a=a), out=out)
