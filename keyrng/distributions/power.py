"""The power distribution."""

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
def _power(lane: Any, a: Any) -> Any:
    return exp(-exponential_kernel(lane) / a)


@sampler
def power(
    key: Key, a: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Return variates of the power distribution of exponent ``a``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    a : float or array_like of floats
        Exponent, positive and finite. Broadcasts to ``key.shape + shape``.
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
        Variates in [0, 1] of shape ``key.shape + shape``, float32 by default.

    Raises
    ------
    ValueError
        If ``a`` is not positive and finite.

    See Also
    --------
    beta : The generalization to two parameters; this is ``b = 1``.
    pareto : The reciprocals of the variates.
    uniform : The case ``a = 1``.

    Notes
    -----
    The density is ``a * x**(a - 1)`` for ``0 <= x <= 1``. A variate is ``exp(-E / a)`` of an exponential variate E: the
    ``a``-th root of a uniform on (0, 1], and the reciprocal of ``pareto(key, a)``.

    Precision: the error grows with the logarithm; for ``a = 3`` it is at most 5.4 ULP in float32. 1 can occur. The
    smallest value is 2**(-23 / a) for float32 and 2**(-52 / a) for float64, or 0 if that underflows.

    The distribution is that of ``numpy.random.Generator.power``; ``jax.random`` does not have it.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.power(keyrng.key(0), 2.0, (3,))
    array([0.22876407, 0.14635615, 0.8171343 ], dtype=float32)
    """
    return sample_kernel(_power, key, shape, floating_dtype(dtype, out), positive(a=a), out=out)
