"""Parameters of samplers, with their requirements.

A sampler passes its parameters with requirements, ``sample_kernel(kernel, key, shape, dtype, positive(a=a))``;
`parameter_array` converts and checks them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeAlias, TypeVar

import numpy as np

from keyrng._core.arguments import broadcast, cast_array, short_repr, to_array
from keyrng._core.dtypes import FLOAT32, FLOAT64, Dtype, compute_dtype, is_half
from keyrng._core.fpenv import in_default_fpenv
from keyrng._core.numbers import reals
from keyrng._executors.convert import next_float
from keyrng._executors.device import CPU, Device, device_at, device_of_values, drop_broadcast_axes, is_on_gpu
from keyrng._keys.derive import Key, device_of
from keyrng.kernels.formats import conversion
from keyrng.kernels.ops import cast, where
from keyrng.kernels.requirements import Parameter, Requirement, unconstrained

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
ArrayLike: TypeAlias = Any  # a number or an array of numbers
_R = TypeVar("_R")


def wider(dtype: Dtype) -> str:
    """Return a hint at a wider dtype, for errors about large counts; empty if there is no wider one."""
    more = "uint64" if dtype == np.int64 else "int64" if dtype.itemsize < 8 else ""
    return more and f' (a wider dtype takes more: dtype="{more}")'


# From this value on, floats round to infinity and NumPy warns; a comparison is cheaper than suppressing the warning.
_INFINITE = {FLOAT32: 2.0**128 - 2.0**103}


def parameter_array(device: Device, given: Any, position: int, dtype: Dtype) -> Array:
    """Return a parameter as an array of the computation's dtype on the key's device; a NumPy array if it is a number.

    It is checked, unless it is in GPU memory, because reading it would synchronize; the kernel checks those values.
    """
    name, raw, requirement = f"parameter {position + 1}", given, None
    if type(given) is Parameter:
        name, raw, requirement = given
    if type(raw) in NUMBERS:
        return number_array(name, raw, requirement, dtype)
    if type(raw) is np.ndarray and requirement is None and raw.dtype == dtype:
        return device.adopt(name, raw, raw)
    return _any_array(device, name, raw, requirement, dtype)


@in_default_fpenv
def _any_array(device: Device, name: str, raw: Any, requirement: Requirement | None, dtype: Dtype) -> Array:
    made = device_of_values(raw).pick(_cpu_array, _cuda_array)
    return made(device, name, raw, requirement, dtype)


def _cpu_array(device: Device, name: str, raw: Any, requirement: Requirement | None, dtype: Dtype) -> Array:
    given = _numeric(name, raw, dtype)
    array = _rounded(name, given, dtype)
    if requirement not in (None, unconstrained):
        if given is not array and not is_half(given.dtype):
            _check(name, requirement, given, given)
        _check(name, requirement, array, given)
    return device.adopt(name, array, raw)


NUMBERS = frozenset((int, float, np.float64))


def matching_parameters(
    parameters: tuple[ArrayLike, ...], shape: Any, dtype: Dtype, most: int
) -> tuple[Any, tuple[Array, ...]] | None:
    """Convert parameters if each is a number or an array of the sample's shape; else return None.

    Returns the shape, by default that of the arrays, and contiguous arrays as `parameter_array` does, of at most
    ``most`` elements.
    """
    arrays: list[Array] = []
    for parameter in parameters:
        if type(parameter) is not Parameter:
            return None
        name, value, requirement = parameter
        if type(value) in NUMBERS:
            arrays.append(number_array(name, value, requirement, dtype))
            continue
        if not isinstance(value, (np.ndarray, np.generic)):
            return None
        if value.ndim:
            if shape is None:
                shape = value.shape
            if value.shape != shape or value.size > most:
                return None
        if requirement is not None or value.dtype != dtype:
            value = _any_array(CPU, name, value, requirement, dtype)
        arrays.append(value if value.flags.c_contiguous else value.copy())
    return () if shape is None else shape, tuple(arrays)


def number_array(name: str, number: float, requirement: Requirement | None, dtype: Dtype) -> Array:
    """Return a checked number as an array; cached, because a check takes as long as a small draw."""
    # 0 is not cached, because -0.0 is equal as a key.
    return (_remembered if number else _number_array)(name, number, requirement, dtype)


@in_default_fpenv
def _number_array(name: str, number: float, requirement: Requirement | None, dtype: Dtype) -> Array:
    if type(number) is not int:
        number = float(number)  # a NumPy scalar's conversion depends on np.errstate
    if dtype.kind != "f" and type(number) is float:
        raise TypeError(f"{name} must be a number or an array of integers, got {short_repr(number, str)}")
    try:
        array = np.array(_nearest(number, dtype), dtype)
    except OverflowError:
        raise ValueError(f"{name} must fit {dtype}, got {short_repr(number)}") from None
    if requirement is not None and not (requirement.predicate(number) and requirement.predicate(array.item())):
        raise ValueError(_message(name, requirement, number, array.item(), dtype))
    array.flags.writeable = False
    return array


_remembered = lru_cache(maxsize=1024, typed=True)(_number_array)


def _nearest(number: float, dtype: Dtype) -> Any:
    """Return a number that NumPy rounds to the dtype once, as it does elements of arrays."""
    if type(number) is int and abs(number) > 2**53 and -(2**63) <= number < 2**64:
        return np.asarray(number)  # avoids rounding to float64 first
    return math.copysign(math.inf, number) if abs(number) >= _INFINITE.get(dtype, math.inf) else number


def _check(name: str, requirement: Requirement, array: Array, given: Array) -> None:
    """ValueError with the first value that is not as required, as it was given and as the dtype has it."""
    if not np.asarray(requirement.predicate(array), bool).all():
        raise ValueError(_refusal(name, requirement, array, given))


def _refusal(name: str, requirement: Requirement, array: Array, given: Array) -> str:
    wrong = ~np.asarray(requirement.predicate(array), bool)
    was, has = (values[wrong].ravel()[:1].tolist()[0] for values in (given, array))
    was = was if type(was) is int else float(was)
    return _message(name, requirement, was, has, array.dtype) + (" among others" if array.ndim else "")


def _message(name: str, requirement: Requirement, was: Any, has: Any, dtype: Dtype) -> str:
    changed = bool(requirement.predicate(was)) and float(has) != was
    note = f" ({float(has)} as {dtype})" if changed else ""
    number = was if abs(was) > 2**53 else float(was)
    return f"{name} must be {requirement.text}, got {short_repr(number, str)}{note}"


def _numeric(name: str, value: Any, dtype: Dtype) -> Array:
    """Convert an argument to an array of numbers without rounding; lists may contain integers of any size."""
    if isinstance(value, Key):
        raise TypeError(f"{name} must be a number or an array, got a key; the key is the first argument")
    if isinstance(value, (str, bytes)) or value is None:
        raise TypeError(f"{name} must be a number or an array of numbers, got {short_repr(value)}")
    array = to_array(name, value)
    if array.dtype == object:
        try:
            numbers = reals(array)
        except (OverflowError, ValueError):  # a Fraction above all floats, or a signaling NaN
            raise ValueError(f"{name} must fit {dtype}, got {short_repr(value)}") from None
        if numbers is not None and numbers.dtype == object:  # integers that fit no dtype
            return numbers
        array = array if numbers is None else numbers
    _check_kind(name, array, dtype)
    return array


def _check_kind(name: str, array: Array, dtype: Dtype) -> None:
    allowed = "iuf" if dtype.kind == "f" else "iu"
    if array.dtype.kind not in allowed and array.dtype.name != "bfloat16":
        kind = "numbers" if dtype.kind == "f" else "integers"
        raise TypeError(f"{name} must be a number or an array of {kind}, got {array.dtype}")


def _rounded(name: str, array: Array, dtype: Dtype) -> Array:
    """Round numbers to the dtype of a computation; ValueError for integers that do not fit in words."""
    if array.dtype == dtype:
        return array
    if array.dtype == object:
        numbers = [_number_array(name, number, None, dtype) for number in array.ravel().tolist()]
        return np.array(numbers, dtype).reshape(array.shape)
    if dtype.kind == "u" and array.size:
        part, limits = drop_broadcast_axes(array), np.iinfo(dtype)
        for extreme in (int(part.min()), int(part.max())):
            if not 0 <= extreme <= limits.max:
                raise ValueError(f"{name} must fit {dtype}, got {extreme}")
    return cast_array(name, array, dtype)


def _cuda_array(device: Device, name: str, raw: Any, requirement: Requirement | None, dtype: Dtype) -> Array:
    """Convert a parameter in GPU memory to the computation's dtype; NaN for counts that it cannot represent."""
    array = device.array(name, raw)
    _check_kind(name, array, dtype)
    if array.dtype == dtype:
        return array
    return device.later((_exact if requirement is not None and requirement.exact else conversion)(dtype), array)


@lru_cache
def _exact(dtype: Dtype) -> Callable[[Any], Any]:
    """Return the function that converts numbers to a dtype, and those that it does not hold to NaN."""

    def exact(x: Any) -> Any:
        narrow = cast(x, dtype)
        if x.dtype.kind == "f":
            return where(cast(narrow, x.dtype) == x, narrow, math.nan)
        limit = 2.0 ** (8 * x.dtype.itemsize - (x.dtype.kind == "i"))
        inside = (narrow < limit) & (narrow >= -limit)
        return where(inside & (cast(where(inside, narrow, 0.0), x.dtype) == x), narrow, math.nan)

    return exact


def as_scalar(parameter: Parameter) -> float:
    """Return a checked parameter that must be a single number."""
    value = parameter.value
    if is_on_gpu(value):
        raise TypeError(f"{parameter.name} must be a number, got an array on a GPU; use float({parameter.name})")
    array = parameter_array(CPU, parameter, 0, FLOAT64)
    if array.ndim:
        raise TypeError(f"{parameter.name} must be a single number, got {type(value).__name__} of {len(array)}")
    return float(array)


def as_bool(name: str, value: object) -> bool:
    """Return a bool; TypeError for other types, which may be a misplaced argument."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {short_repr(value)}")
    return bool(value)


def checked_parameter(device: Device, parameter: Parameter, dtype: Dtype) -> Parameter:
    """Convert and check a parameter now, for samplers that need its value before the draw."""
    array = parameter_array(device, parameter, 0, dtype)
    return Parameter(parameter.name, array, device_at(array).unread(parameter.requirement))


def round_to_dtype(device: Device, parameter: Parameter, dtype: Dtype) -> Array:
    """Round a bound to the dtype of the result, so that samples respect it; return it in that of the computation.

    On a GPU, invalid values become NaN.
    """
    name, _, requirement = parameter
    exact = parameter_array(device, parameter, 0, FLOAT64)
    if isinstance(exact, np.ndarray):
        narrow = cast_array(name, exact, dtype)
        value = narrow.astype(compute_dtype(dtype), copy=False)
    else:
        value = narrow = device.later(conversion(dtype), exact)
    if requirement is None:
        return value
    return check_relation(
        device, requirement.predicate, value, error=lambda: _refusal(name, requirement, narrow, exact)
    )


def check_relation(
    device: Device, predicate: Callable[..., Any], value: Array, *others: Array, error: Callable[[], str]
) -> Array:
    """Check ``predicate(value, *others)`` and return the value: ValueError if false on the CPU, NaN on a GPU.

    ``predicate`` is in the kernel language and must not be a closure, because it is compiled on a GPU.
    """
    if not all(isinstance(array, np.ndarray) for array in (value, *others)):
        return device.later(_nan_unless(predicate), value, *others)
    with np.errstate(all="ignore"):
        if not np.all(predicate(value, *others)):
            raise ValueError(error())
    return value


@lru_cache(maxsize=64)
def _nan_unless(predicate: Callable[..., Any]) -> Callable[..., Any]:
    """`where(predicate(value, *others), value, nan)`; cached, because it is compiled."""

    def or_nan(value: Any, *others: Any) -> Any:
        return where(predicate(value, *others), value, math.nan)

    return or_nan


def check_broadcast_together(**values: Array) -> None:
    """Raise ValueError unless parameters that are compared broadcast together."""
    if broadcast(*(value.shape for value in values.values())) is None:
        shapes = " and ".join(f"{name} of shape {value.shape}" for name, value in values.items())
        raise ValueError(f"{shapes} do not broadcast together")


def bounds(device: Device, low: Parameter, high: Parameter, dtype: Dtype) -> tuple[Array, Array, str]:
    """Return two bounds by `round_to_dtype`, and an error if ``low == high`` occurs; ValueError for ``low > high``."""
    lows, highs = round_to_dtype(device, low, dtype), round_to_dtype(device, high, dtype)
    check_broadcast_together(**{low.name: lows, high.name: highs})

    def error() -> str:
        values = f"{short_repr(low.value, str)} and {short_repr(high.value, str)}"
        return f"{low.name} must be less than {high.name}, got {values}"

    if all(isinstance(array, np.ndarray) for array in (lows, highs)) and not (lows < highs).all():
        return lows, check_relation(device, _not_less, highs, lows, error=error), error()
    return lows, check_relation(device, _more, highs, lows, error=error), ""


def finite_span(high: Any, low: Any) -> Any:
    """Whether the difference of two bounds is finite."""
    return high - low < math.inf


def _more(high: Any, low: Any) -> Any:
    return low < high


def _not_less(high: Any, low: Any) -> Any:
    return low <= high


def cache_scalars(prepare: Callable[..., _R]) -> Callable[..., _R]:
    """Make a function of a key from ``prepare(device, low, high, dtype)``, which remembers results for scalars.

    Most calls repeat bounds, and checking two numbers with NumPy takes longer than a small draw.
    """
    prepare = in_default_fpenv(prepare)
    remembered = lru_cache(maxsize=256, typed=True)(prepare)

    @wraps(prepare)
    def choose(key: Key, *arguments: Any) -> _R:
        on_cpu = type(key) is Key and type(key._words) is np.ndarray
        device: Any = CPU if on_cpu else device_of(key)
        for value in arguments[:-1]:
            if type(value) not in NUMBERS:
                return prepare(device, *arguments)
        return remembered(device, *arguments)

    return choose


def next_below(bound: Array, dtype: Dtype) -> Array:
    """Return the largest number of a dtype below a bound."""
    return next_float(bound, dtype, up=False)


def next_above(bound: Array, dtype: Dtype) -> Array:
    """Return the smallest number of a dtype above a bound."""
    return next_float(bound, dtype, up=True)
