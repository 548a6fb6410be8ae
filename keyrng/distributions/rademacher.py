"""Random signs."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT32, DTypeLike, signed_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import (
    Array,
)
from keyrng._sampling.shapes import Shape
from keyrng.kernels.lane import kernel
from keyrng.kernels.ops import cast


@kernel("float32")
def _rademacher(lane: Any) -> Any:
    return cast(1 - ((lane.bits() >> 31) << 1), np.int32)


def rademacher(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """-1 or 1, each with probability one half.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    dtype
        A signed integer or a float; int32 by default.

    Raises
    ------
    TypeError
        For an unsigned dtype, which has no -1 (jax gives 255), or a wrong kind of argument.

    Notes
    -----
    The values of ``jax.random.rademacher``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.rademacher(keyrng.key(0), (5,))
    array([-1, -1,  1,  1, -1], dtype=int32)
    """
    return sample_kernel(_rademacher, key, shape, signed_dtype(dtype, out), compute=FLOAT32, out=out)
