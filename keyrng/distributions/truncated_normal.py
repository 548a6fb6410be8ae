"""The normal distribution between two bounds, accurate in both tails."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT32, FLOAT64, Dtype, DTypeLike, floating_dtype
from keyrng._executors.device import Device, may_hold
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, bounds, cache_scalars, check_relation, next_above, next_below
from keyrng._sampling.plan import Plan
from keyrng._sampling.sampler import sampler_of
from keyrng._sampling.shapes import Shape
from keyrng._sampling.spec import check_nothing
from keyrng.kernels.bits import uniform_co
from keyrng.kernels.elementary import exp, horner, log1p_unchecked, log_unchecked
from keyrng.kernels.erfinv import erfinv_unchecked
from keyrng.kernels.formats import neighbour
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import sqrt, where
from keyrng.kernels.requirements import Parameter, not_nan
from keyrng.kernels.special import erf

_SQRT2 = math.sqrt(2.0)

# Beyond this bound there are too few floats between erf and 1 for jax's formula, which is used up to it: in float32 the
# formula has 45,000 distinct values beyond 3, 1,000 beyond 4 and one beyond 5.5.
_TAIL = 3.0

# x * Q(x) / phi(x) for x >= 3, of t = (x - 3) / (x + 3): minimax by mpmath.chebyfit, within 2.3e-8 and 1.8e-17.
_MILLS = {
    FLOAT32: (
        -0.00298917326, 0.0120213163, -0.00475724518, -0.0725309004, 0.229151839, -0.350085588, 0.275418839,
        0.913770889,
    ),
    FLOAT64: (
        -2.530902468479710329e-6, 2.716007181038901669e-5, -1.235526883845020077e-4, 3.084079452013537234e-4,
        -4.630434269157738075e-4, 4.718729809137710937e-4, -4.431730137388076613e-4, 3.226171720810203325e-4,
        1.826811988402876578e-4, -9.009660308459879046e-5, -1.642246674813370287e-3, -2.092684797433928868e-5,
        1.002650854556013012e-2, -4.37434750826715843e-3, -7.234867850034006586e-2, 2.290490427634033413e-1,
        -3.500685132483431148e-1, 2.754179226062100594e-1, 9.137708961303098701e-1,
    ),
}  # fmt: skip


def _mills(x: Any) -> Any:
    """Return x times Mills' ratio, ``x * Q(x) / phi(x)`` of upper tail and density; 0.91 at 3, rising to 1."""
    return horner((x - _TAIL) / (x + _TAIL), _MILLS[x.dtype])


def _centre(f: Any, lower: Any, upper: Any) -> Any:
    """Return the inverse distribution function at fraction ``f`` between the bounds, as jax.random.truncated_normal."""
    a, b = erf(lower * (1.0 / _SQRT2)), erf(upper * (1.0 / _SQRT2))
    u = f * (b - a) + a
    largest = 1.0 - (2.0**-24 if f.dtype == np.float32 else 2.0**-53)
    u = where(u < largest, u, largest)
    return erfinv_unchecked(where(u > -largest, u, -largest)) * _SQRT2


def _upper_tail(f: Any, lower: Any, upper: Any) -> Any:
    """Return the same for ``lower >= 3``: solve Q(x) = Q(lower) - f * (Q(lower) - Q(upper)) by Newton's method.

    Everything is relative to Q(lower), so nothing underflows however far the tail. The unknown is ``d = x - lower``,
    and the equation is for the logarithm of Q, which is nearly linear.
    """
    first = where(lower < 1e17, lower, 1e17)  # for larger bounds d is negligible, and the square fits float32
    start = _mills(first)
    width = where(upper - lower < 40.0, upper - lower, 40.0)  # the tail beyond is below the smallest float64
    end = first + width
    rest = exp(width * (width + 2.0 * first) * -0.5) * (_mills(end) * first) / (start * end)
    target = log1p_unchecked(f * (rest - 1.0))
    d = -2.0 * target / (sqrt(first * first - 2.0 * target) + first)
    for _ in range(3):
        x = first + d
        mills = _mills(x)
        error = d * (d + 2.0 * first) * 0.5 - log_unchecked(mills * first / (start * x)) + target
        d = d - error * mills / x
    return lower + d


def _between(x: Any, least: Any, largest: Any) -> Any:
    return where(x < least, least, where(x > largest, largest, x))


@kernel(*FLOATS)
def truncated_normal_kernel(lane: Any, lower: Any, upper: Any, least: Any, largest: Any) -> Any:
    """Return a truncated normal variate, by the inverse distribution function."""
    return _between(_centre(uniform_co(lane), lower, upper), least, largest)


@kernel(*FLOATS)
def truncated_normal_tails_kernel(lane: Any, lower: Any, upper: Any, least: Any, largest: Any) -> Any:
    """Return a truncated normal variate that is accurate in both tails."""
    # The lower tail is the mirrored upper tail, with the fraction 1 - f.
    f = uniform_co(lane)
    left, right = upper < -_TAIL, lower > _TAIL
    near = where(right, lower, where(left, -upper, _TAIL))
    far = where(right, upper, where(left, -lower, _TAIL + 1.0))
    tail = _upper_tail(where(left, 1.0 - f, f), near, far)
    x = where(left, -tail, where(right, tail, _centre(f, lower, upper)))
    return _between(x, least, largest)


# Plans of draws in C: the values of the kernels above, and whether a draw is theirs.


def _with_neighbours(lower: Any, upper: Any) -> tuple[Any, ...]:
    return lower, upper, neighbour(lower, up=True), neighbour(upper, up=False)


@kernel(*FLOATS)
def _normal_between(lane: Any, lower: Any, upper: Any) -> Any:
    return truncated_normal_kernel(lane, *_with_neighbours(lower, upper))


@kernel(*FLOATS)
def _normal_between_tails(lane: Any, lower: Any, upper: Any) -> Any:
    return truncated_normal_tails_kernel(lane, *_with_neighbours(lower, upper))


@kernel(*FLOATS)
def _normal_order(lane: Any, lower: Any, upper: Any) -> Any:
    lower, upper, least, largest = _with_neighbours(lower, upper)
    return (lower < upper) & _not_less(largest, least)


@kernel(*FLOATS)
def _normal_order_near(lane: Any, lower: Any, upper: Any) -> Any:
    return _normal_order(lane, lower, upper) & ~(_is_above(lower) | _is_below(upper))


def _plans(dtype: DTypeLike, lower: Any, upper: Any) -> Iterable[Plan]:
    dtype, numbers = floating_dtype(dtype), (not_nan(lower=lower), not_nan(upper=upper))
    if dtype.itemsize > 2:  # bounds are rounded to the dtype, and C rounds to that of the computation
        yield Plan(_normal_between, numbers, dtype, dtype, _normal_order_near)
        yield Plan(_normal_between_tails, numbers, dtype, dtype, _normal_order)


@sampler_of(_plans)
def truncated_normal(
    key: Key,
    lower: ArrayLike,
    upper: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return standard normal variates that lie between ``lower`` and ``upper``.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    lower, upper : float or array_like of floats
        Bounds, which may be infinite, with ``lower < upper`` when rounded to ``dtype``, and a number of the dtype
        between them. They broadcast to ``key.shape + shape``. A result without elements may have ``lower == upper``.
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
        Variates in (lower, upper) of shape ``key.shape + shape``, float32 by default.

    Raises
    ------
    ValueError
        If a bound is NaN, ``lower`` is not less than ``upper``, or the dtype has no number between them.

    See Also
    --------
    normal : Variates without bounds.
    keyrng.initializers.truncated_normal : Initial weights.

    Notes
    -----
    The density is ``exp(-x**2 / 2)``, divided by its integral from ``lower`` to ``upper``. A variate is the inverse of
    the distribution function at a uniform on [0, 1). Where ``lower > 3`` or ``upper < -3``, the inverse is found by
    Newton's method on the logarithm of the tail, which is accurate in both tails, however far.

    The values are those of ``jax.random.truncated_normal`` within rounding where neither ``lower > 3`` nor
    ``upper < -3``. Farther out, jax returns ever fewer distinct values, and finally one.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.truncated_normal(keyrng.key(0), 30.0, 31.0, (3,))
    array([30.098068, 30.1277  , 30.013445], dtype=float32)
    """
    dtype = floating_dtype(dtype, out)
    tails, interval, empty = normal_interval(key, lower, upper, dtype)
    if empty:
        check_nothing(empty, key, shape, out, interval)
    return sample_kernel(
        truncated_normal_tails_kernel if tails else truncated_normal_kernel, key, shape, dtype, *interval, out=out
    )


@cache_scalars
def normal_interval(
    device: Device, lower: ArrayLike, upper: ArrayLike, dtype: Dtype
) -> tuple[bool, tuple[Parameter, ...], str]:
    """Return whether a bound lies in a tail, the parameters of either kernel, and the error for an empty interval."""
    low, high, empty = bounds(device, not_nan(lower=lower), not_nan(upper=upper), dtype)
    least, largest = next_above(low, dtype), next_below(high, dtype)

    def error() -> str:
        return f"no {dtype} lies between lower and upper, got {lower} and {upper}"

    if not empty:
        largest = check_relation(device, _not_less, largest, least, error=error)
    names = ("lower", "upper", "lower", "upper")
    return _has_tails(low, high), tuple(map(Parameter, names, (low, high, least, largest))), empty


def _not_less(largest: Any, least: Any) -> Any:
    return least <= largest


def _has_tails(low: Array, high: Array) -> bool:
    """Return whether an interval lies in a tail; True for bounds in GPU memory, which are not read."""
    return may_hold(_is_above, low) or may_hold(_is_below, high)


def _is_above(low: Any) -> Any:
    return low > _TAIL


def _is_below(high: Any) -> Any:
    return high < -_TAIL
