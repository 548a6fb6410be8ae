"""Covariance matrices in GPU memory: checks and factors, as `keyrng.distributions._shared.covariance` has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keyrng._executors.device import device_at
from keyrng._sampling.parameters import Array
from keyrng.kernels.ops import cast, sqrt, where


def is_symmetric(x: Any, y: Any, slack: Any) -> Any:
    """Whether a number and the one across the diagonal are equal within rounding."""
    return abs(x - y) <= slack


def half_of_each(x: Any, y: Any) -> Any:
    """Return the mean of two numbers; equal ones are kept, because half of the smallest number is 0."""
    return where(x == y, x, x * 0.5 + y * 0.5)


# A difference of at most this fraction of the largest entry or eigenvalue is taken for rounding errors of float32.
SLACK = 1e-5


def cuda_factor(name: str, matrix: Array, method: str, hint: str) -> Array:
    """Factor in GPU memory and check by multiplication: reading cuSOLVER's report of a failure would synchronize."""
    device, n = device_at(matrix), matrix.shape[-1]
    if not matrix.size:
        return device.now(matrix)
    values = matrix, matrix.swapaxes(-1, -2), np.array(n + 1, np.uint64)
    with device.current():
        linalg = device.xp.linalg
        given = device.apply_rows(_given, *values, axes=2)
        if method == "cholesky":
            factors = linalg.cholesky(given)
            products = device.sum_of_products(factors[..., None, :, :], factors[..., None, :])
            return device.apply_rows(_checked_triangle, factors, products, *values, axes=2)
        eigenvalues, vectors = linalg.eigh(given)
        positive = device.apply_rows(_none_negative, eigenvalues, reduced=True)[..., None, None]
        if method == "svd":
            vectors, eigenvalues, _ = linalg.svd(given)
        factors = device.later(_times_root, vectors, eigenvalues[..., None, :])
        products = device.sum_of_products(factors[..., None, :, :], factors[..., None, :])
        # An eigenvalue is at most n times the largest entry; svd changes the sign of a slightly negative one.
        slack = np.array(2 * n * SLACK)
        return device.apply_rows(_checked, factors, products, *values, slack, positive, axes=2)


def _matrix(row: Any, x: Any, y: Any) -> Any:
    """Return a matrix of ``x``, with ``y`` across the diagonal, or NaN where that is not symmetric."""
    return half_of_each(where(is_symmetric(x, y, SLACK * row.max(abs(x))), x, math.nan), y)


def _usable(row: Any, matrix: Any) -> Any:
    # cuSOLVER's results for NaN and infinity are undefined, one such matrix can spoil a batch, and eigenvectors of a
    # matrix of zeros have been NaN. Such matrices are replaced by the identity, and their factors below.
    return row.all(abs(matrix) < math.inf) & (row.max(abs(matrix)) > 0.0)


def _on_diagonal(row: Any, step: Any) -> Any:
    return row.index % step == 0


def _given(row: Any, x: Any, y: Any, step: Any) -> Any:
    matrix = _matrix(row, x, y)
    return where(_usable(row, matrix), matrix, cast(_on_diagonal(row, step), matrix.dtype))


def _checked_triangle(row: Any, factors: Any, products: Any, x: Any, y: Any, step: Any) -> Any:
    positive = row.all(~_on_diagonal(row, step) | (factors > 0.0))
    return _if_correct(row, factors, products, x, y, step, SLACK, positive)


def _checked(row: Any, factors: Any, products: Any, x: Any, y: Any, step: Any, slack: Any, positive: Any) -> Any:
    checked = _if_correct(row, factors, products, x, y, step, slack, positive)
    return where(row.max(abs(_matrix(row, x, y))) == 0.0, 0.0, checked)


def _if_correct(row: Any, factors: Any, products: Any, x: Any, y: Any, step: Any, slack: Any, positive: Any) -> Any:
    given = _given(row, x, y, step)
    near = row.all(abs(products - given) <= slack * row.max(abs(given)))
    return where(_usable(row, _matrix(row, x, y)) & positive & near, factors, math.nan)


def _none_negative(row: Any, values: Any) -> Any:
    return row.all(values >= -SLACK * row.max(abs(values)))


def _times_root(x: Any, square: Any) -> Any:
    return x * sqrt(where(square < 0.0, 0.0, square))
