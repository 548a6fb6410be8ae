"""Calls that a type checker accepts; `test_types.py` runs mypy on this file."""

from __future__ import annotations

from typing import SupportsIndex

import numpy as np

import keyrng
from keyrng import initializers


class Size:
    """A custom integer type."""

    def __index__(self) -> int:
        return 2


key = keyrng.key(np.uint32(0))
keys = keyrng.split(key, 3)
table = np.zeros((2, 3), np.float32)
sizes: list[SupportsIndex] = [2, np.int64(3), Size()]

for size in (2, np.int64(2), np.uint8(2), Size()):
    keyrng.normal(key, size)
    keyrng.normal(key, (size,))
    keyrng.normal(key, [size, 3])
    keyrng.gamma(key, 2.5, (size, size))
    keyrng.randint(key, (3, size), 0, 10)
    keyrng.split(key, size)
    keyrng.split(key, (size, 3))
    keyrng.dropout_mask(key, (size, 3), 0.5, broadcast_dims=(0,))
    keyrng.lazy_array(keyrng.normal, key, (size, 3))
    keyrng.sample_kernel(lambda lane: lane.bits(), key, (size,), "uint32")
    initializers.he_normal()(key, (size, 3))
    keyrng.Generator(0).uniform((size, 3))
    keyrng.Generator(0).next_key((size, 3))
    keyrng.Generator(0).spawn(size)

keyrng.uniform(key, sizes)
keyrng.uniform(key, table.shape)

for axis in (0, np.int64(0), np.array(0)[()]):
    keyrng.permutation(key, table, axis)
    keyrng.choice(key, table, (2,), axis=axis)
    keyrng.categorical(key, table, axis)
    keyrng.stack([key, key], axis)
    keyrng.concatenate([keys, keys], axis)
    keyrng.dropout(key, table, 0.5, broadcast_dims=(axis,))

keyrng.ball(key, np.int64(3))
keyrng.orthogonal(key, np.int64(3))
keyrng.index_shuffle(key, 0, np.int64(10))
keyrng.shuffled_batches(key, np.int64(10), np.int64(2), rank=np.int32(0))
key.generate_state(np.int64(2))
