"""Integers in an interval."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

from keyrng._core.arguments import short_repr, to_array
from keyrng._core.dtypes import DTypeLike, compute_dtype, integer_dtype
from keyrng._core.numbers import integers
from keyrng._executors.device import Device, device_of_values, is_on_gpu
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, cache_scalars, check_broadcast_together
from keyrng._sampling.plan import Divisor, Integer, Plan
from keyrng._sampling.sampler import sampler_of
from keyrng._sampling.shapes import Shape
from keyrng._sampling.spec import check_nothing
from keyrng.kernels.formats import conversion
from keyrng.kernels.lane import WORDS, Kernel, kernel
from keyrng.kernels.ops import bitcast, cast, mod_wide, mulhi, where
from keyrng.kernels.requirements import Parameter


@kernel(*WORDS, abreast=2)
def _randint(lane: Any, minval: Any, span: Any) -> Any:
    high, low = lane.split(2)
    high, low = high.bits(), low.bits()
    # A span of 0 means the whole range of the word.
    return minval + where(span == 0, low, mod_wide(high, low, where(span == 0, 1, span)))


# Up to this span the remainder of a word takes one multiplication, and a product of two remainders fits a word.
_SMALL_SPAN = 2**15


@kernel("uint32")
def _randint_small(lane: Any, minval: Any, span: Any, inverse: Any, carry: Any) -> Any:
    # The same values as `_randint`: (high * 2**32 + low) mod span. Remainders may be too large by one span until the
    # last step. carry is 2**32 minus a multiple of the span, and at most the span.
    high, low = lane.split(2)
    rest = _nearly_mod(high.bits(), span, inverse) * carry + _nearly_mod(low.bits(), span, inverse)
    rest = _nearly_mod(rest, span, inverse)
    return minval + where(rest < span, rest, rest - span)


def _nearly_mod(x: Any, span: Any, inverse: Any) -> Any:
    """Return ``x`` modulo ``span``, or that plus ``span``; ``inverse`` is (2**32 - 1) // span."""
    return x - mulhi(x, inverse) * span


# Up to this span, remainders are computed in float64, whose quotients are too large or too small by one at most.
_FLOAT_SPAN = 2**49


@kernel("uint64")
def _randint_float(
    lane: Any, minval: Any, span: Any, multiple: Any, inverse: Any, carry: Any, ratio: Any, share: Any
) -> Any:
    # The same values as `_randint`, by the largest multiple of the span up to 2**49 and, as the words of floats, 2**12
    # and `carry` by that multiple and 1 by the span. carry is 2**64 minus a multiple of the multiple, nearest to 0.
    # A quotient is within 0.8 of the exact one, so that a remainder, as a signed word, is within 0.8 of its divisor.
    inverse, ratio, share = (bitcast(word, np.float64) for word in (inverse, ratio, share))
    high, low = lane.split(2)
    high, low = high.bits(), low.bits()
    rest = high - _nearest(_leading_bits(high) * inverse) * multiple
    quotient = _signed(rest) * ratio + _leading_bits(low) * inverse
    rest = rest * carry + low - _nearest(quotient) * multiple
    rest = rest - _nearest(_signed(rest) * share) * span
    return minval + where(rest < 2**63, rest, rest + span)


# Adding this float to one between -2**51 and 2**51 rounds it to an integer, which is then in the last bits of the word.
_ROUNDER, _ROUNDER_BITS = 3 * 2.0**51, 0x4338 << 48


def _nearest(x: Any) -> Any:
    """Return the integer nearest to a float, as a signed word."""
    return bitcast(x + _ROUNDER, np.uint64) - _ROUNDER_BITS


def _signed(word: Any) -> Any:
    """Return a signed word as a float."""
    return bitcast(word + _ROUNDER_BITS, np.float64) - _ROUNDER


def _leading_bits(word: Any) -> Any:
    """Return the first 52 bits of a word as a float."""
    return bitcast(word >> 12 | 0x433 << 52, np.float64) - 2.0**52


# The parameters that C computes from the span.
_DIVISORS = (
    Divisor.MULTIPLE,
    Divisor.INVERSE_OF_MULTIPLE,
    Divisor.CARRY_OF_MULTIPLE,
    Divisor.RATIO,
    Divisor.SHARE,
)


def _float_parameters(low: Parameter, span: int) -> tuple[Parameter, ...]:
    """Return the parameters of `_randint_float`."""
    multiple = _FLOAT_SPAN // span * span
    carry = 2**64 % multiple
    carry -= multiple * (2 * carry > multiple)
    floats = np.array([2.0**12 / multiple, carry / multiple, 1.0 / span]).view(np.uint64)
    words = np.array([span, multiple, floats[0], carry % 2**64, *floats[1:]], np.uint64)
    return low, *(Parameter("maxval", word) for word in words)


def _plans(dtype: DTypeLike, minval: Any, maxval: Any) -> Iterable[Plan]:
    dtype = integer_dtype(dtype)
    least, most = int(np.iinfo(dtype).min), min(int(np.iinfo(dtype).max) + 1, 2**63 - 1)
    low, words = Integer(minval, least, most), compute_dtype(dtype)
    if words.itemsize == 4:
        span = Integer(maxval, least, most, _SMALL_SPAN)
        yield Plan(_randint_small, (low, span, Divisor.INVERSE, Divisor.CARRY), dtype, words)
    else:
        span = Integer(maxval, least, most, _FLOAT_SPAN)
        yield Plan(_randint_float, (low, span, *_DIVISORS), dtype, words)
    yield Plan(_randint, (low, Integer(maxval, least, most, 2**64)), dtype, words)


@sampler_of(_plans)
def randint(
    key: Key,
    shape: Shape,
    minval: ArrayLike,
    maxval: ArrayLike,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Return random integers in [minval, maxval).

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    shape
        Shape of each key's sample, an int or a tuple of ints. With an array of keys and parameters per key,
        ``shape=()`` returns one sample per key.
    minval : int or array_like of ints
        Lower bound, which can occur. Broadcasts to ``key.shape + shape``.
    maxval : int or array_like of ints
        Upper bound, which never occurs, greater than ``minval`` and at most one more than the largest integer of
        ``dtype``. Broadcasts to ``key.shape + shape``. A result without elements may have ``minval == maxval``.
    dtype
        Dtype of the result: any integer dtype, int32 by default.
    out
        Array that the result is written to and that is returned; ``dtype`` may be left out. It must have the shape and
        the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Integers from ``minval`` to ``maxval - 1``, of shape ``key.shape + shape``, int32 by default; any integer dtype
        is possible.

    Raises
    ------
    TypeError
        If a bound is not an integer, or an argument is of a wrong kind.
    ValueError
        If ``minval`` is not less than ``maxval``, or a bound is outside the range of ``dtype``.

    See Also
    --------
    bits : All integers of an unsigned dtype.
    choice : Elements of an array.
    uniform : Floats of an interval.

    Notes
    -----
    Two words of w bits (32, or 64 for a dtype of 64 bits) are one number of 2w bits, which is taken modulo the span
    ``maxval - minval``. The probability of a value is off by less than 2**-w of itself.

    The values are those of ``jax.random.randint`` wherever that has no bias: for spans up to 2**(w/2) and for powers of
    two. For other spans jax ignores the first word.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.randint(keyrng.key(0), (5,), 0, 10)
    array([9, 0, 2, 3, 1], dtype=int32)
    """
    if shape is _NUMPY_LOW and _is_numpys_order(minval, maxval):
        raise ValueError(_in_order(shape, minval, maxval))
    dtype = integer_dtype(dtype, out)
    chosen, parameters, empty = _prepared(key, minval, maxval, dtype)
    if empty:
        check_nothing(empty, key, shape, out, parameters)
    return sample_kernel(chosen, key, shape, dtype, *parameters, out=out)


# A call in NumPy's order, randint(key, 0, high, size), would pass the lower bound as a shape of 0.
_NUMPY_LOW = 0


def _is_numpys_order(minval: ArrayLike, maxval: ArrayLike) -> bool:
    return type(minval) is int and type(maxval) is int and minval > 0


def _in_order(low: Any, high: Any, size: Any) -> str:
    """Return the error for a call in NumPy's order of arguments."""
    return (
        f"the order is randint(key, shape, minval, maxval), got {low}, {high}, {size}; "
        f"for NumPy's randint({low}, {high}, {size}) type randint(key, ({size},), {low}, {high}), "
        f"for an empty array a shape of (0,)"
    )


@cache_scalars
def _prepared(
    device: Device, minval: ArrayLike, maxval: ArrayLike, dtype: np.dtype[Any]
) -> tuple[Kernel, tuple[Parameter, ...], str]:
    """Return the kernel for a range, its parameters, and the error to raise for an empty range, or ""."""
    prepare = device_of_values(minval, maxval).pick(_cpu_range, _cuda_range)
    return prepare(device, minval, maxval, dtype)


def _cpu_range(
    device: Device, minval: ArrayLike, maxval: ArrayLike, dtype: np.dtype[Any]
) -> tuple[Kernel, tuple[Parameter, ...], str]:
    low, span, empty = _range(minval, maxval, dtype)
    chosen, words = _randint, span.value
    parameters: tuple[Parameter, ...] = (low, span)
    if words.dtype == np.uint32 and ((words > 0) & (words <= _SMALL_SPAN)).all():
        inverse = np.array(2**32 - 1, np.uint32) // words
        carry = (2**32 - inverse.astype(np.uint64) * words).astype(np.uint32)
        chosen, parameters = _randint_small, (low, span, Parameter("maxval", inverse), Parameter("maxval", carry))
    elif words.dtype == np.uint64 and not words.ndim and 0 < words <= _FLOAT_SPAN:
        chosen, parameters = _randint_float, _float_parameters(low, int(words))
    bounds = {"minval": minval, "maxval": maxval}
    placed = [Parameter(name, device.adopt(name, value, bounds[name])) for name, value, _ in parameters]
    return chosen, tuple(placed), empty


def _range(minval: ArrayLike, maxval: ArrayLike, dtype: np.dtype[Any]) -> tuple[Parameter, Parameter, str]:
    """Return the lower bound and the span as words, checked, and the error to raise for an empty range, or ""."""
    word = np.dtype(np.uint64 if dtype.itemsize == 8 else np.uint32)
    if type(minval) is int and type(maxval) is int:
        empty = _order(minval, maxval, minval, maxval)
        _check_range(dtype, minval, maxval, minval, maxval)
        modulus = 1 << (8 * word.itemsize)
        low, span = np.array(minval % modulus, word), np.array((maxval - minval) % modulus, word)
        return Parameter("minval", low), Parameter("maxval", span), empty
    low, high = integer_array("minval", minval), integer_array("maxval", maxval)
    check_broadcast_together(minval=low, maxval=high)
    empty = _order(minval, maxval, low, high)
    if low.size and high.size:
        _check_range(dtype, low.min(), high.max(), minval, maxval)
    low, high = _wrapped(low, word), _wrapped(high, word)
    with np.errstate(over="ignore"):
        return Parameter("minval", low), Parameter("maxval", high - low), empty


def _cuda_range(
    device: Device, minval: ArrayLike, maxval: ArrayLike, dtype: np.dtype[Any]
) -> tuple[Kernel, tuple[Parameter, ...], str]:
    """Return what `_prepared` does, in GPU memory, unchecked; a span that is not positive becomes 1."""
    word = np.dtype(np.uint64 if dtype.itemsize == 8 else np.uint32)
    wide = np.uint64 if dtype.kind == "u" else np.int64
    low, high = (_whole(device, name, value, dtype) for name, value in (("minval", minval), ("maxval", maxval)))
    check_broadcast_together(minval=low, maxval=high)
    span = device.later(_positive_span(word, np.dtype(wide)), low, high)
    return _randint, (Parameter("minval", device.later(conversion(word), low)), Parameter("maxval", span)), ""


@cache
def _positive_span(word: np.dtype[Any], wide: np.dtype[Any]) -> Callable[[Any, Any], Any]:
    def span(low: Any, high: Any) -> Any:
        # Compare with the last integer, because maxval can be one more than the largest of the dtype.
        above = cast(high, np.uint64)
        in_order = cast(low, wide) <= cast(above - 1, wide)
        return cast(where(in_order, above - cast(low, np.uint64), 1), word)

    return span


def _whole(device: Device, name: str, value: ArrayLike, dtype: np.dtype[Any]) -> Array:
    """Return integers in GPU memory; those from the host are checked."""
    if not is_on_gpu(value):
        bound, limits = integer_array(name, value), np.iinfo(dtype)
        if bound.size and not int(limits.min) <= int(bound.min()) <= int(bound.max()) <= int(limits.max) + 1:
            text = (
                f"{dtype} holds {limits.min} to {limits.max}, got {name} {short_repr(value, str)}; give a wider dtype"
            )
            raise ValueError(text)
        return device.adopt(name, _wrapped(bound, np.dtype(np.uint64)), value)
    array = device.array(name, value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an integer or an array of integers, got {array.dtype}")
    return array


def _order(minval: Any, maxval: Any, low: Any, high: Any) -> str:
    """Raise ValueError if ``minval > maxval`` anywhere; return the error if ``minval == maxval`` anywhere, or ""."""
    if np.all(low < high):
        return ""
    error = (
        f"minval must be less than maxval, got {short_repr(minval, str)} and {short_repr(maxval, str)}; "
        "the order is randint(key, shape, minval, maxval)"
    )
    if not np.all(low <= high):
        raise ValueError(error)
    return error


def _check_range(dtype: np.dtype[Any], lowest: Any, highest: Any, minval: Any, maxval: Any) -> None:
    info = np.iinfo(dtype)
    if int(lowest) < info.min or int(highest) > int(info.max) + 1:
        raise ValueError(
            f"{info.dtype} holds {info.min} to {info.max}, got minval {short_repr(minval, str)} and maxval "
            f"{short_repr(maxval, str)}; give a wider dtype"
        )


def integer_array(name: str, value: ArrayLike) -> Array:
    """Return integers as an array without loss of digits. Raise TypeError for anything else."""
    if isinstance(value, Key):
        raise TypeError(f"{name} must be an integer or an array of integers, got a key; the key is the first argument")
    array = to_array(name, value)
    exact = integers(array) if array.dtype == object else array
    if exact is not None and not exact.size and isinstance(value, (list, tuple)):
        return exact.astype(np.int64)  # NumPy makes float64 of []
    if exact is None or exact.dtype.kind not in "iuO":
        given = array.dtype if isinstance(value, (np.ndarray, np.generic)) else short_repr(value)
        raise TypeError(f"{name} must be an integer or an array of integers, got {given}")
    return exact


def _wrapped(bound: Array, word: np.dtype[Any]) -> Array:
    """Return integers as words, modulo the word: the largest bound is one more than the largest of its dtype."""
    if bound.dtype != object:
        return bound.astype(word)
    return np.array([number % 2 ** (8 * word.itemsize) for number in bound.ravel().tolist()], word).reshape(bound.shape)
