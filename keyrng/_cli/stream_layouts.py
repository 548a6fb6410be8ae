"""Stream layouts of ``python -m keyrng bits``: families of keys with interleaved streams, and uniforms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

import keyrng
from keyrng._core.arguments import short_repr
from keyrng._executors.base import ElementRange
from keyrng._sampling.draw import fill_range
from keyrng.kernels.lane import kernel_of

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class StreamLayout:
    """Streams to interleave: their keys, and the function that draws from each."""

    #: Returns the keys, from the seed's key and a number; with many seeds, from `keyrng.key`, the seed and a number.
    keys: Callable[..., keyrng.Key]
    #: Description and range of N; "" if there is no number.
    counts: str = ""
    least: int = 1
    most: int = 1 << 24
    draws: str = "uint32"
    of_seeds: bool = False


def _one(key: keyrng.Key, number: int = 1) -> keyrng.Key:
    return key.reshape((1,))


def _children(key: keyrng.Key, count: int) -> keyrng.Key:
    return keyrng.fold_in(key, np.arange(count))


def _leaves(key: keyrng.Key, depth: int) -> keyrng.Key:
    for _ in range(depth):
        key = keyrng.split(key)
    return key.reshape((key.size,))


def _paths(key: keyrng.Key, count: int) -> keyrng.Key:
    a, b, c = np.indices((count,) * 3).reshape(3, -1)
    different = (a != b) & (b != c) & (a != c)
    return keyrng.fold_in(key, (a[different], b[different], c[different]))


def _family(key: keyrng.Key, children: int) -> keyrng.Key:
    return keyrng.concatenate([_one(key), keyrng.split(key, children)])


def _line(key: keyrng.Key, generations: int) -> keyrng.Key:
    line = [key]
    while len(line) < generations:
        line.append(keyrng.fold_in(line[-1], 0))
    return keyrng.stack(line)


def _seeds(make: Callable[[int], keyrng.Key], seed: int, count: int) -> keyrng.Key:
    return keyrng.stack([make(seed + i) for i in range(count)])


def _near(key: keyrng.Key, least: int, most: int) -> keyrng.Key:
    """Return the keys that differ from a key in ``least`` to ``most`` bits."""
    words = keyrng.key_data(key)
    width = 8 * words.itemsize
    flips = np.zeros((words.size * width, words.size), words.dtype)
    bit = np.arange(len(flips))
    flips[bit, words.size - 1 - bit // width] = words.dtype.type(1) << (bit % width).astype(words.dtype)
    found = [list(combinations(range(len(flips)), weight)) for weight in range(least, most + 1)]
    return keyrng.wrap_key_data(
        words ^ np.concatenate([np.bitwise_xor.reduce(flips[np.array(sets, int)], axis=1) for sets in found]),
        impl=keyrng.key_impl(key),
    )


# In the order of docs/command-line.md.
LAYOUTS = {
    "one": StreamLayout(_one),
    "split": StreamLayout(keyrng.split, "streams"),
    "fold_in": StreamLayout(_children, "streams"),
    "tree": StreamLayout(_leaves, "levels", 0, 24),
    "permuted_paths": StreamLayout(_paths, "numbers", 3, 256),
    "parent_child": StreamLayout(_family, "children"),
    "chain": StreamLayout(_line, "generations", most=1 << 16),
    "seeds": StreamLayout(_seeds, "seeds", of_seeds=True),
    "one_hot_keys": StreamLayout(lambda key, number: _near(key, 1, 1)),
    "sparse_keys": StreamLayout(lambda key, most: _near(key, 0, most), "bits", 0, 3),
    "float32": StreamLayout(_one, draws="float32"),
    "float64": StreamLayout(_one, draws="float64"),
}

FORMS = ", ".join(f"{name}:N" if layout.counts else name for name, layout in LAYOUTS.items())


def parse(text: str) -> tuple[StreamLayout, int]:
    """Parse ``NAME`` or ``NAME:N``; ValueError for anything else."""
    name, colon, number = text.partition(":")
    layout = LAYOUTS.get(name)
    if layout is None:
        raise ValueError(f"stream layout must be one of {FORMS}, got {short_repr(text)}")
    if not layout.counts:
        if colon:
            raise ValueError(f"{name} takes no number, got {short_repr(text)}")
        return layout, 1
    # isdecimal alone accepts digits of other scripts, and numbers too long to convert.
    if not (
        number.isascii() and number.isdecimal() and len(number) < 10 and layout.least <= int(number) <= layout.most
    ):
        raise ValueError(f"{name}:N takes {layout.least} to {layout.most} {layout.counts}, got {short_repr(text)}")
    return layout, int(number)


def keys_of(layout: StreamLayout, number: int, seed: int, impl: str) -> keyrng.Key:
    """Return the keys of a layout's streams, a 1-d array."""
    if layout.of_seeds:
        return layout.keys(partial(keyrng.key, impl=impl), seed, number)
    return layout.keys(keyrng.key(seed, impl=impl), number)


def words(layout: StreamLayout, keys: keyrng.Key, start: int, count: int) -> Array:
    """Return random words, ``count`` elements of each stream from ``start``, interleaved.

    For uniforms, ``count`` must be a multiple of 32, so that their bits fill words.
    """
    dtype = np.dtype(layout.draws)
    drawn = np.empty((keys.size, count), dtype)
    kernel = kernel_of("bits" if dtype == np.uint32 else "unit")
    fill_range(kernel, keys, drawn, ElementRange(start, count, count))
    side_by_side = np.ascontiguousarray(drawn.T).reshape(-1)
    return side_by_side if dtype == np.uint32 else _packed(side_by_side)


def _packed(uniforms: Array) -> Array:
    """Concatenate the random bits of uniforms: the digits after the binary point."""
    digits, word = (23, np.uint32) if uniforms.dtype == np.float32 else (52, np.uint64)
    size = 8 * np.dtype(word).itemsize
    whole = (uniforms * uniforms.dtype.type(2.0**digits)).astype(word)
    bits = np.unpackbits(whole.astype(f"<u{size // 8}").view(np.uint8), bitorder="little").reshape(-1, size)[:, :digits]
    return np.packbits(bits, bitorder="little").view("<u4")
