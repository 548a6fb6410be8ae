"""Categorical draws: of each distribution the class whose logit plus a gumbel is largest.

For drawing several classes without replacement, the several largest: Kool, van Hoof, Welling, "Stochastic beams and
where to find them", ICML 2019, PMLR 97, 3499-3508.
"""

from __future__ import annotations

import math
from math import prod
from typing import SupportsIndex

import numpy as np

from keyrng._core.arguments import broadcast
from keyrng._core.dtypes import exact_float_of, float_of, index_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors.device import device_at, preparation_device
from keyrng._keys.derive import Key, device_of, normalize_axis
from keyrng._sampling.parameters import Array, ArrayLike, as_bool, checked_parameter
from keyrng._sampling.shapes import Shape, check_out, empty_sample, sample_shape
from keyrng.distributions._shared.gumbel_top_k import centered, gumbel_top_k
from keyrng.distributions._shared.gumbel_top_k_cuda import logit
from keyrng.distributions.gumbel import gumbel_kernel


@in_default_fpenv
def categorical(
    key: Key,
    logits: ArrayLike,
    axis: SupportsIndex = -1,
    shape: Shape | None = None,
    replace: bool = True,
    mode: str | None = None,
    *,
    out: Array | None = None,
) -> Array:
    """Classes with probabilities proportional to ``exp(logits)``, as their places along an axis of the logits.

    With an array of keys and parameters per key, ``shape=()`` returns one sample per key.

    Parameters
    ----------
    key, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    logits
        Logarithms of probabilities that need not sum to 1, -infinity for 0; one distribution along the axis, or an
        array of them. The gumbels are float64 if the logits are an array of float64, else float32.
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
        classes above -infinity, shapes that do not fit, or, as an AxisError, an axis that is out of range.

    Notes
    -----
    The largest of logit plus gumbel. The values of ``jax.random.categorical``, except where rounding decides between
    two nearly equal ones, and for 16-bit logits, which are computed in float32.

    Where the largest logit of a distribution is below -128 or above 128, it is subtracted from all of them first,
    because the sum with a gumbel is rounded to the spacing of floats at the logit: in jax one of two equal float32
    logits of -1e7 is drawn in 62 %. Without replacement a class far below the largest is still rounded so: of several
    classes with float32 logits of M below it, which is drawn first is off by about 1e-8 * M.

    With ``mode="low"`` the largest gumbel is 15.9 for float32, so classes with a probability below 1e-7 or so are drawn
    too rarely, and among 2**24 equal logits the first half is drawn in 73 %; ``mode="high"`` has neither.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.categorical(keyrng.key(2), [0.0, 1.0, 2.0], shape=(8,))
    array([1, 0, 2, 1, 0, 2, 2, 2], dtype=int32)
    >>> keyrng.categorical(keyrng.split(keyrng.key(0), 4), [[0.0, 1.0], [2.0, 0.0]]).shape
    (4, 2)
    """
    here = device_of(key)
    dtype = float_of(logits)
    values = checked_parameter(preparation_device(here, logits), logit(logits=logits), exact_float_of(logits)).value
    if not values.ndim:
        raise ValueError(f"logits has an axis of classes, got one number; type [{values}, ...]")
    axis = normalize_axis(axis, values.ndim)
    kernel = gumbel_kernel(mode, dtype)
    batch, size = values.shape[:axis] + values.shape[axis + 1 :], values.shape[axis]
    each = (np.broadcast_to(0.0, batch),)  # a number for each distribution
    full = sample_shape(key, shape, each, out)
    place = index_dtype(size, out)
    result = empty_sample(here, key, full, place, each) if out is None else check_out(key, out, full, place)

    own = full[key.ndim :]
    draws = () if as_bool("replace", replace) else own[: max(0, len(own) - len(batch))]
    rest = own[len(draws) :]
    _check_batch(batch, rest if draws else full)
    check_enough(values, axis, prod(draws))
    if result.size:
        # Of a key's axes, those after the classes are as many as in the logits; so the others come before.
        before = max(0, len(rest) - (values.ndim - 1 - axis))
        with here.current():
            xp, logit_array = here.xp, here.adopt("logits", values, logits)
            table = xp.moveaxis(logit_array, axis, -1).reshape(-1, size)
            rows = xp.broadcast_to(xp.arange(len(table)).reshape(batch), key.shape + rest)
            rows = rows.reshape(key.size, prod(rest[:before]), prod(rest[before:]))
            places = gumbel_top_k(kernel, key, centered(here.contiguous(table), dtype), rows, prod(draws))
            result[...] = xp.moveaxis(places.reshape(*key.shape, *rest, -1), -1, key.ndim).reshape(full)
    return result if out is None else out


def _check_batch(batch: tuple[int, ...], shape: tuple[int, ...]) -> None:
    if broadcast(batch, shape) != shape:
        raise ValueError(f"logits of shape {batch}, their axis left out, do not broadcast to the draws' shape {shape}")


def check_enough(logits: Array, axis: int, count: int) -> None:
    """ValueError unless every distribution along the axis has as many classes that can be drawn.

    Those in the memory of a GPU count as such; where there is none, -1 is drawn.
    """
    possible = device_at(logits).pick(_possible, _all)(logits, axis, count)
    if count == 1 and not possible:
        raise ValueError("a draw needs something of positive probability, got none")
    if possible < count:
        raise ValueError(f"{count} draws without replacement need as many of positive probability, got {possible}")


def _possible(logits: Array, axis: int, count: int) -> int:
    """The least number of classes above -infinity, of those that matter for so many draws."""
    if count > 1:
        return int((logits > -math.inf).sum(axis=axis).min(initial=count))
    return int((logits.max(axis=axis, initial=-math.inf) > -math.inf).all())


def _all(logits: Array, axis: int, count: int) -> int:
    return min(count, int(logits.shape[axis]))
