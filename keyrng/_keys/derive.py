"""Functions that derive keys from seeds and from other keys.

A key is an immutable value; drawing from it does not change it.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from keyrng._core.arguments import Shape, as_base_array, as_int, broadcast, check_sizes, key_from, short_repr
from keyrng._core.numbers import integers
from keyrng._executors.device import as_cupy, device_at, device_named, drop_broadcast_axes, is_on_gpu
from keyrng._executors.select import executor_for
from keyrng._keys.key import Array, Key
from keyrng._keys.key import check_key as check_key
from keyrng._keys.key import device_of as device_of
from keyrng._keys.key import is_integer as is_integer
from keyrng._keys.key import kind_of as kind_of
from keyrng._keys.key import normalize_axis as normalize_axis
from keyrng._keys.key import wrap_words as wrap_words
from keyrng._keys.serialize import number_of
from keyrng._keys.stack import concatenate, stack
from keyrng.algorithms.base import Algorithm, Domain, get, names

__all__ = [
    "Key",
    "clone",
    "concatenate",
    "fold_in",
    "key",
    "key_data",
    "key_impl",
    "split",
    "stack",
    "wrap_key_data",
]

_SEED_HINTS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (
        type(None),
        "pass an explicit seed; for entropy from the operating system: keyrng.key(secrets.randbits(64))",
    ),
    ((bool, np.bool_), "keyrng.key(int(seed)) makes a key from it"),
    ((float, np.floating), "keyrng.key(int(seed)) or keyrng.key(str(seed)) makes a key from it"),
    (np.ndarray, "keyrng.key(int(seed)) accepts a single number, keyrng.wrap_key_data(words) the words of keys"),
    (Key, "it is a key already; keyrng.fold_in(key, data) derives another"),
    ((list, tuple), "use keyrng.fold_in(keyrng.key(0), tuple(seed)) for several numbers"),
    ((bytearray, memoryview), "keyrng.key(bytes(seed)) makes a key from it"),
)
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


def key(
    seed: int | np.integer[Any] | str | bytes, *, impl: str | Algorithm = "threefry2x32", device: Any = "cpu"
) -> Key:
    """Return the key of a seed.

    Parameters
    ----------
    seed : int, str or bytes
        An integer is used whole, in two's complement: with B, the bits of a key (64 for ``threefry2x32``), from -2**(B
        - 1) to 2**B - 1, most significant word first. A str (its UTF-8 bytes) or bytes of any length is hashed to B
        bits by BLAKE2b.
    impl : str or Algorithm, optional
        Algorithm of the key, ``"threefry2x32"`` by default.
    device : str or device, optional
        Device of the key and of its samples: ``"cpu"``, the default, ``"cuda"``, ``"cuda:1"``, or a device of CuPy or
        PyTorch.

    Returns
    -------
    Key
        One key, of shape ().

    Raises
    ------
    TypeError
        If ``seed`` is not an integer, a str or bytes.
    ValueError
        If an integer is out of range, or ``impl`` or ``device`` is unknown.
    RuntimeError
        If GPUs cannot be used.

    See Also
    --------
    split : New keys from a key.
    fold_in : A new key from a key and an integer or a name.
    wrap_key_data : Keys from their words.

    Notes
    -----
    With ``threefry2x32`` use a key once, for sampling or for splitting: as in JAX, its samples and its children come
    from the same blocks. The other algorithms keep them apart.

    The same seed gives the same words for all algorithms whose keys have the same width. With ``threefry2x32`` and a
    seed from 0 to 2**32 - 1 the words are those of ``jax.random.key``; jax truncates wider seeds unless x64 is on.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.key(42)
    Key((), key<fry>, [0x00000000 0x0000002a])
    >>> keyrng.key("weights")
    Key((), key<fry>, [0xed4083ba 0xc4a357ea])
    """
    algorithm = get(impl)
    if type(seed) is not int:
        seed = _seed_number(seed, algorithm)
    size = algorithm.key_bits // 8
    try:
        data = seed.to_bytes(size, "big", signed=seed < 0)
    except OverflowError:
        raise ValueError(_too_wide(seed, algorithm)) from None
    dtype = algorithm.dtype
    words = np.frombuffer(data, dtype.newbyteorder(">")).astype(dtype)
    if not (isinstance(device, str) and device == "cpu"):
        words = device_named(device).receive(words)
    return wrap_words(algorithm, words)


def _seed_number(seed: object, algorithm: Algorithm) -> int:
    if is_integer(seed):
        return int(seed)  # type: ignore[call-overload, no-any-return]
    if isinstance(seed, (str, bytes)):
        return number_of("seed", seed, algorithm.key_bits, b"keyrng.seed")
    conversion = key_from(seed)
    hint = f"; {conversion} makes a key from it" if conversion else _hint(seed, _SEED_HINTS)
    raise TypeError(f"seed must be an int, a str or bytes, got {kind_of(seed)}{hint}")


def _too_wide(seed: int, algorithm: Algorithm) -> str:
    """Return the error for a seed that is too wide for an algorithm."""
    bits, widest = algorithm.key_bits, max(map(get, names()), key=lambda a: a.key_bits)
    needed = seed.bit_length() if seed >= 0 else (~seed).bit_length() + 1
    fits = f'impl="{widest.name}" takes {widest.key_bits} bits'
    if needed > widest.key_bits:
        fits = "keyrng.key(hex(seed)) hashes it"
    return f"seed for {algorithm.name} must be from -2**{bits - 1} to 2**{bits} - 1, got {_number(seed)}; {fits}"


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
        return wrap_words(algorithm, executor_for(algorithm, words).children(algorithm, words[None], 0, num)[0])
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
    raise TypeError(f"data to fold in must be {kinds}, got {kind_of(data)}{_hint(data, _DATA_HINTS)}")


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
        raise ValueError(f"data to fold in must be from 0 to 2**64 - 1, got {_number(number)}; hex(data) is a name")
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


def key_data(keys: Key) -> Array:
    """Return the words of keys as a new array.

    Parameters
    ----------
    keys : Key
        A key, or an array of keys.

    Returns
    -------
    ndarray
        Words of shape ``keys.shape + (key_words,)``, uint32 or uint64 by the algorithm, on the device of the keys. It
        is a copy, and can be modified.

    See Also
    --------
    wrap_key_data : The inverse.
    Key.to_bytes : Bytes that include the algorithm and a checksum.

    Notes
    -----
    ``np.save`` of the words and `wrap_key_data` restore every bit, but not the algorithm.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.key_data(keyrng.key(42))
    array([ 0, 42], dtype=uint32)
    """
    with device_of(keys).current():
        return keys._words.copy()


def wrap_key_data(words: Array, *, impl: str | Algorithm = "threefry2x32") -> Key:
    """Return keys of given words.

    Parameters
    ----------
    words : ndarray
        Words as `key_data` returns them, along the last axis. They are copied.
    impl : str or Algorithm, optional
        Algorithm of the keys, ``"threefry2x32"`` by default.

    Returns
    -------
    Key
        Keys of shape ``words.shape[:-1]``, on the device of the words.

    Raises
    ------
    TypeError
        If ``words`` is not an array of the dtype of the algorithm's words.
    ValueError
        If the last axis does not have the length of a key.

    See Also
    --------
    key : A key of a seed.
    key_data : The inverse.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.wrap_key_data(np.array([0, 42], dtype="uint32"))
    Key((), key<fry>, [0x00000000 0x0000002a])
    """
    algorithm = get(impl)
    dtype, size = algorithm.dtype, algorithm.key_words
    expected = f"keys of {algorithm.name} require an array of {dtype} with shape (..., {size}), got {kind_of(words)}"
    if isinstance(words, Key):
        raise TypeError(f"{expected}; it is a key already")
    if is_on_gpu(words):
        words = as_cupy(words)
    elif not isinstance(words, np.ndarray):
        raise TypeError(f'{expected}; use np.asarray(words, dtype="{dtype}")')
    else:
        words = as_base_array("words", words)
    if words.dtype != dtype:
        raise TypeError(f'{expected}; use words.astype("{dtype}")')
    if words.shape[-1:] != (size,):
        raise ValueError(f"{expected}; impl= selects another algorithm")
    with device_at(words).current():
        return wrap_words(algorithm, words.copy(order="C"))


def key_impl(keys: Key) -> str:
    """Return the name of the algorithm of keys.

    Parameters
    ----------
    keys : Key
        A key, or an array of keys.

    Returns
    -------
    str
        The name, as ``keyrng.key(seed, impl=name)`` takes it.

    See Also
    --------
    key : A key of a seed.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.key_impl(keyrng.key(42))
    'threefry2x32'
    """
    return check_key(keys)._algorithm.name


# Text for errors


def _hint(value: object, hints: tuple[tuple[type | tuple[type, ...], str], ...]) -> str:
    return next((f"; {hint}" for kinds, hint in hints if isinstance(value, kinds)), "")


def _number(number: int) -> str:
    """Return a number's digits, or its size if there are too many."""
    return str(number) if number.bit_length() <= 128 else f"an integer of {number.bit_length()} bits"
