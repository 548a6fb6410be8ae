"""Common parts of initializers: their type, the axes of weights, and output arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from keyrng._core.dtypes import Dtype, DTypeLike
from keyrng._executors.convert import convert
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.parameters import Array
from keyrng._sampling.shapes import Shape, check_broadcast, check_out, dimensions, sample_shape
from keyrng.kernels.requirements import Parameter


class Initializer(Protocol):
    """The type of the functions that `keyrng.initializers` return: arrays of initial weights from a key and a shape.

    For an array of keys the result has shape ``key.shape + shape``, one array per key, on the device of the key.
    """

    def __call__(self, key: Key, shape: Shape, dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
        """Return the array of a key; without ``dtype``, of the dtype of the initializer."""


def own(family: Callable[[DTypeLike], Dtype], dtype: DTypeLike) -> Dtype | None:
    """Return the checked dtype of an initializer; if None, the call's ``out`` or the default decides."""
    return None if dtype is None else family(dtype)


class DefaultAxis(int):
    """An axis argument left at jax's default; other layouts replace it by their own axis."""


IN_AXIS, OUT_AXIS = DefaultAxis(-2), DefaultAxis(-1)


@dataclass(frozen=True)
class Layout:
    """The axes of inputs and outputs of weights; axis 0 has the channels of all ``groups``, one group after another."""

    in_axis: int
    out_axis: int
    groups: int = 1

    def axis(self, axis: int) -> int:
        """Return an axis as given, or the layout's axis for a default."""
        if not isinstance(axis, DefaultAxis):
            return axis
        return self.in_axis if axis == IN_AXIS else self.out_axis

    def around(self, in_axis: object, out_axis: object, ndim: int) -> Layout:
        """Return the layout, reversed if one axis was named, as a tuple, where the layout has the other one."""
        for named, other, place in ((in_axis, out_axis, self.out_axis), (out_axis, in_axis, self.in_axis)):
            if self != JAX and isinstance(other, DefaultAxis) and named in ((place,), (place - ndim,)):
                return Layout(self.out_axis, self.in_axis, self.groups)
        return self


JAX = Layout(int(IN_AXIS), int(OUT_AXIS))

_F = TypeVar("_F", bound=Callable[..., Any])


def on_layout(change: Callable[..., Initializer]) -> Callable[[_F], _F]:
    """Mark an initializer function that depends on axes; ``change(layout, *arguments)`` returns it for a layout."""

    def mark(function: _F) -> _F:
        function.__dict__["on_layout"] = change
        return function

    return mark


def for_layout(initializer: Callable[..., Array], layout: Layout) -> Callable[..., Array]:
    """Return the initializer for weights of a layout; unchanged if it does not depend on axes."""
    if not isinstance(initializer, partial) or not hasattr(initializer.func, "on_layout"):
        return initializer
    return partial(initializer.func.on_layout(layout, *initializer.args), **initializer.keywords)


def write_out(key: Key, shape: Shape, name: str, value: Array, dtype: Dtype, out: Any) -> Array:
    """Write a value, which must be on the key's device, to ``out`` or a new array of shape ``key.shape + shape``."""
    full = sample_shape(key, dimensions(shape), [], out)
    check_broadcast([Parameter(name, value)], [value], full)
    device = device_of(key)
    result = device.empty(full, dtype) if out is None else check_out(key, out, full, dtype)
    with device.current():
        if dtype.kind != "c":
            value = convert(value, dtype)
        result[...] = value
    return result if out is None else out
