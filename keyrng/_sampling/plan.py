"""Plans of draws that C makes with the numbers that it is given, and their form in csrc/plan.h."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import Enum, IntFlag
from typing import Any, NamedTuple, NoReturn, TypeAlias

import numpy as np

from keyrng._core.dtypes import Dtype
from keyrng._executors import native
from keyrng._sampling.parameters import number_array
from keyrng.algorithms.base import Algorithm
from keyrng.kernels.lane import Kernel
from keyrng.kernels.requirements import Interval, Parameter, Requirement, not_nan

_ANY_NUMBER = Interval(-np.inf, np.inf)
_EXACT = 2**53


class _Flag(IntFlag):
    """How C finds a parameter, as in csrc/plan.h; an interval without its ends, and whole numbers, are 1, 2 and 4."""

    UNCHECKED = 8
    INTEGER = 16
    DIFFERENCE = 32
    DIVISOR = 64
    ROW = 256
    MATRIX = 512
    LARGEST = 1024
    TRUTH = 2048
    FOR_ARRAYS = 4096
    ROWS = 8192


class Plan(NamedTuple):
    """A draw with numbers as parameters; some are known to C only.

    ``relation`` is a kernel without words that returns whether the first of the parameters may be used together.
    Parameters of words are `Integer` or `Divisor`. If ``for_arrays``, the draw is the same for all numbers that meet
    the requirements, and not only for those that do not meet those of an earlier plan.
    """

    kernel: Kernel
    parameters: tuple[Any, ...]
    dtype: Dtype
    compute: Dtype
    relation: Kernel | None = None
    for_arrays: bool = True


class Steps(NamedTuple):
    """A sample that C makes in several steps (csrc/steps.h) with draws of these kernels, in ``compute`` if they can.

    ``parameters`` are those of the sampler: `Row`, `Truth`, or as for a `Plan`. ``relation`` says whether the second
    kernel draws the same as the first. C calls ``call``, a function of Python.
    """

    kernels: tuple[Kernel, ...]
    parameters: tuple[Any, ...]
    dtype: Dtype
    compute: Dtype
    relation: Kernel | None = None
    call: Callable[..., Any] | None = None


class Row(NamedTuple):
    """Numbers along an axis, or with ``axes=2`` a matrix; the largest of them must be in an interval.

    If ``several``, arrays may have further axes before that one, and so several rows.
    """

    parameter: Parameter
    largest: Interval | None = None
    axes: int = 1
    several: bool = False


class Truth(NamedTuple):
    """An argument, or its default, that must be True, or False."""

    value: Any
    wanted: bool


class Integer(NamedTuple):
    """An integer between two ends as a word; with ``span``, its difference to the parameter before, from 1 to that."""

    value: Any
    least: int
    most: int
    span: int = 0


class Divisor(Enum):
    """Words for remainders that C computes from those before them, first from a span; in the order of csrc/plan.h."""

    INVERSE, CARRY, MULTIPLE, INVERSE_OF_MULTIPLE, CARRY_OF_MULTIPLE, RATIO, SHARE = range(7)


class UnknownNumber(float):
    """A number that only C knows: a sampler that compares it or computes with it raises an exception."""

    argument: int

    def _unknown(self, *_: object) -> NoReturn:
        raise TypeError("this number is not known yet")

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = __bool__ = __int__ = __float__ = _unknown
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = __abs__ = _unknown
    __truediv__ = __rtruediv__ = __floordiv__ = __mod__ = __pow__ = __rpow__ = __round__ = _unknown
    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def of(cls, argument: int) -> UnknownNumber:
        """Return the number that is given as an argument, by position."""
        number = cls(np.nan)
        number.argument = argument
        return number


def encoded_plan(plan: Plan, algorithm: Algorithm) -> tuple[Any, ...]:
    """Return a plan for csrc/plan.h; TypeError if C cannot draw it."""
    found = native.program(plan.kernel, plan.compute, plan.dtype, algorithm)
    if found is None:
        raise TypeError("the kernel is not compiled")
    rules = _rules(plan.parameters, plan.compute)
    if plan.for_arrays and all(type(parameter) is Parameter for parameter in plan.parameters):
        rules = tuple((rule[0], rule[1] | _Flag.FOR_ARRAYS, *rule[2:]) for rule in rules)
    return (*found, plan.dtype, relation_of(plan, algorithm), rules)


def relation_of(plan: Plan, algorithm: Algorithm) -> int:
    """Return the number of the program of a plan's relation, or -1; TypeError if it is not compiled."""
    if plan.relation is None:
        return -1
    found = native.program(plan.relation, plan.compute, np.dtype(bool), algorithm)
    if found is None:
        raise TypeError("the relation is not compiled")
    return found[0]


def encoded_steps(steps: Steps, algorithm: Algorithm) -> tuple[Any, ...]:
    """Return a plan for csrc/plan.h; TypeError if C cannot draw it."""
    compute, number = steps.compute, native.algorithm_number(algorithm)
    found = []
    for kernel in steps.kernels:
        dtype = compute if compute.name in kernel.dtypes else np.dtype(kernel.dtypes[0])
        found.append(native.program(kernel, dtype, dtype, algorithm))
    if steps.relation is not None:
        found.append(native.program(steps.relation, compute, np.dtype(bool), algorithm))
    programs = [program for program in found if program is not None]
    if number is None or len(programs) < len(found):
        raise TypeError("a kernel is not compiled")
    first = programs[0] if programs else (0, -1, number)  # without draws of kernels, C does not use it
    more = [program for program, *_ in programs[1:]] + [-1, -1]
    return (*first, steps.dtype, -1, _rules(steps.parameters, compute), *more[:2], steps.call)


_Rule: TypeAlias = tuple[int, int, float, float, int, int]


def _rules(parameters: tuple[Any, ...], compute: Dtype) -> tuple[_Rule, ...]:
    rules: list[_Rule] = []
    for parameter in parameters:
        if type(parameter) is not Row:
            rules.append(_rule(parameter, compute))
            continue
        argument, flags, low, high, *_ = _rule(parameter.parameter, compute)
        flags |= _Flag.MATRIX if parameter.axes == 2 else _Flag.ROW
        rules.append((argument, flags | _Flag.ROWS * parameter.several, low, high, 0, 0))
        if parameter.largest is not None:
            rules.append(
                (-1, _ends(parameter.largest) | _Flag.LARGEST, parameter.largest.low, parameter.largest.high, 0, 0)
            )
    return tuple(rules)


def _ends(numbers: Interval) -> int:
    return (numbers.ends[0] == "(") + 2 * (numbers.ends[1] == ")")


def _rule(parameter: Any, compute: Dtype) -> _Rule:
    """Return how C finds a kernel's parameter: argument, flags, ends of floats and ends of integers."""
    if type(parameter) is Truth:
        argument = parameter.value.argument if type(parameter.value) is UnknownNumber else -1
        return argument, _Flag.TRUTH, float(parameter.wanted), 0.0, 0, 0
    if type(parameter) is Integer:
        value, least, most, span = parameter
        return value.argument, _Flag.INTEGER + _Flag.DIFFERENCE * bool(span), 0.0, float(span), least, most
    if type(parameter) is Divisor:
        return -1, _Flag.DIVISOR, 0.0, 0.0, parameter.value, 0
    name, value, requirement = parameter
    if type(value) is not UnknownNumber:
        return -1, 0, float(number_array(name, value, requirement, compute)), 0.0, 0, 0
    if compute.kind != "f":
        raise TypeError("C converts floats only")
    if requirement is None:
        return value.argument, _Flag.UNCHECKED, 0.0, 0.0, 0, 0
    numbers = interval_of(requirement)
    return value.argument, _ends(numbers) + 4 * numbers.whole, float(numbers.low), float(numbers.high), 0, 0


def interval_of(requirement: Requirement) -> Interval:
    """Return the interval of a requirement; TypeError if C cannot check it."""
    numbers = _ANY_NUMBER if requirement is not_nan else requirement.predicate
    if not isinstance(numbers, Interval) or (numbers.whole and numbers.high > _EXACT):
        raise TypeError("C checks intervals only")
    return numbers


def is_kept(dtype: Any) -> bool:
    """Whether C may keep a dtype argument, by whose identity it finds plans: it must be one of few objects."""
    if type(dtype) is str:
        return sys.intern(dtype) is dtype
    if isinstance(dtype, np.dtype):
        return dtype is np.dtype(dtype.type)
    return dtype is None or (isinstance(dtype, type) and issubclass(dtype, (np.generic, int, float, complex)))
