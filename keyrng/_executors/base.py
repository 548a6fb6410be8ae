"""The interface of executors, and the description of a draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from keyrng.algorithms.base import Algorithm, Domain

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]  # or CuPy's, which has no static types
Dtype: TypeAlias = np.dtype[Any]
Guard: TypeAlias = Callable[[Any], Any] | None


@dataclass(frozen=True)
class ElementRange:
    """Consecutive elements of each key: ``count`` from ``start``, of the ``total`` elements per key of the result.

    ``start`` may be a uint64 array with one start per key; scattered elements are rows of one repeated key.
    """

    start: Any  # int, or an array
    count: int
    total: int


class DrawSpec(NamedTuple):
    """A checked draw: kernels, words of keys, and parameters that broadcast to the shape of the result.

    A complex sample has two kernels, for real and imaginary parts; other samples have one. ``guards`` are predicates
    for parameters in GPU memory, evaluated by the kernel because reading them on the host would synchronize. Where one
    is false, the element is NaN, -1 (the largest value of an unsigned dtype) or False.
    """

    kernels: tuple[Any, ...]
    algorithm: Algorithm
    words: Array
    shape: tuple[int, ...]
    dtype: Dtype
    compute: Dtype
    values: tuple[Array, ...] = ()
    guards: tuple[Guard, ...] = ()

    @property
    def elements(self) -> ElementRange:
        """All elements of each key."""
        count = prod(self.shape[self.words.ndim - 1 :])
        return ElementRange(0, count, count)


class Executor(Protocol):
    """Runs kernels and derives the words of keys; all executors give the same bits."""

    def fill(self, spec: DrawSpec, elements: ElementRange, out: Array) -> None:
        """Write elements of each key to contiguous ``out`` of shape ``spec.shape``; ``spec`` has one kernel."""

    def children(self, algorithm: Algorithm, words: Array, start: int, count: int) -> Array:
        """Return children ``start``, ``start + 1``, ... of each key: (keys, key_words) to (keys, count, key_words)."""

    def derive(self, algorithm: Algorithm, words: Array, index: Array | int, domain: Domain, count: int) -> Array:
        """Return children as (count, key_words), from ``count`` or one keys and indices.

        Words of a single key, of shape (key_words,), with an int index give a child of the same shape.
        """
