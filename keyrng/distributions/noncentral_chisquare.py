"""The noncentral chi-square distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, non_negative, positive
from keyrng._sampling.shapes import Shape
from keyrng.distributions.gamma import gamma_parts
from keyrng.distributions.poisson import poisson_parts
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import FLOATS, kernel


def _added_shape(lane: Any, nonc: Any) -> Any:
    """What noncentrality adds to the shape: a noncentral chi-square is a Poisson mixture of central ones, for every df.

    N. L. Johnson, S. Kotz, N. Balakrishnan, Continuous Univariate Distributions 2, 2nd edition, equation (29.4).
    """
    base, rest = poisson_parts(lane, nonc * 0.5)
    return base + rest


@kernel(*FLOATS)
def _noncentral_chisquare(lane: Any, df: Any, nonc: Any) -> Any:
    count, gamma = lane.split(2)
    factor, boost = gamma_parts(gamma, df * 0.5 + _added_shape(count, nonc))
    return factor * exp(boost) * 2.0


def noncentral_chisquare(
    key: Key,
    df: ArrayLike,
    nonc: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Noncentral chi-square variates: sums of ``df`` squared normals whose squared means add up to ``nonc``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    df
        Positive finite degrees of freedom that broadcast to the result.
    nonc
        Noncentralities, zero or more and finite, that broadcast to the result.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If a parameter is outside its range, or NaN.

    Notes
    -----
    A chi-square of ``df + 2 * poisson(nonc / 2)`` degrees of freedom: Johnson, Kotz, Balakrishnan, Continuous
    Univariate Distributions 2, equation (29.4). The parameters are those of
    numpy.random.Generator.noncentral_chisquare.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.noncentral_chisquare(keyrng.key(0), 3.0, 2.0, (3,))
    array([5.1952024, 1.1450813, 6.8338256], dtype=float32)
    """
    return sample_kernel(
        _noncentral_chisquare, key, shape, floating_dtype(dtype, out), positive(df=df), non_negative(nonc=nonc), out=out
    )
