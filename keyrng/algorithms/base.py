"""What an algorithm is: data, one block function, and how values are read off its blocks.

Everything else (streams, children, samples, on every backend) is derived once from what is here.
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
    """What a block is for; a word of the counter, so that samples, children and named children never meet.

    The 64-bit counter of ``threefry2x32`` has no room for it: there they meet, as in JAX.
    """

    SAMPLE = 0
    SPLIT = 1
    NAME = 2


@dataclass(frozen=True, eq=False)
class Algorithm:
    """A counter-based generator: its name, its sizes and ``block(key, counter)``.

    ``block`` takes and returns tuples of words and is written in the kernel language, so that NumPy runs it and the
    printers compile it. A block has as many words as a counter.

    With ``jax_layout`` (a counter of two 32-bit words) a value takes a whole block, as in JAX. Without it, consecutive
    blocks are one run of words, and the counter needs 128 bits or more: index in the first half, draw number and
    domain in the second.
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
                raise TypeError(f"{text} is a str, got {short_repr(given)}")
            if not 1 <= len(utf8(text, given)) <= 255:
                raise ValueError(f"{text} is of 1 to 255 bytes, got {short_repr(given)}")
        for size in ("word_bits", "key_words", "block_words"):
            if type(getattr(self, size)) is not int:
                raise TypeError(f"{size} is an int, got {short_repr(getattr(self, size))}")
        if not callable(self.block) or not isinstance(self.jax_layout, bool):
            wrong = "block is a function block(key, counter)" if not callable(self.block) else "jax_layout is a bool"
            raise TypeError(f"{wrong}, got {short_repr(self.jax_layout if callable(self.block) else self.block)}")
        if self.word_bits not in (32, 64):
            raise ValueError(f"word_bits is 32 or 64, got {short_repr(self.word_bits)}")
        if not 1 <= self.key_words <= self.block_words:
            raise ValueError(
                f"key_words is from 1 to block_words ({short_repr(self.block_words)}), got {short_repr(self.key_words)}"
            )
        counter_bits = self.word_bits * self.block_words
        if self.jax_layout and (self.word_bits, self.block_words) != (32, 2):
            raise ValueError("jax_layout is for blocks of two 32-bit words")
        if not self.jax_layout and (counter_bits < 128 or self.block_words % 2):
            raise ValueError(
                "a counter needs an even number of words and 128 bits or more, got "
                f"{short_repr(self.block_words)} words of {self.word_bits} bits; two words of 32 bits work with "
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
        """How many bits the index of a child may have: two words, or one where the counter has no room for more."""
        return self.word_bits * (2 if self.jax_layout or self.block_words > 2 else 1)

    @property
    def elements(self) -> int:
        """How many elements a sample of one key may have."""
        return 2**56 if self.jax_layout else 2**62

    @property
    def draws(self) -> int:
        """How many draw numbers one element has before its key is folded."""
        return 2**8 if self.jax_layout else 2**32

    def per_block(self, bits: int) -> int:
        """How many values of 32 or 64 bits a direct draw reads off one block."""
        return 1 if self.jax_layout else self.word_bits * self.block_words // bits

    def counter(self, low: Any, high: Any, draw: Any, domain: Any) -> Words:
        """The counter of a block, from the low and high word of its index, its draw number and its domain."""
        if self.jax_layout:
            return ((draw << 24) | high, low)
        if self.block_words == 2:
            return (low, (domain << 32) | draw)
        zero = draw ^ draw
        half = self.block_words // 2
        return (low, high, *[zero] * (half - 2), draw, *[zero] * (half - 2), domain)

    def at(self, key: Words, low: Any, high: Any, draw: Any, domain: Any) -> Words:
        """The block of a key at an index, draw number and domain."""
        block = self.block(key, self.counter(low, high, draw, domain))
        if len(block) != self.block_words:
            raise ValueError(f"block of {self.name} must return {self.block_words} words, returned {len(block)}")
        return block

    def values(self, block: Words, bits: int) -> Words:
        """What a direct draw reads off a block: values of 32 or 64 bits, in order."""
        if self.jax_layout and bits == 32:
            return (block[0] ^ block[1],)
        return self.words(block, bits)

    def words(self, block: Words, bits: int) -> Words:
        """The words of a block, regrouped to 32 or 64 bits, in order; what an attempt uses."""
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
    """Make an algorithm known by its name, for ``key(seed, impl=name)``.

    ValueError if another algorithm has the name. Algorithms of your own run on the NumPy path.
    """
    if not isinstance(algorithm, Algorithm):
        raise TypeError(f"expected an Algorithm, got {type(algorithm).__name__}")
    known = _registry.setdefault(algorithm.name, algorithm)
    if known is not algorithm:
        raise ValueError(f"another algorithm is registered as {algorithm.name!r}; choose another name")
    return algorithm


def get(name: str | Algorithm) -> Algorithm:
    """The algorithm of a name; ValueError for an unknown one."""
    if isinstance(name, str):
        try:
            return _registry[name]
        except KeyError:
            raise ValueError(f"unknown impl {short_repr(name)}; known are {', '.join(_registry)}") from None
    if isinstance(name, Algorithm):
        return register(name)
    raise TypeError(f"impl is a name or an Algorithm, got {type(name).__name__}")


def names() -> tuple[str, ...]:
    """The names of all registered algorithms."""
    return tuple(_registry)
