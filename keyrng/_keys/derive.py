"""Functions that derive keys from keys.

A key is an immutable value; drawing from it does not change it.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from keyrng._core.arguments import Shape, as_base_array, as_int, broadcast, check_sizes, short_repr
from keyrng._core.arguments import is_integer as is_integer
from keyrng._core.arguments import kind_of as kind_of
from keyrng._core.arguments import normalize_axis as normalize_axis
from keyrng._core.numbers import integers
from keyrng._executors.device import device_at, drop_broadcast_axes, is_on_gpu
from keyrng._executors.select import executor_for
from keyrng._keys.create import hint, number_text
from keyrng._keys.entry import calls_c_first, plan_of_int
from keyrng._keys.key import Array, Key
from keyrng._keys.key import check_key as check_key
from keyrng._keys.key import device_of as device_of
from keyrng._keys.key import wrap_words as wrap_words
from keyrng._keys.serialize import number_of
from keyrng._keys.stack import concatenate, stack
from keyrng.algorithms.base import Domain

__all__ = [
    "Key",
    "clone",
    "concatenate",
    "fold_in",
    "split",
    "stack",
]

_DATA_HINTS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    ((bool, np.bool_), "int(data) is 0 or 1"),
    ((float, np.floating), "int(data) is a number to fold in, str(data) a name"),
    (np.ndarray, 'data.astype("uint64") makes numbers to fold in'),
    (
        list,
        "tuple(data) is folded in one element after the other, np.array(data) gives one key per number "
        "(np.array(data, 'uint64') if they are large)",
    ),
    (tuple, "tuples must not be nested"),
    (Key, "keyrng.key_data(key) gives its words"),
    ((bytearray, memoryview), "bytes(data) is a name"),
)

_WORDS = 2**60  # of 8 bytes; arrays have less
_MANY = 2**32  # from this number of children on, their shape is checked


@calls_c_first("split", plan_of_int(), default=2)
def split(key: Key, num: Shape = 2) -> Key:
    """Return ``num`` new keys from each key.

    Parameters
    ----------
    key : Key
        A key, or an array of keys.
    num : int or tuple of ints, optional
        Number of new keys of each key, or their shape; 2 by default.

    Returns
    -------
    Key
        Keys of shape ``key.shape + num``.

    Raises
    ------
    TypeError
        If ``num`` is not an integer or a tuple of integers.
    ValueError
        If a number is negative.

    See Also
    --------
    fold_in : One new key, by number or by name.
    keys_like : A key for each leaf of a tree.

    Notes
    -----
    Child i, counted in memory order, is ``fold_in(key, i)``, and does not depend on ``num``. With ``threefry2x32`` use
    a key once, for sampling or for splitting: sample from its children, not from the key. With this algorithm the
    children are those of ``jax.random.split``.

    Examples
    --------
    >>> import keyrng
    >>> key, subkey = keyrng.split(keyrng.key(42))
    >>> keyrng.split(keyrng.key(42))
    Key((2,), key<fry>,
        [[0x6d3e048f 0x1022172d]
         [0x03d7b32d 0xadd083f4]])
    """
    parent = check_key(key)
    words, algorithm = parent._words, parent._algorithm
    if type(num) is int and 0 < num < _MANY and words.ndim == 1:
        executor = executor_for(algorithm, words)
        if type(words) is not np.ndarray:
            return wrap_words(algorithm, executor.children(algorithm, words, 0, num))
        return wrap_words(algorithm, executor.children(algorithm, words[None], 0, num)[0])
    shape = num if isinstance(num, (tuple, list)) else (num,)
    shape = tuple(as_int("num", n) for n in shape)
    if any(n < 0 for n in shape):
        raise ValueError(f"num must be non-negative, got {short_repr(num)}")
    full = (*words.shape[:-1], *shape, algorithm.key_words)
    check_sizes("num", full, _WORDS)
    if not prod(full):
        return wrap_words(algorithm, device_at(words).empty(full, algorithm.dtype))
    made = executor_for(algorithm, words).children(algorithm, words.reshape(-1, algorithm.key_words), 0, prod(shape))
    return wrap_words(algorithm, made.reshape(full))


@calls_c_first("fold_in", plan_of_int())
def fold_in(key: Key, data: int | np.integer[Any] | Array | str | bytes | tuple[Any, ...]) -> Key:
    """Return the child of each key that belongs to an integer or a name.

    Parameters
    ----------
    key : Key
        A key, or an array of keys.
    data : int, array of ints, str, bytes or tuple of these
        Which children:

        - An int from 0 to 2**64 - 1: the child of that number, as of `split`.
        - An array of such integers: ``key.shape`` and ``data.shape`` broadcast, and ``fold_in(keys[:, None], data)``
          pairs every key with every number. For keys on a GPU the array must be there too, and unsigned, because
          checking signs would synchronize.
        - A str (its UTF-8 bytes) or bytes: the child of that name, which is hashed by BLAKE2b.
        - A tuple of these, folded in one after the other: ``fold_in(key, ("layer", 3))``.

    Returns
    -------
    Key
        Keys of shape ``key.shape``, or of the shape to which ``key.shape`` and ``data.shape`` broadcast.

    Raises
    ------
    TypeError
        If ``data`` is of another kind.
    ValueError
        If an integer is out of range, shapes do not broadcast, or a tuple is empty. Nothing is truncated.

    See Also
    --------
    split : Children of consecutive numbers.
    keys_like : Children of the paths of a tree.

    Notes
    -----
    All algorithms except ``threefry2x32`` keep named children apart from numbered ones. With ``threefry2x32`` and an
    int below 2**32 the child is that of ``jax.random.fold_in``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.fold_in(keyrng.key(42), "dropout")
    Key((), key<fry>, [0x7eb09baf 0x0495e081])
    >>> keys = keyrng.fold_in(keyrng.key(42), np.arange(3))
    >>> bool((keys == keyrng.split(keyrng.key(42), 3)).all())
    True
    """
    folded = check_key(key)
    if type(data) is int:
        return _fold_number(folded, data)
    if not isinstance(data, tuple):
        return _fold(folded, data)
    if not data:
        raise ValueError("data must not be an empty tuple")
    for part in data:
        folded = _fold(folded, part)
    return folded


def _fold(key: Key, data: object) -> Key:
    if is_integer(data):
        return _fold_number(key, int(data))  # type: ignore[call-overload]
    if isinstance(data, (str, bytes)):
        return _child(key, number_of("data", data, key._algorithm.index_bits, b"keyrng.name"), Domain.NAME)
    if is_on_gpu(data):
        return _fold_array(key, _numbers(key, data))
    numbers = _integers(data) if isinstance(data, np.ndarray) else None
    if numbers is not None:
        device_of(key).adopt("data", numbers, data)
        return _fold_array(key, numbers) if numbers.ndim else _fold_number(key, int(numbers))
    kinds = "an int, an array of integers, a str, bytes or a tuple of these"
    raise TypeError(f"data to fold in must be {kinds}, got {kind_of(data)}{hint(data, _DATA_HINTS)}")


def _integers(data: Array) -> Array | None:
    """Return numbers to fold in as int64 or uint64, also from an object array; None if they are not integers."""
    numbers = as_base_array("data", data)
    if numbers.dtype != object:
        return numbers if numbers.dtype.kind in "iu" else None
    exact = integers(numbers)
    if exact is not None and exact.dtype == object:
        raise ValueError(f"data to fold in must be from 0 to 2**64 - 1, got {short_repr(data, str)}")
    return exact


def _fold_number(key: Key, number: int) -> Key:
    if not 0 <= number < 2**64:
        raise ValueError(f"data to fold in must be from 0 to 2**64 - 1, got {number_text(number)}; hex(data) is a name")
    return _child(key, number, Domain.SPLIT)


def _child(key: Key, index: int, domain: Domain) -> Key:
    """Return the child at one index of every key."""
    words, algorithm = key._words, key._algorithm
    derive = executor_for(algorithm, words).derive
    if words.ndim == 1:
        return wrap_words(algorithm, derive(algorithm, words, index, domain, 1))
    flat = words.reshape(-1, algorithm.key_words)
    return wrap_words(algorithm, derive(algorithm, flat, index, domain, len(flat)).reshape(words.shape))


def _numbers(key: Key, data: object) -> Array:
    """Return numbers in GPU memory, checked to be on the key's device."""
    numbers = device_of(key).array("data to fold in", data)
    if numbers.dtype.kind != "u":
        raise TypeError(f'data to fold in on a GPU must be unsigned, got {numbers.dtype}; use data.astype("uint64")')
    return numbers


def _fold_array(key: Key, numbers: Array) -> Key:
    algorithm, device = key._algorithm, device_of(key)
    if numbers.dtype.kind == "i" and (least := drop_broadcast_axes(numbers).min(initial=0)) < 0:
        raise ValueError(f"data to fold in must be from 0 to 2**64 - 1, got {least} in an array")
    shape = broadcast(key.shape, numbers.shape)
    if shape is None:
        raise ValueError(
            f"keys of shape {key.shape} and numbers of shape {numbers.shape} do not broadcast; "
            "keyrng.fold_in(keys[:, None], data) pairs every key with every number"
        )
    full = (*shape, algorithm.key_words)
    check_sizes("data", full, _WORDS)
    # A single key or number is not copied, so that a captured graph reads it in place.
    with device.current():
        words = key._words if key.size == 1 else device.xp.broadcast_to(key._words, full)
        index = numbers if numbers.size == 1 else device.xp.broadcast_to(numbers, shape)
        words, index = words.reshape(-1, algorithm.key_words), index.astype(np.uint64, copy=False).reshape(-1)
    new = executor_for(algorithm, words).derive(algorithm, words, index, Domain.SPLIT, prod(shape))
    return wrap_words(algorithm, new.reshape(full))


def clone(key: Key) -> Key:
    """Return the same keys as another object, to state that reuse of their bits is intended.

    Parameters
    ----------
    key : Key
        A key, or an array of keys.

    Returns
    -------
    Key
        Equal keys, which `keyrng.debug.check_reuse` allows to be used once more.

    See Also
    --------
    keyrng.debug.check_reuse : Raises an error if a key is used twice.

    Examples
    --------
    >>> import keyrng
    >>> key = keyrng.key(42)
    >>> keyrng.clone(key) is key, bool(keyrng.clone(key) == key)
    (False, True)
    """
    key = check_key(key)
    return wrap_words(key._algorithm, key._words)


def bit_generator(key: Key) -> Key:
    """Return the key whose words a bit generator is about to read; `keyrng.debug` observes this function."""
    return key
