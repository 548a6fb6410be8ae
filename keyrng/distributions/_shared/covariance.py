"""Covariances: their checks, their factors, and products with them whose sums have a written order.

Factors are LAPACK's, by NumPy, in float64; nothing else here leaves the operations that give the same bits everywhere.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT64, Dtype
from keyrng._executors.device import Device, device_at
from keyrng._sampling.parameters import Array, ArrayLike, finite, parameter_array
from keyrng.kernels.ops import sqrt, where

METHODS = ("cholesky", "svd", "eigh")

# What is no more than this, as a part of the largest entry or eigenvalue, is taken for the roundings of float32.
_SLACK = 1e-5

_TERMS = 8  # products that a GPU adds up at once; zeros, where there are fewer, change no sum
_BLOCK = 1 << 16  # numbers that a product has at work, to stay in a level-2 cache


def covariance(here: Device, name: str, value: ArrayLike, dtype: Dtype) -> Array:
    """Symmetric matrices along the last two axes, in float64, finite in ``dtype`` too; ValueError if they are not.

    Of matrices in the memory of a GPU those that are not symmetric are NaN.
    """
    matrix = parameter_array(here, finite(**{name: value}), 0, dtype)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        hint = f"; np.diag({name}) makes one of variances" if matrix.ndim == 1 else ""
        raise ValueError(f"{name} is a square matrix, or several along the last two axes, got {matrix.shape}{hint}")
    matrix = parameter_array(here, finite(**{name: value}), 0, FLOAT64)
    with here.current():
        across = here.xp.swapaxes(matrix, -1, -2)
        wrong = abs(matrix - across) > _SLACK * _largest(matrix)
        if not isinstance(matrix, np.ndarray):
            return here.apply(_half_of_each, here.xp.where(wrong, math.nan, matrix), across)
    if wrong.any():
        raise ValueError(
            f"{name} must be symmetric, got {matrix[wrong][0]} across from {across[wrong][0]}; "
            f"type ({name} + {name}.T) / 2 if half of each is meant"
        )
    halves: Array = _half_of_each(matrix, across)
    return halves


def _half_of_each(x: Any, y: Any) -> Any:
    return where(x == y, x, x * 0.5 + y * 0.5)  # half of the smallest number is 0


def _largest(matrix: Array) -> Array:
    """The largest magnitude in each matrix, 0 of none."""
    if not matrix.size:
        return matrix[..., :1, :1]
    result: Array = abs(matrix).max(axis=(-2, -1), keepdims=True)
    return result


def factor(name: str, matrix: Array, method: str = "cholesky", hint: str = "") -> Array:
    """A matrix whose product with its transpose is the given one; ValueError if that has a negative eigenvalue.

    ``"cholesky"`` gives a lower triangle and takes no eigenvalue of 0; ``hint`` says what to type instead. In the
    memory of a GPU a factor is NaN where there is none.
    """
    if not isinstance(matrix, np.ndarray):
        return _factor_there(matrix, method)
    if method == "cholesky":
        try:
            return np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            raise ValueError(f"{name} must be positive definite{hint}") from None
    # An eigenvalue may be larger than all entries.
    times = np.where(_largest(matrix) > 2.0**1000, 2.0**-100, 1.0)
    matrix = matrix * times
    values, vectors = np.linalg.eigh(matrix)
    if (values < -_SLACK * np.abs(values).max(axis=-1, keepdims=True, initial=0.0)).any():
        raise ValueError(f"{name} must have no negative eigenvalue, got {(values / times[..., 0]).min()}")
    if method == "svd":  # singular values alone would not tell
        vectors, values, _ = np.linalg.svd(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :] / np.sqrt(times))


def _factor_there(matrix: Array, method: str) -> Array:
    """Each factor is checked by its product, because cuSOLVER reports a failure only to a host that waits for it."""
    here, n = device_at(matrix), matrix.shape[-1]
    if not matrix.size:
        return matrix
    with here.current():
        xp, largest, places = here.xp, _largest(matrix), here.xp.arange(n)
        # cuSOLVER's results for NaN and infinity are undefined, one such matrix can spoil a batch, and the
        # eigenvectors of zeros have been NaN: such matrices are replaced by the identity, and their factors below.
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
            factors = vectors * here.apply(_root, values)[..., None, :]
            # An eigenvalue is at most n times the largest entry; svd changes the sign of a slightly negative one.
            slack = 2 * n * _SLACK
        again = product(factors[..., None, :, :], factors, lower=method == "cholesky")
        correct &= (abs(again - given) <= slack * _largest(given)).all(axis=(-2, -1), keepdims=True)
        result: Array = xp.where(usable & correct, factors, math.nan)
        return result if method == "cholesky" else xp.where(largest == 0.0, 0.0, result)


def _root(x: Any) -> Any:
    return sqrt(where(x < 0.0, 0.0, x))


def product(factors: Array, vectors: Array, lower: bool) -> Array:
    """Each matrix times its vectors, along the last axis; matrices broadcast to the axes before it.

    ``lower`` says that the matrices are lower triangles.

    Each sum goes in order from the first term to the last. A library's matrix product has another order for another
    number of vectors, and a sample would not be the beginning of a longer one.
    """
    if not vectors.size:
        return vectors
    if not isinstance(vectors, np.ndarray):
        return sum_of_products(factors, vectors[..., None, :])
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


def sum_of_products(x: Array, y: Array) -> Array:
    """The sums of ``x * y`` along the last axis, in order, of arrays in the memory of a GPU that broadcast together."""
    here, count = device_at(y), y.shape[-1]
    with here.current():
        xp = here.xp
        rest = -count % _TERMS
        firsts = (xp.moveaxis(array, -1, 0) for array in (x, y))
        terms = [xp.concatenate([f, xp.zeros((rest, *f.shape[1:]), f.dtype)]) for f in firsts]
        total: Array = xp.zeros(np.broadcast_shapes(x.shape[:-1], y.shape[:-1]), y.dtype)
        for first in range(0, count, _TERMS):
            total = here.apply(_add_products, total, *(a[first + i] for i in range(_TERMS) for a in terms))
    return total


def _add_products(total: Any, *factors: Any) -> Any:
    for x, y in zip(factors[::2], factors[1::2], strict=True):
        total = total + x * y
    return total
