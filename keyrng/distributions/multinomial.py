"""The multinomial distribution."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT64, DTypeLike, number_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors.device import as_number, device_at, may_hold, preparation_device
from keyrng._keys.derive import Key, device_of, split
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, check_relation
from keyrng._sampling.plan import Row, Steps
from keyrng._sampling.sampler import sampler_in_steps
from keyrng._sampling.shapes import Shape
from keyrng.algorithms.base import Algorithm
from keyrng.distributions._shared.last_axis import (
    add_axis,
    cast_to_out,
    full_shape,
    not_scaled,
    row_shape,
    scaled,
    validated,
)
from keyrng.distributions.binomial import (
    binomial_is_small_kernel,
    binomial_kernel,
    binomial_method,
    binomial_small_kernel,
    trials,
)
from keyrng.kernels.ops import where
from keyrng.kernels.requirements import Parameter, non_negative

_MANY = 256  # counts, from which on reading the parameters takes less time than both methods


def _sums_from(rows: Array) -> Array:
    """Return for each class the sum of it and the classes after it, added in order from the last."""
    device = device_at(rows)
    sums = device.copy(rows)
    with device.current():
        for i in reversed(range(rows.shape[-1] - 1 if rows.size else 0)):
            sums[..., i] += sums[..., i + 1]
    return sums


def _class_by_class(
    key: Key, full: tuple[int, ...], total: Array, count: Callable[[Key, tuple[int, ...], int, ArrayLike], Array]
) -> Array:
    """Return rows that sum to ``total``; ``count(key, shape, i, rest)`` draws class ``i`` from the draws left."""
    device = device_of(key)
    sample = device.empty(full, FLOAT64)
    keys = split(key, full[-1])
    rest = as_number(total)
    with device.current():
        for i in range(full[-1]):
            sample[..., i] = count(keys[..., i], full[key.ndim : -1], i, rest)
            rest = rest - sample[..., i]
    return sample


def _chance(weight: Any, left: Any) -> Any:
    return where(left > 0.0, weight / left, 0.0)


def _positive(n: Any, total: Any) -> Any:
    return total > 0.0


def _plans(algorithm: Algorithm, dtype: DTypeLike, n: Any, p: Any) -> Iterable[Steps]:
    dtype = number_dtype(dtype)
    if dtype.name in ("float32", "float64", "int32", "int64"):
        weights = Row(non_negative(p=p), not_scaled)
        counts = binomial_kernel, binomial_small_kernel
        yield Steps(counts, (trials(dtype)(n=n), weights), dtype, FLOAT64, binomial_is_small_kernel)


@sampler_in_steps("multinomial", _plans)
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
    """Return the numbers of draws per class of ``n`` independent draws with probabilities ``p``.

    With an array of keys and parameters per key, ``shape=p.shape[-1:]`` returns one sample per key.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    n : int or array_like of ints
        Number of draws, a whole number from 0 to the number up to which ``dtype`` represents every count, as for
        `binomial`. Broadcasts to the result without its last axis.
    p : array_like of floats
        Weights of the classes along the last axis: finite, zero or more, and not all 0. Each weight divided by their
        sum is the probability. The axes before the last broadcast to the result.
    shape
        Shape of the counts with the axis of the classes last, as in jax; None, the default, is the shape of ``p`` and
        ``n`` together.
    dtype
        Dtype of the result: any integer or float dtype, float32 by default.
    unroll : int, optional
        Ignored; accepted for compatibility with jax.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Counts along the last axis, of shape ``key.shape + shape``, float32 by default, as in jax; any float or integer
        dtype is possible.

    Raises
    ------
    ValueError
        If a parameter is outside its range or NaN, or the shapes do not broadcast.

    See Also
    --------
    binomial : Two classes.
    categorical : The class of each draw.
    dirichlet : Random probabilities.
    multivariate_hypergeometric : Draws without replacement.

    Notes
    -----
    The probability of counts ``k`` is ``n!`` times the product of ``p[i]**k[i] / k[i]!``. Class after class, a count is
    a binomial variate of the draws that are left, in float64, so a row sums to exactly ``n``. Weights whose sum could
    overflow or be subnormal are scaled first.

    The values differ from those of ``jax.random.multinomial``, as those of `binomial` do.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.multinomial(keyrng.key(0), 10, [0.2, 0.3, 0.5], dtype="int32")
    array([5, 0, 5], dtype=int32)
    """
    dtype = number_dtype(dtype, out)
    device = device_of(key)
    place = preparation_device(device, n, p)
    weights = scaled(validated(place, non_negative(p=p), FLOAT64))
    draws = validated(place, trials(dtype)(n=n), FLOAT64)
    row_shape("p", weights, shape)
    full = full_shape(key, shape, out, n=add_axis("n", draws), p=weights)

    def error() -> str:
        return f"p must have a positive weight in every row, got {p}"

    if not weights.shape[-1]:
        if may_hold(np.asarray, draws):
            raise ValueError(error())
        return cast_to_out(key, device.empty(full, FLOAT64), dtype, out)  # 0 draws, 0 classes
    left = _sums_from(weights)
    draws = device.adopt("n", place.now(check_relation(place, _positive, draws, left[..., 0], error=error)), n)
    chances = device.adopt("p", place.apply(_chance, weights, left), p)
    if full[-1] != weights.shape[-1]:
        raise ValueError(f"the last axis of shape must have the length of p, {weights.shape[-1]}, got {shape}")

    def count(keys: Key, batch: tuple[int, ...], i: int, rest: ArrayLike) -> Array:
        n, chance = Parameter("n", rest), chances[..., i]
        if keys.size * prod(batch) < _MANY:
            return sample_kernel(binomial_kernel, keys, batch, np.float64, n, chance)
        chosen, _, *values = binomial_method(n, Parameter("p", chance), FLOAT64)
        return sample_kernel(chosen, keys, batch, np.float64, *values)

    return cast_to_out(key, _class_by_class(key, full, draws, count), dtype, out)
