"""Counts of several classes: multinomial, and multivariate hypergeometric."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from keyrng.distributions.binomial import _binomial, trials
from keyrng.distributions.hypergeometric import LARGEST, _hypergeometric
from keyrng.distributions.rows import full_shape, row_shape, stored
from keyrng.dtypes import DTypeLike, integer, number
from keyrng.keys import Key, memory_of, split
from keyrng.parameters import Array, ArrayLike, non_negative, parameter_array, whole_to
from keyrng.sampling import draw
from keyrng.shapes import Shape

_FLOAT64 = np.dtype(np.float64)


def _sums_from(rows: Array) -> Array:
    """For each class the sum of it and those after it, in order from the last."""
    sums = rows.copy()
    for i in reversed(range(rows.shape[-1] - 1)):
        sums[..., i] += sums[..., i + 1]
    return sums


def _class_by_class(
    key: Key, full: tuple[int, ...], total: Array, count: Callable[[Key, tuple[int, ...], int, Array], Array]
) -> Array:
    """Rows that add up to ``total``: ``count(key, shape, i, rest)`` draws class ``i`` from what is left."""
    sample = np.empty(full)
    keys = split(key, full[-1])
    rest = np.broadcast_to(total, full[:-1])
    for i in range(full[-1]):
        sample[..., i] = count(keys[..., i], full[key.ndim : -1], i, rest)
        rest = rest - sample[..., i]
    return sample


def multinomial(
    key: Key,
    n: ArrayLike,
    p: ArrayLike,
    *,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    unroll: int = 1,
    out: Array | None = None,
) -> Array:
    """Counts of the classes that ``n`` independent draws fall into, of class ``i`` with probability ``p[i]``.

    Parameters
    ----------
    key, out
        As for `draw`: the result has shape ``key.shape + shape``.
    n
        Whole numbers, zero or more, that broadcast to the result without its last axis; at most what the dtype holds.
    p
        Weights of the classes along the last axis, zero or more and finite, not all zero: each over their sum is the
        probability. The axes before it broadcast to the result.
    shape
        The shape with the axis of the classes last, as in jax; None for that of ``p`` and ``n`` together.
    dtype
        float32 by default, as in jax; any float or integer dtype.
    unroll
        Of no effect: it is for callers that jax had.

    Raises
    ------
    ValueError
        If a parameter is outside its range or NaN, or the shapes do not fit.

    Notes
    -----
    Binomial variates of what is left, class after class, in float64: a row adds up to ``n``, exactly where the dtype
    holds its counts. Values differ from jax.random.multinomial, as those of `binomial`.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.multinomial(keyrng.key(0), 10, [0.2, 0.3, 0.5], dtype="int32")
    array([5, 2, 3], dtype=int32)
    """
    dtype = number(dtype)
    weights = parameter_array(memory_of(key), non_negative(p=p), 1, _FLOAT64)
    draws = parameter_array(memory_of(key), whole_to(trials(dtype))(n=n), 0, _FLOAT64)
    row_shape("p", weights, shape)
    left = _sums_from(weights)
    if not (left[..., :1] > 0).all() or not weights.shape[-1]:
        raise ValueError(f"p must have a positive weight in every row, got {p}")
    chances = np.divide(weights, left, out=np.zeros_like(left), where=left > 0)
    full = full_shape(key, shape, out, n=draws[..., None], p=weights)
    if full[-1] != weights.shape[-1]:
        raise ValueError(f"shape ends with the axis of the classes, {weights.shape[-1]} long as p's, got {shape}")

    def count(keys: Key, batch: tuple[int, ...], i: int, rest: Array) -> Array:
        return draw(_binomial, keys, batch, np.float64, rest, chances[..., i])

    return stored(key, _class_by_class(key, full, draws, count), dtype, out)


def multivariate_hypergeometric(
    key: Key,
    colors: ArrayLike,
    nsample: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike = None,
    *,
    out: Array | None = None,
) -> Array:
    """Counts of each color among ``nsample`` items drawn without replacement from ``colors[i]`` items of color ``i``.

    Parameters
    ----------
    key, out
        As for `draw`.
    colors
        Whole numbers of items, zero or more, along the last axis, of at most 2**53 together; the axes before it
        broadcast to the result.
    nsample
        Whole numbers, at most the items there are, that broadcast to the result without its last axis.
    shape
        The result has shape ``key.shape + shape + colors.shape[-1:]``; None for what ``nsample`` and ``colors`` without
        its last axis broadcast to.
    dtype
        Any integer dtype that holds ``colors``; int32 by default.

    Raises
    ------
    ValueError
        If a parameter is outside its range or NaN, or the shapes do not fit.

    Notes
    -----
    Hypergeometric variates of what is left, color after color, in float64: a row adds up to ``nsample``. The
    parameters are those of numpy.random.Generator.multivariate_hypergeometric.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.multivariate_hypergeometric(keyrng.key(0), [16, 8, 4], 7)
    array([5, 1, 1], dtype=int32)
    """
    dtype = integer(dtype)
    items = parameter_array(
        memory_of(key), whole_to(min(int(np.iinfo(dtype).max), LARGEST))(colors=colors), 0, _FLOAT64
    )
    taken = parameter_array(memory_of(key), whole_to(LARGEST)(nsample=nsample), 1, _FLOAT64)
    rows = row_shape("colors", items, shape)
    left = _sums_from(items)
    if (left > LARGEST).any():
        raise ValueError(f"colors must add up to at most 2**53, got {colors}")
    full = full_shape(key, rows, out, nsample=taken[..., None], colors=items)
    if (taken > left[..., :1].sum(axis=-1)).any():
        raise ValueError(f"nsample must be at most the sum of colors, got {nsample} of {colors}")

    def count(keys: Key, batch: tuple[int, ...], i: int, rest: Array) -> Array:
        others = left[..., i] - items[..., i]
        return draw(_hypergeometric, keys, batch, np.int64, items[..., i], others, rest, compute=np.float64)

    return stored(key, _class_by_class(key, full, taken, count), dtype, out)
