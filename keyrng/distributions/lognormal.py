"""The log-normal distribution, of real and of complex numbers."""

from __future__ import annotations

import math
from typing import Any

from keyrng._core.dtypes import DTypeLike, inexact_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_complex_kernel, sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.normal import complex_part, normal_kernel
from keyrng.kernels.elementary import exp, format_of
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import non_negative
from keyrng.kernels.special import cospi, sinpi


@kernel(*FLOATS)
def _lognormal(lane: Any, sigma: Any) -> Any:
    return exp(normal_kernel(lane) * sigma)


def _polar(lane: Any, sigma: Any) -> tuple[Any, Any]:
    """Return the absolute value of a complex variate, and its angle divided by pi."""
    real, imag = (complex_part(child) for child in lane.split(2))
    turns = imag * sigma * (1.0 / math.pi)
    # A float this large is an even integer, so its cosine is that of 0; infinity has no cosine.
    return exp(real * sigma), where(abs(turns) < 2.0 * format_of(turns).integers, turns, 0.0)


def _times(size: Any, part: Any) -> Any:
    return where(part == 0.0, part, size * part)  # on an axis the other part is 0, also if size is infinite


@kernel(*FLOATS)
def _lognormal_real(lane: Any, sigma: Any) -> Any:
    size, turns = _polar(lane, sigma)
    return _times(size, cospi(turns))


@kernel(*FLOATS)
def _lognormal_imag(lane: Any, sigma: Any) -> Any:
    size, turns = _polar(lane, sigma)
    return _times(size, sinpi(turns))


@sampler
def lognormal(
    key: Key, sigma: ArrayLike = 1.0, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return log-normal variates ``exp(sigma * z)`` of a standard normal z.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    sigma : float or array_like of floats, optional
        Standard deviation of the logarithm, zero or more and finite; 1 by default. Broadcasts to ``key.shape + shape``.
    shape
        Shape of each key's sample, an int or a tuple of ints; by default the shape that the parameters broadcast to.
        With an array of keys and parameters per key, ``shape=()`` returns one sample per key.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default), float64, complex64 or complex128.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Variates of shape ``key.shape + shape``, float32 by default. Real ones lie in [0, inf]. For complex64 and
        complex128 z is complex, as in `normal`.

    Raises
    ------
    ValueError
        If ``sigma`` is negative, infinite or NaN.

    See Also
    --------
    normal : The logarithms of the variates.

    Notes
    -----
    The density is ``exp(-(log(x) / sigma)**2 / 2) / (x * sigma * sqrt(2 * pi))`` for ``x > 0``. A ``sigma`` of 0 gives
    1. For a large ``sigma`` values underflow to 0 and overflow to infinity.

    The values are those of ``jax.random.lognormal`` within rounding, times the logarithm.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.lognormal(keyrng.key(0), 0.5, (3,))
    array([2.2508795, 2.7528381, 0.8050932], dtype=float32)
    """
    dtype, given = inexact_dtype(dtype, out), non_negative(sigma=sigma)
    if dtype.kind == "c":
        return sample_complex_kernel(_lognormal_real, _lognormal_imag, key, shape, dtype, given, out=out)
    return sample_kernel(_lognormal, key, shape, dtype, given, out=out)
