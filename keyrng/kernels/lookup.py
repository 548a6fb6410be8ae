"""Tables of constants that a kernel reads at an index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from zlib import crc32

import numpy as np

from keyrng.kernels.symbols import Symbol

__all__ = ["Table", "lookup", "tables"]

_ROWS = 16  # as many float64 as a permutation of two registers of AVX-512 chooses from
_FLOAT64 = np.dtype(np.float64)

_tables: dict[str, Table] = {}


class Table:
    """Constants in float64, in columns of sixteen, one for each row that an index can name."""

    def __init__(self, columns: Sequence[Sequence[float]]) -> None:
        self.columns = np.array(columns, _FLOAT64)
        if self.columns.ndim != 2 or self.columns.shape[1] != _ROWS:
            raise ValueError(f"columns must have {_ROWS} numbers each, got shape {self.columns.shape}")
        self.name = f"table_{crc32(self.columns.tobytes()):08x}"  # by content: equal tables are printed once
        _tables[self.name] = self


def tables() -> dict[str, Table]:
    """Return all tables so far, by the names of their variables in generated code."""
    return _tables


def lookup(table: Table, index: Any) -> Iterator[Any]:
    """Return the row of a table at an index below 16, a 64-bit word: the number in each column.

    An iterator, because NumPy's arrays of all columns at once would not fit the cache.
    """
    if index.dtype != np.uint64:
        raise TypeError(f"index of lookup() must be uint64, got {index.dtype}; use cast()")
    if isinstance(index, Symbol):
        return (index.graph.node("lookup", _FLOAT64, index, table, i) for i in range(len(table.columns)))
    places = index.view(np.int64)
    return (column.take(places, mode="clip") for column in table.columns)
