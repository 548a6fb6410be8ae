"""The exponential distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.kernels.bits import uniform_co
from keyrng.kernels.elementary import log1p_unchecked
from keyrng.kernels.lane import FLOATS, kernel


@kernel(*FLOATS)
def exponential_kernel(lane: Any) -> Any:
    """Return an exponential variate."""
    return 0.0 - log1p_unchecked(-uniform_co(lane))  # not -log1p: the negative of 0 is -0


@sampler
def exponential(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Return exponential variates of rate 1.

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
        Variates of shape ``key.shape + shape``, float32 by default, in [0, 15.95], or in [0, 36.05] for float64.

    Raises
    ------
    TypeError
        If ``dtype`` is not a float dtype, or an argument is of a wrong kind.

    See Also
    --------
    gamma : Sums of exponential variates, for any shape.
    geometric : The discrete analog.
    laplace : Exponential variates with a random sign.
    pareto : Exponentials of exponential variates.
    weibull_min : Powers of exponential variates.

    Notes
    -----
    The density is ``exp(-x)`` for ``x >= 0``. A variate is ``-log(1 - u)`` of a uniform u on [0, 1), so 0 can occur.

    Precision: within 1 ULP of the formula.

    The values are those of ``jax.random.exponential`` within rounding.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.exponential(keyrng.key(0), (3,))
    array([2.950128  , 3.8434246 , 0.40390354], dtype=float32)
    """
    return sample_kernel(exponential_kernel, key, shape, floating_dtype(dtype, out), out=out)
