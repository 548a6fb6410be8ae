"""Lazy arrays as dask arrays: workers compute the chunks, so that only the key is transferred."""

from __future__ import annotations

from typing import Any

import dask.array as da

from keyrng._lazy import LazyArray


def from_lazy_array(x: LazyArray, chunks: Any = "auto") -> Any:
    """Return a dask array of a lazy array, whose chunks are computed in the workers.

    Parameters
    ----------
    x : LazyArray
        The result of `keyrng.lazy_array`.
    chunks : optional
        As for ``dask.array.from_array``; ``"auto"`` by default.

    Returns
    -------
    dask.array.Array
        An array of the shape and dtype of ``x``. Its values depend neither on the chunks nor on the scheduler and its
        workers.

    Raises
    ------
    TypeError
        If ``x`` is not a `LazyArray`.

    See Also
    --------
    keyrng.lazy_array : The lazy array.

    Notes
    -----
    The name of the array is computed from sampler, key, shape and parameters, so the same sample has the same name in
    every process.

    Examples
    --------
    >>> import keyrng
    >>> x = keyrng.lazy_array(keyrng.normal, keyrng.key(0), (1000, 1000))
    >>> d = from_lazy_array(x, chunks=(100, 500))
    >>> d.numblocks, bool((d[5:8].compute() == x[5:8]).all())
    ((10, 2), True)
    """
    if not isinstance(x, LazyArray):
        raise TypeError(f"x must be the result of keyrng.lazy_array, got {type(x).__name__}")
    nothing = x[(slice(0, 0),) * x.ndim]
    return da.from_array(x, chunks, asarray=False, fancy=True, meta=nothing)
