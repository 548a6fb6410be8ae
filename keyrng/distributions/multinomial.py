"""Counts of several classes: multinomial, and multivariate hypergeometric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keyrng._core.arguments import short_repr
from keyrng._core.dtypes import FLOAT64, DTypeLike, integer_dtype, number_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors.device import device_at
from keyrng._keys.derive import Key, device_of, split
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import (
    Array,
    ArrayLike,
    Parameter,
    check_relation,
    integer_up_to,
    non_negative,
    to_key_device,
    wider,
)
from keyrng._sampling.shapes import Shape
from keyrng.distributions._shared.last_axis import (
    add_axis,
    cast_to_out,
    full_shape,
    preparation_device,
    row_shape,
    scaled,
    validated,
)
from keyrng.distributions.binomial import binomial_kernel, trials
from keyrng.distributions.hypergeometric import LARGEST, held_by, hypergeometric_kernel
from keyrng.kernels.ops import where


def _sums_from(rows: Array) -> Array:
    """For each class the sum of it and those after it, in order from the last."""
    here = device_at(rows)
    sums = here.copy(rows)
    with here.current():
        for i in reversed(range(rows.shape[-1] - 1 if rows.size else 0)):
            sums[..., i] += sums[..., i + 1]
    return sums


def _class_by_class(
    key: Key, full: tuple[int, ...], total: Array, count: Callable[[Key, tuple[int, ...], int, ArrayLike], Array]
) -> Array:
    """Rows that add up to ``total``: ``count(key, shape, i, rest)`` draws class ``i`` from what is left."""
    here = device_of(key)
    sample = here.empty(full, FLOAT64)
    keys = split(key, full[-1])
    rest = float(total) if isinstance(total, np.ndarray) and not total.ndim else total
    with here.current():
        for i in range(full[-1]):
            sample[..., i] = count(keys[..., i], full[key.ndim : -1], i, rest)
            rest = rest - sample[..., i]
    return sample


def _chance(weight: Any, left: Any) -> Any:
    return where(left > 0.0, weight / left, 0.0)


def _positive(n: Any, total: Any) -> Any:
    return total > 0.0


def _countable(items: Any, others: Any) -> Any:
    return items <= LARGEST - others  # not the sum, which is rounded


def _contained(nsample: Any, total: Any) -> Any:
    return nsample <= total


@in_default_fpenv
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

    With an array of keys and parameters per key, ``shape=p.shape[-1:]`` returns one sample per key.

    Parameters
    ----------
    key, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    n
        Whole numbers, zero or more, that broadcast to the result without its last axis; at most the number up to which
        the dtype holds every count, as for `binomial`.
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
    Binomial variates of what is left, class after class, in float64: a row adds up to ``n``, exactly. Where the sum of
    the weights could overflow or be subnormal they are scaled first. Values differ
    from jax.random.multinomial, as those of `binomial`.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.multinomial(keyrng.key(0), 10, [0.2, 0.3, 0.5], dtype="int32")
    array([5, 2, 3], dtype=int32)
    """
    dtype = number_dtype(dtype, out)
    here = device_of(key)
    place = preparation_device(here, n, p)
    weights = scaled(validated(place, non_negative(p=p), FLOAT64))
    draws = validated(place, trials(dtype)(n=n), FLOAT64)
    row_shape("p", weights, shape)
    full = full_shape(key, shape, out, n=add_axis("n", draws), p=weights)

    def error() -> str:
        return f"p must have a positive weight in every row, got {p}"

    if not weights.shape[-1]:
        if not isinstance(draws, np.ndarray) or draws.any():
            raise ValueError(error())
        return cast_to_out(key, here.empty(full, FLOAT64), dtype, out)  # no draws of no classes
    left = _sums_from(weights)
    draws = to_key_device(here, "n", check_relation(place, _positive, draws, left[..., 0], error=error), n)
    chances = to_key_device(here, "p", place.apply(_chance, weights, left), p)
    if full[-1] != weights.shape[-1]:
        raise ValueError(f"shape ends with the axis of the classes, {weights.shape[-1]} long as p's, got {shape}")

    def count(keys: Key, batch: tuple[int, ...], i: int, rest: ArrayLike) -> Array:
        return sample_kernel(binomial_kernel, keys, batch, np.float64, Parameter("n", rest), chances[..., i])

    return cast_to_out(key, _class_by_class(key, full, draws, count), dtype, out)


@in_default_fpenv
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

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, out
        As for `sample_kernel`.
    colors
        Whole numbers of items, zero or more, along the last axis, of at most 2**53 together; the axes before it
        broadcast to the result.
    nsample
        Whole numbers, at most the items there are, that broadcast to the result without its last axis.
    shape
        The result has shape ``key.shape + shape + colors.shape[-1:]``; None for what ``nsample`` and ``colors`` without
        its last axis broadcast to.
    dtype
        Any integer dtype that holds the largest possible count, the smaller of ``nsample`` and a color's items; int32
        by default.

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
    dtype = integer_dtype(dtype, out)
    here = device_of(key)
    place = preparation_device(here, colors, nsample)
    items = validated(place, integer_up_to(LARGEST)(colors=colors), FLOAT64)
    taken = validated(place, integer_up_to(LARGEST)(nsample=nsample), FLOAT64)
    rows = row_shape("colors", items, shape, "colors")
    full = full_shape(key, rows, out, nsample=add_axis("nsample", taken), colors=items)
    left = _sums_from(items)

    def too_many() -> str:
        return f"colors must add up to at most 2**53, got {short_repr(colors, str)}"

    def too_large() -> str:
        return f"nsample must be at most the sum of colors, got {short_repr(nsample, str)} of {short_repr(colors, str)}"

    def not_held() -> str:
        return (
            f"nsample or each of colors must be at most {np.iinfo(dtype).max} for {dtype}{wider(dtype)}, got "
            f"{short_repr(nsample, str)} and {short_repr(colors, str)}"
        )

    with place.current():
        others = place.xp.zeros_like(items)
        others[..., :-1] = left[..., 1:]
    items = check_relation(place, _countable, items, others, error=too_many)
    items = check_relation(place, held_by(dtype), items, add_axis("nsample", taken), error=not_held)
    if not isinstance(items, np.ndarray):
        left = _sums_from(items)  # NaN for a row with a color that is NaN now
    total = left[..., 0] if left.shape[-1] else place.xp.zeros(left.shape[:-1])
    taken = check_relation(place, _contained, taken, total, error=too_large)
    taken = to_key_device(here, "nsample", taken, nsample)
    others = to_key_device(here, "colors", others, colors)
    items = to_key_device(here, "colors", items, colors)

    def count(keys: Key, batch: tuple[int, ...], i: int, rest: ArrayLike) -> Array:
        wanted = Parameter("nsample", rest)
        return sample_kernel(hypergeometric_kernel, keys, batch, np.float64, items[..., i], others[..., i], wanted)

    return cast_to_out(key, _class_by_class(key, full, taken, count), dtype, out)
