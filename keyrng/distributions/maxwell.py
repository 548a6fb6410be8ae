"""The Maxwell distribution."""

from __future__ import annotations

from typing import Any

from keyrng._core.dtypes import DTypeLike, floating_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import Array
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions.normal import normal_kernel
from keyrng.kernels.lane import FLOATS, kernel
from keyrng.kernels.ops import sqrt


@kernel(*FLOATS)
def _maxwell(lane: Any) -> Any:
    x, y, z = (normal_kernel(one) for one in lane.vector(3))
    return sqrt(x * x + y * y + z * z)


@sampler
def maxwell(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Return Maxwell variates of scale 1.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    shape
        Shape of each key's sample, an int or a tuple of ints; () by default.
    dtype
        Dtype of the result: float16, bfloat16, float32 (the default) or float64.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Variates, zero or more, of shape ``key.shape + shape``, float32 by default.

    Raises
    ------
    TypeError
        If ``dtype`` is not a float dtype, or an argument is of a wrong kind.

    See Also
    --------
    chisquare : The squares, for 3 degrees of freedom.
    double_sided_maxwell : The variates with a random sign.
    rayleigh : The lengths of normal vectors in the plane.

    Notes
    -----
    The density is ``sqrt(2 / pi) * x**2 * exp(-x**2 / 2)`` for ``x >= 0``. A variate is the Euclidean norm of three
    normal variates, those at its place in an array of shape ``(*shape, 3)``.

    The values are those of ``jax.random.maxwell`` within rounding.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.maxwell(keyrng.key(0), (3,))
    array([2.6310966, 0.9910329, 0.9649306], dtype=float32)
    """
    return sample_kernel(_maxwell, key, shape, floating_dtype(dtype, out), out=out)
