"""The decorator of samplers: small draws in one call of C, and errors that say what to type."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import signature
from typing import Any, ParamSpec, TypeVar

import numpy as np

from keyrng._core.migration import argument_names
from keyrng._keys.entry import Learn, calls_c_first
from keyrng._keys.key import Key, wrap_words
from keyrng._sampling.array_draw import array_sampler
from keyrng._sampling.plan import Plan, Steps, UnknownNumber, encoded_plan, encoded_steps, is_kept
from keyrng.algorithms.base import Algorithm, get
from keyrng.kernels.requirements import Interval, Requirement

_P = ParamSpec("_P")
_R = TypeVar("_R")

_SHAPE = (1,)


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
            return (encoded_steps(made, algorithm) for made in plans(algorithm, dtype, **given))

        return calls_c_first(kind, _learn(function, encoded))(function)

    return decorate


def _sampler(function: Callable[_P, _R], plans: Callable[..., Iterable[Plan]]) -> Callable[_P, _R]:
    def encoded(algorithm: Algorithm, dtype: Any, given: dict[str, Any]) -> Iterable[tuple[Any, ...]]:
        return (encoded_plan(plan, algorithm) for plan in plans(dtype, **given))

    of_arrays = signature(function).parameters["shape"].default is None
    return calls_c_first("sample", _learn(function, encoded), of_arrays, array_sampler(function, plans))(function)


def _learn(function: Callable[..., Any], plans: Callable[..., Iterable[tuple[Any, ...]]]) -> Learn:
    """Return what makes the plans of a function for the arguments that are given."""
    names = argument_names(function)

    def learn(algorithm: Algorithm, dtype: Any, given: int) -> Any:
        if not is_kept(dtype):
            return False
        numbers = {name: UnknownNumber.of(i) for i, name in enumerate(names) if given >> i & 1}
        try:
            return tuple(plans(algorithm, dtype, numbers))
        except Exception:  # of any kind: the call, which Python then makes, reports it
            return ()

    return learn


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
