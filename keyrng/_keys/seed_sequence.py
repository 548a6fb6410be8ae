"""The words and seeds that NumPy requests from a key used as a seed.

Both come from children with reserved names, so that they overlap neither with samples of the key nor with its other
children.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._executors.select import executor_for
from keyrng._keys.serialize import number_of
from keyrng.algorithms.base import Algorithm, Domain

Array = np.ndarray[Any, np.dtype[Any]]

STATE = "numpy.generate_state"
SPAWN = "numpy.spawn"


def state(algorithm: Algorithm, words: Array, size: int) -> Array:
    """Return the first 32-bit words, low half before high half, of ``split(fold_in(key, STATE), ...)``."""
    found = descendants(algorithm, words, STATE, 0, -(-32 * size // algorithm.key_bits))
    halves = found.reshape(-1).astype(algorithm.dtype.newbyteorder("<")).view(np.dtype("<u4"))
    return halves[:size].astype(np.uint32)


def descendants(algorithm: Algorithm, words: Array, name: str, start: int, stop: int) -> Array:
    """Return the words of ``split(fold_in(key, name), stop)[start:]``."""
    executor, number = executor_for(algorithm, words), number_of("name", name, algorithm.index_bits, b"keyrng.name")
    named = executor.derive(algorithm, words, number, Domain.NAME, 1)
    if start == stop:
        return words[None][:0]
    made: Array = executor.children(algorithm, named[None], start, stop - start)[0]
    return made
