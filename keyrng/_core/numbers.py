"""Conversion of lists, ranges and objects to arrays without rounding integers."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_NOT_NUMBERS = (bool, np.bool_, np.timedelta64)  # types that are otherwise accepted as integers


def as_array(value: Any) -> Array:
    """Like ``np.asarray``, but integers are never rounded to floats."""
    if type(value) is range:
        ends = (value.start, value.stop, value.step)
        fits = all(-(2**63) <= end < 2**63 for end in ends)
        # np.asarray iterates over a range, and np.arange rounds numbers beyond int64.
        array = np.arange(*ends, dtype=None if fits else object)
    else:
        array = np.asarray(value)
        if array.dtype == np.float64 and isinstance(value, (list, tuple)) and (np.abs(array) >= 2**53).any():
            # int64 and uint64 promote to float64, as in [2**63, 1].
            exact = integers(np.array(value, object))
            return array if exact is None else exact
    if array.dtype != object:
        return array
    exact = integers(array)
    return array if exact is None else exact


def integers(objects: Array) -> Array | None:
    """Convert integer objects to int64 or uint64, or to Python ints if they fit in neither.

    Returns None if an element is not an integer.
    """
    numbers = _elements(objects)
    if not all(isinstance(n, (int, np.integer)) and not isinstance(n, _NOT_NUMBERS) for n in numbers):
        return None
    return _narrowest([int(n) for n in numbers]).reshape(objects.shape)


def reals(objects: Array) -> Array | None:
    """Convert real numbers, including Fraction and Decimal, to integers or float64; None if an element is not one.

    OverflowError for a Fraction, or an integer among fractions, above the largest float64.
    """
    numbers = [_real(n) for n in _elements(objects)]
    if any(n is None for n in numbers):
        return None
    whole = all(type(n) is int for n in numbers)
    return (_narrowest(numbers) if whole else np.array([float(n) for n in numbers])).reshape(objects.shape)


def _elements(objects: Array) -> list[Any]:
    """Return the elements of an array as a list; a 0-d array has one."""
    return [n[()] if isinstance(n, np.ndarray) and not n.ndim else n for n in objects.ravel().tolist()]


def _real(value: Any) -> Any:
    """Return a real number as float, or as int if it is integral, to keep all digits; None for other types."""
    if isinstance(value, _NOT_NUMBERS):
        return None
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, np.generic) and value.dtype.name == "bfloat16":
        return float(value)
    if not hasattr(type(value), "as_integer_ratio"):
        return None
    number = float(value)
    # Only if the float is not 0: the denominator of Decimal("1e-999999999") has a billion digits.
    numerator, denominator = value.as_integer_ratio() if number and number.is_integer() else (0, 0)
    return int(numerator) if denominator == 1 else number


def _narrowest(numbers: list[Any]) -> Array:
    """Return integers as the first of int64, uint64 and object that represents them."""
    least, largest = min(numbers, default=0), max(numbers, default=0)
    if least >= -(2**63) and largest < 2**63:
        return np.array(numbers, np.int64)
    return np.array(numbers, np.uint64 if least >= 0 and largest < 2**64 else object)
