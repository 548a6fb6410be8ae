"""Elements of a random permutation of 0 to n - 1, each computed from its index."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from keyrng._core.arguments import Int, cast_array, short_repr
from keyrng._core.dtypes import Dtype, index_dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._executors.device import Device, device_of_values, drop_broadcast_axes
from keyrng._keys.create import key as key_of
from keyrng._keys.derive import Key, device_of, fold_in, is_integer
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array, ArrayLike, as_bool
from keyrng._sampling.plan import Integer, Steps, Truth, UnknownNumber
from keyrng._sampling.sampler import sampler_in_steps
from keyrng._sampling.shapes import Shape, check_out
from keyrng.algorithms import threefry2x32
from keyrng.algorithms.base import Algorithm
from keyrng.distributions._shared.words import bits_kernel
from keyrng.distributions.bits import bits
from keyrng.distributions.randint import integer_array
from keyrng.kernels.lane import Kernel, kernel
from keyrng.kernels.ops import cast, where

_ROUNDS = 12  # rounds of one run of a kernel; row rounds and column rounds alternate


def _words(half: Any, number: Any, key: Any) -> Any:
    """Return the round function: 64 bits for one half of an index."""
    return threefry2x32.block((cast(key, np.uint32), cast(key >> 32, np.uint32)), (half, number))


def _random_row(column: Any, number: Any, key: Any, rows: Any) -> Any:
    """Return a random row, the high word of 64 bits times ``rows``; its bias is at most 2**-32 of its probability."""
    low, high = (cast(word, np.uint64) for word in _words(column, number, key))
    return high * rows + (low * rows >> 32) >> 32


def _random_column(row: Any, number: Any, key: Any) -> Any:
    """Return 32 random bits; the caller masks out a column."""
    return _words(cast(row, np.uint32), number, key)[0]


def _lifted(difference: Any, rows: Any) -> Any:
    """Add ``rows`` to a negative difference of rows, by a mask: NumPy's where takes three times as long."""
    return difference + (rows & (0 - (difference >> 63)))


def _place(index: Any, columns: Any, scale: Any) -> Any:
    """Return row and column of an index, and the mask of columns.

    ``scale`` is 2**32 / columns: a multiplication, because the kernel language shifts by constants only.
    """
    mask = cast(columns - 1, np.uint32)
    return (index >> 32) * scale + ((index & 0xFFFFFFFF) * scale >> 32), cast(index, np.uint32) & mask, mask


def _forwards(index: Any, rows: Any, columns: Any, scale: Any, first: Any, row_key: Any, column_key: Any) -> Any:
    row, column, mask = _place(index, columns, scale)
    first = cast(first, np.uint32)
    for i in range(0, _ROUNDS, 2):
        row = _lifted(row + _random_row(column, first + i, row_key, rows) - rows, rows)
        column = (column + _random_column(row, first + (i + 1), column_key)) & mask
    return row * columns + cast(column, np.uint64)


def _backwards(index: Any, rows: Any, columns: Any, scale: Any, first: Any, row_key: Any, column_key: Any) -> Any:
    row, column, mask = _place(index, columns, scale)
    first = cast(first, np.uint32)
    for i in reversed(range(0, _ROUNDS, 2)):
        column = (column - _random_column(row, first + (i + 1), column_key)) & mask
        row = _lifted(row - _random_row(column, first + i, row_key, rows), rows)
    return row * columns + cast(column, np.uint64)


@kernel("uint64", abreast=2, word_bits=32)
def _index_shuffle(
    lane: Any, index: Any, rows: Any, columns: Any, scale: Any, first: Any, row_key: Any, column_key: Any
) -> Any:
    return _forwards(index, rows, columns, scale, first, row_key, column_key)


@kernel("uint64", abreast=2, word_bits=32)
def _index_unshuffle(
    lane: Any, index: Any, rows: Any, columns: Any, scale: Any, first: Any, row_key: Any, column_key: Any
) -> Any:
    return _backwards(index, rows, columns, scale, first, row_key, column_key)


def _walk(network: Any, change: int) -> Any:
    """Return the function of a GPU's kernel: it passes an index through the network until it is inside ``n``.

    The first round of a run is ``begin``, ..., ``end`` in steps of ``change``; ``most`` is ``n - 1``.
    """

    def step(
        place: Any, first: Any, most: Any, rows: Any, columns: Any, scale: Any, begin: Any, end: Any, *keys: Any
    ) -> Any:
        place, last = network(place, rows, columns, scale, first, *keys), first == end
        return last & (place <= most), place, where(last, begin, first + change % 2**64)

    def walk(lane: Any, index: Any, most: Any, rows: Any, columns: Any, scale: Any, begin: Any, end: Any) -> Any:
        inside = index <= most
        state = where(inside, index, 0), begin
        place = lane.loop(step, state, most, rows, columns, scale, begin, end, *lane.shared_words(2, 64))
        return cast(where(inside, place, 2**64 - 1), np.int64)

    return walk


_FORWARDS = Kernel(_walk(_forwards, _ROUNDS), "index_walk", ())
_BACKWARDS = Kernel(_walk(_backwards, -_ROUNDS), "index_walk_back", ())


def walks(n: Any, inverse: Any = False) -> Iterator[Steps]:
    """Yield the plans of elements by index."""
    for chosen, backwards in ((_index_shuffle, False), (_index_unshuffle, True)):
        if inverse is backwards or type(inverse) is UnknownNumber:
            parameters = Integer(n, 1, 2**63 - 1), Truth(inverse, backwards)
            yield Steps((chosen, bits_kernel), parameters, np.dtype(np.int64), np.dtype(np.uint64))


def _plans(algorithm: Algorithm, dtype: Any, index: Any, n: Any, inverse: Any = False) -> Iterator[Steps]:
    return walks(n, inverse)


@sampler_in_steps("index_shuffle", _plans)
@in_default_fpenv
def index_shuffle(key: Key, index: ArrayLike, n: Int, *, inverse: bool = False, out: Array | None = None) -> Array:
    """Return elements of a random permutation of 0 to ``n - 1``, each computed from its index alone.

    Parameters
    ----------
    key
        A key, or an array of keys with one permutation each.
    index : int or array_like of ints
        Which elements of the permutation: integers in [0, n - 1].
    n : int
        Length of the permutation, from 1 to 2**63, or 0 if there is no index. No array of this length is made.
    inverse : bool, optional
        Whether to apply the inverse permutation, which maps an element to its index. False by default.
    out
        Array of integers to write to and return, of shape ``key.shape + index.shape``.

    Returns
    -------
    ndarray
        Integers in [0, n - 1], of shape ``key.shape + index.shape``; int64, or the integer dtype of ``out``.

    Raises
    ------
    TypeError
        If ``index`` or ``n`` is not an integer, or an argument is of a wrong kind.
    ValueError
        If ``n`` is outside 1 to 2**63, or an index is outside 0 to ``n - 1``.

    See Also
    --------
    permutation : A permutation as an array.
    shuffled_batches : The order of examples in each epoch of training, by this function.

    Notes
    -----
    The permutation is a Feistel network [1]_ on a rectangle of at least ``n`` cells, whose round function is a
    Threefry-2x32 block. An index outside ``n`` passes through the network again [2]_. The permutation is uniform over
    all permutations as far as tests can see; docs/design/0008-index-shuffle.md has the evidence. The permutations that
    a key gives for other ``n`` are unrelated.

    References
    ----------
    .. [1] M. Luby, C. Rackoff, "How to construct pseudorandom permutations from pseudorandom functions", SIAM Journal
       on Computing 17 (1988), 373-386. https://doi.org/10.1137/0217022
    .. [2] J. Black, P. Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002, LNCS 2271, 114-130.
       https://doi.org/10.1007/3-540-45760-7_9

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
    device, inverse = device_of(key), as_bool("inverse", inverse)
    start, n = device_of_values(index).pick(_cpu_indices, _cuda_indices)(device, index, n)
    permute = device.pick(_cpu_elements, _cuda_elements)
    return permute(key, start, n, fold_in(key, n), inverse, index_dtype(n, out, narrow=np.int64), out)


def _cpu_elements(key: Key, start: Array, n: int, child: Key, inverse: bool, dtype: Dtype, out: Array | None) -> Array:
    shape = key.shape + start.shape
    keys = bits(child, (2,), np.uint64).reshape(*key.shape, *(1,) * start.ndim, 2)
    row_keys, column_keys = keys[..., 0], keys[..., 1]
    place = None if out is None else check_out(key, out, shape, dtype)
    result = _permuted(start, n, row_keys, column_keys, shape, inverse, place if dtype == np.int64 else None)
    # Indices outside n pass through the network until they are inside, which permutes the indices inside.
    whole = np.atleast_1d(result)
    outside = np.nonzero(whole > n - 1)
    while outside[0].size:
        row, column = (np.broadcast_to(k, whole.shape)[outside] for k in (row_keys, column_keys))
        moved = _permuted(whole[outside], n, row, column, outside[0].shape, inverse)
        whole[outside] = moved
        still = moved > n - 1
        outside = tuple(axis[still] for axis in outside)
    if place is not None and place is not result:
        place[...] = result
    return result if out is None else out


def _cuda_elements(key: Key, start: Array, n: int, child: Key, inverse: bool, dtype: Dtype, out: Array | None) -> Array:
    """Return the elements on a GPU, by one kernel; an invalid index gives -1."""
    sizes, turns = _network(n, inverse)
    chosen = _BACKWARDS if inverse else _FORWARDS
    numbers = (n - 1, *sizes, turns[0], turns[-1])
    return sample_kernel(chosen, child, start.shape, dtype, start, *numbers, compute=np.uint64, out=out)


def _sides(n: int) -> tuple[int, int]:
    """Return the numbers of rows and columns of the rectangle."""
    columns = 2 ** (n.bit_length() // 2)
    return -(-n // columns), columns


def _permuted(
    index: Array, n: int, row_keys: Array, column_keys: Array, shape: Shape, inverse: bool, out: Array | None = None
) -> Array:
    """Pass indices through the network once."""
    sizes, turns = _network(n, inverse)
    unused = key_of(0)  # `sample_kernel` requires a key; these kernels draw no bits
    chosen = _index_unshuffle if inverse else _index_shuffle
    for first in turns:
        arguments = (*sizes, first, row_keys, column_keys)
        index = out = sample_kernel(chosen, unused, shape, np.int64, index, *arguments, out=out)
    return index


def _network(n: int, inverse: bool) -> tuple[tuple[int, int, int], Sequence[int]]:
    """Return rows, columns and scale of the kernel's runs, and the first round of each run."""
    rows, columns = _sides(n)
    turns = range(0, _runs(rows, columns) * _ROUNDS, _ROUNDS)
    return (rows, columns, 2**32 // columns), turns[::-1] if inverse else turns


def _runs(rows: int, columns: int) -> int:
    """Return how many runs of the kernel make the permutation indistinguishable from a uniform one.

    The distance from the uniform distribution, measured by chi-squares, falls with each round by about a factor of the
    shorter side, so a short permutation needs more runs. They give a factor of at least 2**64
    (docs/design/0008-index-shuffle.md).
    """
    return math.ceil(64 / (_ROUNDS * math.log2(max(2, min(rows, columns)))))


def permutation_length(n: Any, count: int) -> int:
    """Check the length of a permutation of which ``count`` elements are wanted; it can be 0 if these are none."""
    if not is_integer(n):
        raise TypeError(f"n must be an int, got {short_repr(n)}")
    if not (0 if count == 0 else 1) <= n <= 2**63:
        raise ValueError(f"n must be from 1 to 2**63, got {short_repr(n)}")
    return max(int(n), 1)


def _cuda_indices(device: Device, index: ArrayLike, n: Any) -> tuple[Array, int]:
    """Return the indices, whose values are not checked, and ``n``, checked."""
    array = device.array("index", index)
    if array.dtype.kind not in "iu":
        raise TypeError(f"index must be an integer or an array of integers, got {array.dtype}")
    return array, permutation_length(n, array.size)


def _cpu_indices(device: Device, index: ArrayLike, n: Any) -> tuple[Array, int]:
    """Return the indices and ``n``, checked."""
    array = integer_array("index", index)
    n = permutation_length(n, array.size)
    if array.size:
        for extreme in (int(drop_broadcast_axes(array).min()), int(drop_broadcast_axes(array).max())):
            if not 0 <= extreme < n:
                raise ValueError(f"index must be from 0 to n - 1, got {short_repr(extreme)} with n = {n}")
    return device.adopt("index", cast_array("index", array, np.dtype(np.uint64)), index), n
