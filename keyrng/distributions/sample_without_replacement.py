"""Distinct integers: elements of a permutation that is not stored."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from keyrng._core.arguments import Int
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.parameters import Array
from keyrng._sampling.plan import Steps
from keyrng._sampling.sampler import sampler_in_steps
from keyrng._sampling.shapes import Shape, empty_sample, sample_shape
from keyrng.algorithms.base import Algorithm
from keyrng.distributions.index_shuffle import index_shuffle, permutation_length, walks


def _plans(algorithm: Algorithm, dtype: Any, n: Any) -> Iterator[Steps]:
    return walks(n)


@sampler_in_steps("sample_without_replacement", _plans)
def sample_without_replacement(key: Key, n: Int, shape: Shape = (), *, out: Array | None = None) -> Array:
    """Return distinct integers from 0 to ``n - 1``, in time and memory proportional to their number.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    n : int
        Number of integers to draw from, from 1 to 2**63, or 0 for a result without elements.
    shape
        Shape of each key's sample, an int or a tuple of ints; () by default.
    out
        Array of integers to write to and return, of shape ``key.shape + shape``.

    Returns
    -------
    ndarray
        Integers in [0, n - 1], of shape ``key.shape + shape``, in random order and distinct for each key; int64, or the
        integer dtype of ``out``.

    Raises
    ------
    TypeError
        If ``n`` is not an integer, or an argument is of a wrong kind.
    ValueError
        If ``n`` is outside 1 to 2**63, or there are more draws than integers.

    See Also
    --------
    choice : With ``replace=False``, the draws of jax, in time proportional to ``n``.
    index_shuffle : Any elements of the same permutation, and its inverse.
    permutation : All integers in random order.

    Notes
    -----
    The draws are the first elements of a permutation that is not stored, ``index_shuffle(key, np.arange(k), n)`` for
    ``k`` draws, so a longer sample begins with a shorter one. They differ from those of `choice`, whose values are
    jax's: `choice` sorts random words for all ``n`` elements. To draw elements of an array, index it with the result:
    ``x[sample_without_replacement(key, len(x), k)]``.

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
