"""Distinct integers: elements of a permutation that is not stored."""

from __future__ import annotations

from math import prod

import numpy as np

from keyrng._core.arguments import Int
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.parameters import Array
from keyrng._sampling.shapes import Shape, empty_sample, sample_shape
from keyrng.distributions.index_shuffle import index_shuffle, permutation_length


def sample_without_replacement(key: Key, n: Int, shape: Shape = (), *, out: Array | None = None) -> Array:
    """Distinct integers from 0 to ``n - 1``, in time and memory proportional to their number.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result is int64, or of the integers of ``out``, and has shape ``key.shape + shape``.
    n
        The number of integers to draw from, from 1 to 2**63, or 0 for a result without elements.

    Raises
    ------
    TypeError
        For an ``n`` that is not an integer, or a wrong kind of argument.
    ValueError
        For an ``n`` outside 1 to 2**63, or more draws than integers.

    See Also
    --------
    index_shuffle : The permutation, element by element, and its inverse.
    choice : With ``replace=False``, the values of jax; its time is proportional to ``n``.

    Notes
    -----
    The result is ``index_shuffle(key, np.arange(k).reshape(shape), n)`` for ``k`` draws, so a larger draw begins with a
    smaller one. It is not the sample that `choice` draws, whose values are jax's: these are the beginning of
    `permutation`, which reads random words for all ``n`` elements. Use this function for few of many, and index an
    array with the result: ``x[sample_without_replacement(key, len(x), k)]``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.sample_without_replacement(keyrng.key(0), 10**12, 3)
    array([167136633721, 661328250054, 818221259882])
    """
    device = device_of(key)
    full = sample_shape(key, shape, (), out)
    own = full[key.ndim :]
    count = prod(own)
    if permutation_length(n, count) < count:
        raise ValueError(f"{count} draws without replacement need as many integers, got n = {n}")
    result = empty_sample(device, key, full, np.dtype(np.int64)) if out is None else out
    with device.current():
        index = device.xp.arange(count).reshape(own)
    return index_shuffle(key, index, n, out=result)
