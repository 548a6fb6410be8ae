"""The von Mises distribution of angles."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from keyrng._core.dtypes import FLOAT64, Dtype, DTypeLike, compute_dtype, floating_dtype
from keyrng._executors.device import Device
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, cache_scalars, checked_parameter, parameter_array
from keyrng._sampling.plan import Plan
from keyrng._sampling.sampler import sampler_of
from keyrng._sampling.shapes import Shape
from keyrng.distributions._shared.angles import CIRCLE, within_a_turn
from keyrng.kernels.atan import atan
from keyrng.kernels.bits import uniform_oc, uniform_signed
from keyrng.kernels.elementary import log_unchecked
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import cast, sqrt, where
from keyrng.kernels.requirements import Interval, Parameter, Requirement, finite, non_negative
from keyrng.kernels.special import tanpi_unchecked


def _best_fisher(lane: Any, scale: Any, least: Any, spread: Any) -> tuple[Any, Any]:
    """Make one attempt at the tangent of half the angle, from a wrapped Cauchy variate.

    D. J. Best, N. I. Fisher, "Efficient simulation of the von Mises distribution", Applied Statistics 28 (1979),
    152-157, https://doi.org/10.2307/2346732.

    The paper draws f, the cosine of the angle, which rounds to 1 for all small angles. In terms of
    ``t = tan(theta / 2)`` the wrapped Cauchy variate is a multiple of a Cauchy variate, ``1 - f`` is
    ``2 t**2 / (1 + t**2)``, and ``c = kappa (r - f) = kappa (r - 1) + kappa (1 - f)`` has no differences.
    """
    cauchy = tanpi_unchecked(uniform_signed(lane) * 0.5)
    t = scale * cauchy
    c = least + spread * (cauchy * cauchy) / (1.0 + t * t)
    # The paper: accept if log(c / u2) + 1 - c >= 0. Negated, so that NaN is accepted and the loop ends.
    return ~(log_unchecked(uniform_oc(lane) / c) >= 1.0 - c), t


@kernel(*FLOATS)
def _vonmises(lane: Any, mu: Any, kappa: Any) -> Any:
    pi, turn, rest = CIRCLE[lane.dtype]
    # The paper's r is (1 + root) / (2 kappa) with root = sqrt(1 + 4 kappa**2), and root - 2 kappa is the reciprocal of
    # root + 2 kappa. For kappa above 1e9 the 1 is lost in rounding.
    half_root = where(kappa < 1e9, sqrt(0.25 + kappa * kappa), kappa)
    mean = 0.5 * kappa + 0.5 * half_root
    least = 0.5 + 0.125 / mean  # kappa (r - 1)
    ratio = least / (mean + 0.25)
    # The scale of t is sqrt((r - 1) / (r + 1)).
    t = lane.rejection_loop(_best_fisher, sqrt(0.5 * ratio), least, kappa * ratio)
    x = mu + 2.0 * atan(t)
    turns = cast(x > pi, lane.dtype) - cast(x < -pi, lane.dtype)
    return (x - turns * turn) - turns * rest


_reduced = Requirement("within half a turn", Interval(-math.pi, math.pi))


def _plans(dtype: DTypeLike, mu: Any, kappa: Any) -> Iterable[Plan]:
    dtype = floating_dtype(dtype)
    yield Plan(_vonmises, (_reduced(mu=mu), non_negative(kappa=kappa)), dtype, compute_dtype(dtype))


@sampler_of(_plans)
def vonmises(
    key: Key,
    mu: ArrayLike,
    kappa: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return von Mises variates of mean direction ``mu`` and concentration ``kappa``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    mu : float or array_like of floats
        Mean direction in radians, finite. It is reduced to [-pi, pi] exactly in float64, however large, and then
        rounded to ``dtype``. Broadcasts to ``key.shape + shape``.
    kappa : float or array_like of floats
        Concentration, zero or more and finite. 0 is the uniform distribution on the circle; for a large ``kappa`` the
        angle is nearly normal, with variance ``1 / kappa``. Broadcasts to ``key.shape + shape``.
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
        Angles in [-pi, pi] of shape ``key.shape + shape``, float32 by default. For float32 the ends are 3.1415925 and
        its negative.

    Raises
    ------
    ValueError
        If ``mu`` is infinite or NaN, or ``kappa`` is negative, infinite or NaN.

    See Also
    --------
    normal : The limit for large ``kappa``.
    uniform : The case ``kappa = 0``, as ``uniform(key, minval=-pi, maxval=pi)``.

    Notes
    -----
    The density is ``exp(kappa * cos(x - mu)) / (2 * pi * I0(kappa))``, where I0 is a modified Bessel function. The
    method is Best and Fisher's rejection from a wrapped Cauchy distribution [1]_. It needs 1 attempt on average for
    small ``kappa`` and 1.52 for large ones.

    Precision: the formulas are written without cancellation, so near 0 the angles have the spacing of floats, up to the
    largest ``kappa``.

    The parameters are those of ``numpy.random.Generator.vonmises``; ``jax.random`` does not have this distribution.

    References
    ----------
    .. [1] D. J. Best, N. I. Fisher, "Efficient simulation of the von Mises distribution", Applied Statistics 28 (1979),
       152-157. https://doi.org/10.2307/2346732

    Examples
    --------
    >>> import keyrng
    >>> keyrng.vonmises(keyrng.key(0), 3.0, 4.0, (3,))
    array([ 2.9756033, -3.0175736,  2.1708612], dtype=float32)
    """
    dtype = floating_dtype(dtype, out)
    return sample_kernel(_vonmises, key, shape, dtype, *_direction(key, mu, kappa, dtype), out=out)


@cache_scalars
def _direction(device: Device, mu: ArrayLike, kappa: ArrayLike, dtype: Dtype) -> tuple[Parameter, ...]:
    """Return both parameters, with the angle reduced to [-pi, pi] before it is rounded to the dtype."""
    reduced = Parameter("mu", within_a_turn(device, parameter_array(device, finite(mu=mu), 0, FLOAT64)))
    return checked_parameter(device, reduced, compute_dtype(dtype)), non_negative(kappa=kappa)
