"""Random orthonormal matrices."""

from __future__ import annotations

import numpy as np

from keyrng._core.arguments import Int, short_repr
from keyrng._core.dtypes import DTypeLike, compute_dtype, inexact_dtype
from keyrng._core.fpenv import without_warnings
from keyrng._keys.derive import Key, device_of, is_integer
from keyrng._sampling.parameters import Array
from keyrng._sampling.shapes import Shape, dimensions
from keyrng.distributions._shared.last_axis import cast_to_out, full_shape
from keyrng.distributions.normal import normal


@without_warnings
def orthogonal(
    key: Key,
    n: Int,
    shape: Shape = (),
    dtype: DTypeLike = None,
    m: Int | None = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return random orthonormal matrices, uniform in the sense of Haar.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    n : int
        Number of rows, zero or more.
    shape
        Shape of the array of matrices, an int or a tuple of ints; one matrix by default.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default), float64, complex64 or complex128.
    m : int, optional
        Number of columns, zero or more; ``n`` by default. The fewer of rows and columns are orthonormal.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Matrices of shape ``key.shape + shape + (n, m)``, float32 by default. For complex64 and complex128 the matrices
        are unitary.

    Raises
    ------
    TypeError
        If ``n`` or ``m`` is not an int, or an argument is of a wrong kind.
    ValueError
        If ``n`` or ``m`` is negative.

    See Also
    --------
    ball : Points uniform in a ball.
    keyrng.initializers.orthogonal : Initial weights.

    Notes
    -----
    A matrix ``q`` has the distribution of ``q @ r`` for any orthogonal ``r``. It is the first factor of the QR
    decomposition of a matrix of normal variates, with signs that make the diagonal of the second factor positive [1]_.

    The values are those of ``jax.random.orthogonal`` within rounding. The decomposition is computed by LAPACK in
    float64, and so is an exception to the rule of equal bits everywhere: libraries differ in its last bits.

    References
    ----------
    .. [1] F. Mezzadri, "How to generate random matrices from the classical compact groups", Notices of the AMS 54
       (2007), 592-604. https://arxiv.org/abs/math-ph/0609050

    Examples
    --------
    >>> import keyrng
    >>> q = keyrng.orthogonal(keyrng.key(0), 3)
    >>> q.round(3)
    array([[ 0.955,  0.294,  0.026],
           [-0.046,  0.236, -0.971],
           [-0.292,  0.926,  0.239]], dtype=float32)
    >>> bool(abs(q.T @ q - np.eye(3)).max() < 1e-6)
    True
    """
    dtype = inexact_dtype(dtype, out)
    columns = n if m is None else m
    for name, length in (("n", n), ("m", columns)):
        if not is_integer(length):
            raise TypeError(f"{name} must be an int, got {short_repr(length)}")
        if length < 0:
            raise ValueError(f"{name} must not be negative, got {length}")
    given = dimensions(shape)
    full = full_shape(key, (*given, n, columns) if given or out is None else None, out)
    tall = (*full[key.ndim : -2], max(n, columns), min(n, columns))
    # QR in float64: after rounding to float32 the differences between libraries mostly disappear.
    drawn = normal(key, tall, dtype if dtype.kind == "c" else compute_dtype(dtype))
    device = device_of(key)
    with device.current():
        xp = device.xp
        q, r = xp.linalg.qr(drawn.astype(np.result_type(drawn.dtype, np.float64)))
        length = r.shape[-1]
        diagonal = r.reshape(*r.shape[:-2], 1, length * length)[..., :: length + 1]
        size = abs(diagonal)
        q = q * xp.where(size > 0, diagonal / xp.where(size > 0, size, 1.0), 1.0)
        return cast_to_out(key, xp.swapaxes(q, -1, -2) if n < columns else q, dtype, out)
