"""Random words."""

from __future__ import annotations

from keyrng._core.dtypes import DTypeLike, unsigned_dtype
from keyrng._keys.derive import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import (
    Array,
)
from keyrng._sampling.shapes import Shape
from keyrng.distributions._shared.words import bits_kernel


def bits(key: Key, shape: Shape = (), dtype: DTypeLike = None, *, out: Array | None = None) -> Array:
    """Random words: every bit is 0 or 1 with probability one half.

    Parameters
    ----------
    key, shape, out
        As for `sample_kernel`: the result has shape ``key.shape + shape``.
    dtype
        An unsigned integer of 8, 16, 32 (the default) or 64 bits.

    Raises
    ------
    TypeError
        For another dtype, or a wrong kind of argument.

    Notes
    -----
    With ``threefry2x32`` the words are those of ``jax.random.bits``. With every other algorithm they are one run:
    ``bits(k, (2 * n,), "uint32").view("uint64") == bits(k, (n,), "uint64")``.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.bits(keyrng.key(0), (3,))
    array([4070199207, 4202968722, 1427181096], dtype=uint32)
    """
    return sample_kernel(bits_kernel, key, shape, unsigned_dtype(dtype, out), out=out)
