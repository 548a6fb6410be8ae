"""Values that are not computed yet: functions of arrays in GPU memory, which the kernel that reads them evaluates.

So a sampler's parameters are converted, rounded and compared by the launch that draws the sample.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np

from keyrng._codegen.expressions import Expression, evaluate, passed_as
from keyrng._executors import gpu
from keyrng.kernels.symbols import Graph

Array: TypeAlias = Any


class Pending(gpu.PendingValue):
    """A function of the kernel language and its arguments: arrays, NumPy's numbers and other pending values."""

    __slots__ = ("_arguments", "_function", "dtype", "shape")

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._function, self._arguments = function, arguments
        self.shape = np.broadcast_shapes(*(a.shape for a in arguments))
        self.dtype = _result(function, tuple(a.dtype for a in arguments))

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: prod(self.shape))

    @property
    def name(self) -> str:
        """The name of the function."""
        return self._function.__name__

    @property
    def device(self) -> Any:
        """The device of the first array."""
        return next(a.device for a in self._arguments if not isinstance(a, np.ndarray))

    def __getitem__(self, index: Any) -> Pending:
        """Return elements, which are pending too."""
        return Pending(self._function, tuple(_broadcast(a, self.shape)[index] for a in self._arguments))

    def swapaxes(self, first: int, second: int) -> Pending:
        """Return the value with two axes exchanged."""
        moved = (_broadcast(a, self.shape).swapaxes(first, second) for a in self._arguments)
        return Pending(self._function, tuple(moved))

    def arrays(self) -> list[Array]:
        """Return the arrays and numbers that the value depends on."""
        return [array for a in self._arguments for array in (a.arrays() if isinstance(a, Pending) else [a])]

    def expression(self, given: list[Array]) -> Expression:
        """Return the value as an expression of ``given``, to which the arrays are added that are not in it."""
        return (self._function, *(expression_of(a, given) for a in self._arguments))


def expression_of(value: Any, given: list[Array]) -> Expression:
    """Return a parameter as an expression of ``given``, to which the arrays are added that are not in it."""
    if isinstance(value, Pending):
        return value.expression(given)
    for i, array in enumerate(given):
        if array is value:
            return i
    given.append(value)
    return len(given) - 1


@lru_cache(maxsize=4096)
def _result(function: Callable[..., Any], dtypes: tuple[Any, ...]) -> Any:
    graph, count = Graph(), len(dtypes)
    symbols = [graph.node("param", passed_as(dtype), i) for i, dtype in enumerate(dtypes)]
    return evaluate([(function, *range(count))], symbols, dtypes)[0].dtype


def _broadcast(value: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(value, Pending):
        return Pending(value._function, tuple(_broadcast(a, shape) for a in value._arguments))
    return np.broadcast_to(value, shape) if isinstance(value, np.ndarray) else gpu.cupy().broadcast_to(value, shape)
