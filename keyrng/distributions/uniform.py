"""The uniform distribution."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import unwrap
from typing import Any

from keyrng._core.arguments import short_repr
from keyrng._core.dtypes import Dtype, DTypeLike, floating_dtype
from keyrng._executors.device import Device
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, bounds, cache_scalars, check_relation, finite_span, next_below
from keyrng._sampling.plan import Plan
from keyrng._sampling.sampler import sampler_of
from keyrng._sampling.shapes import Shape
from keyrng._sampling.spec import check_nothing
from keyrng.kernels.bits import uniform_co
from keyrng.kernels.formats import neighbour
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import rarely, where
from keyrng.kernels.requirements import Parameter, finite


@kernel(*FLOATS)
def _unit(lane: Any) -> Any:
    return uniform_co(lane)


@kernel(*FLOATS)
def _uniform(lane: Any, minval: Any, maxval: Any, largest: Any) -> Any:
    x = uniform_co(lane) * (maxval - minval) + minval
    # The sum can round up to maxval, which is excluded: return the largest float below it.
    return where(x > largest, largest, x)


@kernel(*FLOATS)
def _uniform_between(lane: Any, minval: Any, maxval: Any) -> Any:
    x = uniform_co(lane) * (maxval - minval) + minval
    return rarely(x >= maxval, x, _below, maxval)  # the same values as `_uniform`


def _below(bound: Any) -> Any:
    return neighbour(bound, up=False)


@kernel(*FLOATS)
def _uniform_order(lane: Any, minval: Any, maxval: Any) -> Any:
    return (minval < maxval) & finite_span(maxval, minval)


def _plans(dtype: DTypeLike, minval: Any = 0.0, maxval: Any = 1.0) -> Iterable[Plan]:
    dtype = floating_dtype(dtype)
    if dtype.itemsize == 2:  # bounds are rounded to the dtype, and C rounds to that of the computation
        return
    if type(minval) is type(maxval) is float:
        yield Plan(_unit, (), dtype, dtype)
    yield Plan(
        _uniform_between, (Parameter("minval", minval), Parameter("maxval", maxval)), dtype, dtype, _uniform_order
    )


@sampler_of(_plans)
def uniform(
    key: Key,
    shape: Shape = (),
    dtype: DTypeLike = None,
    minval: ArrayLike = 0.0,
    maxval: ArrayLike = 1.0,
    *,
    out: Array | None = None,
) -> Array:
    """Return uniform floats in [minval, maxval).

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    shape
        Shape of each key's sample, an int or a tuple of ints; () by default. With an array of keys and parameters per
        key, ``shape=()`` returns one sample per key.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default) or float64.
    minval : float or array_like of floats, optional
        Lower bound, finite, which can occur; 0 by default. Broadcasts to ``key.shape + shape``.
    maxval : float or array_like of floats, optional
        Upper bound, finite, which never occurs; 1 by default. Broadcasts to ``key.shape + shape``. ``minval < maxval``
        when rounded to ``dtype``; a result without elements may have ``minval == maxval``.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Floats of shape ``key.shape + shape``, float32 by default, not less than ``minval`` and less than ``maxval``.

    Raises
    ------
    ValueError
        If ``minval`` is not less than ``maxval``, a bound is NaN or infinite, or their difference is not finite.

    See Also
    --------
    bits : Random words.
    randint : Integers of an interval.
    triangular : A density that is not constant.
    keyrng.initializers.uniform : Initial weights.

    Notes
    -----
    The density is ``1 / (maxval - minval)``.

    Precision: in [0, 1) the values are multiples of 2**-23 for float32 and of 2**-52 for float64, all with the same
    probability. Samples of 16-bit dtypes are float32 samples, rounded once, except that they are never 1. In other
    intervals a value is ``unit * (maxval - minval) + minval``, where each operation is rounded.

    The values are those of ``jax.random.uniform``, which fuses the last two operations and can return ``maxval``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.uniform(keyrng.key(0), (3,))
    array([0.947667  , 0.9785799 , 0.33229148], dtype=float32)
    """
    dtype = floating_dtype(dtype, out)
    if minval is _ZERO and maxval is _ONE and dtype.itemsize >= 4:
        return sample_kernel(_unit, key, shape, dtype, out=out)
    parameters, empty = _interval(key, minval, maxval, dtype)
    if empty:
        check_nothing(empty, key, shape, out, parameters)
    return sample_kernel(_uniform, key, shape, dtype, *parameters, out=out)


# The default bounds are recognized by identity, so that the usual call makes no comparison and no array.
_ZERO, _ONE = unwrap(uniform).__defaults__[2:4]


@cache_scalars
def _interval(device: Device, minval: ArrayLike, maxval: ArrayLike, dtype: Dtype) -> tuple[tuple[Parameter, ...], str]:
    """Return the parameters of the kernel, and the error to raise for an empty interval, or ""."""
    low, high, empty = bounds(device, finite(minval=minval), finite(maxval=maxval), dtype)

    def error() -> str:
        values = f"{short_repr(minval, str)} and {short_repr(maxval, str)}"
        return f"maxval - minval must be finite in {low.dtype}, got {values}"

    high = check_relation(device, finite_span, high, low, error=error)
    return (Parameter("minval", low), Parameter("maxval", high), Parameter("maxval", next_below(high, dtype))), empty
