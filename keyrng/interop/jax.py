"""JAX: the same keys there and here, for ``threefry2x32``.

Must not be imported by anything in keyrng: it imports what most programs do not have.
"""

from __future__ import annotations

import numpy as np

from keyrng._keys.derive import Key, check_key, key_data, wrap_key_data

try:
    import jax
except ModuleNotFoundError as error:
    raise ModuleNotFoundError('keyrng.interop.jax needs JAX; type: pip install "jax[cpu]"') from error

__all__ = ["from_jax", "to_jax"]

_IMPL = "threefry2x32"


def to_jax(key: Key) -> jax.Array:
    """Keys as keys of ``jax.random``, of the same shape: ``jax.random.bits`` and ``keyrng.bits`` of them are equal.

    TypeError for what is no key, or a key of another algorithm than ``threefry2x32``, the only one that both have.

    >>> import keyrng.interop.jax
    >>> keyrng.interop.jax.to_jax(keyrng.split(keyrng.key(42), 3)).shape
    (3,)
    """
    if check_key(key).impl != _IMPL:
        raise TypeError(f"jax has no {key.impl}; keyrng.key(seed) makes keys of {_IMPL}, which both have")
    made: jax.Array = jax.random.wrap_key_data(key_data(key.to("cpu")), impl=_IMPL)
    return made


def from_jax(key: jax.Array) -> Key:
    """Keys of ``jax.random`` as keys on the CPU, of the same shape.

    Typed keys, as ``jax.random.key`` makes them, or the older arrays of uint32 of shape ``(..., 2)``, as
    ``jax.random.PRNGKey`` does. Of a key inside ``jax.jit`` there are no bits yet: use this outside.

    TypeError for anything else, keys of another implementation than ``threefry2x32`` among it.

    >>> import jax, keyrng.interop.jax
    >>> bool(keyrng.interop.jax.from_jax(jax.random.key(42)) == keyrng.key(42))
    True
    """
    if isinstance(key, Key):
        raise TypeError("it is a key of keyrng already; to_jax(key) makes one of jax's")
    if not isinstance(key, (jax.Array, np.ndarray)):
        raise TypeError(f"expected a key of jax.random, got {type(key).__name__}")
    if not jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
        return wrap_key_data(np.asarray(key), impl=_IMPL)
    impl = str(jax.random.key_impl(key))
    if impl != _IMPL:
        raise TypeError(f'keyrng has no {impl}; jax.random.key(seed, impl="{_IMPL}") makes keys that both have')
    return wrap_key_data(np.asarray(jax.random.key_data(key)), impl=_IMPL)
