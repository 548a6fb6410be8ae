"""The Weibull distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, positive
from keyrng._sampling.shapes import Shape, broadcast_shape
from keyrng.distributions.exponential import exponential_kernel
from keyrng.kernels.elementary import scaled_power
from keyrng.kernels.lane import FLOATS, kernel


@kernel(*FLOATS)
def _weibull_min(lane: Any, scale: Any, concentration: Any) -> Any:
    return scaled_power(exponential_kernel(lane), 1.0 / concentration, scale)


def weibull_min(
    key: Key,
    scale: ArrayLike,
    concentration: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Weibull variates: with c the concentration, ``P(X > x) = exp(-(x / scale)**c)`` for ``x >= 0``.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, out
        As for `sample_kernel`.
    scale, concentration
        Positive finite numbers, or arrays of them.
    shape
        The result has shape ``key.shape + shape`` if the parameters broadcast to it; otherwise ``shape`` is broadcast
        with them, so that () becomes the shape of the parameters.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Raises
    ------
    ValueError
        If a parameter is zero, negative, infinite or NaN.

    Notes
    -----
    ``scale * E**(1 / c)`` of an exponential variate E. 0 can occur, as in E; where c is small values underflow to 0 and
    overflow to infinity. The values of ``jax.random.weibull_min`` within rounding, for parameters that are numbers; for
    arrays of them jax draws no more than ``shape`` says, and uses an E for several.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.weibull_min(keyrng.key(0), 2.0, 1.5, (3,))
    array([4.1139336, 4.9072957, 1.0928195], dtype=float32)
    >>> keyrng.weibull_min(keyrng.key(0), [2.0, 1.0, 5.0], 1.5).shape
    (3,)
    """
    shape = broadcast_shape(key, shape, out, scale, concentration)
    given = positive(scale=scale), positive(concentration=concentration)
    return sample_kernel(_weibull_min, key, shape, floating_dtype(dtype, out), *given, out=out)
