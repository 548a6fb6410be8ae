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
        self._function = function
        self._arguments = tuple(a.reshape(()) if isinstance(a, np.ndarray) else a for a in arguments)
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

    def __getitem__(self, index: Any) -> Any:
        """Return elements, which are pending too."""
        return _seen(self, self.shape, lambda array: array[index])

    def swapaxes(self, first: int, second: int) -> Any:
        """Return the value with two axes exchanged."""
        return _seen(self, self.shape, lambda array: array.swapaxes(first, second))

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


def _seen(value: Any, shape: tuple[int, ...], view: Callable[[Array], Array]) -> Any:
    """Return a view of a value that is broadcast to a shape; numbers stay numbers."""
    if isinstance(value, Pending):
        return Pending(value._function, tuple(_seen(a, shape, view) for a in value._arguments))
    if isinstance(value, np.ndarray):
        return value
    return view(gpu.cupy().broadcast_to(value, shape))
