"""The Weibull distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape, broadcast_shape
from keyrng.distributions.exponential import exponential_kernel
from keyrng.kernels.elementary import scaled_power
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.requirements import positive


@kernel(*FLOATS)
def _weibull_min(lane: Any, scale: Any, concentration: Any) -> Any:
    return scaled_power(exponential_kernel(lane), 1.0 / concentration, scale)


@sampler
def weibull_min(
    key: Key,
    scale: ArrayLike,
    concentration: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return Weibull variates of scale ``scale`` and shape ``concentration``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    scale : float or array_like of floats
        Scale, positive and finite. Broadcasts with ``concentration`` and ``shape``.
    concentration : float or array_like of floats
        Shape of the distribution, positive and finite. Broadcasts with ``scale`` and ``shape``.
    shape
        Shape of each key's sample, an int or a tuple of ints; () by default, which is broadcast with the parameters.
        With an array of keys and parameters per key, ``shape=()`` returns one sample per key.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default) or float64.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Variates, zero or more and possibly infinite, float32 by default, of shape ``key.shape + shape`` if the
        parameters broadcast to that shape. Otherwise ``shape`` broadcasts with the parameters, so that () becomes the
        shape of the parameters.

    Raises
    ------
    ValueError
        If a parameter is not positive and finite.

    See Also
    --------
    exponential : The case ``concentration = 1``.
    gumbel : The negative logarithms are Gumbel variates.
    rayleigh : The case ``concentration = 2``, with a scale of ``sqrt(2)`` times as much.

    Notes
    -----
    With ``c`` the concentration, ``P(X > x) = exp(-(x / scale)**c)`` for ``x >= 0``, and the density is
    ``c / scale * (x / scale)**(c - 1) * exp(-(x / scale)**c)``. A variate is ``scale * E**(1 / c)`` of an exponential
    variate E, so 0 can occur. For a small ``c`` values underflow to 0 and overflow to infinity.

    Precision: float32 values are within 1.4 ULP of the formula for a scale of 1 and a concentration of 1.5.

    For scalar parameters the values are those of ``jax.random.weibull_min`` within rounding. For arrays of parameters
    jax draws no more variates than ``shape`` has elements, and uses one E for several of them.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.weibull_min(keyrng.key(0), 2.0, 1.5, (3,))
    array([4.1139336, 4.9072957, 1.0928195], dtype=float32)
    >>> keyrng.weibull_min(keyrng.key(0), [2.0, 1.0, 5.0], 1.5)
    array([4.1139336, 2.4536479, 2.7320485], dtype=float32)
    """
    shape = broadcast_shape(key, shape, out, scale, concentration)
    given = positive(scale=scale), positive(concentration=concentration)
    return sample_kernel(_weibull_min, key, shape, floating_dtype(dtype, out), *given, out=out)
