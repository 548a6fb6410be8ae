"""A random permutation of 0 to n - 1, one element at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keyrng.algorithms import threefry2x32
from keyrng.distributions.words import _integers, bits
from keyrng.kernels.lane import kernel
from keyrng.kernels.ops import cast
from keyrng.keys import Key, _is_integer, check_key, fold_in
from keyrng.keys import key as key_of
from keyrng.parameters import Array, ArrayLike
from keyrng.sampling import draw
from keyrng.shapes import Shape

_ROUNDS = 12  # of one run of a kernel; row rounds and column rounds take turns


def _words(half: Any, number: Any, key: Any) -> Any:
    """The random function of a round: 64 bits for one half of an index."""
    return threefry2x32.block((cast(key, np.uint32), cast(key >> 32, np.uint32)), (half, number))


def _random_row(column: Any, number: Any, key: Any, rows: Any) -> Any:
    """A row, by the high word of the product of 64 bits and the number of rows: off by 2**-32 of itself at most."""
    low, high = (cast(word, np.uint64) for word in _words(column, number, key))
    return high * rows + (low * rows >> 32) >> 32


def _random_column(row: Any, number: Any, key: Any) -> Any:
    """A column and more: 32 bits, of which a mask takes what it needs."""
    return _words(cast(row, np.uint32), number, key)[0]


def _lifted(difference: Any, rows: Any) -> Any:
    """A difference of rows, with ``rows`` added if it is negative: a mask, for NumPy's where takes three times that."""
    return difference + (rows & (0 - (difference >> 63)))


def _place(index: Any, columns: Any, scale: Any) -> Any:
    """Row and column of an index, and the mask of columns: ``scale`` is 2**32 / columns, for shifts are constants."""
    mask = cast(columns - 1, np.uint32)
    return (index >> 32) * scale + ((index & 0xFFFFFFFF) * scale >> 32), cast(index, np.uint32) & mask, mask


@kernel("uint64")
def _index_shuffle(
    lane: Any, index: Any, rows: Any, columns: Any, scale: Any, first: Any, row_key: Any, column_key: Any
) -> Any:
    row, column, mask = _place(index, columns, scale)
    first = cast(first, np.uint32)
    for i in range(0, _ROUNDS, 2):
        row = _lifted(row + _random_row(column, first + i, row_key, rows) - rows, rows)
        column = (column + _random_column(row, first + (i + 1), column_key)) & mask
    return row * columns + cast(column, np.uint64)


@kernel("uint64")
def _index_unshuffle(
    lane: Any, index: Any, rows: Any, columns: Any, scale: Any, first: Any, row_key: Any, column_key: Any
) -> Any:
    row, column, mask = _place(index, columns, scale)
    first = cast(first, np.uint32)
    for i in reversed(range(0, _ROUNDS, 2)):
        column = (column - _random_column(row, first + (i + 1), column_key)) & mask
        row = _lifted(row - _random_row(column, first + i, row_key, rows), rows)
    return row * columns + cast(column, np.uint64)


def index_shuffle(key: Key, index: ArrayLike, n: int, *, inverse: bool = False, out: Array | None = None) -> Array:
    """Elements of a random permutation of 0 to ``n - 1``, each computed from its index alone.

    Parameters
    ----------
    key
        A key, or an array of keys: each gives its own permutation.
    index
        Integers from 0 to ``n - 1``: which elements of the permutation.
    n
        The length of the permutation, from 1 to 2**63. Nothing of that length is made or kept.
    inverse
        Whether to go back: from elements to the indices where they stand.
    out
        As for `draw`: the result is int64 and has shape ``key.shape + index.shape``.

    Raises
    ------
    TypeError
        For an index or ``n`` that is no integer, or a wrong kind of argument.
    ValueError
        For an ``n`` outside 1 to 2**63, or an index outside 0 to ``n - 1``.

    Notes
    -----
    A Feistel network on a rectangle of at least ``n`` places, whose rounds are Threefry-2x32 blocks; what falls outside
    of ``n`` goes through it again. Luby, Rackoff, SIAM Journal on Computing 17 (1988), 373-386; Black, Rogaway,
    "Ciphers with arbitrary finite domains", CT-RSA 2002, 114-130. Uniform over all permutations as far as tests can
    see; record 0008 in docs/design has the evidence. The permutations that a key gives for other ``n`` are unrelated.

    Examples
    --------
    >>> import keyrng
    >>> key = keyrng.key(0)
    >>> keyrng.index_shuffle(key, range(10), 10)
    array([6, 4, 3, 0, 2, 1, 9, 8, 5, 7])
    >>> keyrng.index_shuffle(key, 123, 10**12)
    array(365286333847)
    >>> keyrng.index_shuffle(key, 365286333847, 10**12, inverse=True)
    array(123)
    """
    check_key(key)
    n = _length(n)
    start = _indices(index, n)
    keys = bits(fold_in(key, n), (2,), np.uint64).reshape(*key.shape, *(1,) * start.ndim, 2)
    row_keys, column_keys = keys[..., 0], keys[..., 1]
    result = _permuted(start, n, row_keys, column_keys, key.shape + start.shape, inverse, out)
    # What lies outside goes on until it is inside: of the places inside, that is a permutation.
    whole = np.atleast_1d(result)
    outside = np.nonzero(whole > n - 1)
    while outside[0].size:
        row, column = (np.broadcast_to(k, whole.shape)[outside] for k in (row_keys, column_keys))
        moved = _permuted(whole[outside], n, row, column, outside[0].shape, inverse)
        whole[outside] = moved
        still = moved > n - 1
        outside = tuple(axis[still] for axis in outside)
    return result


def _permuted(
    index: Array, n: int, row_keys: Array, column_keys: Array, shape: Shape, inverse: bool, out: Array | None = None
) -> Array:
    """Once through the network."""
    columns = 2 ** (n.bit_length() // 2)
    rows = -(-n // columns)
    turns = range(0, _runs(rows, columns) * _ROUNDS, _ROUNDS)
    unused = key_of(0)  # for `draw`: these kernels ask their lane for nothing
    chosen = _index_unshuffle if inverse else _index_shuffle
    for first in reversed(turns) if inverse else turns:
        sizes = (rows, columns, 2**32 // columns, first)
        index = out = draw(chosen, unused, shape, np.int64, index, *sizes, row_keys, column_keys, out=out)
    return index


def _runs(rows: int, columns: int) -> int:
    """How many runs of the kernel make a permutation that no test tells from a uniform one: more, the smaller it is.

    The distance from the uniform distribution falls with each round by a factor of the shorter side, as chi-squares
    measure it, or near to it; this asks for a factor of 2**64 (docs/design/0008-index-shuffle.md).
    """
    return math.ceil(64 / (_ROUNDS * math.log2(max(2, min(rows, columns)))))


def _length(n: Any) -> int:
    if not _is_integer(n):
        raise TypeError(f"n is an int, got {n!r}")
    if not 1 <= n <= 2**63:
        raise ValueError(f"n must be from 1 to 2**63, got {n}")
    return int(n)


def _indices(index: ArrayLike, n: int) -> Array:
    array = _integers("index", index)
    if array.size:
        for extreme in (int(array.min()), int(array.max())):
            if not 0 <= extreme < n:
                raise ValueError(f"index must be from 0 to n - 1, got {extreme} with n = {n}")
    return array.astype(np.uint64)
