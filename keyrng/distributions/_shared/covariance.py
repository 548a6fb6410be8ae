"""Covariance matrices: checks, factors, and products whose sums have a fixed order.

Factors are computed by LAPACK, through NumPy, in float64. All other operations give the same bits everywhere.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT64, Dtype
from keyrng._executors.device import Device, device_at
from keyrng._sampling.parameters import Array, ArrayLike, check_relation, parameter_array
from keyrng.kernels.ops import sqrt, where
from keyrng.kernels.requirements import finite

METHODS = ("cholesky", "svd", "eigh")

# A difference of at most this fraction of the largest entry or eigenvalue is taken for rounding errors of float32.
_SLACK = 1e-5

_BLOCK = 1 << 16  # numbers in the working set of a product, which then stays in a level-2 cache


def covariance(device: Device, name: str, value: ArrayLike, dtype: Dtype) -> Array:
    """Return symmetric matrices along the last two axes, in float64 and finite in ``dtype``; else raise ValueError.

    In GPU memory, matrices that are not symmetric become NaN.
    """
    matrix = parameter_array(device, finite(**{name: value}), 0, dtype)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        hint = f"; np.diag({name}) makes one of variances" if matrix.ndim == 1 else ""
        raise ValueError(f"{name} must be a square matrix or a stack of them, got {matrix.shape}{hint}")
    matrix = parameter_array(device, finite(**{name: value}), 0, FLOAT64)
    with device.current():
        across = device.xp.swapaxes(matrix, -1, -2)
        slack = _SLACK * _largest(matrix)

    def error() -> str:
        wrong = ~_symmetric(matrix, across, slack)
        return (
            f"{name} must be symmetric, got {matrix[wrong][0]} and {across[wrong][0]} across the diagonal; "
            f"use ({name} + {name}.T) / 2"
        )

    return device.apply(_half_of_each, check_relation(device, _symmetric, matrix, across, slack, error=error), across)


def _symmetric(x: Any, y: Any, slack: Any) -> Any:
    return abs(x - y) <= slack


def _half_of_each(x: Any, y: Any) -> Any:
    return where(x == y, x, x * 0.5 + y * 0.5)  # equal numbers are kept: half of the smallest number is 0


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
    return device_at(matrix).pick(_cpu_factor, _cuda_factor)(name, matrix, method, hint)


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
    if (values < -_SLACK * np.abs(values).max(axis=-1, keepdims=True, initial=0.0)).any():
        raise ValueError(f"{name} must have no negative eigenvalue, got {(values / times[..., 0]).min()}")
    if method == "svd":  # singular values do not show the sign of an eigenvalue, so the check above is by eigh
        vectors, values, _ = np.linalg.svd(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :] / np.sqrt(times))


def _cuda_factor(name: str, matrix: Array, method: str, hint: str) -> Array:
    """Factor in GPU memory and check by multiplication: reading cuSOLVER's report of a failure would synchronize."""
    device, n = device_at(matrix), matrix.shape[-1]
    if not matrix.size:
        return matrix
    with device.current():
        xp, largest, places = device.xp, _largest(matrix), device.xp.arange(n)
        # cuSOLVER's results for NaN and infinity are undefined, one such matrix can spoil a batch, and eigenvectors of
        # a matrix of zeros have been NaN. Such matrices are replaced by the identity, and their factors below.
        usable = (abs(matrix) < math.inf).all(axis=(-2, -1), keepdims=True) & (largest > 0.0)
        given = xp.where(usable, matrix, xp.where(places[:, None] == places, 1.0, 0.0))
        if method == "cholesky":
            factors, slack = xp.linalg.cholesky(given), _SLACK
            correct = (factors[..., places, places] > 0.0).all(axis=-1)[..., None, None]
        else:
            values, vectors = xp.linalg.eigh(given)
            correct = (values >= -_SLACK * abs(values).max(axis=-1, keepdims=True)).all(axis=-1)[..., None, None]
            if method == "svd":
                vectors, values, _ = xp.linalg.svd(given)
            factors = vectors * device.apply(_root, values)[..., None, :]
            # An eigenvalue is at most n times the largest entry; svd changes the sign of a slightly negative one.
            slack = 2 * n * _SLACK
        again = product(factors[..., None, :, :], factors, lower=method == "cholesky")
        correct &= (abs(again - given) <= slack * _largest(given)).all(axis=(-2, -1), keepdims=True)
        result: Array = xp.where(usable & correct, factors, math.nan)
        return result if method == "cholesky" else xp.where(largest == 0.0, 0.0, result)


def _root(x: Any) -> Any:
    return sqrt(where(x < 0.0, 0.0, x))


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
