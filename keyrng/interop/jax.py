"""Conversion of keys to and from JAX, for ``threefry2x32``."""

from __future__ import annotations

import numpy as np

from keyrng._keys.create import key_data, wrap_key_data
from keyrng._keys.derive import Key, check_key

try:
    import jax
except ModuleNotFoundError as error:
    raise ModuleNotFoundError('keyrng.interop.jax requires JAX; type: pip install "jax[cpu]"') from error

__all__ = ["from_jax", "to_jax"]

_IMPL = "threefry2x32"


def to_jax(key: Key) -> jax.Array:
    """Return keys as keys of ``jax.random``.

    Parameters
    ----------
    key : Key
        A key or an array of keys of ``threefry2x32``, the only algorithm that both libraries have.

    Returns
    -------
    jax.Array
        Keys of the same shape. ``jax.random.bits`` and ``keyrng.bits`` of them are equal.

    Raises
    ------
    TypeError
        If ``key`` is not a key, or a key of another algorithm.

    See Also
    --------
    from_jax : The inverse.

    Examples
    --------
    >>> import keyrng, keyrng.interop.jax
    >>> keyrng.interop.jax.to_jax(keyrng.split(keyrng.key(42), 3)).shape
    (3,)
    """
    if check_key(key).impl != _IMPL:
        raise TypeError(f"jax does not support {key.impl}; use keys of {_IMPL}")
    made: jax.Array = jax.random.wrap_key_data(key_data(key.to("cpu")), impl=_IMPL)
    return made


def from_jax(key: jax.Array) -> Key:
    """Return keys of ``jax.random`` as keys of keyrng.

    Parameters
    ----------
    key : jax.Array
        Typed keys, as of ``jax.random.key``, or older arrays of uint32 of shape ``(..., 2)``, as of
        ``jax.random.PRNGKey``. Inside ``jax.jit`` a key has no value yet, so call this function outside.

    Returns
    -------
    Key
        Keys of the same shape, on the CPU.

    Raises
    ------
    TypeError
        If ``key`` is not a key of the implementation ``threefry2x32``.

    See Also
    --------
    to_jax : The inverse.

    Examples
    --------
    >>> import jax, keyrng, keyrng.interop.jax
    >>> bool(keyrng.interop.jax.from_jax(jax.random.key(42)) == keyrng.key(42))
    True
    """
    if isinstance(key, Key):
        raise TypeError("expected a key of jax.random, got a key of keyrng; use to_jax(key) for the reverse")
    if not isinstance(key, (jax.Array, np.ndarray)):
        raise TypeError(f"expected a key of jax.random, got {type(key).__name__}")
    if not jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
        return wrap_key_data(np.asarray(key), impl=_IMPL)
    impl = str(jax.random.key_impl(key))
    if impl != _IMPL:
        raise TypeError(f'keyrng does not support {impl}; use jax.random.key(seed, impl="{_IMPL}")')
    return wrap_key_data(np.asarray(jax.random.key_data(key)), impl=_IMPL)
