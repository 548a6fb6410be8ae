"""The logistic distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_oo
from keyrng.kernels.elementary import log1p_unchecked, log_unchecked
from keyrng.kernels.lane import FLOATS, kernel


@kernel(*FLOATS)
def _logistic(lane: Any) -> Any:
    u = uniform_oo(lane)
    return log_unchecked(u) - log1p_unchecked(-u)


@sampler
def logistic(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Return standard logistic variates.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    shape
        Shape of each key's sample, an int or a tuple of ints; () by default.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default) or float64.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Variates of shape ``key.shape + shape``, float32 by default, in [-16.0, 16.0] for float32 and narrower dtypes
        and in [-36.1, 36.1] for float64, with one exception: see Notes.

    Raises
    ------
    TypeError
        If ``dtype`` is not a float dtype, or an argument is of a wrong kind.

    See Also
    --------
    bernoulli : Whether a logistic variate is below a logit.
    gumbel : The difference of two Gumbel variates is a logistic variate.
    laplace : A symmetric distribution with similar tails.

    Notes
    -----
    The density is ``exp(-x) / (1 + exp(-x))**2``. A variate is ``log(u) - log(1 - u)`` of a uniform u on (0, 1). As in
    jax, a u of 0 is replaced by the smallest normal number, which gives -87.3 in float32, one value in 2**23, and
    -708.4 in float64.

    Precision: the error of float32 values is at most 1.6 ULP of the value, or of 1 if that is larger.

    The values are those of ``jax.random.logistic`` within rounding.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.logistic(keyrng.key(0), (3,))
    array([ 2.896376 ,  3.8217716, -0.6978392], dtype=float32)
    """
    return sample_kernel(_logistic, key, shape, floating_dtype(dtype, out), out=out)
