"""CUDA functions of an algorithm: its keys, blocks, words and children."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from keyrng._codegen.cuda_prelude import U32, U64, device, written
from keyrng._codegen.dialects import CUDA
from keyrng._codegen.statements import extend, statements
from keyrng.algorithms.base import Algorithm, Domain
from keyrng.kernels.symbols import Graph, Symbol

__all__ = ["algorithm_functions", "attempt_words"]

_CUDA = CUDA()


@lru_cache(maxsize=32)
def algorithm_functions(algorithm: Algorithm) -> dict[str, str]:
    """Return the types and functions of an algorithm's keys, blocks and words, by name."""
    keys, blocks = ([f"w{i}" for i in range(n)] for n in (algorithm.key_words, algorithm.block_words))
    loaded = ", ".join(f"p[{i}]" for i in range(algorithm.key_words))
    stored = [f"p[{i}] = key.{name};" for i, name in enumerate(keys)]
    high = f"(word)({'number >> 32' if algorithm.word_bits == 32 else '0'})"
    return {
        "word": f"typedef {_CUDA.type(algorithm.dtype)} word; // of {algorithm.name}",
        "Key": f"struct Key {{ word {', '.join(keys)}; }};",
        "Block": f"struct Block {{ word {', '.join(blocks)}; }};",
        "load_key": device("Key", "load_key", ["const word *p"], [f"return {{{loaded}}};"]),
        "store_key": device("void", "store_key", ["word *p", "const Key &key"], stored),
        "high_word": device("word", "high_word", ["u64 number"], [f"return {high};"]),
        "block": _block(algorithm),
        "block_at": _block_at(algorithm),
        "key_of": device(
            "Key", "key_of", ["const Block &made"], [f"return {{{', '.join(f'made.{name}' for name in keys)}}};"]
        ),
        "child": device(
            "Key",
            "child",
            ["const Key &key", "word low", "word high", "word domain"],
            ["return key_of(block_at(key, low, high, 0, domain));"],
        ),
        "next_block": written(
            _NEXT_BLOCK,
            draws=f"{algorithm.draws:#x}ull",
            ones=", ".join(["~(word)0"] * algorithm.block_words),
            sample=str(int(Domain.SAMPLE)),
        ),
        **{f"{kind}{bits}": text for bits in (32, 64) for kind, text in _values(algorithm, bits).items()},
    }


_NEXT_BLOCK = """
// The next block of a rejection loop; folds the key when its draw numbers are used up.
DEVICE Block next_block(Key &key, u64 index, u64 &draw) {
    if (draw == $draws) {
        key = key_of(block(key, $ones));
        draw = 0;
    }
    return block_at(key, (word)index, high_word(index), (word)draw++, $sample);
}
"""


def _symbols(dtype: np.dtype[Any], names: Iterable[str]) -> dict[Symbol, str]:
    """Make symbols of a new graph; return their names."""
    graph = Graph()
    return {graph.node("param", dtype, i): name for i, name in enumerate(names)}


def _block(algorithm: Algorithm) -> str:
    count = algorithm.block_words
    names = [f"key.w{i}" for i in range(algorithm.key_words)] + [f"c{i}" for i in range(count)]
    inputs = _symbols(algorithm.dtype, names)
    symbols = list(inputs)
    made = algorithm.block(symbols[:-count], symbols[-count:])
    lines, results = statements(list(made), inputs, _CUDA)
    arguments = ["const Key &key", *(f"word c{i}" for i in range(count))]
    return device("Block", "block", arguments, [*lines, f"return {{{', '.join(results)}}};"])


def _block_at(algorithm: Algorithm) -> str:
    """The function that computes the block of an index, a draw number and a domain."""
    names = ["low", "high", "draw", "domain"]
    inputs = _symbols(algorithm.dtype, names)
    lines, results = statements(list(algorithm.counter(*inputs)), inputs, _CUDA)
    arguments = ["const Key &key", *(f"word {name}" for name in names)]
    return device("Block", "block_at", arguments, [*lines, f"return block(key, {', '.join(results)});"])


_DIRECT = """
// One value of a direct draw.
DEVICE $kind direct$bits(const Key &key, u64 index) {
    $kind values[$each];
    run$bits(key, index & ~(u64)($each - 1), values);
    return $chosen;
}
"""

# Only the low word is incremented: a run starts at a multiple of its length, so that it cannot carry.
_RUN = """
// N values of a direct draw, starting at an index that is a multiple of N.
template <int N> DEVICE void run$bits(const Key &key, u64 index, $kind (&values)[N]) {
    u64 first = index / $each;
    #pragma unroll
    for (int i = 0; i < N; i += $each) {
        Block made = block_at(key, (word)first + i / $each, high_word(first), 0, $sample);
        $lines
    }
}
"""


def _values(algorithm: Algorithm, bits: int) -> dict[str, str]:
    """The functions that read one and several values of direct draws."""
    each = algorithm.per_block(bits)
    inputs = _symbols(algorithm.dtype, [f"made.w{i}" for i in range(algorithm.block_words)])
    lines, results = statements(list(algorithm.values(list(inputs), bits)), inputs, _CUDA)
    lines += [f"values[i + {i}] = {result};" for i, result in enumerate(results)]
    chosen = "".join(f"index % {each} == {i} ? values[{i}] : " for i in range(each - 1)) + f"values[{each - 1}]"
    parts = {"bits": str(bits), "kind": U32 if bits == 32 else U64, "each": str(each)}
    return {
        "run": written(_RUN, **parts, sample=str(int(Domain.SAMPLE)), lines=lines),
        "direct": written(_DIRECT, **parts, chosen=chosen),
    }


def attempt_words(algorithm: Algorithm, bits: int, block: str, known: dict[Symbol, str], body: list[str]) -> list[str]:
    """Return the variables of a block's words in an attempt; append the statements that compute them to ``body``."""
    inputs = _symbols(algorithm.dtype, [f"{block}.w{i}" for i in range(algorithm.block_words)])
    known.update(inputs)
    words = list(algorithm.words(list(inputs), bits))
    body += extend(known, words, _CUDA)
    return [known[word] for word in words]
