"""The Wishart distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT64, DTypeLike, compute_dtype, floating_of
from keyrng._core.fpenv import without_warnings
from keyrng._executors.convert import convert
from keyrng._executors.device import may_hold, preparation_device
from keyrng._keys.derive import Key, device_of, split
from keyrng._sampling.parameters import Array, ArrayLike, check_relation, parameter_array, positive
from keyrng._sampling.shapes import Shape, dimensions
from keyrng.distributions._shared.covariance import covariance, factor, product
from keyrng.distributions._shared.last_axis import add_axis, cast_to_out, full_shape
from keyrng.distributions.gamma import gamma
from keyrng.distributions.normal import normal
from keyrng.kernels.ops import sqrt, where


@without_warnings
def wishart(
    key: Key,
    df: ArrayLike,
    scale: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Wishart matrices: what ``df`` normal vectors of covariance ``scale`` give as the sum of their outer products.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, out
        As for `sample_kernel`.
    df
        Degrees of freedom: finite numbers, whole or not, above ``p - 1``, that broadcast to ``key.shape + shape``.
    scale
        Symmetric positive definite matrices, p by p, along the last two axes; those before broadcast to the result.
    shape
        The result has shape ``key.shape + shape + (p, p)``; None for what ``df`` and ``scale`` broadcast to.
    dtype
        float16, bfloat16, float32 or float64; by default that of arrays of floats among ``df`` and ``scale``, the wider
        of the two, and float32 if there is none.

    Raises
    ------
    ValueError
        If ``df`` is not above ``p - 1``, or ``scale`` not square, symmetric, finite and positive definite.

    Notes
    -----
    The density is proportional to ``det(x)**((df - p - 1) / 2) * exp(-trace(inv(scale) @ x) / 2)``, the mean
    ``df * scale``. Bartlett's decomposition: ``l @ a @ a.T @ l.T``, where ``l @ l.T`` is ``scale``, and ``a`` has roots
    of chi-squares with ``df, df - 1, ...`` degrees on its diagonal and normals below: Odell and Feiveson, Journal of
    the American Statistical Association 61 (1966), 199-203. Results are exactly symmetric. The Cholesky factor is
    LAPACK's, in float64, and so an exception to the same bits everywhere: libraries differ in its last bits. For a
    ``scale`` in the memory of a GPU it is cuSOLVER's, and NaN where the matrix is not as required.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.wishart(keyrng.key(0), 5, [[2.0, 1.0], [1.0, 1.0]], (3,)).shape
    (3, 2, 2)
    """
    dtype = floating_of(dtype, out, df, scale)
    compute = compute_dtype(dtype)
    here = device_of(key)
    place = preparation_device(here, df, scale)
    matrix = covariance(place, "scale", scale, compute)
    p = matrix.shape[-1]
    parameter_array(place, positive(df=df), 0, compute)
    degrees = parameter_array(place, positive(df=df), 0, FLOAT64)

    def error() -> str:
        return f"df must be above {p - 1} for matrices of {p} by {p}, got {degrees.min()}"

    degrees = check_relation(place, _above, degrees, np.array(p - 1.0), error=error)
    given = None if shape is None else (*dimensions(shape), p, p)
    batch = full_shape(key, given, out, df=add_axis("df", add_axis("df", degrees)), scale=matrix)[key.ndim : -2]
    factors = convert(factor("scale", matrix), compute)
    room = place.apply(_room, place.row_max(place.apply(abs, factors)), convert(degrees, compute)[..., None])
    large = may_hold(_differs, room)
    if large:
        factors = place.apply(_product, factors, room[..., None])
        room = here.adopt("scale", room, scale)
    factors, degrees = here.adopt("scale", factors, scale), here.adopt("df", degrees, df)[..., None]
    keys = split(key, 2)
    with here.current():
        xp = here.xp
        row = xp.arange(p)
        halves = here.apply(_half_of_the_rest, degrees, row.astype(np.float64))
        diagonal = here.apply(_root_of_twice, gamma(keys[..., 0], halves, (*batch, p), compute))
        below = normal(keys[..., 1], (*batch, p * (p - 1) // 2), compute)
        # The columns of a, one after the other; of the numbers below the diagonal, rows are.
        column = row[:, None]
        places = xp.where(row > column, p + row * (row - 1) // 2 + column, xp.where(row == column, row, -1))
        zero = xp.zeros((*key.shape, *batch, 1), compute)
        columns = xp.concatenate([diagonal, below, zero], -1).take(places, -1)
        columns = product(factors[..., None, :, :], columns, lower=True)
        by_term = xp.swapaxes(columns, -1, -2)
        sample = here.sum_of_products(by_term[..., None, :], by_term[..., None, :, :])
        if large:
            sample = here.apply(_quotient, sample, room[..., None], room[..., None, :])
        return cast_to_out(key, sample, dtype, out)


def _room(reach: Any, degrees: Any) -> Any:
    """Powers of two for the rows of a factor, with these largest numbers, that keep sums of products finite."""
    large, factor = (2.0**50, 2.0**-80) if reach.dtype == np.float32 else (2.0**400, 2.0**-620)
    return where(reach * sqrt(degrees) > large, reach.dtype.type(factor), 1.0)


def _differs(room: Any) -> Any:
    return room != 1


def _product(x: Any, y: Any) -> Any:
    return x * y


def _quotient(x: Any, row: Any, column: Any) -> Any:
    return x / row / column


def _above(degrees: Any, least: Any) -> Any:
    return degrees > least


def _half_of_the_rest(degrees: Any, number: Any) -> Any:
    half = (degrees - number) / 2.0
    return where(half < 2.0**-126, 2.0**-126, half)  # float32 has numbers down to there; the variate is 0


def _root_of_twice(x: Any) -> Any:
    return sqrt(x * 2.0)
