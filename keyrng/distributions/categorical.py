"""Categorical draws: of each distribution the class whose logit plus a gumbel is largest.

For drawing several classes without replacement, the several largest: Kool, van Hoof, Welling, "Stochastic beams and
where to find them", ICML 2019, PMLR 97, 3499-3508.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from keyrng.backends import Slab
from keyrng.backends.threads import PIECE
from keyrng.distributions.gumbel import gumbel_kernel
from keyrng.dtypes import float_of, index_dtype
from keyrng.kernels.lane import Kernel
from keyrng.keys import Key, _axis, memory_of
from keyrng.parameters import Array, ArrayLike, Requirement, checked, truth
from keyrng.sampling import fill_slab, run_slabs
from keyrng.shapes import Shape, check_out, sample_shape

_SLAB = 1 << 16  # gumbels at a time: they stay in a level-2 cache
_SHORT = 256  # classes up to which sorting many rows at once is faster than finding the largest of each

logit = Requirement("a number below infinity, not NaN", lambda x: x < math.inf)


def categorical(
    key: Key,
    logits: ArrayLike,
    axis: int = -1,
    shape: Shape | None = None,
    replace: bool = True,
    mode: str | None = None,
    *,
    out: Array | None = None,
) -> Array:
    """Classes with probabilities proportional to ``exp(logits)``, as their places along an axis of the logits.

    Parameters
    ----------
    key, out
        As for `draw`: the result has shape ``key.shape + shape``.
    logits
        Logarithms of probabilities that need not sum to 1, -infinity for 0; one distribution along the axis, or an
        array of them. Computed in float64 if they are an array of float64, else in float32.
    axis
        The axis of the classes.
    shape
        A shape that the other axes of ``logits`` broadcast to, or ``key.shape + shape`` is one, for logits of each key;
        by default their own shape. The axes before theirs are more draws of the same distributions.
    replace
        If False, the draws of each distribution along the axes before those of ``logits`` are different classes.
    mode
        ``"low"`` (the default), ``"high"`` or ``"highest"``: the random bits of a gumbel, as for `gumbel`.

    Raises
    ------
    ValueError
        For logits of NaN or infinity, a distribution of -infinity alone, more draws without replacement than there are
        classes above -infinity, or shapes that do not fit.

    Notes
    -----
    The largest of logit plus gumbel. The values of ``jax.random.categorical``, but where rounding decides between two
    nearly equal ones, and for 16-bit logits, which are computed in float32. With ``mode="low"`` the largest gumbel is
    15.9 for float32, so classes of probabilities below 1e-7 or so come too rarely.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.categorical(keyrng.key(2), [0.0, 1.0, 2.0], shape=(8,))
    array([1, 0, 2, 1, 0, 2, 2, 2], dtype=int32)
    >>> keyrng.categorical(keyrng.split(keyrng.key(0), 4), [[0.0, 1.0], [2.0, 0.0]]).shape
    (4, 2)
    """
    values = checked(memory_of(key), logit(logits=logits), float_of(logits)).value
    axis = _axis(axis, values.ndim)
    kernel = gumbel_kernel(mode, values.dtype)
    table = np.moveaxis(values, axis, -1)
    batch, size = table.shape[:-1], table.shape[-1]
    full = sample_shape(key, shape, (np.broadcast_to(0.0, batch),), out)
    result = np.empty(full, index_dtype(size)) if out is None else check_out(key, out, full, index_dtype(size))

    own = full[key.ndim :]
    draws = () if truth("replace", replace) else own[: max(0, len(own) - len(batch))]
    rest = own[len(draws) :]
    _check_batch(batch, rest if draws else full)
    check_enough(table, prod(draws))
    if result.size:
        # Of a key's axes, those after the classes are as many as in the logits; so the others come before.
        before = max(0, len(rest) - (values.ndim - 1 - axis))
        rows = np.broadcast_to(np.arange(prod(batch)).reshape(batch), key.shape + rest)
        rows = rows.reshape(key.size, prod(rest[:before]), prod(rest[before:]))
        places = winners(kernel, key, np.ascontiguousarray(table).reshape(-1, size), rows, prod(draws))
        result[...] = np.moveaxis(places.reshape(*key.shape, *rest, -1), -1, key.ndim).reshape(full)
    return result


def _check_batch(batch: tuple[int, ...], shape: tuple[int, ...]) -> None:
    try:
        fits = np.broadcast_shapes(batch, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"logits of shape {batch}, their axis left out, do not broadcast to the draws' shape {shape}")


def check_enough(logits: Array, count: int) -> None:
    """ValueError unless every distribution along the last axis has as many classes that can be drawn."""
    if count == 1 and not (logits.max(axis=-1, initial=-math.inf) > -math.inf).all():
        raise ValueError("a draw needs something of positive probability, got none")
    if count > 1:
        possible = (logits > -math.inf).sum(axis=-1).min(initial=count)
        if possible < count:
            raise ValueError(f"{count} draws without replacement need as many of positive probability, got {possible}")


def winners(kernel: Kernel, key: Key, table: Array, rows: Array, count: int) -> Array:
    """The places of the ``count`` largest of gumbels plus logits, largest first and of equal ones the first first.

    Each key has an array of gumbels of shape (before, classes, after). ``rows``, of shape (keys, before, after), says
    which row of ``table`` has the logits; the result has an axis more, of length ``count``.
    """
    race = _Race(kernel, key.reshape(-1), table, rows)
    keys, before, after = rows.shape
    size = table.shape[1]
    step = _steps(before, size, after, whole=count > 1)
    parts = list(product(_slices(keys, step[0]), _slices(before, step[1]), _slices(after, step[3])))
    places = np.empty((*rows.shape, count), index_dtype(size))

    def piece(first: int, stop: int) -> None:
        for part in parts[first:stop]:
            places[part] = race.largest(part, count) if step[2] >= size else race.largest_of_many(part, step[2])

    # A slab of more than a piece has threads of its own.
    run_slabs(key, len(parts), piece, 1 if prod(step) <= PIECE else len(parts))
    return places


def _steps(before: int, size: int, after: int, whole: bool) -> tuple[int, int, int, int]:
    """How many keys, places before, classes and places after make a slab: of each key one contiguous run of gumbels."""
    if before * size * after <= _SLAB:
        return _SLAB // (before * size * after), before, size, after
    if size * after <= _SLAB or whole:
        return 1, max(1, _SLAB // (size * after)), size, after
    if after <= _SLAB:
        return 1, 1, _SLAB // after, after
    return 1, 1, 1, _SLAB


def _slices(length: int, step: int) -> list[slice]:
    return [slice(first, min(first + step, length)) for first in range(0, length, step)]


_Part = tuple[slice, slice, slice]  # of keys, before and after


@dataclass(frozen=True)
class _Race:
    """Gumbels plus logits, made slab by slab; see `winners`."""

    kernel: Kernel
    key: Key
    table: Array
    rows: Array

    def scores(self, part: _Part, classes: slice) -> Array:
        """The scores of a slab, of shape (keys, before, after, classes)."""
        keys, before, after = part
        size, width = self.table.shape[1], self.rows.shape[2]
        shape = tuple(s.stop - s.start for s in (keys, before, classes, after))
        start = (before.start * size + classes.start) * width + after.start
        slab = Slab(start, prod(shape[1:]), self.rows.shape[1] * size * width)
        gumbels = np.empty((shape[0], slab.count), self.table.dtype)
        fill_slab(self.kernel, self.key[keys], gumbels, gumbels.shape, [], self.table.dtype, slab)
        scores = np.moveaxis(gumbels.reshape(shape), 2, 3)
        scores += self.table[0, classes] if len(self.table) == 1 else self.table[self.rows[part], classes]
        return scores

    def largest(self, part: _Part, count: int) -> Array:
        """The places of the largest, where all classes fit a slab, or must be compared at once."""
        scores = self.scores(part, slice(0, self.table.shape[1]))
        if count == 1:
            largest: Array = scores.argmax(axis=-1)[..., np.newaxis]
            return largest
        flat = -scores.reshape(-1, scores.shape[-1])
        if flat.shape[1] <= _SHORT:
            places = np.argsort(flat, axis=-1, kind="stable")[:, :count]
        else:
            places = np.stack([_smallest(row, count) for row in flat])
        return places.reshape(*scores.shape[:-1], count)

    def largest_of_many(self, part: _Part, step: int) -> Array:
        """The place of the largest, some classes at a time."""
        best, places = np.array(-math.inf, self.table.dtype), np.array(0)
        for classes in _slices(self.table.shape[1], step):
            scores = self.scores(part, classes)
            found = scores.argmax(axis=-1)
            value = np.take_along_axis(scores, found[..., np.newaxis], -1)[..., 0]
            places = np.where(value > best, found + classes.start, places)  # of equal ones the first stays
            best = np.maximum(value, best)
        return places[..., np.newaxis]


def _smallest(values: Array, count: int) -> Array:
    """The places of the smallest numbers in ascending order, of equal ones the first first."""
    bound = np.partition(values, count - 1)[count - 1]
    near = np.flatnonzero(values <= bound)
    places: Array = near[np.argsort(values[near], kind="stable")[:count]]
    return places
