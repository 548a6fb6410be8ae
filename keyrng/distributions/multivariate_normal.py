"""The multivariate normal distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.arguments import check_choice
from keyrng._core.dtypes import DTypeLike, compute_dtype, floating_of
from keyrng._core.fpenv import without_warnings
from keyrng._executors.convert import convert
from keyrng._executors.device import preparation_device
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, finite
from keyrng._sampling.shapes import Shape
from keyrng.distributions._shared.covariance import METHODS, covariance, factor, product
from keyrng.distributions._shared.last_axis import cast_to_out, full_shape, row_shape, validated
from keyrng.distributions.normal import normal
from keyrng.kernels.lane import FLOATS, kernel


@without_warnings
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

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, out
        As for `sample_kernel`.
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
    or in the signs of eigenvectors. All else is written out, so that a sample is the beginning of a longer one. For a
    ``cov`` in the memory of a GPU the factor is cuSOLVER's, and NaN where the matrix is not as required.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.multivariate_normal(keyrng.key(0), [0.0, 10.0], [[2.0, 1.0], [1.0, 1.0]], (2,)).shape
    (2, 2)
    """
    check_choice("method", method, *METHODS)
    dtype = floating_of(dtype, out, mean, cov)
    compute = compute_dtype(dtype)
    here = device_of(key)
    place = preparation_device(here, mean, cov)
    centre = validated(place, finite(mean=mean), compute)
    matrix = covariance(place, "cov", cov, compute)
    rows = row_shape("mean", centre, shape, "components")
    n = centre.shape[-1]
    if matrix.shape[-1] != n:
        raise ValueError(f"mean and cov must be as long, got {n} numbers and {matrix.shape[-2:]}")
    full = full_shape(key, rows, out, mean=centre, cov=np.broadcast_to(0.0, matrix.shape[:-1]))
    factors = factor("cov", matrix, method, "; method='svd' and method='eigh' take eigenvalues of 0")
    factors = convert(factors, compute)
    normals = normal(key, (*full[key.ndim : -1], n), compute)
    sample = product(here.adopt("cov", factors, cov), normals, method == "cholesky")
    sample_kernel(
        _add_mean, key, sample.shape[key.ndim :], compute, sample, here.adopt("mean", centre, mean), out=sample
    )
    return cast_to_out(key, sample, dtype, out)


@kernel(*FLOATS)
def _add_mean(lane: Any, x: Any, mean: Any) -> Any:
    return x + mean
