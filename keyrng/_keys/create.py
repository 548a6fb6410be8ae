"""Keys from seeds and from words, and the words of keys."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.arguments import as_base_array, is_integer, key_from, kind_of
from keyrng._executors.device import as_cupy, device_at, device_named, is_on_gpu
from keyrng._keys.key import Array, Key, check_key, device_of, wrap_words
from keyrng._keys.serialize import number_of
from keyrng.algorithms.base import Algorithm, get, names

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
    instead = f"; {conversion} makes a key from it" if conversion else hint(seed, _SEED_HINTS)
    raise TypeError(f"seed must be an int, a str or bytes, got {kind_of(seed)}{instead}")


def _too_wide(seed: int, algorithm: Algorithm) -> str:
    """Return the error for a seed that is too wide for an algorithm."""
    bits, widest = algorithm.key_bits, max(map(get, names()), key=lambda a: a.key_bits)
    needed = seed.bit_length() if seed >= 0 else (~seed).bit_length() + 1
    fits = f'impl="{widest.name}" takes {widest.key_bits} bits'
    if needed > widest.key_bits:
        fits = "keyrng.key(hex(seed)) hashes it"
    return f"seed for {algorithm.name} must be from -2**{bits - 1} to 2**{bits} - 1, got {number_text(seed)}; {fits}"


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


def hint(value: object, hints: tuple[tuple[type | tuple[type, ...], str], ...]) -> str:
    """Return what to use instead of a value, by its type, as the end of a message."""
    return next((f"; {text}" for kinds, text in hints if isinstance(value, kinds)), "")


def number_text(number: int) -> str:
    """Return a number's digits, or its size if there are too many."""
    return str(number) if number.bit_length() <= 128 else f"an integer of {number.bit_length()} bits"
