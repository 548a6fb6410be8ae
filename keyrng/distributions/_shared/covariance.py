"""Covariance matrices: checks, factors, and products whose sums have a fixed order.

Factors are computed by LAPACK, through NumPy, in float64. All other operations give the same bits everywhere.
"""

from __future__ import annotations

import numpy as np

from keyrng._core.dtypes import FLOAT64, Dtype
from keyrng._executors.device import Device, device_at
from keyrng._sampling.parameters import Array, ArrayLike, check_relation, parameter_array
from keyrng.distributions._shared.covariance_cuda import SLACK, cuda_factor, half_of_each, is_symmetric
from keyrng.kernels.requirements import finite

METHODS = ("cholesky", "svd", "eigh")

_BLOCK = 1 << 16  # numbers in the working set of a product, which then stays in a level-2 cache


def covariance(device: Device, name: str, value: ArrayLike, dtype: Dtype) -> Array:
    """Return symmetric matrices along the last two axes, in float64 and finite in ``dtype``; else raise ValueError.

    In GPU memory, `factor` checks them.
    """
    matrix = parameter_array(device, finite(**{name: value}), 0, dtype)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        hint = f"; np.diag({name}) makes one of variances" if matrix.ndim == 1 else ""
        raise ValueError(f"{name} must be a square matrix or a stack of them, got {matrix.shape}{hint}")
    matrix = parameter_array(device, finite(**{name: value}), 0, FLOAT64)
    return device.pick(_symmetrized, _unchecked)(device, name, matrix)


def _unchecked(device: Device, name: str, matrix: Array) -> Array:
    return matrix


def _symmetrized(device: Device, name: str, matrix: Array) -> Array:
    across, slack = matrix.swapaxes(-1, -2), SLACK * _largest(matrix)

    def error() -> str:
        wrong = ~is_symmetric(matrix, across, slack)
        return (
            f"{name} must be symmetric, got {matrix[wrong][0]} and {across[wrong][0]} across the diagonal; "
            f"use ({name} + {name}.T) / 2"
        )

    return device.apply(half_of_each, check_relation(device, is_symmetric, matrix, across, slack, error=error), across)


def _largest(matrix: Array) -> Array:
    """Return the largest magnitude in each matrix, or an empty array if there are no elements."""
    if not matrix.size:
        return matrix[..., :1, :1]
    result: Array = abs(matrix).max(axis=(-2, -1), keepdims=True)
    return result


def factor(name: str, matrix: Array, method: str = "cholesky", hint: str = "") -> Array:
    """Return a matrix whose product with its transpose is the given one; ValueError if that has a negative eigenvalue.

    ``"cholesky"`` returns a lower triangle and rejects eigenvalues of 0; ``hint`` says what to type instead. In GPU
    memory the factor is NaN if none exists.
    """
    return device_at(matrix).pick(_cpu_factor, cuda_factor)(name, matrix, method, hint)


def _cpu_factor(name: str, matrix: Array, method: str, hint: str) -> Array:
    if method == "cholesky":
        try:
            return np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            raise ValueError(f"{name} must be positive definite{hint}") from None
    # Scale down, because an eigenvalue can be larger than all entries.
    times = np.where(_largest(matrix) > 2.0**1000, 2.0**-100, 1.0)
    matrix = matrix * times
    values, vectors = np.linalg.eigh(matrix)
    if (values < -SLACK * np.abs(values).max(axis=-1, keepdims=True, initial=0.0)).any():
        raise ValueError(f"{name} must have no negative eigenvalue, got {(values / times[..., 0]).min()}")
    if method == "svd":  # singular values do not show the sign of an eigenvalue, so the check above is by eigh
        vectors, values, _ = np.linalg.svd(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :] / np.sqrt(times))


def product(factors: Array, vectors: Array, lower: bool) -> Array:
    """Return each matrix times its vectors, along the last axis; matrices broadcast to the axes before it.

    ``lower`` says that the matrices are lower triangles. Each sum is in order from the first term to the last. With a
    library's matrix product, whose order depends on the number of vectors, a sample would not be a prefix of a longer
    one.
    """
    return device_at(vectors).pick(_cpu_product, _cuda_product)(factors, vectors, lower) if vectors.size else vectors


def _cuda_product(factors: Array, vectors: Array, lower: bool) -> Array:
    return device_at(vectors).sum_of_products(factors, vectors[..., None, :])


def _cpu_product(factors: Array, vectors: Array, lower: bool) -> Array:
    n = vectors.shape[-1]
    matrices, flat = factors.reshape(-1, n, n), vectors.reshape(-1, n)
    which = np.broadcast_to(np.arange(len(matrices)).reshape(factors.shape[:-2]), vectors.shape[:-1]).reshape(-1)
    result = np.empty_like(flat)
    step = max(1, _BLOCK // max(1, n * n if len(matrices) > 1 else n))
    for first in range(0, len(flat), step):
        part = slice(first, first + step)
        # Transposed, so that operations are over long rows, however short the vectors.
        x = np.ascontiguousarray(flat[part].T)
        matrix = matrices[which[part]].transpose(1, 2, 0) if len(matrices) > 1 else matrices[0][..., None]
        total = np.zeros_like(x)
        for k in range(n):
            start = k if lower else 0
            total[start:] += matrix[start:, k] * x[k]
        result[part] = total.T
    return result.reshape(vectors.shape)
