"""The multivariate hypergeometric distribution."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np

from keyrng._core.arguments import short_repr
from keyrng._core.dtypes import FLOAT64, DTypeLike, integer_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors.device import preparation_device
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, check_relation, wider
from keyrng._sampling.plan import Row, Steps
from keyrng._sampling.sampler import sampler_in_steps
from keyrng._sampling.shapes import Shape
from keyrng.algorithms.base import Algorithm
from keyrng.distributions._shared.last_axis import (
    add_axis,
    cast_to_out,
    full_shape,
    row_shape,
    validated,
)
from keyrng.distributions.hypergeometric import (
    LARGEST,
    _hypergeometric_fits_and_is_small,
    _hypergeometric_small,
    held_by,
    hypergeometric_kernel,
    hypergeometric_method,
)
from keyrng.distributions.multinomial import _MANY, _class_by_class, _sums_from
from keyrng.kernels.requirements import Parameter, integer_up_to


def _countable(items: Any, others: Any) -> Any:
    return items <= LARGEST - others  # the sum would be rounded


def _contained(nsample: Any, total: Any) -> Any:
    return nsample <= total


def _plans(algorithm: Algorithm, dtype: DTypeLike, colors: Any, nsample: Any) -> Iterable[Steps]:
    dtype, counts = integer_dtype(dtype), integer_up_to(LARGEST)
    if dtype.name in ("int32", "int64"):
        kernels = hypergeometric_kernel, _hypergeometric_small
        numbers = counts(nsample=nsample), Row(counts(colors=colors))
        yield Steps(kernels, numbers, dtype, FLOAT64, _hypergeometric_fits_and_is_small)


@sampler_in_steps("multivariate_hypergeometric", _plans)
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
    """Return the numbers of items per color among ``nsample`` drawn without replacement.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    colors : array_like of ints
        Numbers of items of each color along the last axis: whole numbers, zero or more, with a sum of at most 2**53.
        The axes before the last broadcast to the result.
    nsample : int or array_like of ints
        Number of items drawn, a whole number from 0 to the sum of ``colors``. Broadcasts to the result without its last
        axis.
    shape
        Shape of the array of draws, an int or a tuple of ints; None, the default, is the shape to which ``nsample`` and
        ``colors.shape[:-1]`` broadcast.
    dtype
        Dtype of the result: any integer dtype, int32 by default.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Counts along the last axis, of shape ``key.shape + shape + colors.shape[-1:]``, int32 by default; any integer
        dtype is possible that represents the largest possible count, the smaller of ``nsample`` and the items of a
        color.

    Raises
    ------
    ValueError
        If a parameter is outside its range or NaN, or the shapes do not broadcast.

    See Also
    --------
    choice : The items instead of their numbers, with ``replace=False``.
    hypergeometric : Two colors.
    multinomial : Draws with replacement.

    Notes
    -----
    The probability of counts ``k`` is the product of ``C(colors[i], k[i])`` divided by ``C(sum(colors), nsample)``.
    Color after color, a count is a hypergeometric variate of the items that are left, in float64, so a row sums to
    ``nsample``.

    The parameters are those of ``numpy.random.Generator.multivariate_hypergeometric``; ``jax.random`` does not have
    this distribution.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.multivariate_hypergeometric(keyrng.key(0), [16, 8, 4], 7)
    array([2, 4, 1], dtype=int32)
    """
    dtype = integer_dtype(dtype, out)
    device = device_of(key)
    place = preparation_device(device, colors, nsample)
    items = place.now(validated(place, integer_up_to(LARGEST)(colors=colors), FLOAT64))
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
    items = place.now(check_relation(place, held_by(dtype), items, add_axis("nsample", taken), error=not_held))
    left = _sums_from(items)  # again: on a GPU the checks make invalid colors NaN, and so their row
    total = left[..., 0] if left.shape[-1] else place.xp.zeros(left.shape[:-1])
    taken = place.now(check_relation(place, _contained, taken, total, error=too_large))
    taken = device.adopt("nsample", taken, nsample)
    others = device.adopt("colors", others, colors)
    items = device.adopt("colors", items, colors)

    def count(keys: Key, batch: tuple[int, ...], i: int, rest: ArrayLike) -> Array:
        good, bad = items[..., i], others[..., i]
        many = keys.size * prod(batch) >= _MANY
        chosen = hypergeometric_method(good, bad, rest) if many else hypergeometric_kernel
        return sample_kernel(chosen, keys, batch, np.float64, good, bad, Parameter("nsample", rest))

    return cast_to_out(key, _class_by_class(key, full, taken, count), dtype, out)
