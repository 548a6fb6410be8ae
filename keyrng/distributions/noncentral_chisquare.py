"""The noncentral chi-square distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.gamma import gamma_parts
from keyrng.distributions.poisson import poisson_parts
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.requirements import non_negative, positive


def _added_shape(lane: Any, nonc: Any) -> Any:
    """Return what noncentrality adds to the gamma shape.

    A noncentral chi-square is a Poisson mixture of central ones, for every df: N. L. Johnson, S. Kotz, N. Balakrishnan,
    Continuous Univariate Distributions 2, 2nd edition, equation (29.4).
    """
    base, rest = poisson_parts(lane, nonc * 0.5)
    return base + rest


@kernel(*FLOATS)
def _noncentral_chisquare(lane: Any, df: Any, nonc: Any) -> Any:
    count, gamma = lane.split(2)
    factor, boost = gamma_parts(gamma, df * 0.5 + _added_shape(count, nonc))
    return factor * exp(boost) * 2.0


@sampler
def noncentral_chisquare(
    key: Key,
    df: ArrayLike,
    nonc: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return noncentral chi-square variates of ``df`` degrees of freedom and noncentrality ``nonc``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    df : float or array_like of floats
        Degrees of freedom, positive and finite. Broadcasts to ``key.shape + shape``.
    nonc : float or array_like of floats
        Noncentrality, zero or more and finite. Broadcasts to ``key.shape + shape``.
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
        If a parameter is outside its range or NaN.

    See Also
    --------
    chisquare : The case ``nonc = 0``.
    noncentral_f : Ratios with a noncentral numerator.

    Notes
    -----
    For a whole number ``df`` this is the distribution of the sum of ``df`` squared normal variates of variance 1 whose
    squared means sum to ``nonc``. A variate is a chi-square variate of ``df + 2 * poisson(nonc / 2)`` degrees of
    freedom [1]_, for every ``df``.

    The parameters are those of ``numpy.random.Generator.noncentral_chisquare``; ``jax.random`` does not have this
    distribution.

    References
    ----------
    .. [1] N. L. Johnson, S. Kotz, N. Balakrishnan, "Continuous Univariate Distributions", volume 2, 2nd edition, Wiley,
       1995, equation (29.4).

    Examples
    --------
    >>> import keyrng
    >>> keyrng.noncentral_chisquare(keyrng.key(0), 3.0, 2.0, (3,))
    array([5.1952024, 1.1450813, 6.8338256], dtype=float32)
    """
    return sample_kernel(
        _noncentral_chisquare, key, shape, floating_dtype(dtype, out), positive(df=df), non_negative(nonc=nonc), out=out
    )
