"""The Wishart distribution."""

from __future__ import annotations

import numpy as np

from keyrng.distributions.covariance import covariance, factor, product
from keyrng.distributions.gamma import gamma
from keyrng.distributions.normal import normal
from keyrng.distributions.rows import full_shape, stored
from keyrng.dtypes import DTypeLike, compute_dtype, floating_of
from keyrng.keys import Key, memory_of, split
from keyrng.parameters import Array, ArrayLike, parameter_array, positive
from keyrng.shapes import Shape, dimensions


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

    Parameters
    ----------
    key, out
        As for `draw`.
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
    LAPACK's, in float64, and so an exception to the same bits everywhere: libraries differ in its last bits.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.wishart(keyrng.key(0), 5, [[2.0, 1.0], [1.0, 1.0]], (3,)).shape
    (3, 2, 2)
    """
    dtype = floating_of(dtype, df, scale)
    compute = compute_dtype(dtype)
    matrix = covariance(memory_of(key), "scale", scale, compute)
    p = matrix.shape[-1]
    parameter_array(memory_of(key), positive(df=df), 0, compute)
    degrees = parameter_array(memory_of(key), positive(df=df), 0, np.dtype(np.float64))
    if not (degrees > p - 1).all():
        raise ValueError(f"df must be above {p - 1} for matrices of {p} by {p}, got {degrees.min()}")
    given = None if shape is None else (*dimensions(shape), p, p)
    batch = full_shape(key, given, out, df=degrees[..., None, None], scale=matrix)[key.ndim : -2]
    keys = split(key, 2)
    halves = (degrees[..., None] - np.arange(p)) / 2
    # The columns of a, one after the other.
    columns = np.zeros((*key.shape, *batch, p, p), compute)
    columns[..., range(p), range(p)] = np.sqrt(2 * gamma(keys[..., 0], halves, (*batch, p), compute))
    below, before = np.tril_indices(p, -1)
    columns[..., before, below] = normal(keys[..., 1], (*batch, len(below)), compute)
    columns = product(factor("scale", matrix).astype(compute)[..., None, :, :], columns, lower=True)
    sample = np.zeros_like(columns)
    for k in range(p):
        sample += columns[..., k, :, None] * columns[..., k, None, :]
    return stored(key, sample, dtype, out)
