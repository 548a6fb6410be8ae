"""What the samplers of rows share: those whose elements along the last axis belong together.

Must not import a public sampler.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng.dtypes import Dtype
from keyrng.keys import Key, check_key
from keyrng.parameters import Array, Parameter
from keyrng.shapes import Shape, check_broadcast, check_out, dimensions, sample_shape


def row_shape(name: str, rows: Array, shape: Shape | None) -> tuple[int, ...] | None:
    """The shape of rows as long as a parameter's: ``shape`` and its last axis; None if that is not given."""
    if rows.ndim == 0:
        raise ValueError(f"{name} has an axis of classes, got one number; type [{rows}, ...]")
    return None if shape is None else (*dimensions(shape), rows.shape[-1])


def full_shape(key: Key, shape: Shape | None, out: Any, **values: Array) -> tuple[int, ...]:
    """The shape of the whole sample for a shape with rows, or what the parameters broadcast to; checked."""
    check_key(key)
    full = sample_shape(key, shape, list(values.values()), out)
    check_broadcast([Parameter(name, value) for name, value in values.items()], list(values.values()), full)
    return full


def row_sum(x: Array) -> Array:
    """The sum along the last axis in the axis's order: NumPy's own order differs from version to version."""
    total: Array = np.zeros(x.shape[:-1], x.dtype)
    for i in range(x.shape[-1]):
        total += x[..., i]
    return total


def stored(key: Key, sample: Array, dtype: Dtype, out: Any) -> Array:
    """A sample, made in the dtype of the computation, as the dtype asked for and in ``out`` if there is one."""
    if out is None:
        return sample.astype(dtype, copy=False)
    result = check_out(key, out, sample.shape, dtype)
    result[...] = sample
    return result
