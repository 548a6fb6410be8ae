"""The interface of an executor, and the description of a draw that executors take.

An executor runs kernels and derives keys. It sees algorithms and words, never a Key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from keyrng.algorithms.base import Algorithm, Domain

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]  # or CuPy's, which has no static types
Dtype: TypeAlias = np.dtype[Any]
Guard: TypeAlias = Callable[[Any], Any] | None


@dataclass(frozen=True)
class ElementRange:
    """Consecutive elements of each key: ``count`` from ``start`` on, where the whole result has ``total`` of each key.

    ``start`` may be an array of uint64 with a start for each key: scattered elements are rows of one key repeated.
    """

    start: Any  # int, or an array
    count: int
    total: int


class DrawSpec(NamedTuple):
    """A draw, checked: kernels, keys as words, and parameters that broadcast to the shape of the result.

    A complex sample has two kernels, one for the real and one for the imaginary parts; any other has one. ``guards``
    are predicates for the values in GPU memory, which are not checked on the host because reading them would wait for
    the device: an element whose value fails is NaN, -1 (the largest of an unsigned dtype) or False.
    """

    kernels: tuple[Any, ...]
    algorithm: Algorithm
    words: Array
    shape: tuple[int, ...]
    dtype: Dtype
    compute: Dtype
    values: tuple[Array, ...] = ()
    guards: tuple[Guard, ...] = ()


class Executor(Protocol):
    """Runs kernels and derives the words of keys; every executor gives the same bits."""

    def fill(self, spec: DrawSpec, elements: ElementRange, out: Array) -> None:
        """Write elements of each key, by the one kernel of ``spec``, to contiguous ``out`` of shape ``spec.shape``."""

    def children(self, algorithm: Algorithm, words: Array, start: int, count: int) -> Array:
        """Return children ``start``, ``start + 1``, ... of each key: (keys, key_words) to (keys, count, key_words)."""

    def derive(self, algorithm: Algorithm, words: Array, index: Array | int, domain: Domain, count: int) -> Array:
        """Return children as (count, key_words); keys and indices are as many, or one.

        Words of one key, of shape (key_words,), and a number give a child of that shape.
        """
