"""The skew normal distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.normal import normal_kernel
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import not_nan


@kernel(*FLOATS)
def _skew_normal(lane: Any, a: Any) -> Any:
    first, second = lane.split(2)
    x, y = normal_kernel(first), normal_kernel(second)
    # Azzalini: x if y < a x, else -x. Neither is 0, so an infinite a gives no NaN.
    return where(y < a * x, x, -x)


@sampler
def skew_normal(
    key: Key, a: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    r"""Return skew normal variates of shape ``a``, with a longer tail to the right if ``a`` is positive.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    a : array_like
        The shape parameter, any number except NaN: 0 gives normal variates, inf half-normal variates and -inf negative
        ones. Arrays broadcast to the shape of the result.
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
        Samples of shape ``key.shape + shape``. Their absolute values are those of `normal`: up to 5.42 for float32 (and
        narrower floats), 8.29 for float64.

    Raises
    ------
    ValueError
        If an ``a`` is NaN.

    See Also
    --------
    normal : The distribution for ``a = 0``.
    half_normal : The distribution for an infinite ``a``.

    Notes
    -----
    The density is

    .. math:: f(x) = 2 \, \varphi(x) \, \Phi(a x)

    with the density and the distribution function of the standard normal distribution. A sample is a normal variate x,
    or -x if a second one exceeds ``a * x``, so it has the precision of `normal` for every ``a``. The distribution is
    that of ``scipy.stats.skewnorm``; ``jax.random`` does not have it.

    References
    ----------
    .. [1] A. Azzalini, "A class of distributions which includes the normal ones", Scandinavian Journal of Statistics 12
       (1985), 171-178.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.skew_normal(keyrng.key(0), 4.0, (3,))
    array([1.0040143, 0.9063372, 0.7481722], dtype=float32)
    """
    return sample_kernel(_skew_normal, key, shape, floating_dtype(dtype, out), not_nan(a=a), out=out)
