"""Runs of consecutive elements that an index selects, computed without the array."""

from __future__ import annotations

from math import prod
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Part: TypeAlias = bool | range | int | Array | None  # the index of one axis; None and bool have no axis


def runs(index: Any, shape: tuple[int, ...], first: int = 0) -> tuple[Array, int]:
    """Return the flat starts of the runs that an index selects, in the shape of the result, and their length.

    The index must be valid and select at least one element. Runs do not extend over axes before ``first``.
    """
    parts = _parts(index, shape)
    axes = [i for i, part in enumerate(parts) if not (part is None or isinstance(part, bool))]
    count, tail = 1, len(shape)
    while tail > first:
        last = parts[axes[tail - 1]]
        if not isinstance(last, range) or (last.step != 1 and len(last) > 1):
            break
        count, tail = count * len(last), tail - 1
        if len(last) < shape[tail]:
            break
    ordered = any(isinstance(parts[place], range) for place in axes[:tail])
    same = [_renumbered(part, own=False) for part in parts]
    starts: Any = 0
    for axis, place in enumerate(axes):
        part: Any = parts[place]
        if axis >= tail:
            part = part.start
        elif ordered and not isinstance(part, int):
            # NumPy's own indexing, applied to an array with the positions along this axis and length 1 along the
            # others, determines the order of the result's axes.
            along = _positions(part).reshape([-1 if i == axis else 1 for i in range(len(shape))])
            part = along[(*same[:place], _renumbered(part, own=True), *same[place + 1 :])]
        starts = starts + part * prod(shape[axis + 1 :])
    return np.ravel(starts), count


def _parts(index: Any, shape: tuple[int, ...]) -> list[Part]:
    """Split an index into one part per axis, besides parts without an axis."""
    given: list[Any] = []
    for part in index if isinstance(index, tuple) else (index,):
        if part is None or part is ... or isinstance(part, slice):
            given.append(part)
            continue
        array = np.asarray(part)
        if array.dtype != bool:
            given.append(array if array.ndim else int(array))
        else:
            given.extend(array.nonzero() if array.ndim else [bool(array)])
    if ... not in [part for part in given if not isinstance(part, np.ndarray)]:
        given.append(...)
    used = sum(not (part is None or part is ... or isinstance(part, bool)) for part in given)
    parts: list[Part] = []
    axis = 0
    for part in given:
        if part is None or isinstance(part, bool):
            parts.append(part)
            continue
        for entry in [slice(None)] * (len(shape) - used) if part is ... else [part]:
            parts.append(_from_the_front(entry, shape[axis]))
            axis += 1
    return parts


def _from_the_front(part: Any, length: int) -> range | int | Array:
    """Return a part with non-negative positions."""
    if isinstance(part, slice):
        return range(*part.indices(length))
    if isinstance(part, int):
        return part % length
    positions: Array = part.astype(np.int64)
    return positions if positions.min() >= 0 else np.where(positions < 0, positions + length, positions)


def _positions(part: range | Array) -> Array:
    """Return the positions along an axis as a 1-d array."""
    return np.arange(part.start, part.stop, part.step) if isinstance(part, range) else np.ravel(part)


def _renumbered(part: Part, own: bool) -> Any:
    """Return the part that selects all positions, in order, from an axis that holds only the selected ones.

    Axes other than the current one have length 1.
    """
    if isinstance(part, range):
        return slice(None)
    if isinstance(part, np.ndarray):
        return np.arange(part.size).reshape(part.shape) if own else np.broadcast_to(0, part.shape)
    return part if part is None or isinstance(part, bool) else 0
