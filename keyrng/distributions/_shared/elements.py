"""The elements that permutation and choice draw from: the integers 0 to n - 1, an array, or an array of keys."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, SupportsIndex

import numpy as np

from keyrng._core.arguments import short_repr, to_array
from keyrng._core.dtypes import index_dtype
from keyrng._executors.device import Device, device_at, device_of_values
from keyrng._keys.derive import Key, device_of, is_integer, kind_of, normalize_axis, wrap_words
from keyrng._sampling.parameters import Array, ArrayLike
from keyrng._sampling.shapes import Shape, as_out, check_out, sample_shape
from keyrng.algorithms.base import Algorithm


@dataclass(frozen=True)
class Elements:
    """Elements along an axis, of an array or of the words of keys; integers of a range if there is no array."""

    shape: tuple[int, ...]
    axis: int
    array: Array | None = None
    algorithm: Algorithm | None = None

    @property
    def size(self) -> int:
        """The number of elements along the axis."""
        return self.shape[self.axis]

    def flat(self) -> Elements:
        """Return the elements of all axes along one axis."""
        rest = () if self.array is None else self.array.shape[len(self.shape) :]
        array = None if self.array is None else self.array.reshape(prod(self.shape), *rest)
        return Elements((prod(self.shape),), 0, array, self.algorithm)

    def draws(self, key: Key, shape: Shape, out: Array | None) -> tuple[int, ...]:
        """Return the shape of the draws, ``key.shape + shape``; a shape of () is inferred from ``out``."""
        if out is not None and isinstance(shape, tuple) and not shape:
            given, after = as_out(key, out).shape, len(self.shape) - 1 - self.axis
            shape = given[key.ndim + self.axis : len(given) - after]
        return sample_shape(key, shape, (), None)

    def check_out(self, key: Key, draws: tuple[int, ...], out: Array | None) -> None:
        """Raise TypeError or ValueError unless the elements fit ``out``."""
        if out is None:
            return
        if self.algorithm is not None:
            raise TypeError("keys are immutable and cannot be written to out; omit it")
        before, after = self.shape[: self.axis], self.shape[self.axis + 1 :]
        dtype = index_dtype(self.size, out) if self.array is None else self.array.dtype
        check_out(key, out, key.shape + before + draws[key.ndim :] + after, dtype)

    def take(self, key: Key, places: Array, out: Array | None, some_missing: bool = False) -> Any:
        """Return the elements at indices of shape ``key.shape + shape``.

        In the result the axes of the key come first, and ``shape`` replaces the axis of the elements. If
        ``some_missing``, an index can be -1, for a missing element: see `missing`.
        """
        if self.array is None and out is None:
            return places
        device = device_of(key)
        with device.current():
            if self.array is None:
                return self.returned(key, places, out)
            array, ndim, axis = self.array, key.ndim, self.axis
            if some_missing:
                last = missing(device, (*array.shape[:axis], 1, *array.shape[axis + 1 :]), array.dtype)
                array = device.xp.concatenate([array, last], axis)
            if ndim and axis:
                # Gather along the first axis, then move the axes of the array before the draws to their position.
                taken = device.xp.moveaxis(array, axis, 0)[places]
                source, to = range(places.ndim, places.ndim + axis), range(ndim, ndim + axis)
                taken = device.xp.moveaxis(taken, tuple(source), tuple(to))
            else:
                taken = device.take(array, places, axis)
            return self.returned(key, taken, out)

    def returned(self, key: Key, elements: Array, out: Array | None) -> Any:
        """Return elements to the caller: as keys if they are words of keys, in ``out`` if that is given."""
        if self.algorithm is not None:
            return wrap_words(self.algorithm, device_at(elements).contiguous(elements))
        if out is None:
            return device_at(elements).contiguous(elements) if elements.ndim else elements
        as_out(key, out)[...] = elements
        return out


def missing(device: Device, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return elements that mark a failed draw: NaN, -1 (the largest integer of unsigned dtypes) or False."""
    word = device.xp.full((*shape, dtype.itemsize), 0 if dtype.kind == "b" else 0xFF, np.uint8)
    elements: Array = word.view(dtype)[..., 0]
    return elements


def elements_of(device: Device, name: str, given: ArrayLike | Key, axis: SupportsIndex) -> Elements:
    """Return the elements of an argument, on the key's device; an int n means the integers 0 to n - 1.

    Raises TypeError for an argument that is neither a whole number nor has an axis, and ValueError for a negative
    number or an axis out of range.
    """
    if isinstance(given, Key):
        if not given.ndim:
            raise TypeError(f"{name} must be a number, an array or an array of keys, got a scalar key")
        if given.device != device.name:
            raise TypeError(
                f"{name} is on {given.device} but the key is on {device.name}; {name}.to({device.name!r}) copies it"
            )
        return Elements(given.shape, normalize_axis(axis, given.ndim), given._words, given._algorithm)
    array = None if is_integer(given) else device_of_values(given).pick(_cpu_array, _cuda_array)(device, name, given)
    if array is not None and array.ndim:
        return Elements(array.shape, normalize_axis(axis, array.ndim), array)
    if array is not None and array.dtype.kind not in "iu":
        kind = short_repr(given) if isinstance(given, (str, bytes, bool, float, complex)) else kind_of(given)
        raise TypeError(f"{name} must be an integer or an array of at least one axis, got {kind}")
    size = int(given)
    if size < 0:
        raise ValueError(f"{name} must not be negative, got {short_repr(size)}")
    if size > 2**63:
        raise ValueError(f"{name} must be at most 2**63, got {short_repr(size)}")
    return Elements((size,), normalize_axis(axis, 1))


def _cpu_array(device: Device, name: str, given: ArrayLike) -> Array:
    return device.adopt(name, to_array(name, given), given)


def _cuda_array(device: Device, name: str, given: ArrayLike) -> Array:
    array = device.array(name, given)
    if not array.ndim:
        raise TypeError(f"{name} must be an integer or an array of at least one axis, got a 0-d array")
    return array
