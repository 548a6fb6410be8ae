"""What initializers have in common: how they are called, and how an array that is no sample gets to its place.

Must not import generator, lazy or interop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from keyrng.dtypes import Dtype, DTypeLike
from keyrng.formats import converted
from keyrng.keys import Key, memory_of
from keyrng.parameters import Array, Parameter
from keyrng.shapes import Shape, check_broadcast, check_out, dimensions, sample_shape


class Initializer(Protocol):
    """What the functions of `keyrng.initializers` return: arrays of a shape from a key.

    Of an array of keys each gives its own: the result has shape ``key.shape + shape``, and lies where the key does.
    """

    def __call__(self, key: Key, shape: Shape, dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
        """The array of a key; of the initializer's own dtype if there is none here."""


def own(family: Callable[[DTypeLike], Dtype], dtype: DTypeLike) -> Dtype | None:
    """The dtype of an initializer, checked; None if it has none, so that a call's ``out`` or the default decides."""
    return None if dtype is None else family(dtype)


def written(key: Key, shape: Shape, name: str, value: Array, dtype: Dtype, out: Any) -> Array:
    """A new array of shape ``key.shape + shape``, or ``out``, with a value that lies where the key does."""
    full = sample_shape(key, dimensions(shape), [], out)
    check_broadcast([Parameter(name, value)], [value], full)
    here = memory_of(key)
    result = here.empty(full, dtype) if out is None else check_out(key, out, full, dtype)
    with here.current():
        if not isinstance(value, np.ndarray) and dtype.kind != "c":
            value = converted(value, dtype)
        result[...] = value
    return result if out is None else out
