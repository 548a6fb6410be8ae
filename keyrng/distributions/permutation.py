"""Random orders."""

from __future__ import annotations

from typing import Any, SupportsIndex

from keyrng._keys.derive import Key, device_of
from keyrng._sampling.parameters import Array, ArrayLike, as_bool
from keyrng.distributions._shared.elements import elements_of
from keyrng.distributions._shared.sorting import orders


def permutation(
    key: Key, x: ArrayLike | Key, axis: SupportsIndex = 0, independent: bool = False, *, out: Array | None = None
) -> Any:
    """A random order of the numbers 0 to x - 1, or of the elements of an array or of keys along an axis.

    Parameters
    ----------
    key
        A key, or an array of keys: each gives its own order, and the result has shape ``key.shape + x.shape``.
    x
        A number, an array of any dtype, or an array of keys.
    axis
        The axis along which elements, or whole slices, change places.
    independent
        If True, every line along the axis gets an order of its own.
    out
        An array to write to and return; it may be ``x`` itself.

    Returns
    -------
    Numbers are int32, or int64 if ``x`` is more than 2**31; anything else keeps its dtype.

    Raises
    ------
    TypeError
        For an ``x`` that is neither a whole number nor has an axis.
    ValueError
        For a negative number, more than 2**32 elements, or, as an AxisError, an axis that is out of range.

    Notes
    -----
    Sorted by words of 32 random bits: once, twice from 1626 elements on, three times from 2,642,246 on. Two elements
    that draw equal words each time keep their order; among n elements this happens with a probability below 1 / (2 n).
    The values of ``jax.random.permutation``, which takes a negative number for 0 and refuses arrays of keys. A
    permutation of 5 is not the beginning of a permutation of 6.

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
