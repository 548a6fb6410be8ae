"""Streams: the words of a key in order, behind the functions that NumPy's generators call.

A stream is a uint64 array, laid out as in _executors/csrc/bitgen.h. The compiled part reads it directly; without the
compiled part, ctypes calls a Python function for each word.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from keyrng._core.arguments import short_repr
from keyrng._executors import native
from keyrng._executors.base import ElementRange
from keyrng._keys.derive import Key
from keyrng._sampling.draw import fill_range
from keyrng.distributions._shared.words import bits_kernel

_WORDS = 256
_NEXT, _FIRST, _HAS_HALF, _HALF, _ALGORITHM, _KEY = range(6)
_HEAD = _KEY + 4
_NONE = 2**64 - 1

_UINT64 = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)
_UINT32 = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p)
_DOUBLE = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p)


class _Bitgen(ctypes.Structure):
    """The struct ``bitgen_t`` of numpy/random/bitgen.h."""

    _fields_ = (
        ("state", ctypes.c_void_p),
        ("next_uint64", _UINT64),
        ("next_uint32", _UINT32),
        ("next_double", _DOUBLE),
        ("next_raw", _UINT64),
    )


class Stream:
    """The words of one key, for the bit generator of a capsule; the owner of the capsule keeps this object alive.

    The struct in the capsule is never replaced, because NumPy's Generator has copied it.
    """

    def __init__(self, capsule: Any, key: Key) -> None:
        self._array = np.zeros(_HEAD + _WORDS, np.uint64)
        self.restart(key)
        number = native.algorithm_number(key._algorithm)
        if number is None:
            self._functions = _functions(self, self._array)
            _bitgen(capsule)[0] = _Bitgen(None, *self._functions)
        else:
            self._array[_ALGORITHM] = number
            native.native.read_stream(capsule, self._array)

    def restart(self, key: Key) -> None:
        """Go to the first word of another key of the same algorithm."""
        self.key = key.to("cpu")
        algorithm = key._algorithm
        self._array[_KEY:_HEAD].view(algorithm.dtype)[: algorithm.key_words] = self.key._words
        self._array[_FIRST] = _NONE
        self.move(0)

    @property
    def next(self) -> int:
        """The index of the next word."""
        return int(self._array[_NEXT])

    @property
    def half(self) -> int | None:
        """The high half of a word that the next call for 32 bits returns; None if there is none."""
        return int(self._array[_HALF]) if self._array[_HAS_HALF] else None

    def move(self, index: int, half: int | None = None) -> None:
        """Go to a word; ValueError if the key does not have it."""
        limit = self.key._algorithm.elements
        if not 0 <= index < limit:
            raise ValueError(f"word index must be from 0 to {limit - 1} for {self.key.impl}, got {short_repr(index)}")
        self._array[_NEXT], self._array[_HAS_HALF], self._array[_HALF] = index, half is not None, half or 0


def _bitgen(capsule: Any) -> Any:
    """Return the struct of a capsule, as an array of one."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    return ctypes.cast(pointer(capsule, b"BitGenerator"), ctypes.POINTER(_Bitgen))


def _functions(stream: Stream, array: np.ndarray[Any, np.dtype[Any]]) -> tuple[Any, ...]:
    """Return the functions of bitgen.h in Python."""
    words = array[_HEAD:]

    def uint64(_: object) -> int:
        index = int(array[_NEXT])
        first = index - index % _WORDS
        if array[_FIRST] != first:
            fill_range(bits_kernel, stream.key, words, ElementRange(first, _WORDS, first + _WORDS))
            array[_FIRST] = first
        array[_NEXT] = index + 1
        return int(words[index % _WORDS])

    def uint32(_: object) -> int:
        if array[_HAS_HALF]:
            array[_HAS_HALF] = 0
            return int(array[_HALF])
        word = uint64(None)
        array[_HAS_HALF], array[_HALF] = 1, word >> 32
        return word & 0xFFFFFFFF

    def double(_: object) -> float:
        return (uint64(None) >> 11) * 2.0**-53

    return _UINT64(uint64), _UINT32(uint32), _DOUBLE(double), _UINT64(uint64)
