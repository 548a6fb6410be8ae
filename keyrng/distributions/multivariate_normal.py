"""The multivariate normal distribution."""

from __future__ import annotations

import numpy as np

from keyrng.distributions.covariance import METHODS, covariance, factor, product
from keyrng.distributions.normal import normal
from keyrng.distributions.rows import full_shape, row_shape, stored
from keyrng.dtypes import DTypeLike, compute_dtype, floating_of
from keyrng.keys import Key, memory_of
from keyrng.parameters import Array, ArrayLike, finite, parameter_array
from keyrng.shapes import Shape


def multivariate_normal(
    key: Key,
    mean: ArrayLike,
    cov: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    method: str = "cholesky",
    *,
    out: Array | None = None,
) -> Array:
    """Normal vectors: density proportional to ``exp(-(x - mean) @ inv(cov) @ (x - mean) / 2)``.

    Parameters
    ----------
    key, out
        As for `draw`.
    mean
        Finite numbers along the last axis; the axes before it broadcast to the result.
    cov
        Symmetric finite matrices along the last two axes, as long as the mean; those before broadcast to the result.
    shape
        The result has shape ``key.shape + shape + mean.shape[-1:]``; None for what the axes before broadcast to.
    dtype
        float16, bfloat16, float32 or float64; by default that of arrays of floats among ``mean`` and ``cov``, the wider
        of the two, and float32 if there is none.
    method
        How ``cov`` is factored: ``"cholesky"``, the fastest, needs it positive definite; ``"svd"`` and ``"eigh"`` also
        take eigenvalues of 0.

    Raises
    ------
    ValueError
        For numbers that are not finite, a ``cov`` that is not square, not symmetric or has a negative eigenvalue (with
        ``"cholesky"``, or one of 0), lengths that differ, or an unknown method.

    Notes
    -----
    ``mean + factor @ normal(key, shape + (n,))``, the values of ``jax.random.multivariate_normal`` within rounding. The
    factor is LAPACK's, in float64, and so an exception to the same bits everywhere: libraries differ in its last bits,
    or in the signs of eigenvectors. All else is written out, so that a sample is the beginning of a longer one.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.multivariate_normal(keyrng.key(0), [0.0, 10.0], [[2.0, 1.0], [1.0, 1.0]], (2,)).shape
    (2, 2)
    """
    if method not in METHODS:
        raise ValueError(f"method is 'cholesky', 'svd' or 'eigh', got {method!r}")
    dtype = floating_of(dtype, mean, cov)
    compute = compute_dtype(dtype)
    centre = parameter_array(memory_of(key), finite(mean=mean), 0, compute)
    matrix = covariance(memory_of(key), "cov", cov, compute)
    rows = row_shape("mean", centre, shape)
    n = centre.shape[-1]
    if matrix.shape[-1] != n:
        raise ValueError(f"mean and cov must be as long, got {n} numbers and {matrix.shape[-2:]}")
    full = full_shape(key, rows, out, mean=centre, cov=np.diagonal(matrix, axis1=-2, axis2=-1))
    factors = factor("cov", matrix, method, "; method='svd' and method='eigh' take eigenvalues of 0")
    normals = normal(key, (*full[key.ndim : -1], n), compute)
    sample = product(factors.astype(compute), normals, method == "cholesky")
    sample += centre
    return stored(key, sample, dtype, out)
