"""Random elements, with or without replacement, with equal probabilities or by weight."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any, SupportsIndex

import numpy as np

from keyrng._core.dtypes import FLOAT32, FLOAT64, compute_dtype, index_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors.device import is_on_gpu, preparation_device
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.parameters import Array, ArrayLike, as_bool
from keyrng._sampling.plan import Divisor, Integer, Steps, Truth
from keyrng._sampling.sampler import sampler_in_steps
from keyrng._sampling.shapes import Shape
from keyrng.algorithms.base import Algorithm
from keyrng.distributions._shared.elements import elements_of
from keyrng.distributions._shared.gumbel_top_k import centered, gumbel_top_k
from keyrng.distributions._shared.sorting import first_k
from keyrng.distributions._shared.weighted import logarithms, part_kernel, weight_row, weighted_indices, weights
from keyrng.distributions.categorical import check_enough
from keyrng.distributions.gumbel import gumbel_kernel
from keyrng.distributions.randint import _SMALL_SPAN, _randint, _randint_small, randint

_SHORT = 4096  # elements that C sorts for a small sample


def _plans(algorithm: Algorithm, dtype: Any, a: Any, replace: Any = True, p: Any = None) -> Iterable[Steps]:
    size, again, dtype = Integer(a, 1, 2**31 - 1), Truth(replace, True), index_dtype(1)
    words = compute_dtype(dtype)
    if p is not None:
        yield Steps((part_kernel(algorithm),), (again, size, weight_row(p)), dtype, FLOAT64)
        return
    small = again, Integer(a, 1, _SMALL_SPAN), Divisor.INVERSE, Divisor.CARRY
    yield Steps((_randint_small,), small, dtype, words)
    yield Steps((_randint,), (again, size), dtype, words)
    if replace is not True:
        yield Steps((), (Truth(replace, False), Integer(a, 2, _SHORT)), dtype, FLOAT64)


@sampler_in_steps("choice", _plans)
@in_default_fpenv
def choice(
    key: Key,
    a: ArrayLike | Key,
    shape: Shape = (),
    replace: bool = True,
    p: ArrayLike | None = None,
    axis: SupportsIndex = 0,
    mode: str | None = None,
    *,
    out: Array | None = None,
) -> Any:
    """Return random elements of the integers below ``a``, of an array or of an array of keys.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    a : int, array_like or Key
        The elements: an int means the integers from 0 to ``a - 1``; an array can have any dtype.
    shape
        Shape of the draws of one key, an int or a tuple of ints; one draw by default. In the result it takes the place
        of the axis of the elements.
    replace : bool, optional
        Whether an element can be drawn more than once by one key; True by default.
    p : array_like of floats, optional
        Weight of each element: finite, not negative, and not all 0. Weights need not sum to 1, and are computed in
        float64: lists and arrays of the same values give the same sample. By default all elements have equal
        probability.
    axis : int, optional
        Axis of the elements; the first one by default.
    mode : {"low", "high", "highest"}, optional
        With ``p`` and without replacement, the number of random bits of a Gumbel variate, as for `gumbel`.
    out
        Array to write to and return, for elements that are not keys; with it, ``shape`` can be left out.

    Returns
    -------
    ndarray or Key
        The elements drawn. For an int the shape is ``key.shape + shape`` and the dtype int32, or int64 if ``a`` is more
        than 2**31. For an array the shape is ``key.shape + a.shape[:axis] + shape + a.shape[axis + 1:]``, and the dtype
        is that of ``a``.

    Raises
    ------
    TypeError
        If ``a`` is neither a whole number nor an array with an axis.
    ValueError
        If there are no elements to draw from, more draws without replacement than elements or than elements of positive
        weight, a weight that is negative or not finite, or not one weight per element; an AxisError, which is a
        ValueError, if ``axis`` is out of range.

    See Also
    --------
    categorical : Indices by logits instead of weights.
    permutation : All elements in random order.
    randint : Integers of an interval.
    sample_without_replacement : Few distinct integers of many, in time proportional to their number.

    Notes
    -----
    Without ``p`` the draws are those of `randint` with replacement, and the first ones of `permutation` without. The
    values are those of ``jax.random.choice`` where those of these two functions are.

    With ``p`` and replacement, a uniform of 53 bits is searched in the cumulative sum of the weights in float64. Its
    first 23 bits are those of jax with x64 off, so the element is that of jax unless a boundary between two elements,
    or jax's float32 rounding of the boundary, lies within 2**-23 of the whole. An element of weight 0 is never drawn.

    With ``p`` and without replacement, the elements drawn are those with the largest sums of a float32 Gumbel variate
    and ``log(p)``, which has the distribution of successive draws. The values are those of jax with x64 off, except
    where rounding decides between two neighbors, or where the largest ``log(p)`` is below -128 or above 128 (see
    `categorical`). With ``mode="low"`` the largest Gumbel variate is 15.9, so elements with a share below about 1e-7
    are drawn too rarely.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.choice(keyrng.key(2), 10, (5,), replace=False)
    array([2, 9, 4, 7, 1], dtype=int32)
    >>> keyrng.choice(keyrng.key(2), ["red", "green"], (4,), p=[0.7, 0.3]).tolist()
    ['red', 'red', 'green', 'red']
    """
    device = device_of(key)
    source = elements_of(device, "a", a, axis)
    size = source.size
    given = None if p is None else weights(preparation_device(device, p), p, size)
    kernel = gumbel_kernel(mode, FLOAT32)
    full = source.draws(key, shape, out)
    source.check_out(key, full, out)
    own = full[key.ndim :]
    count = prod(own)
    again = as_bool("replace", replace)
    if count and not size:
        raise ValueError("a must not be empty")
    if count > size and not again:
        raise ValueError(f"{count} draws without replacement require as many elements, got {size}")
    if given is not None and not again:
        given = centered(logarithms(given)[np.newaxis], FLOAT32)
        check_enough(given, 1, count)

    if not prod(full):
        places = device.empty(full, index_dtype(size))
    elif given is None:
        places = randint(key, own, 0, size, index_dtype(size)) if again else first_k(key, size, count)
    elif again:
        places = weighted_indices(key, full, given, p)
    else:
        rows = np.zeros((key.size, 1, 1), np.intp)  # all draws are from the same row
        places = gumbel_top_k(kernel, key, device.adopt("p", given, p), rows, count)
    return source.take(key, places.reshape(full), out, some_missing=is_on_gpu(p))
