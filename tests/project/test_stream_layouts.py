"""The stream layouts of `python -m keyrng bits` have the keys that their page names."""

from __future__ import annotations

from itertools import combinations, permutations, product
from pathlib import Path

import numpy as np
import pytest

import keyrng
from keyrng._cli import stream_layouts


def _line(key, n):
    return [key] if n == 1 else [key, *_line(keyrng.fold_in(key, 0), n - 1)]


def _flipped(key, n):
    """By Python's integers."""
    words = keyrng.key_data(key)
    number, width = int.from_bytes(words.astype(words.dtype.newbyteorder(">")).tobytes()), 8 * words.nbytes
    flips = [sum(1 << i for i in places) for places in combinations(range(width), n)]
    numbers = b"".join((number ^ flip).to_bytes(width // 8) for flip in flips)
    data = np.frombuffer(numbers, words.dtype.newbyteorder(">")).astype(words.dtype)
    return [*keyrng.wrap_key_data(data.reshape(-1, words.size), impl=keyrng.key_impl(key))]


SEED = 7

# The keys of every layout, in other words than its own.
KEYS = {
    "one": lambda key, n: [key],
    "split": lambda key, n: [keyrng.fold_in(key, i) for i in range(n)],
    "fold_in": lambda key, n: [keyrng.fold_in(key, i) for i in range(n)],
    "tree": lambda key, n: [keyrng.fold_in(key, path) for path in product((0, 1), repeat=n)] if n else [key],
    "permuted_paths": lambda key, n: [keyrng.fold_in(key, path) for path in permutations(range(n), 3)],
    "parent_child": lambda key, n: [key, *keyrng.split(key, n)],
    "chain": _line,
    "seeds": lambda key, n: [keyrng.key(SEED + i, impl=keyrng.key_impl(key)) for i in range(n)],
    "one_hot_keys": lambda key, n: _flipped(key, 1),
    "sparse_keys": lambda key, n: [k for weight in range(n + 1) for k in _flipped(key, weight)],
    "float32": lambda key, n: [key],
    "float64": lambda key, n: [key],
}


TRIED = """
one split:3 fold_in:3 tree:0 tree:3 permuted_paths:3 permuted_paths:5 parent_child:1 parent_child:3 chain:1 chain:5
seeds:3 one_hot_keys sparse_keys:0 sparse_keys:1 sparse_keys:2
"""


@pytest.mark.parametrize("impl", ["threefry2x32", "philox2x64", "threefry4x64"])
@pytest.mark.parametrize("layout", TRIED.split())
def test_keys_of_feeds(layout, impl):
    found, number = stream_layouts.parse(layout)
    name, _, n = layout.partition(":")
    keys = stream_layouts.keys_of(found, number, SEED, impl)

    assert keys.ndim == 1
    assert [*keys] == KEYS[name](keyrng.key(SEED, impl=impl), int(n or 0))


def test_every_feed_is_on_its_page_and_tested():
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")

    assert [*KEYS] == [*stream_layouts.LAYOUTS]
    for name in stream_layouts.FORMS.split(", "):
        assert f"`{name}`" in page
