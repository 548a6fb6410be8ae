"""Public functions that call C first, for small draws and single keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numpy as np

from keyrng._core.migration import is_binding, misplaced
from keyrng._executors import native
from keyrng._keys.key import Key
from keyrng.algorithms.base import Algorithm

_P = ParamSpec("_P")
_R = TypeVar("_R")

# learn(algorithm, dtype, given): see csrc/entry.h.
Learn: TypeAlias = Callable[[Algorithm, Any, int], Any]


def calls_c_first(kind: str, learn: Learn, default: int = -1) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator: an entry of csrc/entry.h answers the calls that it can, the function all others.

    The function remains the definition of the arguments, their checks and the result. ``default`` is that of an int as
    the second argument. Calls with wrong arguments raise an error that says what to type.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        code = function.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        enter = _python
        if native.native is not None:
            enter = native.native.make_entry(kind, Key, names, code.co_argcount, default, learn)

        @wraps(function)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            result: _R | None = enter(args, kwargs)
            if result is not None:
                return result
            try:
                return function(*args, **kwargs)
            except TypeError as error:
                if is_binding(error):
                    raise misplaced(error, function) from None
                raise

        return run

    return decorate


def _python(args: Any, kwargs: Any) -> None:
    return None


def words_plan(algorithm: Algorithm, dtype: Any, given: int) -> Any:
    """Return the plan of a function that makes keys, if the algorithm is compiled."""
    return integers_plan(algorithm, algorithm.dtype)


def integers_plan(algorithm: Algorithm, dtype: np.dtype[Any]) -> Any:
    """Return the plan of a function of integers, with the dtype of its result."""
    number = native.algorithm_number(algorithm)
    return () if number is None else ((0, -1, number, dtype, -1, ()),)
