"""The multivariate normal distribution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from keyrng._core.arguments import check_choice
from keyrng._core.dtypes import Dtype, DTypeLike, compute_dtype, floating_dtype, floating_of
from keyrng._core.fpenv import without_warnings
from keyrng._executors import native
from keyrng._executors.device import preparation_device
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.plan import Row, Steps
from keyrng._sampling.sampler import sampler_in_steps
from keyrng._sampling.shapes import Shape
from keyrng.algorithms.base import Algorithm
from keyrng.distributions._shared.covariance import METHODS, covariance, factor, product
from keyrng.distributions._shared.last_axis import cast_to_out, full_shape, row_shape, validated
from keyrng.distributions.normal import normal, normal_kernel
from keyrng.kernels.formats import conversion
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.requirements import finite


def _plans(algorithm: Algorithm, dtype: DTypeLike, mean: Any, cov: Any) -> Iterable[Steps]:
    dtype = floating_dtype(dtype)
    if dtype == compute_dtype(dtype):
        numbers = Row(finite(mean=mean)), Row(finite(cov=cov), axes=2)
        yield Steps((normal_kernel,), numbers, dtype, dtype, call=np.linalg.cholesky)


@sampler_in_steps("multivariate_normal", _plans)
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
    """Return normal vectors of mean ``mean`` and covariance ``cov``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    mean : array_like of floats
        Mean along the last axis, finite. The axes before the last broadcast to the result.
    cov : array_like of floats
        Covariance matrices along the last two axes: symmetric, finite and of the length of ``mean``. The axes before
        the last two broadcast to the result.
    shape
        Shape of the array of vectors, an int or a tuple of ints; None, the default, is the shape to which the other
        axes of ``mean`` and ``cov`` broadcast.
    dtype
        float16, bfloat16, float32 or float64; by default the wider of those of the float arrays among ``mean`` and
        ``cov``, or float32 if there is none.
    method : {"cholesky", "svd", "eigh"}, optional
        Factorization of ``cov``. ``"cholesky"``, the default and the fastest, requires a positive definite matrix;
        ``"svd"`` and ``"eigh"`` also accept eigenvalues of 0.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Vectors along the last axis, of shape ``key.shape + shape + mean.shape[-1:]``.

    Raises
    ------
    ValueError
        If a number is not finite, ``cov`` is not square, not symmetric or has a negative eigenvalue (with
        ``"cholesky"``, an eigenvalue that is not positive), lengths differ, or ``method`` is unknown.

    See Also
    --------
    normal : Independent components of variance 1.
    wishart : Random covariance matrices.

    Notes
    -----
    The density is proportional to ``exp(-(x - mean) @ inv(cov) @ (x - mean) / 2)``. A variate is
    ``mean + factor @ normal(key, shape + (n,))``. The values are those of ``jax.random.multivariate_normal`` within
    rounding.

    The factor is computed by LAPACK in float64, and so is an exception to the rule of equal bits everywhere: libraries
    differ in its last bits, or in the signs of eigenvectors. Everything else has a fixed order of operations, so a
    sample is a prefix of a longer one. For a ``cov`` in GPU memory the factor is computed by cuSOLVER, and is NaN if
    the matrix is not as required.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.multivariate_normal(keyrng.key(0), [0.0, 10.0], [[2.0, 1.0], [1.0, 1.0]], (2,))
    array([[ 2.2947626, 12.57946  ],
           [-0.6131951,  9.637812 ]], dtype=float32)
    """
    check_choice("method", method, *METHODS)
    dtype = floating_of(dtype, out, mean, cov)
    compute = compute_dtype(dtype)
    device = device_of(key)
    place = preparation_device(device, mean, cov)
    centre = validated(place, finite(mean=mean), compute)
    matrix = covariance(place, "cov", cov, compute)
    rows = row_shape("mean", centre, shape, "components")
    n = centre.shape[-1]
    if matrix.shape[-1] != n:
        raise ValueError(f"mean and cov must have the same length, got {n} numbers and {matrix.shape[-2:]}")
    full = full_shape(key, rows, out, mean=centre, cov=np.broadcast_to(0.0, matrix.shape[:-1]))
    factors = factor("cov", matrix, method, "; method='svd' and method='eigh' take eigenvalues of 0")
    factors = device.adopt("cov", place.later(conversion(compute), factors), cov)
    centre = device.adopt("mean", centre, mean)
    normals = normal(key, (*full[key.ndim : -1], n), compute)
    vectors = device.pick(_cpu_vectors, _cuda_vectors)(key, factors, normals, centre, method == "cholesky", dtype)
    return cast_to_out(key, vectors, dtype, out)


def _cpu_vectors(key: Key, factors: Array, normals: Array, mean: Array, lower: bool, dtype: Dtype) -> Array:
    if factors.ndim == 2 and mean.ndim == 1 and native.takes_rows(normals):
        native.affine(factors, mean, normals)
        return normals
    vectors = product(factors, normals, lower)
    return sample_kernel(_add_mean, key, vectors.shape[key.ndim :], vectors.dtype, vectors, mean, out=vectors)


def _cuda_vectors(key: Key, factors: Array, normals: Array, mean: Array, lower: bool, dtype: Dtype) -> Array:
    values = factors, normals[..., None, :], mean[..., None]
    return device_of(key).apply_rows(_vector, *values, reduced=True, dtype=dtype)


@kernel(*FLOATS)
def _add_mean(lane: Any, x: Any, mean: Any) -> Any:
    return x + mean


def _vector(row: Any, factor: Any, normal: Any, mean: Any) -> Any:
    return _add_mean(row, row.sum(factor * normal), mean)
