"""The power distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, positive
from keyrng._sampling.shapes import Shape
from keyrng.distributions.exponential import exponential_kernel
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import FLOATS, kernel


@kernel(*FLOATS)
def _power(lane: Any, a: Any) -> Any:
    return exp(-exponential_kernel(lane) / a)


def power(
    key: Key, a: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Variates of the power distribution: density ``a * x**(a - 1)`` for ``0 <= x <= 1``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    a
        Positive finite numbers that broadcast to the result.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If an ``a`` is zero, negative, infinite or NaN.

    Notes
    -----
    ``exp(-E / a)`` of an exponential variate E: the ``a``-th root of a uniform on (0, 1], and the reciprocal of
    ``pareto(key, a)``. 1 can occur; the smallest value is 2**(-23 / a) for float32, 2**(-52 / a) for float64, and 0
    where that underflows. The distribution of ``numpy.random.Generator.power``; jax.random does not have it.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.power(keyrng.key(0), 2.0, (3,))
    array([0.22876407, 0.14635615, 0.8171343 ], dtype=float32)
    """
    return sample_kernel(_power, key, shape, floating_dtype(dtype, out), positive(a=a), out=out)
