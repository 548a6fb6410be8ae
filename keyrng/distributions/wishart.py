"""The Wishart distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT64, Dtype, DTypeLike, compute_dtype, floating_of
from keyrng._core.fpenv import without_warnings
from keyrng._executors.device import Device, may_hold, preparation_device
from keyrng._keys.derive import Key, device_of, split
from keyrng._sampling.parameters import Array, ArrayLike, check_relation, parameter_array
from keyrng._sampling.shapes import Shape, dimensions
from keyrng.distributions._shared.covariance import covariance, factor, product
from keyrng.distributions._shared.last_axis import add_axis, cast_to_out, full_shape
from keyrng.distributions.gamma import gamma
from keyrng.distributions.normal import normal
from keyrng.kernels.formats import conversion
from keyrng.kernels.ops import cast, sqrt, where
from keyrng.kernels.requirements import positive


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
    """Return Wishart matrices of ``df`` degrees of freedom and scale matrix ``scale``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    df : float or array_like of floats
        Degrees of freedom, finite and above ``p - 1``, whole or not. Broadcasts to ``key.shape + shape``.
    scale : array_like of floats
        Symmetric positive definite p by p matrices along the last two axes. The axes before these broadcast to the
        result.
    shape
        Shape of the array of matrices, an int or a tuple of ints; None, the default, is the shape to which ``df`` and
        the other axes of ``scale`` broadcast.
    dtype
        float16, bfloat16, float32 or float64; by default the wider of those of the float arrays among ``df`` and
        ``scale``, or float32 if there is none.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Symmetric matrices of shape ``key.shape + shape + (p, p)``.

    Raises
    ------
    ValueError
        If ``df`` is not above ``p - 1``, or ``scale`` is not square, symmetric, finite and positive definite.

    See Also
    --------
    chisquare : The case ``p = 1``.
    multivariate_normal : Vectors of such a covariance.

    Notes
    -----
    For a whole number ``df`` this is the distribution of the sum of the outer products of ``df`` normal vectors of
    covariance ``scale``. The density is proportional to
    ``det(x)**((df - p - 1) / 2) * exp(-trace(inv(scale) @ x) / 2)``, the mean is ``df * scale``.

    The method is Bartlett's decomposition [1]_: a matrix is ``l @ a @ a.T @ l.T``, where ``l @ l.T`` is ``scale``, and
    ``a`` has the square roots of chi-square variates with ``df, df - 1, ...`` degrees of freedom on its diagonal and
    normal variates below. Matrices are exactly symmetric.

    The Cholesky factor is computed by LAPACK in float64, and so is an exception to the rule of equal bits everywhere:
    libraries differ in its last bits. For a ``scale`` in GPU memory it is computed by cuSOLVER, and is NaN if the
    matrix is not as required.

    The parameters ``df`` and ``scale`` are those of ``scipy.stats.wishart``; ``jax.random`` does not have this
    distribution.

    References
    ----------
    .. [1] P. L. Odell, A. H. Feiveson, "A numerical procedure to generate a sample covariance matrix", Journal of the
       American Statistical Association 61 (1966), 199-203. https://doi.org/10.1080/01621459.1966.10502018

    Examples
    --------
    >>> import keyrng
    >>> keyrng.wishart(keyrng.key(0), 5, [[2.0, 1.0], [1.0, 1.0]])
    array([[ 8.603787 , -0.7640054],
           [-0.7640054,  3.5603232]], dtype=float32)
    """
    dtype = floating_of(dtype, out, df, scale)
    compute = compute_dtype(dtype)
    device = device_of(key)
    place = preparation_device(device, df, scale)
    matrix = covariance(place, "scale", scale, compute)
    p = matrix.shape[-1]
    parameter_array(place, positive(df=df), 0, compute)
    degrees = parameter_array(place, positive(df=df), 0, FLOAT64)

    def error() -> str:
        return f"df must be above {p - 1} for matrices of {p} by {p}, got {degrees.min()}"

    degrees = check_relation(place, _above, degrees, np.array(p - 1.0), error=error)
    given = None if shape is None else (*dimensions(shape), p, p)
    batch = full_shape(key, given, out, df=add_axis("df", add_axis("df", degrees)), scale=matrix)[key.ndim : -2]
    factors, narrow = (
        place.later(conversion(compute), factor("scale", matrix)),
        place.later(conversion(compute), degrees),
    )
    room = place.pick(_cpu_room, _cuda_room)(place, factors, narrow)
    if may_hold(_differs, room):
        factors = place.later(_product, factors, room[..., None])
    factors, degrees = device.adopt("scale", factors, scale), device.adopt("df", degrees, df)[..., None]
    room = device.adopt("scale", room, scale)
    keys = split(key, 2)
    with device.current():
        halves = device.later(_half_of_the_rest, degrees, device.xp.arange(p, dtype=np.float64))
        squares = gamma(keys[..., 0], halves, (*batch, p), compute)
        below = normal(keys[..., 1], (*batch, p * (p - 1) // 2), compute)
        columns = device.pick(_cpu_columns, _cuda_columns)(device, squares, below)
        by_term = product(factors[..., None, :, :], columns, lower=True).swapaxes(-1, -2)
        sample = device.pick(_cpu_squares, _cuda_squares)(device, by_term, room, dtype)
        return cast_to_out(key, sample, dtype, out)


def _cpu_room(device: Device, factors: Array, degrees: Array) -> Array:
    return device.apply(_room, device.row_max(device.apply(abs, factors)), degrees[..., None])


def _cuda_room(device: Device, factors: Array, degrees: Array) -> Array:
    return device.apply_rows(_row_room, factors, degrees[..., None, None], reduced=True)


def _row_room(row: Any, factor: Any, degrees: Any) -> Any:
    return _room(row.max(abs(factor)), degrees)


def _cpu_squares(device: Device, rows: Array, room: Array, dtype: Dtype) -> Array:
    """Return the products of matrices, given by rows, with their transposes, without the factors in ``room``."""
    sample = device.sum_of_products(rows[..., None, :], rows[..., None, :, :])
    return device.apply(_quotient, sample, room[..., None], room[..., None, :]) if may_hold(_differs, room) else sample


def _cuda_squares(device: Device, rows: Array, room: Array, dtype: Dtype) -> Array:
    values = rows[..., None, :], rows[..., None, :, :], room[..., None, None], room[..., None, :, None]
    return device.apply_rows(_square, *values, reduced=True, dtype=dtype)


def _square(row: Any, x: Any, y: Any, room: Any, other: Any) -> Any:
    return _quotient(row.sum(x * y), room, other)


def _cpu_columns(device: Device, squares: Array, below: Array) -> Array:
    """Return the matrix a by columns; the normal variates below its diagonal are in order of rows."""
    zero, row = np.zeros((*squares.shape[:-1], 1), squares.dtype), np.arange(squares.shape[-1])
    column = row[:, None]
    places = np.where(row > column, len(row) + row * (row - 1) // 2 + column, np.where(row == column, row, -1))
    diagonal = device.apply(_root_of_twice, squares)
    return np.concatenate([diagonal, below, zero], -1).take(places, -1)


def _cuda_columns(device: Device, squares: Array, below: Array) -> Array:
    p = squares.shape[-1]
    if p < 2:
        return device.apply(_root_of_twice, squares)[..., None]
    size = np.array(p, np.uint64)
    whole = device.xp.broadcast_to(squares[..., None, :], (*squares.shape, p))
    return device.apply_rows(_column, whole, below[..., :1, None], size, axes=2)


def _column(row: Any, square: Any, below: Any, p: Any) -> Any:
    """Return an entry of the matrix a by columns, a function of rows."""
    place = row.index % p
    column = cast(cast(row.index - place, np.float64) / cast(p, np.float64), np.uint64)
    number = where(place > column, (place * (place - 1) >> 1) + column, 0)
    return where(place > column, row.take(below, number), where(place == column, _root_of_twice(square), 0.0))


def _room(reach: Any, degrees: Any) -> Any:
    """Return powers of two that keep sums of products finite, for rows of a factor with these largest numbers."""
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
    return where(half < 2.0**-126, 2.0**-126, half)  # the smallest normal float32; its variate is 0


def _root_of_twice(x: Any) -> Any:
    return sqrt(x * 2.0)
