"""Random permutations."""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np

from keyrng._keys.derive import Key, device_of
from keyrng._keys.entry import calls_c_first, plan_of_int
from keyrng._sampling.parameters import Array, ArrayLike, as_bool
from keyrng.distributions._shared.elements import elements_of
from keyrng.distributions._shared.sorting import orders


@calls_c_first("permutation", plan_of_int(np.dtype(np.int32)))
def permutation(
    key: Key, x: ArrayLike | Key, axis: SupportsIndex = 0, independent: bool = False, *, out: Array | None = None
) -> Any:
    """Return a random permutation of the integers below ``x``, of an array or of an array of keys.

    Parameters
    ----------
    key
        A key, or an array of keys with one permutation each.
    x : int, array_like or Key
        The elements: an int means the integers from 0 to ``x - 1``; an array can have any dtype.
    axis : int, optional
        Axis along which elements, or whole slices, are shuffled; the first one by default.
    independent : bool, optional
        If True, every line along the axis is shuffled by itself. False by default.
    out
        Array to write to and return, of the shape and dtype of the result; it can be ``x`` itself.

    Returns
    -------
    ndarray or Key
        The shuffled elements, of shape ``key.shape + x.shape``. For an int the dtype is int32, or int64 if ``x`` is
        more than 2**31; an array keeps its dtype.

    Raises
    ------
    TypeError
        If ``x`` is neither a whole number nor an array with an axis.
    ValueError
        If ``x`` is negative or has more than 2**32 elements; an AxisError, which is a ValueError, if ``axis`` is out of
        range.

    See Also
    --------
    choice : Some of the elements, with ``replace=False``.
    index_shuffle : Elements of a permutation that is never stored.
    shuffled_batches : The order of examples in each epoch of training.

    Notes
    -----
    Elements are sorted by random words of 32 bits: in one round, in two for 1626 elements or more, and in three for
    2,642,246 or more. Two elements whose words are equal in each round keep their order; among n elements this happens
    with a probability below 1 / (2 n). A permutation of 5 is not a prefix of a permutation of 6.

    The values are those of ``jax.random.permutation``, which takes a negative number for 0 and refuses arrays of keys.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.permutation(keyrng.key(2), 5)
    array([2, 4, 1, 3, 0], dtype=int32)
    >>> keyrng.permutation(keyrng.key(2), ["a", "b", "c"]).tolist()
    ['c', 'b', 'a']
    """
    source = elements_of(device_of(key), "x", x, axis)
    if not as_bool("independent", independent):
        if out is not None:
            source.check_out(key, (*key.shape, source.size), out)
        return source.take(key, orders(key, (source.size,)), out)
    elements = source.flat()
    elements.check_out(key, key.shape + source.shape, out)
    return elements.take(key, orders(key, source.shape, source.axis), out)
