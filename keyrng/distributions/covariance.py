"""Covariances: their checks, their factors, and products with them whose sums have a written order.

Factors are LAPACK's, by NumPy, in float64; nothing else here leaves the operations that give the same bits everywhere.

Must not import a public sampler.
"""

from __future__ import annotations

import numpy as np

from keyrng.backends.memory import Memory
from keyrng.dtypes import Dtype
from keyrng.parameters import Array, ArrayLike, finite, parameter_array

METHODS = ("cholesky", "svd", "eigh")

# What is no more than this, as a part of the largest entry or eigenvalue, is taken for the roundings of float32.
_SLACK = 1e-5

_BLOCK = 1 << 16  # numbers that a product has at work, to stay in a level-2 cache


def covariance(here: Memory, name: str, value: ArrayLike, dtype: Dtype) -> Array:
    """Symmetric matrices along the last two axes, in float64, finite in ``dtype`` too; ValueError if they are not."""
    matrix = parameter_array(here, finite(**{name: value}), 0, dtype)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        hint = f"; np.diag({name}) makes one of variances" if matrix.ndim == 1 else ""
        raise ValueError(f"{name} is a square matrix, or several along the last two axes, got {matrix.shape}{hint}")
    matrix = parameter_array(here, finite(**{name: value}), 0, np.dtype(np.float64))
    across = np.swapaxes(matrix, -1, -2)
    wrong = np.abs(matrix - across) > _SLACK * np.abs(matrix).max(axis=(-2, -1), keepdims=True, initial=0.0)
    if wrong.any():
        raise ValueError(
            f"{name} must be symmetric, got {matrix[wrong][0]} across from {across[wrong][0]}; "
            f"type ({name} + {name}.T) / 2 if half of each is meant"
        )
    return matrix * 0.5 + across * 0.5


def factor(name: str, matrix: Array, method: str = "cholesky", hint: str = "") -> Array:
    """A matrix whose product with its transpose is the given one; ValueError if that has a negative eigenvalue.

    ``"cholesky"`` gives a lower triangle and takes no eigenvalue of 0; ``hint`` says what to type instead.
    """
    if method == "cholesky":
        try:
            return np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            raise ValueError(f"{name} must be positive definite{hint}") from None
    values, vectors = np.linalg.eigh(matrix)
    if (values < -_SLACK * np.abs(values).max(axis=-1, keepdims=True, initial=0.0)).any():
        raise ValueError(f"{name} must have no negative eigenvalue, got {values.min()}")
    if method == "svd":  # singular values alone would not tell
        vectors, values, _ = np.linalg.svd(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :])


def product(factors: Array, vectors: Array, lower: bool) -> Array:
    """Each matrix times its vectors, along the last axis; matrices broadcast to the axes before it.

    ``lower`` says that the matrices are lower triangles.

    Each sum goes in order from the first term to the last. A library's matrix product has another order for another
    number of vectors, and a sample would not be the beginning of a longer one.
    """
    n = vectors.shape[-1]
    matrices, flat = factors.reshape(-1, n, n), vectors.reshape(-1, n)
    which = np.broadcast_to(np.arange(len(matrices)).reshape(factors.shape[:-2]), vectors.shape[:-1]).reshape(-1)
    result = np.empty_like(flat)
    step = max(1, _BLOCK // max(1, n * n if len(matrices) > 1 else n))
    for first in range(0, len(flat), step):
        part = slice(first, first + step)
        # The vectors side by side: operations are over long rows, however short the vectors.
        x = np.ascontiguousarray(flat[part].T)
        matrix = matrices[which[part]].transpose(1, 2, 0) if len(matrices) > 1 else matrices[0][..., None]
        total = np.zeros_like(x)
        for k in range(n):
            start = k if lower else 0
            total[start:] += matrix[start:, k] * x[k]
        result[part] = total.T
    return result.reshape(vectors.shape)
