"""Keys as bytes: a format with a checksum, so that altered bytes raise an error.

======== =================================================================
bytes    meaning
======== =================================================================
6        ``b"keyrng"``
1        version of the format, 1
1        bits of a word, 32 or 64
1        length of the algorithm's name in bytes
1        number of axes of the words, the axis of a key's words included
name     the algorithm's name, UTF-8
8 * axes the shape of the words, little-endian
words    the words in memory order, little-endian
8        BLAKE2b of all bytes before, ``digest_size=8``
======== =================================================================
"""

from __future__ import annotations

import struct
from math import prod
from typing import Any

import numpy as np

from keyrng._core.arguments import short_repr, utf8
from keyrng.algorithms.base import Algorithm, get

Array = np.ndarray[Any, np.dtype[Any]]

_MAGIC = b"keyrng"
_VERSION = 1
_HEADER = struct.Struct("<6sBBBB")
_CHECKSUM_SIZE = 8


def dump(algorithm: Algorithm, words: Array) -> bytes:
    """Return the bytes of keys' words."""
    name = algorithm.name.encode()
    header = _HEADER.pack(_MAGIC, _VERSION, algorithm.word_bits, len(name), words.ndim)
    shape = struct.pack(f"<{words.ndim}Q", *words.shape)
    body = header + name + shape + words.astype(_little(algorithm)).tobytes()
    return body + _checksum(body)


def load(data: object) -> tuple[Algorithm, Array]:
    """Return the algorithm and words from ``dump``; TypeError unless bytes, ValueError for other bytes."""
    if not isinstance(data, bytes):
        raise TypeError(f"expected bytes from key.to_bytes(), got {type(data).__name__}")
    if not data.startswith(_MAGIC):
        raise ValueError(f"not the bytes of a key: they begin with {data[:6]!r} instead of {_MAGIC!r}")
    version = data[len(_MAGIC)] if len(data) > len(_MAGIC) else _VERSION
    if version != _VERSION:
        raise ValueError(f"unsupported version of the bytes of a key: {version} (expected {_VERSION})")
    body = data[:-_CHECKSUM_SIZE]
    if len(body) < _HEADER.size or _checksum(body) != data[-_CHECKSUM_SIZE:]:
        raise ValueError("corrupt bytes of a key: the checksum does not match")
    return _parse(body)


def _parse(body: bytes) -> tuple[Algorithm, Array]:
    # The checksum matches, so that only bytes of another program can be malformed.
    _, _, word_bits, name_size, ndim = _HEADER.unpack_from(body)
    words_at = _HEADER.size + name_size + 8 * ndim
    if len(body) < words_at:
        raise ValueError(f"malformed bytes of a key: {len(body)} bytes, but their header needs {words_at}")
    algorithm = get(body[_HEADER.size :][:name_size].decode(errors="replace"))
    shape = struct.unpack_from(f"<{ndim}Q", body, _HEADER.size + name_size)
    expected = words_at + prod(shape) * algorithm.word_bits // 8
    if (word_bits, shape[-1:], len(body)) != (algorithm.word_bits, (algorithm.key_words,), expected):
        raise ValueError(
            f"malformed bytes of a key: {len(body) - words_at} bytes of {word_bits}-bit words with shape "
            f"{short_repr(shape)} do not fit keys of {algorithm.name}, which have {algorithm.key_words} words of "
            f"{algorithm.word_bits} bits"
        )
    try:
        words = np.frombuffer(body, _little(algorithm), offset=words_at).reshape(shape)
    except ValueError as error:
        raise ValueError(f"malformed bytes of a key: shape {short_repr(shape)}: {error}") from None
    return algorithm, words.astype(algorithm.dtype)


def _little(algorithm: Algorithm) -> np.dtype[Any]:
    return algorithm.dtype.newbyteorder("<")


def _checksum(body: bytes) -> bytes:
    return digest(body, _CHECKSUM_SIZE)


def digest(data: bytes, size: int, person: bytes = b"") -> bytes:
    """Return a BLAKE2b digest with a personalization."""
    from hashlib import blake2b  # would add 3 ms to import keyrng

    return blake2b(data, digest_size=size, person=person).digest()


def number_of(name: str, text: str | bytes, bits: int, person: bytes) -> int:
    """Return the number that a text is hashed to by BLAKE2b; errors name the argument."""
    data = utf8(name, text) if isinstance(text, str) else text
    return int.from_bytes(digest(data, bits // 8, person), "big")
