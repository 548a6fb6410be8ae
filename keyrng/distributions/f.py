"""The F distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.gamma import comparable, gamma_parts, large_gamma
from keyrng.distributions.t import _not_tiny
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import positive
from keyrng.kernels.special import exp_halves


def _ratio(factor: Any, boost: Any, over_shape: Any, dfnum: Any, under: Any, dfden: Any) -> Any:
    """Return the ratio of two gamma variates over their degrees of freedom; the first is given by `gamma_parts`.

    The order of operations overflows or underflows only if the result does. Both shapes, the second of which is
    ``dfden / 2``, come from `comparable`.
    """
    factor_under, boost_under = gamma_parts(under, dfden * 0.5)
    first, second = exp_halves(boost - boost_under)
    dfnum, dfden = where(over_shape < 2.0**-60, 2.0**-60, dfnum), _not_tiny(dfden)
    large = (dfnum > 2.0**60) | (dfden > 2.0**60)
    ratio = where(large, factor / dfnum * (dfden / factor_under), factor / factor_under)
    return ratio * first * where(large, 1.0, dfden / dfnum) * second


@kernel(*FLOATS)
def _f_large(lane: Any, dfnum: Any, dfden: Any) -> Any:
    under, over = lane.split(2)
    return large_gamma(over, dfnum * 0.5) / large_gamma(under, dfden * 0.5) * (dfden / dfnum)


@kernel(*FLOATS, usual=(_f_large, 2.0, 2.0**60))
def _f(lane: Any, dfnum: Any, dfden: Any) -> Any:
    under, over = lane.split(2)  # jax's order
    dfnum, dfden = comparable(dfnum, dfden)
    return _ratio(*gamma_parts(over, dfnum * 0.5), dfnum * 0.5, dfnum, under, dfden)


@sampler
def f(
    key: Key,
    dfnum: ArrayLike,
    dfden: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return F variates of ``dfnum`` and ``dfden`` degrees of freedom.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    dfnum, dfden : float or array_like of floats
        Degrees of freedom of the numerator and the denominator, positive and finite. They broadcast to
        ``key.shape + shape``.
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
        Variates, zero or more and possibly infinite, of shape ``key.shape + shape``, float32 by default.

    Raises
    ------
    ValueError
        If a parameter is not positive and finite.

    See Also
    --------
    beta : ``x / (x + y)`` instead of the ratio.
    chisquare : The variates of numerator and denominator.
    noncentral_f : A numerator that is noncentral.
    t : Its square is an F variate.

    Notes
    -----
    A variate is the ratio of two chi-square variates, each divided by its degrees of freedom. The density is
    proportional to ``x**(dfnum/2 - 1) * (1 + x * dfnum / dfden)**(-(dfnum + dfden)/2)``.

    The logarithms of two gamma variates are subtracted before the exponential, which avoids 0 / 0 for small parameters.
    For the smallest parameters all values are 0 or infinite.

    The values differ from those of ``jax.random.f``, as those of `gamma` do.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.f(keyrng.key(0), 3.0, 5.0, (3,))
    array([1.1544828 , 0.22806711, 8.250465  ], dtype=float32)
    """
    return sample_kernel(
        _f, key, shape, floating_dtype(dtype, out), positive(dfnum=dfnum), positive(dfden=dfden), out=out
    )
