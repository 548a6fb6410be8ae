"""Words of uniform random bits."""

from __future__ import annotations

from keyrng._core.dtypes import DTypeLike, unsigned_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import (
    Array,
)
from keyrng._sampling.sampler import sampler
from keyrng._sampling.shapes import Shape
from keyrng.distributions._shared.words import bits_kernel


@sampler
def bits(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Return words of uniform random bits.

    Parameters
    ----------
    key
        A key, or an array of keys, each of which gives an independent sample.
    shape
        Shape of each key's sample, an int or a tuple of ints; () by default.
    dtype
        Dtype of the result: uint8, uint16, uint32 (the default) or uint64.
    out
        Array that the result is written to and that is returned; ``shape`` and ``dtype`` may be left out. It must have
        the shape and the dtype of the result. A PyTorch tensor on the CPU is accepted, too.

    Returns
    -------
    ndarray
        Words of shape ``key.shape + shape``, uint32 by default; uint8, uint16 and uint64 are possible.

    Raises
    ------
    TypeError
        If ``dtype`` is not an unsigned integer dtype, or an argument is of a wrong kind.

    See Also
    --------
    randint : Integers of an interval.
    uniform : Floats of an interval.
    keyrng.interop.numpy.bit_generator : A NumPy bit generator that reads the same words.

    Notes
    -----
    Each bit is 0 or 1 with probability 1/2.

    With ``threefry2x32`` the words are those of ``jax.random.bits``. With every other algorithm the words of all widths
    are one sequence: ``bits(k, (2 * n,), "uint32").view("uint64") == bits(k, (n,), "uint64")``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.bits(keyrng.key(0), (3,))
    array([4070199207, 4202968722, 1427181096], dtype=uint32)
    """
    return sample_kernel(bits_kernel, key, shape, unsigned_dtype(dtype, out), out=out)
