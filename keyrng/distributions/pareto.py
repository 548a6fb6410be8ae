"""The Pareto distribution."""

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
def _pareto(lane: Any, b: Any) -> Any:
    return exp(exponential_kernel(lane) / b)


def pareto(
    key: Key, b: ArrayLike, shape: Shape | None = None, dtype: DTypeLike = None, *, out: Array | None = None
) -> Array:
    """Pareto variates: density ``b / x**(b + 1)`` for ``x >= 1``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    b
        Positive finite numbers that broadcast to the result.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If a ``b`` is zero, negative, infinite or NaN.

    Notes
    -----
    ``exp(E / b)`` of an exponential variate E: 1 can occur; the largest value is 2**(23 / b) for float32, 2**(52 / b)
    for float64, and infinity where the dtype does not hold that. The values of ``jax.random.pareto`` within rounding.
    NumPy's ``pareto`` is this one minus 1.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.pareto(keyrng.key(0), 2.0, (3,))
    array([4.3713155, 6.832648 , 1.223789 ], dtype=float32)
    """
    return sample_kernel(_pareto, key, shape, floating_dtype(dtype, out), positive(b=b), out=out)
