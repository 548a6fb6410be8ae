"""Random elements: choice, with and without replacement, all alike or by weight."""

from __future__ import annotations

from math import prod
from typing import Any, SupportsIndex

import numpy as np

from keyrng._core.dtypes import FLOAT32, index_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors.device import is_on_gpu, preparation_device
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.parameters import Array, ArrayLike, as_bool
from keyrng._sampling.shapes import Shape
from keyrng.distributions._shared.elements import elements_of
from keyrng.distributions._shared.gumbel_top_k import centered, gumbel_top_k
from keyrng.distributions._shared.sorting import first_k
from keyrng.distributions._shared.weighted import logarithms, weighted_indices, weights
from keyrng.distributions.categorical import check_enough
from keyrng.distributions.gumbel import gumbel_kernel
from keyrng.distributions.randint import randint


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
    """Random elements of the numbers 0 to a - 1, or of an array or of keys along an axis.

    Parameters
    ----------
    key, shape
        As for `sample_kernel`; in the result, ``shape`` takes the place of the axis: it is ``key.shape + shape`` for
        numbers, ``key.shape + a.shape[:axis] + shape + a.shape[axis + 1 :]`` for an array.
    a
        A number, an array of any dtype, or an array of keys.
    replace
        If False, no element of ``a`` is drawn twice by one key.
    p
        A weight for each element: finite, not negative, not all 0; they need not sum to 1. They are computed in
        float64: lists and arrays of the same values give the same sample. By default all elements are as likely.
    axis
        The axis of the elements.
    mode
        With ``p`` and without replacement, the random bits of a gumbel, as for `gumbel`.
    out
        An array to write to and return. With it, ``shape`` may be left out.

    Returns
    -------
    Numbers are int32, or int64 if ``a`` is more than 2**31; anything else keeps its dtype.

    Raises
    ------
    TypeError
        For an ``a`` that is neither a whole number nor has an axis.
    ValueError
        For draws from nothing, more draws without replacement than elements, or than elements with a positive weight,
        weights outside their range or not as many as elements, and, as an AxisError, an axis that is out of range.

    Notes
    -----
    Without ``p``: with replacement `randint`, without it the beginning of `permutation`; equal to
    ``jax.random.choice`` where those are.

    With ``p`` and replacement: a uniform of 53 bits is searched in the cumulative sum of the weights, in float64. Its
    first 23 bits are jax's with x64 off, so the element is jax's unless a boundary between two elements, or jax's
    float32 rounding of it, lies within a step of 2**-23 of the whole. An element of weight 0 is never drawn.

    With ``p`` and without replacement: the largest of float32 gumbels plus ``log(p)``, which is drawing one after the
    other. The values of jax with x64 off, except where rounding decides between two neighbours, or where the largest
    ``log(p)`` is beyond -128 or 128 (see `categorical`). With ``mode="low"`` the largest gumbel is 15.9, so elements
    with a share below 1e-7 or so are drawn too rarely.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.choice(keyrng.key(2), 10, (5,), replace=False)
    array([2, 9, 4, 7, 1], dtype=int32)
    >>> keyrng.choice(keyrng.key(2), ["red", "green"], (4,), p=[0.7, 0.3]).tolist()
    ['red', 'red', 'green', 'red']
    """
    here = device_of(key)
    source = elements_of(here, "a", a, axis)
    size = source.size
    given = None if p is None else weights(preparation_device(here, p), p, size)
    kernel = gumbel_kernel(mode, FLOAT32)
    full = source.draws(key, shape, out)
    source.check_out(key, full, out)
    own = full[key.ndim :]
    count = prod(own)
    again = as_bool("replace", replace)
    if count and not size:
        raise ValueError("a has no elements to draw from")
    if count > size and not again:
        raise ValueError(f"{count} draws without replacement need as many elements, a has {size}")
    if given is not None and not again:
        given = centered(logarithms(given)[np.newaxis], FLOAT32)
        check_enough(given, 1, count)

    if not prod(full):
        places = here.empty(full, index_dtype(size))
    elif given is None:
        places = randint(key, own, 0, size, index_dtype(size)) if again else first_k(key, size, count)
    elif again:
        places = weighted_indices(key, full, given, p)
    else:
        with here.current():
            rows = here.xp.zeros((key.size, 1, 1), np.intp)
        places = gumbel_top_k(kernel, key, here.adopt("p", given, p), rows, count)
    return source.take(key, places.reshape(full), out, some_missing=is_on_gpu(p))
