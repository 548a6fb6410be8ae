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
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.kernels.lane import kernel
from keyrng.kernels.ops import cast


@kernel("float32")
def _rademacher(lane: Any) -> Any:
    return cast(1 - ((lane.bits() >> 31) << 1), np.int32)


@sampler
def rademacher(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Return random signs, -1 or 1 with probability 1/2 each.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    shape
        Shape of each key's sample, an int or a tuple of ints; () by default.
    dtype
        Dtype of the result: any signed integer or float dtype, int32 by default.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        -1 or 1, of shape ``key.shape + shape``, int32 by default; any signed integer or float dtype is possible.

    Raises
    ------
    TypeError
        If ``dtype`` is unsigned, because it has no -1 (jax returns 255), or an argument is of a wrong kind.

    See Also
    --------
    bernoulli : Booleans of any probability.
    randint : Integers of an interval.

    Notes
    -----
    The values are those of ``jax.random.rademacher``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.rademacher(keyrng.key(0), (5,))
    array([-1, -1,  1,  1, -1], dtype=int32)
    """
    return sample_kernel(_rademacher, key, shape, signed_dtype(dtype, out), compute=FLOAT32, out=out)
