"""The decorator of samplers: small draws in one call of C, and errors that say what to type."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, ParamSpec, TypeAlias, TypeVar

import numpy as np

from keyrng._core.dtypes import Dtype
from keyrng._core.migration import argument_names
from keyrng._executors import native
from keyrng._keys.entry import Learn, calls_c_first
from keyrng._keys.key import Key, wrap_words
from keyrng._sampling.array_draw import ArrayPlan, Source, closed
from keyrng._sampling.parameters import number_array
from keyrng.algorithms.base import Algorithm, get
from keyrng.kernels.lane import Kernel
from keyrng.kernels.requirements import Interval, Parameter, Requirement, not_nan

_P = ParamSpec("_P")
_R = TypeVar("_R")

_ANY_NUMBER = Interval(-np.inf, np.inf)
_EXACT = 2**53
_SHAPE = (1,)
_UNCHECKED, _INTEGER, _DIFFERENCE, _ROW, _MATRIX, _LARGEST, _TRUTH = 8, 16, 32, 256, 512, 1024, 2048  # csrc/plan.h


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
    """A sample that C makes in several steps (csrc/steps.h) with draws of these kernels.

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
    """Numbers along an axis, or with ``axes=2`` a matrix; the largest of them must be in an interval."""

    parameter: Parameter
    largest: Interval | None = None
    axes: int = 1


class Truth(NamedTuple):
    """An argument that must be True, or False."""

    value: Any
    wanted: bool


class Integer(NamedTuple):
    """An integer between two ends as a word; with ``span``, its difference to the parameter before, from 1 to that."""

    value: Any
    least: int
    most: int
    span: int = 0


class Divisor(Enum):
    """Words for remainders by the span s before: ``(2**32 - 1) // s``, and then ``2**32`` minus s times that."""

    INVERSE = 64
    CARRY = 128


def sampler(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorator of a public sampler: small samples of one key, with numbers as parameters, are drawn by one call of C.

    It takes a quarter of the time of the function, which C leaves all other calls to. C draws only as `_traced` has
    found that the function does.
    """
    return _sampler(function, lambda dtype, **given: _traced(function, dtype, given))


def sampler_of(plans: Callable[..., Iterable[Plan]]) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator as `sampler` for functions that compute with their parameters before the draw.

    ``plans(dtype, **given)`` returns plans that draw the same for the arguments that are given besides key, shape,
    dtype and out. C takes the first plan whose requirements the numbers meet.
    """
    return lambda function: _sampler(function, plans)


def sampler_in_steps(
    kind: str, plans: Callable[..., Iterable[Steps]]
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator as `sampler_of` for a sampler whose steps csrc/steps.h has, by name.

    ``plans(algorithm, dtype, **given)`` raises an exception for arguments that only Python takes. If the sampler takes
    the dtype from arrays by default, so does ``dtype``.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        def encoded(algorithm: Algorithm, dtype: Any, given: dict[str, Any]) -> Iterable[tuple[Any, ...]]:
            return (_encoded_steps(made, algorithm) for made in plans(algorithm, dtype, **given))

        return calls_c_first(kind, _learn(function, encoded))(function)

    return decorate


def _sampler(function: Callable[_P, _R], plans: Callable[..., Iterable[Plan]]) -> Callable[_P, _R]:
    def encoded(algorithm: Algorithm, dtype: Any, given: dict[str, Any]) -> Iterable[tuple[Any, ...]]:
        return (_encoded(plan, algorithm) for plan in plans(dtype, **given))

    return calls_c_first("sample", _learn(function, encoded), then=_array_sampler(function, plans))(function)


def _learn(function: Callable[..., Any], plans: Callable[..., Iterable[tuple[Any, ...]]]) -> Learn:
    """Return what makes the plans of a function for the arguments that are given."""
    names = argument_names(function)

    def learn(algorithm: Algorithm, dtype: Any, given: int) -> Any:
        if not _is_kept(dtype):
            return False
        numbers = {name: _Number.of(i) for i, name in enumerate(names) if given >> i & 1}
        try:
            return tuple(plans(algorithm, dtype, numbers))
        except Exception:  # of any kind: the call, which Python then makes, reports it
            return ()

    return learn


def _array_sampler(
    function: Callable[..., Any], plans: Callable[..., Iterable[Plan]]
) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    """Return a function of a call's arguments: the sample if they contain arrays and a plan draws it, else None."""
    names, code = argument_names(function), function.__code__
    positional = names[: code.co_argcount]
    defaults = function.__defaults__ or ()
    shape_if_none_given = dict(zip(reversed(positional), reversed(defaults), strict=False)).get("shape")

    @lru_cache(maxsize=64)
    def planned(dtype: Any, given: tuple[str, ...]) -> tuple[ArrayPlan, ...]:
        numbers = {name: _Number.of(names.index(name)) for name in given}
        try:
            return tuple(_of_arrays(plan, names) for plan in plans(dtype, **numbers) if plan.for_arrays)
        except Exception:  # of any kind, as for an entry
            return ()

    def draw(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = dict(zip(positional, args, strict=False), **kwargs)
        if len(given) < len(args) + len(kwargs) or native.paused:
            return None
        shape, out = given.pop("shape", shape_if_none_given), given.pop("out", None)
        if not any(type(value) is np.ndarray for value in given.values()):
            return None
        key, dtype = given.pop("key", None), given.pop("dtype", None)
        if dtype is None and type(out) is np.ndarray and "dtype" in names:
            dtype = out.dtype
        if type(key) is not Key or type(key._words) is not np.ndarray or not _is_kept(dtype):
            return None
        for plan in planned(dtype, tuple(given)):
            sample = plan.draw(key, shape, out, given)
            if sample is not None:
                return sample
        return None

    return draw


def _of_arrays(plan: Plan, names: tuple[str, ...]) -> ArrayPlan:
    """Return a plan for arrays; TypeError if C cannot check them."""
    sources = []
    for parameter in plan.parameters:
        if type(parameter) is not Parameter or plan.compute.kind != "f":
            raise TypeError("C checks arrays of floats only")
        _, value, requirement = parameter
        argument = names[value.argument] if type(value) is _Number else None
        sources.append(Source(argument, parameter, None if requirement is None else _interval(requirement)))
    kernel, dtype, compute, relation = plan.kernel, plan.dtype, plan.compute, _relation(plan, get("threefry2x32"))
    intervals = tuple(closed(source.interval, compute) for source in sources)
    return ArrayPlan(kernel, len(kernel.parameters), dtype, compute, relation, tuple(sources), intervals)


def _is_kept(dtype: Any) -> bool:
    """Whether C may keep a dtype argument, by whose identity it finds plans: it must be one of few objects."""
    if type(dtype) is str:
        return sys.intern(dtype) is dtype
    if isinstance(dtype, np.dtype):
        return dtype is np.dtype(dtype.type)
    return dtype is None or (isinstance(dtype, type) and issubclass(dtype, (np.generic, int, float, complex)))


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


def _traced(function: Callable[..., Any], dtype: Any, given: dict[str, Any]) -> Iterable[Plan]:
    """Return the plan of a sampler that passes numbers on to `keyrng.sample_kernel`, and ``shape`` and ``out`` too.

    The sampler runs with a key that records the draw; one that computes with a number raises an exception.
    """
    if "dtype" in argument_names(function):
        given = {**given, "dtype": dtype}
    kernels, shape, result, parameters, compute, _ = _draw_of(function, shape=_SHAPE, **given)
    out = np.empty(_SHAPE, result)
    _, shape_too, *_, out_too = _draw_of(function, shape=_SHAPE, out=out, **given)
    if shape is _SHAPE and shape_too is _SHAPE and out_too is out and len(kernels) == 1:
        if kernels[0].usual is not None:
            usual, low, high = kernels[0].usual
            wanted = Requirement("usual", Interval(low, high, "[)"))
            numbers = [parameter._replace(requirement=wanted) for parameter in parameters]
            yield Plan(usual, tuple(numbers), result, compute)
        yield Plan(kernels[0], parameters, result, compute)


def _draw_of(function: Callable[..., Any], **arguments: Any) -> tuple[Any, ...]:
    """Return the arguments of the draw that a sampler makes."""
    algorithm = get("threefry2x32")
    key = wrap_words(algorithm, np.zeros(algorithm.key_words, algorithm.dtype), _PlanKey)
    if function(key, **arguments) is not key:
        raise TypeError("the sampler does not return the draw")
    draw: tuple[Any, ...] = key.draw
    return draw


def _encoded(plan: Plan, algorithm: Algorithm) -> tuple[Any, ...]:
    """Return a plan for csrc/plan.h; TypeError if C cannot draw it."""
    found = native.program(plan.kernel, plan.compute, plan.dtype, algorithm)
    if found is None:
        raise TypeError("the kernel is not compiled")
    return (*found, plan.dtype, _relation(plan, algorithm), _rules(plan.parameters, plan.compute))


def _relation(plan: Plan, algorithm: Algorithm) -> int:
    """Return the number of the program of a plan's relation, or -1; TypeError if it is not compiled."""
    if plan.relation is None:
        return -1
    found = native.program(plan.relation, plan.compute, np.dtype(bool), algorithm)
    if found is None:
        raise TypeError("the relation is not compiled")
    return found[0]


def _encoded_steps(steps: Steps, algorithm: Algorithm) -> tuple[Any, ...]:
    """Return a plan for csrc/plan.h; TypeError if C cannot draw it."""
    compute, number = steps.compute, native.algorithm_number(algorithm)
    found = [native.program(kernel, compute, compute, algorithm) for kernel in steps.kernels]
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
        rules.append((argument, flags | (_MATRIX if parameter.axes == 2 else _ROW), low, high, 0, 0))
        if parameter.largest is not None:
            rules.append((-1, _ends(parameter.largest) | _LARGEST, parameter.largest.low, parameter.largest.high, 0, 0))
    return tuple(rules)


def _ends(numbers: Interval) -> int:
    return (numbers.ends[0] == "(") + 2 * (numbers.ends[1] == ")")


def _rule(parameter: Any, compute: Dtype) -> _Rule:
    """Return how C finds a kernel's parameter: argument, flags, ends of floats and ends of integers."""
    if type(parameter) is Truth:
        return parameter.value.argument, _TRUTH, float(parameter.wanted), 0.0, 0, 0
    if type(parameter) is Integer:
        value, least, most, span = parameter
        return value.argument, _INTEGER + _DIFFERENCE * bool(span), 0.0, float(span), least, most
    if type(parameter) is Divisor:
        return -1, parameter.value, 0.0, 0.0, 0, 0
    name, value, requirement = parameter
    if type(value) is not _Number:
        return -1, 0, float(number_array(name, value, requirement, compute)), 0.0, 0, 0
    if compute.kind != "f":
        raise TypeError("C converts floats only")
    if requirement is None:
        return value.argument, _UNCHECKED, 0.0, 0.0, 0, 0
    numbers = _interval(requirement)
    return value.argument, _ends(numbers) + 4 * numbers.whole, float(numbers.low), float(numbers.high), 0, 0


def _interval(requirement: Requirement) -> Interval:
    """Return the interval of a requirement; TypeError if C cannot check it."""
    numbers = _ANY_NUMBER if requirement is not_nan else requirement.predicate
    if not isinstance(numbers, Interval) or (numbers.whole and numbers.high > _EXACT):
        raise TypeError("C checks intervals only")
    return numbers
