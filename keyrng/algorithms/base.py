"""Algorithms: data, one block function, and the order in which values are taken from blocks.

Streams, children and samples are derived from these definitions, for every executor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np

from keyrng._core.arguments import short_repr, utf8
from keyrng.kernels.ops import cast

Words = Sequence[Any]


class Domain(IntEnum):
    """The use of a block; part of the counter, so that samples, children and named children have separate blocks.

    The 64-bit counter of ``threefry2x32`` has no bits for it, so that they share blocks, as in JAX.
    """

    SAMPLE = 0
    SPLIT = 1
    NAME = 2


@dataclass(frozen=True, eq=False)
class Algorithm:
    """A counter-based generator: its name, its sizes and ``block(key, counter)``.

    ``block`` takes and returns tuples of words. It is written in the kernel language, in which NumPy runs it and C and
    CUDA are generated from it. A block has as many words as a counter.

    With ``jax_layout`` (a counter of two 32-bit words), each value takes a whole block, as in JAX. Otherwise
    consecutive blocks form one sequence of words, and the counter has at least 128 bits: the index in the first half,
    draw number and domain in the second.
    """

    name: str
    tag: str
    word_bits: int
    key_words: int
    block_words: int
    block: Callable[[Words, Words], Words]
    jax_layout: bool = False

    def __post_init__(self) -> None:
        for text in ("name", "tag"):
            given = getattr(self, text)
            if not isinstance(given, str):
                raise TypeError(f"{text} must be a str, got {short_repr(given)}")
            if not 1 <= len(utf8(text, given)) <= 255:
                raise ValueError(f"{text} must have 1 to 255 bytes, got {short_repr(given)}")
        for size in ("word_bits", "key_words", "block_words"):
            if type(getattr(self, size)) is not int:
                raise TypeError(f"{size} must be an int, got {short_repr(getattr(self, size))}")
        if not callable(self.block) or not isinstance(self.jax_layout, bool):
            wrong = "block must be callable" if not callable(self.block) else "jax_layout must be a bool"
            raise TypeError(f"{wrong}, got {short_repr(self.jax_layout if callable(self.block) else self.block)}")
        if self.word_bits not in (32, 64):
            raise ValueError(f"word_bits must be 32 or 64, got {short_repr(self.word_bits)}")
        if not 1 <= self.key_words <= self.block_words:
            raise ValueError(
                f"key_words must be from 1 to block_words ({short_repr(self.block_words)}), "
                f"got {short_repr(self.key_words)}"
            )
        counter_bits = self.word_bits * self.block_words
        if self.jax_layout and (self.word_bits, self.block_words) != (32, 2):
            raise ValueError("jax_layout requires blocks of two 32-bit words")
        if not self.jax_layout and (counter_bits < 128 or self.block_words % 2):
            raise ValueError(
                "a counter must have an even number of words and at least 128 bits, got "
                f"{short_repr(self.block_words)} words of {self.word_bits} bits; two 32-bit words require "
                "jax_layout=True"
            )

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of a word."""
        return np.dtype(np.uint32 if self.word_bits == 32 else np.uint64)

    @cached_property
    def word_mask(self) -> int:
        """A word with all bits set."""
        return int(2**self.word_bits - 1)

    @property
    def key_bits(self) -> int:
        """The number of bits in a key."""
        return self.word_bits * self.key_words

    @property
    def index_bits(self) -> int:
        """The number of bits of a child's index: two words, or one if the counter has no bits for more."""
        return self.word_bits * (2 if self.jax_layout or self.block_words > 2 else 1)

    @property
    def elements(self) -> int:
        """The largest number of elements of a sample of one key."""
        return 2**56 if self.jax_layout else 2**62

    @property
    def draws(self) -> int:
        """The number of draws of an element before its key is folded."""
        return 2**8 if self.jax_layout else 2**32

    def per_block(self, bits: int) -> int:
        """The number of values of 32 or 64 bits that a direct draw takes from a block."""
        return 1 if self.jax_layout else self.word_bits * self.block_words // bits

    def counter(self, low: Any, high: Any, draw: Any, domain: Any) -> Words:
        """Return the counter of a block: the low and high word of its index, its draw number and its domain."""
        if self.jax_layout:
            return ((draw << 24) | high, low)
        if self.block_words == 2:
            return (low, (domain << 32) | draw)
        zero = draw ^ draw
        half = self.block_words // 2
        return (low, high, *[zero] * (half - 2), draw, *[zero] * (half - 2), domain)

    def at(self, key: Words, low: Any, high: Any, draw: Any, domain: Any) -> Words:
        """Return the block of a key at an index, draw number and domain."""
        block = self.block(key, self.counter(low, high, draw, domain))
        if len(block) != self.block_words:
            raise ValueError(f"block of {self.name} must return {self.block_words} words, returned {len(block)}")
        return block

    def values(self, block: Words, bits: int) -> Words:
        """Return the values of 32 or 64 bits that a direct draw takes from a block, in order."""
        if self.jax_layout and bits == 32:
            return (block[0] ^ block[1],)
        return self.words(block, bits)

    def words(self, block: Words, bits: int) -> Words:
        """Return the words of a block, regrouped to 32 or 64 bits, in order, as attempts use them."""
        if bits == self.word_bits:
            return tuple(block)
        if bits == 32:
            return tuple(cast(part, np.uint32) for word in block for part in (word, word >> 32))
        pairs = zip(block[::2], block[1::2], strict=True)
        if self.jax_layout:
            return tuple(cast(high, np.uint64) << 32 | cast(low, np.uint64) for high, low in pairs)
        return tuple(cast(high, np.uint64) << 32 | cast(low, np.uint64) for low, high in pairs)


_registry: dict[str, Algorithm] = {}


def register(algorithm: Algorithm) -> Algorithm:
    """Register an algorithm, so that ``key(seed, impl=name)`` finds it.

    ValueError if another algorithm has the name. Algorithms registered by users run in the NumPy executor.
    """
    if not isinstance(algorithm, Algorithm):
        raise TypeError(f"expected an Algorithm, got {type(algorithm).__name__}")
    known = _registry.setdefault(algorithm.name, algorithm)
    if known is not algorithm:
        raise ValueError(f"another algorithm is registered as {algorithm.name!r}; choose another name")
    return algorithm


def get(name: str | Algorithm) -> Algorithm:
    """Return the algorithm with a name; ValueError if it is unknown."""
    if isinstance(name, str):
        try:
            return _registry[name]
        except KeyError:
            raise ValueError(f"unknown impl: {short_repr(name)} (expected {', '.join(_registry)})") from None
    if isinstance(name, Algorithm):
        return register(name)
    raise TypeError(f"impl must be a name or an Algorithm, got {type(name).__name__}")


def names() -> tuple[str, ...]:
    """Return the names of all registered algorithms."""
    return tuple(_registry)
