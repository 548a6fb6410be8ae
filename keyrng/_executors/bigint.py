"""Blocks of a few lanes without the compiled part: all lanes in one Python integer.

A NumPy operation takes about half a microsecond for any short array, so that a block of 20 rounds takes at least 60; on
a big integer it takes 5 to 10. Each lane has a field of twice the width of a word. Sums, shifts and products by a
constant do not overflow the field, and a mask reduces all lanes to words.

The block function is traced once and printed as Python source for such integers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from keyrng.algorithms.base import Algorithm
from keyrng.kernels.symbols import Graph, Symbol

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

# Up to this number of lanes, the big integer is faster than NumPy's arrays (benchmarks/small.py).
MOST_LANES = 128

_FORMS = {
    "add": "({0} + {1}) & m",
    "sub": "({0} + o - {1}) & m",
    "mul": "({0} * {1}) & m",
    "xor": "{0} ^ {1}",
    "and": "{0} & {1}",
    "or": "{0} | {1}",
    "invert": "{0} ^ m",
    "shl": "({0} << {1}) & m",
    "shr": "({0} >> {1}) & m",
    "mulhi": "({0} * {1}) >> {bits} & m",
}


def _source(outputs: list[Symbol], inputs: list[Symbol], bits: int) -> str:
    """Return the source of ``f(inputs, m, r, o)``; in each lane, ``m`` is the mask, ``r`` is 1 and ``o`` is 2**bits."""
    names = {symbol: f"x{i}" for i, symbol in enumerate(inputs)}
    lines = [f"def f({', '.join(names.values())}, m, r, o):"]

    def name(x: Any) -> str:
        if not isinstance(x, Symbol):
            return str(x)
        if x in names:
            return names[x]
        if x.op == "const":
            return f"{int(x.args[1])} * r"
        if x.op == "rotl":
            word, amount = x.args
            text = f"{name(word)} << {amount}"
            lines.append(f"    t = {text}")
            text = f"(t | t >> {bits}) & m"
        else:
            # A constant factor is one number, not repeated in each lane, so that products do not leave their lane.
            if x.op in ("mul", "mulhi"):
                factor = next((a for a in x.args if a.op == "const"), None)
                if factor is None:
                    raise NotImplementedError("products of two words")
                other = x.args[1] if x.args[0] is factor else x.args[0]
                operands = [name(other), str(int(factor.args[1]))]
            else:
                operands = [name(a) for a in x.args]
            text = _FORMS[x.op].format(*operands, bits=bits)
        names[x] = f"t{len(names)}"
        lines.append(f"    {names[x]} = {text}")
        return names[x]

    results = [name(output) for output in outputs]
    return "\n".join([*lines, f"    return {', '.join(results)},"])


@lru_cache
def _block(algorithm: Algorithm) -> Callable[..., tuple[int, ...]] | None:
    """Return a block function of (key..., low, high, draw, domain); None if it uses unsupported operations."""
    graph = Graph()
    inputs = [graph.node("param", algorithm.dtype, i) for i in range(algorithm.key_words + 4)]
    outputs = algorithm.at(inputs[: algorithm.key_words], *inputs[algorithm.key_words :])
    try:
        source = _source(list(outputs), inputs, algorithm.word_bits)
    except (KeyError, NotImplementedError):
        return None
    namespace: dict[str, Any] = {}
    exec(compile(source, f"<{algorithm.name} packed>", "exec"), namespace)
    function: Callable[..., tuple[int, ...]] = namespace["f"]
    return function


@lru_cache
def _lanes(bits: int, count: int) -> tuple[int, int, int]:
    """Return 1 in every lane, the mask of every lane, and the number of each lane."""
    ones = sum(1 << (2 * bits * lane) for lane in range(count))
    return ones, ones * (2**bits - 1), sum(lane << (2 * bits * lane) for lane in range(count))


def supports(algorithm: Algorithm, count: int) -> bool:
    """Whether ``count`` blocks of an algorithm should be computed in one integer."""
    return count <= MOST_LANES and _block(algorithm) is not None


def blocks(algorithm: Algorithm, key: Array, start: int, count: int, draw: int, domain: int) -> list[Array]:
    """Return the words of the blocks ``start``, ``start + 1``, ... of one key, an array for each word of a block."""
    words = _packed(algorithm, key, start, count, draw, domain)
    return [_unpack(algorithm, word, count) for word in words]


def rows(algorithm: Algorithm, key: Array, start: int, count: int, draw: int, domain: int) -> Array:
    """Return the blocks as an array of shape (count, block_words)."""
    words = _packed(algorithm, key, start, count, draw, domain)
    if len(words) > 2:
        return np.stack([_unpack(algorithm, word, count) for word in words], axis=-1)
    # Two words together fill a lane's field, so that the bytes of the integer are the rows.
    low, high = words
    both = (low | high << algorithm.word_bits).to_bytes(count * algorithm.word_bits // 4, "little")
    return np.frombuffer(both, algorithm.dtype.newbyteorder("<")).reshape(count, 2)


def _packed(algorithm: Algorithm, key: Array, start: int, count: int, draw: int, domain: int) -> tuple[int, ...]:
    bits = algorithm.word_bits
    function = _block(algorithm)
    assert function is not None
    ones, mask, numbers = _lanes(bits, count)
    if bits == 32:
        low, high = _split_index(start, count, ones, numbers)
    else:
        # An index wider than a word, the hash of a name, is always alone, so that incrementing the low word is enough.
        low, high = (start & (2**64 - 1)) * ones + numbers, (start >> 64) * ones
    return function(
        *[int(k) * ones for k in key.tolist()], low, high, draw * ones, domain * ones, mask, ones, ones << bits
    )


def _unpack(algorithm: Algorithm, word: int, count: int) -> Array:
    # Fields have twice the width of a word, so that every other word is empty.
    data = word.to_bytes(count * algorithm.word_bits // 4, "little")
    return np.frombuffer(data, algorithm.dtype.newbyteorder("<"))[::2]


def _split_index(start: int, count: int, ones: int, numbers: int) -> tuple[int, int]:
    """Return the low and high 32 bits of consecutive 64-bit indices, in lanes of 64 bits."""
    if (start & 0xFFFFFFFF) + count <= 2**32:
        return (start & 0xFFFFFFFF) * ones + numbers, (start >> 32) * ones
    low = high = 0
    for lane in range(count):
        index = start + lane
        low |= (index & 0xFFFFFFFF) << (64 * lane)
        high |= (index >> 32) << (64 * lane)
    return low, high
