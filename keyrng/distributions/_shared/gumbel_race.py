"""The classes with the largest sums of logit and Gumbel variate, found without computing most of the variates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keyrng._core.dtypes import FLOAT32, index_dtype
from keyrng._executors import native
from keyrng._executors.base import ElementRange
from keyrng._keys.derive import Key
from keyrng._sampling.draw import fill_range
from keyrng._sampling.parameters import Array
from keyrng.kernels.elementary import exp
from keyrng.kernels.lane import Kernel

# Products nearer to the smallest than by this factor do not decide. Where none is nearer, the sums differ by more than
# log(RATIO) - 1e-4 = 3.8e-4, because each product is within 5e-5 (keyrng/distributions/gumbel.py). A sum in float32 is
# within 1.2e-5: half of the spacing of floats below 256, and the error of a variate. Logits that are far lower than the
# largest, whose sums can be less precise, are lower by more than variates differ.
RATIO = 1 + 2.0**-11

_FEWEST, _MOST_CLASSES = 1 << 12, 1 << 12


@dataclass(frozen=True)
class Race:
    """Draws of each key from one distribution, as `CpuTopK` makes them.

    The kernel ``race`` computes for each class the time of its arrival, E * exp(-logit), approximately. The first wins,
    unless two are so near that Gumbel variates have to decide.
    """

    kernel: Kernel
    race: Kernel
    key: Key
    table: Array
    draws: int

    @staticmethod
    def suits(race: Kernel, key: Key, table: Array, rows: Array) -> bool:
        """Whether a race is possible, and faster: for many draws from one distribution, with compiled code."""
        _, before, after = rows.shape
        size = table.shape[1]
        if len(table) > 1 or after > 1 or not 1 < size <= _MOST_CLASSES or before * size < _FEWEST:
            return False
        return native.program(race, FLOAT32, FLOAT32, key._algorithm) is not None

    def winners(self) -> Array:
        """Return the classes drawn, of shape (keys, draws, 1, 1)."""
        size = self.table.shape[1]
        places = np.empty((self.key.size, self.draws), index_dtype(size))
        with np.errstate(over="ignore"):
            weights = exp(self.table[0].max() - self.table[0].astype(np.float64)).astype(np.float32)
        native.first_arrivals(self.race, self.key, weights, RATIO, places)
        self._decide(np.flatnonzero(places < 0), places.reshape(-1))
        return places[..., np.newaxis, np.newaxis]

    def _decide(self, undecided: Array, places: Array) -> None:
        """Write the classes of draws, numbered over all keys, by the sums themselves."""
        if not len(undecided):
            return
        size, (keys, draws) = self.table.shape[1], np.divmod(undecided, self.draws)
        scores = np.empty((len(undecided), size), self.table.dtype)
        starts = (draws * size).astype(np.uint64)
        fill_range(self.kernel, self.key[keys], scores, ElementRange(starts, size, size * self.draws))
        scores += self.table
        places[undecided] = scores.argmax(axis=-1)
