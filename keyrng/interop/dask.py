"""Lazy arrays as dask arrays: chunks are made in the workers, so only the key travels.

Must not be imported by anything in keyrng: it imports what most programs do not have.
"""

from __future__ import annotations

from typing import Any

import dask.array as da

from keyrng._lazy import LazyArray


def from_lazy_array(x: LazyArray, chunks: Any = "auto") -> Any:
    """A dask array of a lazy array: each chunk is made where and when it is needed.

    Values depend neither on the chunks nor on the scheduler or its workers. The array's name is made of sampler, key,
    shape and parameters, so the same draw has the same name in every process.

    Parameters
    ----------
    x
        What `keyrng.lazy_array` made.
    chunks
        As for ``dask.array.from_array``.

    Raises
    ------
    TypeError
        For what is no lazy array.

    Examples
    --------
    >>> import keyrng
    >>> x = keyrng.lazy_array(keyrng.normal, keyrng.key(0), (1000, 1000))
    >>> d = from_lazy_array(x, chunks=(100, 500))
    >>> d.numblocks, bool((d[5:8].compute() == x[5:8]).all())
    ((10, 2), True)
    """
    if not isinstance(x, LazyArray):
        raise TypeError(f"x is what keyrng.lazy_array makes, got {type(x).__name__}")
    nothing = x[(slice(0, 0),) * x.ndim]
    return da.from_array(x, chunks, asarray=False, fancy=True, meta=nothing)
