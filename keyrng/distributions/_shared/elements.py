"""The elements of permutation and choice: the numbers 0 to n - 1, an array, or an array of keys."""

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
    """Elements along an axis: those of an array, of the words of keys, or the numbers of a range, which has neither."""

    shape: tuple[int, ...]
    axis: int
    array: Array | None = None
    algorithm: Algorithm | None = None

    @property
    def size(self) -> int:
        """The number of elements along the axis."""
        return self.shape[self.axis]

    def flat(self) -> Elements:
        """The elements of all axes in one."""
        rest = () if self.array is None else self.array.shape[len(self.shape) :]
        array = None if self.array is None else self.array.reshape(prod(self.shape), *rest)
        return Elements((prod(self.shape),), 0, array, self.algorithm)

    def draws(self, key: Key, shape: Shape, out: Array | None) -> tuple[int, ...]:
        """The shape of the draws, ``key.shape + shape``, of which the axis becomes ``shape``; ``out`` may imply it."""
        if out is not None and isinstance(shape, tuple) and not shape:
            given, after = as_out(key, out).shape, len(self.shape) - 1 - self.axis
            shape = given[key.ndim + self.axis : len(given) - after]
        return sample_shape(key, shape, (), None)

    def check_out(self, key: Key, draws: tuple[int, ...], out: Array | None) -> None:
        """TypeError or ValueError unless the elements fit ``out``."""
        if out is None:
            return
        if self.algorithm is not None:
            raise TypeError("keys never change, so they cannot be written to out; leave it out")
        before, after = self.shape[: self.axis], self.shape[self.axis + 1 :]
        dtype = index_dtype(self.size, out) if self.array is None else self.array.dtype
        check_out(key, out, key.shape + before + draws[key.ndim :] + after, dtype)

    def take(self, key: Key, places: Array, out: Array | None, some_missing: bool = False) -> Any:
        """The elements at places of shape ``key.shape + shape``; their axis becomes ``shape``, after the key's axes.

        The place -1, which there may be if ``some_missing``, is that of no element: see `missing`.
        """
        if self.array is None and out is None:
            return places
        here = device_of(key)
        with here.current():
            if self.array is None:
                return self.returned(key, places, out)
            array, ndim, axis = self.array, key.ndim, self.axis
            if some_missing:
                last = missing(here, (*array.shape[:axis], 1, *array.shape[axis + 1 :]), array.dtype)
                array = here.xp.concatenate([array, last], axis)
            if ndim and axis:
                # Gathered along the first axis, then the axes of the array that come before the draws are put there.
                taken = here.xp.moveaxis(array, axis, 0)[places]
                source, to = range(places.ndim, places.ndim + axis), range(ndim, ndim + axis)
                taken = here.xp.moveaxis(taken, tuple(source), tuple(to))
            else:
                taken = here.take(array, places, axis)
            return self.returned(key, taken, out)

    def returned(self, key: Key, elements: Array, out: Array | None) -> Any:
        """Elements as the caller gets them: as keys if they are words of keys, in ``out`` if there is one."""
        if self.algorithm is not None:
            return wrap_words(self.algorithm, device_at(elements).contiguous(elements))
        if out is None:
            return device_at(elements).contiguous(elements) if elements.ndim else elements
        as_out(key, out)[...] = elements
        return out


def missing(here: Device, shape: tuple[int, ...], dtype: Any) -> Array:
    """Elements in the place of those that could not be drawn: NaN, -1 (the largest of unsigned ones) or False."""
    word = here.xp.full((*shape, dtype.itemsize), 0 if dtype.kind == "b" else 0xFF, np.uint8)
    elements: Array = word.view(dtype)[..., 0]
    return elements


def elements_of(here: Device, name: str, given: ArrayLike | Key, axis: SupportsIndex) -> Elements:
    """The population of an argument, in the memory of the key that draws: a number n is the numbers 0 to n - 1.

    TypeError for what is neither a whole number nor has an axis, ValueError for a negative number or no such axis.
    """
    if isinstance(given, Key):
        if not given.ndim:
            raise TypeError(f"{name} is a number, an array or an array of keys, got a scalar key")
        if given.device != here.name:
            raise TypeError(
                f"{name} is on {given.device}, the key on {here.name}; {name}.to({here.name!r}) puts {name} there"
            )
        return Elements(given.shape, normalize_axis(axis, given.ndim), given._words, given._algorithm)
    array = None if is_integer(given) else device_of_values(given).pick(_cpu_array, _cuda_array)(here, name, given)
    if array is not None and array.ndim:
        return Elements(array.shape, normalize_axis(axis, array.ndim), array)
    if array is not None and array.dtype.kind not in "iu":
        kind = short_repr(given) if isinstance(given, (str, bytes, bool, float, complex)) else kind_of(given)
        raise TypeError(f"{name} is a whole number or an array of one axis or more, got {kind}")
    size = int(given)
    if size < 0:
        raise ValueError(f"{name} must not be negative, got {short_repr(size)}")
    if size > 2**63:
        raise ValueError(f"{name} must be at most 2**63, got {short_repr(size)}")
    return Elements((size,), normalize_axis(axis, 1))


def _cpu_array(here: Device, name: str, given: ArrayLike) -> Array:
    return here.adopt(name, to_array(name, given), given)


def _cuda_array(here: Device, name: str, given: ArrayLike) -> Array:
    array = here.array(name, given)
    if not array.ndim:
        raise TypeError(f"{name} is a whole number or an array of one axis or more, got an array of none")
    return array
