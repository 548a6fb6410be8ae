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
    "Parameter", "Requirement", "above_one", "below_one", "finite", "integer_up_to", "non_negative", "not_nan",
    "positive", "positive_probability", "probability", "unconstrained",
]  # fmt: skip


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
        language. Combine comparisons by ``&`` and ``|``, and let NaN fail.
    exact : bool
        Whether the dtype of the computation must hold the value without rounding.

    Examples
    --------
    >>> import keyrng
    >>> from keyrng.kernels import Requirement, uniform_co
    >>> angle = Requirement("from 0 to 360", lambda x: (x >= 0) & (x <= 360))
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


positive = Requirement("positive and finite", lambda x: (x > 0) & (x < math.inf))
non_negative = Requirement("zero or positive, and finite", lambda x: (x >= 0) & (x < math.inf))
finite = Requirement("finite", lambda x: (x > -math.inf) & (x < math.inf))
above_one = Requirement("greater than 1 and finite", lambda x: (x > 1) & (x < math.inf))
below_one = Requirement("at least 0 and less than 1", lambda x: (x >= 0) & (x < 1))
unconstrained = Requirement("a number or NaN", lambda x: (x == x) | (x != x))
not_nan = Requirement("a number, not NaN", lambda x: x == x)
probability = Requirement("between 0 and 1", lambda x: (x >= 0) & (x <= 1))
positive_probability = Requirement("above 0 and at most 1", lambda x: (x > 0) & (x <= 1))


@lru_cache(maxsize=64)
def integer_up_to(largest: int, more: str = "") -> Requirement:
    """Return the requirement of an integer from 0 to ``largest``; ``more`` is a hint for the end of the error."""

    # x % 1 would warn about infinities.
    def predicate(x: Any) -> Any:
        return (x >= 0) & (x <= largest) & ((floor(x) if isinstance(x, Symbol) else np.floor(x)) == x)

    return Requirement(f"a whole number from 0 to {largest}{more}", predicate, exact=True)
