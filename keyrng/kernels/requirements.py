"""Requirements: conditions on parameters that `keyrng.sample_kernel` checks before it draws."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from keyrng.kernels.elementary import floor
from keyrng.kernels.symbols import Symbol

__all__ = [
    "Interval", "Parameter", "Requirement", "above_one", "below_one", "finite", "integer_up_to", "non_negative",
    "not_nan", "positive", "positive_probability", "probability", "unconstrained",
]  # fmt: skip


@dataclass(frozen=True)
class Interval:
    """The predicate of the numbers from ``low`` to ``high``; compiled code checks the numbers of small draws by it.

    Parameters
    ----------
    low, high : float
        The ends; NaN is outside of every interval.
    ends : str, optional
        Which ends belong to the interval: ``"[]"`` (both, the default), ``"()"`` (neither), ``"[)"`` or ``"(]"``.
    whole : bool, optional
        Whether only whole numbers meet the condition.

    Examples
    --------
    >>> from keyrng.kernels import Interval
    >>> Interval(0, 1, "[)")(0.0), Interval(0, 1, "[)")(1.0)
    (True, False)
    """

    low: float
    high: float
    ends: str = "[]"
    whole: bool = False

    def __call__(self, x: Any) -> Any:
        """Return whether a number, the elements of an array, or a symbol of the kernel language are inside."""
        inside = (x >= self.low if self.ends[0] == "[" else x > self.low) & (
            x <= self.high if self.ends[1] == "]" else x < self.high
        )
        if not self.whole:
            return inside
        return inside & ((floor(x) if isinstance(x, Symbol) else np.floor(x)) == x)  # x % 1 would warn about infinities


@dataclass(frozen=True, eq=False)  # looked up by identity: numbers that passed are remembered with it
class Requirement:
    """A condition on the values of a parameter.

    Call it with the parameter as a keyword argument and pass the result to `keyrng.sample_kernel`, which raises a
    ValueError with the name and the value of a parameter that does not meet the condition:
    ``sample_kernel(kernel, key, shape, dtype, positive(scale=scale))``.

    The condition must hold for the value that was given and for the value that it has in the dtype of the computation.
    The kernel checks arrays in GPU memory, and an element with a wrong parameter is NaN.

    Parameters
    ----------
    text : str
        The condition in words; the error is "{name} must be {text}, got {value}".
    predicate : callable
        Return whether a value meets the condition: a Python number, an array or, for a GPU, a symbol of the kernel
        language. Combine comparisons by ``&`` and ``|``, and let NaN fail. `Interval` makes the usual ones.
    exact : bool
        Whether the dtype of the computation must hold the value without rounding.

    Examples
    --------
    >>> import keyrng
    >>> from keyrng.kernels import Interval, Requirement, uniform_co
    >>> angle = Requirement("from 0 to 360", Interval(0, 360))
    >>> def kernel(lane, width):
    ...     return width * uniform_co(lane)
    >>> keyrng.sample_kernel(kernel, keyrng.key(0), (2,), "float32", angle(width=90))
    array([85.29003, 88.07219], dtype=float32)
    >>> keyrng.sample_kernel(kernel, keyrng.key(0), (2,), "float32", angle(width=-1))
    Traceback (most recent call last):
        ...
    ValueError: width must be from 0 to 360, got -1.0
    """

    text: str
    predicate: Callable[[Any], Any]
    exact: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", f"Require a parameter to be {self.text}.")

    def __call__(self, **named: Any) -> Parameter:
        """Return a parameter with this requirement: ``positive(a=a)``."""
        ((name, value),) = named.items()
        return Parameter(name, value, self)


class Parameter(NamedTuple):  # which is made in a third of the time of a frozen dataclass
    """A parameter, its public name and its requirement, which is None for a value that has been checked."""

    name: str
    value: Any
    requirement: Requirement | None = None


positive = Requirement("positive and finite", Interval(0, math.inf, "()"))
non_negative = Requirement("zero or positive, and finite", Interval(0, math.inf, "[)"))
finite = Requirement("finite", Interval(-math.inf, math.inf, "()"))
above_one = Requirement("greater than 1 and finite", Interval(1, math.inf, "()"))
below_one = Requirement("at least 0 and less than 1", Interval(0, 1, "[)"))
unconstrained = Requirement("a number or NaN", lambda x: (x == x) | (x != x))
not_nan = Requirement("a number, not NaN", lambda x: x == x)
probability = Requirement("between 0 and 1", Interval(0, 1))
positive_probability = Requirement("above 0 and at most 1", Interval(0, 1, "(]"))


@lru_cache(maxsize=64)
def integer_up_to(largest: int, more: str = "") -> Requirement:
    """Return the requirement of an integer from 0 to ``largest``; ``more`` is a hint for the end of the error."""
    return Requirement(f"a whole number from 0 to {largest}{more}", Interval(0, largest, whole=True), exact=True)
