"""Lazy arrays in xarray: values are computed on access."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from keyrng._lazy import LazyArray


class _Values(BackendArray):
    """Adapter between a lazy array and xarray's backend interface."""

    def __init__(self, x: LazyArray) -> None:
        self.x, self.shape, self.dtype = x, x.shape, x.dtype

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, indexing.OuterIndexer):
            return np.asarray(self.x[key.tuple])
        # Integer arrays index one axis each, and axes keep their order.
        numbers = tuple(axis for axis, part in enumerate(key.tuple) if isinstance(part, (int, np.integer)))
        parts = [slice(part, part + 1) if axis in numbers else part for axis, part in enumerate(key.tuple)]
        if sum(isinstance(part, np.ndarray) for part in parts) > 1:
            parts = list(np.ix_(*(self._positions(part, axis) for axis, part in enumerate(parts))))
        return np.squeeze(self.x[tuple(parts)], numbers)

    def _positions(self, part: Any, axis: int) -> Any:
        return np.arange(*part.indices(self.shape[axis])) if isinstance(part, slice) else part


def from_lazy_array(x: LazyArray, dims: Any, **more: Any) -> Any:
    """Return a DataArray of a lazy array, whose values are computed when they are loaded.

    Parameters
    ----------
    x : LazyArray
        The result of `keyrng.lazy_array`.
    dims : hashable or sequence of hashable
        Names of the axes.
    **more
        ``coords``, ``name`` and ``attrs``, as for ``xarray.DataArray``.

    Returns
    -------
    xarray.DataArray
        An array of the shape and dtype of ``x``.

    Raises
    ------
    TypeError
        If ``x`` is not a `LazyArray`.

    See Also
    --------
    keyrng.lazy_array : The lazy array.

    Notes
    -----
    Selecting a part computes no values; ``load``, arithmetic and plots compute those of the part.

    Examples
    --------
    >>> import keyrng
    >>> x = keyrng.lazy_array(keyrng.normal, keyrng.key(0), (10**6, 10**6))
    >>> from_lazy_array(x, ("time", "place")).isel(time=slice(5, 8), place=[7, 1]).shape
    (3, 2)
    """
    if not isinstance(x, LazyArray):
        raise TypeError(f"x must be the result of keyrng.lazy_array, got {type(x).__name__}")
    return xr.DataArray(xr.Variable(dims, indexing.LazilyIndexedArray(_Values(x))), **more)
