"""The noncentral F distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, non_negative, positive
from keyrng._sampling.shapes import Shape
from keyrng.distributions.f import _ratio
from keyrng.distributions.gamma import comparable
from keyrng.distributions.noncentral_chisquare import _added_shape
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where


@kernel(*FLOATS)
def _noncentral_f(lane: Any, dfnum: Any, dfden: Any, nonc: Any) -> Any:
    under, over = lane.split(2)
    count, gamma = over.split(2)
    added = _added_shape(count, nonc)
    central, dfden = comparable(dfnum + added, dfden)
    return _ratio(gamma, where(added == 0.0, central * 0.5, dfnum * 0.5 + added), dfnum, under, dfden)


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
    """Noncentral F variates: a noncentral chi-square over a chi-square, each over its degrees of freedom.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    dfnum, dfden
        Positive finite degrees of freedom that broadcast to the result.
    nonc
        Noncentralities of the numerator, zero or more and finite, that broadcast to the result.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If a parameter is outside its range, or NaN.

    Notes
    -----
    As `noncentral_chisquare` and `f`. The parameters are those of numpy.random.Generator.noncentral_f.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.noncentral_f(keyrng.key(0), 3.0, 5.0, 2.0, (3,))
    array([ 7.4367046,  0.5543696, 17.99691  ], dtype=float32)
    """
    parameters = positive(dfnum=dfnum), positive(dfden=dfden), non_negative(nonc=nonc)
    return sample_kernel(_noncentral_f, key, shape, floating_dtype(dtype, out), *parameters, out=out)
