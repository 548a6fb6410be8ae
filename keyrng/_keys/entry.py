"""Public functions that call C first, for single keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import unwrap
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numpy as np

from keyrng._core.migration import argument_names, misplaced
from keyrng._executors import native
from keyrng._keys.key import Key
from keyrng.algorithms.base import Algorithm

_P = ParamSpec("_P")
_R = TypeVar("_R")

# learn(algorithm, dtype, given): see csrc/entry.h.
Learn: TypeAlias = Callable[[Algorithm, Any, int], Any]


def _python(args: Any, kwargs: Any) -> None:
    return None


def calls_c_first(
    kind: str, learn: Learn, default: int = -1, then: Callable[[Any, Any], Any] = _python
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator: an entry of csrc/entry.h answers the calls that it can, the function all others.

    ``then(args, kwargs)`` comes between them, and returns None for calls that it does not answer either. The function
    remains the definition of the arguments, their checks and the result. ``default`` is that of an int as the second
    argument; of a sampler, whether a sample has the shape of its parameters by default. Calls with wrong arguments
    raise an error that says what to type.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        enter = _python
        if native.native is not None:
            positional = unwrap(function).__code__.co_argcount
            enter = native.native.make_entry(kind, Key, argument_names(function), positional, default, learn)

        @wraps(function)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            result: _R | None = enter(args, kwargs)
            if result is None:
                result = then(args, kwargs)
            if result is not None:
                return result
            try:
                return function(*args, **kwargs)
            except TypeError as error:
                if (hinted := misplaced(error, function)) is not None:
                    raise hinted from None
                raise

        return run

    return decorate


def plan_of_int(result: np.dtype[Any] | None = None) -> Learn:
    """Return what makes the plan of a function of a key and an int, from the dtype of its result; None: a key's."""

    def learn(algorithm: Algorithm, dtype: Any, given: int) -> Any:
        number = native.algorithm_number(algorithm)
        return () if number is None else ((0, -1, number, result or algorithm.dtype, -1, ()),)

    return learn
