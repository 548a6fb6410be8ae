"""The noncentral F distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.f import _ratio
from keyrng.distributions.gamma import comparable
from keyrng.distributions.noncentral_chisquare import _added_shape
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import non_negative, positive


@kernel(*FLOATS)
def _noncentral_f(lane: Any, dfnum: Any, dfden: Any, nonc: Any) -> Any:
    under, over = lane.split(2)
    count, gamma = over.split(2)
    added = _added_shape(count, nonc)
    central, dfden = comparable(dfnum + added, dfden)
    return _ratio(gamma, where(added == 0.0, central * 0.5, dfnum * 0.5 + added), dfnum, under, dfden)


@sampler
def noncentral_f(
    key: Key,
    dfnum: ArrayLike,
    dfden: ArrayLike,
    nonc: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return noncentral F variates of ``dfnum`` and ``dfden`` degrees of freedom and noncentrality ``nonc``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    dfnum, dfden : float or array_like of floats
        Degrees of freedom of the numerator and the denominator, positive and finite. They broadcast to
        ``key.shape + shape``.
    nonc : float or array_like of floats
        Noncentrality of the numerator, zero or more and finite. Broadcasts to ``key.shape + shape``.
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
        If a parameter is outside its range or NaN.

    See Also
    --------
    f : The case ``nonc = 0``.
    noncentral_chisquare : The variates of the numerator.

    Notes
    -----
    A variate is the ratio of a noncentral chi-square variate and a chi-square variate, each divided by its degrees of
    freedom. The methods are those of `noncentral_chisquare` and `f`.

    The parameters are those of ``numpy.random.Generator.noncentral_f``; ``jax.random`` does not have this distribution.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.noncentral_f(keyrng.key(0), 3.0, 5.0, 2.0, (3,))
    array([ 7.4367046,  0.5543696, 17.99691  ], dtype=float32)
    """
    parameters = positive(dfnum=dfnum), positive(dfden=dfden), non_negative(nonc=nonc)
    return sample_kernel(_noncentral_f, key, shape, floating_dtype(dtype, out), *parameters, out=out)
