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
    """Orthonormal matrices, uniform in the sense of Haar: ``q`` and ``q @ r`` have one law for any orthogonal ``r``.

    Parameters
    ----------
    key, out
        As for `sample_kernel`.
    n, m
        Rows and columns, ints of zero or more; ``m`` is ``n`` by default. The fewer of the two are orthonormal.
    shape
        That of the array of matrices: the result has shape ``key.shape + shape + (n, m)``.
    dtype
        float16, bfloat16, float32 (the default) or float64; complex64 or complex128 for unitary matrices.

    Raises
    ------
    TypeError
        For an ``n`` or ``m`` that is no int, or a wrong kind of argument.
    ValueError
        For a negative one.

    Notes
    -----
    The QR decomposition of normals, with the signs that make the diagonal of R positive: Mezzadri, "How to generate
    random matrices from the classical compact groups", Notices of the AMS 54 (2007), 592-604. The values of
    ``jax.random.orthogonal`` within rounding. QR is LAPACK's, in float64, and so an exception to the same bits
    everywhere: libraries differ in its last bits.

    Examples
    --------
    >>> import keyrng
    >>> q = keyrng.orthogonal(keyrng.key(0), 3)
    >>> bool(abs(q.T @ q - np.eye(3)).max() < 1e-6)
    True
    """
    dtype = inexact_dtype(dtype, out)
    columns = n if m is None else m
    for name, length in (("n", n), ("m", columns)):
        if not is_integer(length):
            raise TypeError(f"{name} is an int, got {short_repr(length)}")
        if length < 0:
            raise ValueError(f"{name} must not be negative, got {length}")
    given = dimensions(shape)
    full = full_shape(key, (*given, n, columns) if given or out is None else None, out)
    tall = (*full[key.ndim : -2], max(n, columns), min(n, columns))
    # In float64, of which the last bits of the result are mostly not seen, whatever the library.
    drawn = normal(key, tall, dtype if dtype.kind == "c" else compute_dtype(dtype))
    here = device_of(key)
    with here.current():
        xp = here.xp
        q, r = xp.linalg.qr(drawn.astype(np.result_type(drawn.dtype, np.float64)))
        length = r.shape[-1]
        diagonal = r.reshape(*r.shape[:-2], 1, length * length)[..., :: length + 1]
        size = abs(diagonal)
        q = q * xp.where(size > 0, diagonal / xp.where(size > 0, size, 1.0), 1.0)
        return cast_to_out(key, xp.swapaxes(q, -1, -2) if n < columns else q, dtype, out)
