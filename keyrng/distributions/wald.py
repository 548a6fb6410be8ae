"""The Wald distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.normal import normal_kernel
from keyrng.kernels.bits import uniform_co
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import sqrt, where
from keyrng.kernels.requirements import positive


@kernel(*FLOATS)
def _wald(lane: Any, mean: Any) -> Any:
    """Choose between the root x < mean of ``(x - mean)**2 / (mean**2 * x) = y``, y = N**2, and the other, mean**2 / x.

    Michael, Schucany, Haas, "Generating random variates using transformations with multiple roots", The American
    Statistician 30 (1976), 88-90, https://doi.org/10.1080/00031305.1976.10479147. The paper's x is a difference, which
    can cancel; ``mean / ratio`` cannot.
    """
    first, second = lane.split(2)
    n = normal_kernel(first)
    y = n * n
    w = mean * y
    ratio = 1.0 + w * 0.5 + sqrt(w * (1.0 + w * 0.25))
    x = where(w < 1e18, mean / ratio, 1.0 / y)  # the limit for large w, which would overflow
    # The paper: take x if u <= mean / (mean + x).
    return where(uniform_co(second) <= 1.0 / (1.0 + 1.0 / ratio), x, mean * ratio)


@sampler
def wald(
    key: Key, mean: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return Wald (inverse Gaussian) variates of mean ``mean`` and scale 1.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    mean : float or array_like of floats
        Mean, positive and finite. Broadcasts to ``key.shape + shape``.
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
        Variates of shape ``key.shape + shape``, float32 by default.

    Raises
    ------
    ValueError
        If ``mean`` is not positive and finite.

    See Also
    --------
    gamma : Another distribution of positive numbers.
    lognormal : Exponentials of normal variates.

    Notes
    -----
    With ``m`` the mean, the density is ``exp(-(x - m)**2 / (2 * m**2 * x)) / sqrt(2 * pi * x**3)`` for ``x > 0``. A
    variate is one of the two roots of a quadratic equation in the square of a normal variate [1]_.

    Precision: the roots are computed without the cancellation and overflow of the paper's formula, so values are
    accurate for every mean, however small or large.

    The values are those of ``jax.random.wald`` within the rounding errors of its formula, which cancels for a large
    mean.

    References
    ----------
    .. [1] J. R. Michael, W. R. Schucany, R. W. Haas, "Generating random variates using transformations with multiple
       roots", The American Statistician 30 (1976), 88-90. https://doi.org/10.1080/00031305.1976.10479147

    Examples
    --------
    >>> import keyrng
    >>> keyrng.wald(keyrng.key(0), 2.0, (3,))
    array([0.53342175, 0.5981154 , 0.72548366], dtype=float32)
    """
    return sample_kernel(_wald, key, shape, floating_dtype(dtype, out), positive(mean=mean), out=out)
