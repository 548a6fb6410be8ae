"""The Pareto distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.exponential import exponential_kernel
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.requirements import positive


@kernel(*FLOATS)
def _pareto(lane: Any, b: Any) -> Any:
    return exp(exponential_kernel(lane) / b)


@sampler
def pareto(
    key: Key, b: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return Pareto variates of shape ``b`` and minimum 1.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    b : float or array_like of floats
        Shape of the distribution, positive and finite. Broadcasts to ``key.shape + shape``.
    shape
        Shape of each key's sample, an int or a tuple of ints; by default the shape that the parameters broadcast to.
        With an array of keys and parameters per key, ``shape=()`` returns one sample per key.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default) or float64.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Variates, one or more, of shape ``key.shape + shape``, float32 by default.

    Raises
    ------
    ValueError
        If ``b`` is not positive and finite.

    See Also
    --------
    exponential : The logarithms of the variates, times ``b``.
    power : The reciprocals of the variates.
    zipf : The discrete analog.

    Notes
    -----
    The density is ``b / x**(b + 1)`` for ``x >= 1``. A variate is ``exp(E / b)`` of an exponential variate E, so 1 can
    occur. NumPy's ``pareto`` is this one minus 1.

    Precision: the error grows with the logarithm; for ``b = 3`` it is at most 5.4 ULP in float32. The largest value is
    2**(23 / b) for float32 and 2**(52 / b) for float64, or infinity if the dtype does not represent that.

    The values are those of ``jax.random.pareto`` within rounding.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.pareto(keyrng.key(0), 2.0, (3,))
    array([4.3713155, 6.832648 , 1.223789 ], dtype=float32)
    """
    return sample_kernel(_pareto, key, shape, floating_dtype(dtype, out), positive(b=b), out=out)
