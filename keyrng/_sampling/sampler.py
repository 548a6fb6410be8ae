"""The decorator of samplers: small draws in one call of C, and errors that say what to type."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn, ParamSpec, TypeVar

import numpy as np

from keyrng._core.dtypes import Dtype
from keyrng._executors import native
from keyrng._keys.entry import calls_c_first
from keyrng._keys.key import Key, wrap_words
from keyrng._sampling.parameters import number_array
from keyrng.algorithms.base import Algorithm
from keyrng.kernels.requirements import Interval, not_nan

_P = ParamSpec("_P")
_R = TypeVar("_R")

_ANY_NUMBER = Interval(-np.inf, np.inf)
_EXACT = 2**53
_SHAPE = (1,)
_UNCHECKED = 8  # flags as in csrc/entry.h


def sampler(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorator of a public sampler: small samples of one key, with numbers as parameters, are drawn by one call of C.

    It takes a quarter of the time of the function, which C leaves all other calls to. C draws only as `_learn` has
    recorded that the function does.
    """
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    def learn(algorithm: Algorithm, dtype: Any, given: int) -> Any:
        return _learn(function, names, algorithm, dtype, given)

    return calls_c_first("sample", learn)(function)


class _Number(float):
    """A number that only C knows: a sampler that compares it or computes with it raises an exception."""

    argument: int

    def _unknown(self, *_: object) -> NoReturn:
        raise TypeError("this number is not known yet")

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = __bool__ = __int__ = __float__ = _unknown
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = __abs__ = _unknown
    __truediv__ = __rtruediv__ = __floordiv__ = __mod__ = __pow__ = __rpow__ = __round__ = _unknown
    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def of(cls, argument: int) -> _Number:
        """Return the number that is given as an argument, by position."""
        number = cls(np.nan)
        number.argument = argument
        return number


class _PlanKey(Key):
    """A key that records the arguments of the draw."""

    __slots__ = ("draw",)

    draw: tuple[Any, ...]

    def record(self, *draw: Any) -> _PlanKey:
        """Store the arguments of the draw and return the key, as the result of the sampler."""
        object.__setattr__(self, "draw", draw)
        return self


def _learn(function: Callable[..., Any], names: tuple[str, ...], algorithm: Algorithm, dtype: Any, given: int) -> Any:
    """Return the plan of a sampler's small draws for csrc/entry.h, or None if they need Python.

    The sampler runs once, with a key that records and with unknown numbers. It has a plan if it calls
    `keyrng.sample_kernel` with a compiled kernel and these numbers, and passes ``shape`` and ``out`` on. False stands
    for a dtype that C must not keep, because plans are found by the identity of the dtype.
    """
    if type(dtype) is str and sys.intern(dtype) is not dtype:
        return False
    if not (dtype is None or isinstance(dtype, (str, type, np.dtype))):
        return None
    arguments: dict[str, Any] = {name: _Number.of(i) for i, name in enumerate(names) if given >> i & 1}
    if "dtype" in names:
        arguments["dtype"] = dtype
    try:
        kernels, shape, result, parameters, compute, _ = _draw_of(function, algorithm, shape=_SHAPE, **arguments)
        out = np.empty(_SHAPE, result)
        into = _draw_of(function, algorithm, shape=_SHAPE, out=out, **arguments)
        rules = tuple(_rule(parameter, compute) for parameter in parameters)
    except Exception:  # of any kind: the call that follows in Python reports it
        return None
    if shape is not _SHAPE or into[1] is not _SHAPE or into[-1] is not out or len(kernels) != 1:
        return None
    found = native.program(kernels[0], compute, result, algorithm)
    return None if found is None else (*found, result, rules)


def _draw_of(function: Callable[..., Any], algorithm: Algorithm, **arguments: Any) -> tuple[Any, ...]:
    """Return the arguments of the draw that a sampler makes."""
    key = wrap_words(algorithm, np.zeros(algorithm.key_words, algorithm.dtype), _PlanKey)
    if function(key, **arguments) is not key:
        raise TypeError("the sampler does not return the draw")
    draw: tuple[Any, ...] = key.draw
    return draw


def _rule(parameter: Any, compute: Dtype) -> tuple[int, int, float, float]:
    """Return the number that a kernel's parameter takes, for csrc/entry.h: argument, flags and ends."""
    name, value, requirement = parameter
    if type(value) is not _Number:
        return -1, 0, float(number_array(name, value, requirement, compute)), 0.0
    if compute.kind != "f":
        raise TypeError("C converts floats only")
    if requirement is None:
        return value.argument, _UNCHECKED, 0.0, 0.0
    numbers = _ANY_NUMBER if requirement is not_nan else requirement.predicate
    if not isinstance(numbers, Interval) or (numbers.whole and numbers.high > _EXACT):
        raise TypeError("C checks intervals only")
    flags = (numbers.ends[0] == "(") + 2 * (numbers.ends[1] == ")") + 4 * numbers.whole
    return value.argument, flags, float(numbers.low), float(numbers.high)
