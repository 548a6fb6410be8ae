"""The Maxwell distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.shapes import Shape
from keyrng.distributions.normal import normal_kernel
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import sqrt


@kernel(*FLOATS)
def _maxwell(lane: Any) -> Any:
    x, y, z = (normal_kernel(one) for one in lane.vector(3))
    return sqrt(x * x + y * y + z * z)


def maxwell(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Maxwell variates of scale 1, lengths of three-dimensional normal vectors: density ``c x**2 exp(-x**2 / 2)``.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    dtype
        float16, bfloat16, float32 (the default) or float64.

    Notes
    -----
    The norm of the three normals that an array of shape ``(*shape, 3)`` has there: the values of jax.random.maxwell
    within rounding. ``c`` is ``sqrt(2 / pi)``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.maxwell(keyrng.key(0), (3,))
    array([2.6310966, 0.9910329, 0.9649306], dtype=float32)
    """
    return sample_kernel(_maxwell, key, shape, floating_dtype(dtype, out), out=out)
