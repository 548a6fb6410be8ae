"""keyrng: random numbers from explicit, immutable, splittable keys, with the same bits everywhere."""

import typing as _typing

from keyrng._core.fpenv import default_fpenv as _default_mode

with _default_mode():  # parsing decimals in source code depends on the environment
    from keyrng import algorithms as algorithms
    from keyrng import debug as debug
    from keyrng import distributions as _distributions
    from keyrng import initializers as initializers
    from keyrng._dropout import dropout, dropout_mask
    from keyrng._epochs import EpochBatches, ShuffledBatches, shuffled_batches
    from keyrng._executors.threads import get_num_threads, set_num_threads
    from keyrng._generator import Generator
    from keyrng._keys.create import key, key_data, key_impl, wrap_key_data
    from keyrng._keys.derive import Key, clone, concatenate, fold_in, split, stack
    from keyrng._keys.named import keys_like
    from keyrng._lazy import LazyArray, lazy_array
    from keyrng._sampling.draw import sample_kernel
    from keyrng._saved_names import install as _install_saved_names
    from keyrng._version import __version__ as __version__
    from keyrng.distributions import *

__all__ = [
    "EpochBatches",
    "Generator",
    "Key",
    "LazyArray",
    "ShuffledBatches",
    "algorithms",
    "clone",
    "concatenate",
    "debug",
    "dropout",
    "dropout_mask",
    "fold_in",
    "get_num_threads",
    "initializers",
    "key",
    "key_data",
    "key_impl",
    "keys_like",
    "lazy_array",
    "sample_kernel",
    "set_num_threads",
    "shuffled_batches",
    "split",
    "stack",
    "wrap_key_data",
]
__all__ += _distributions.__all__

_install_saved_names()


def __dir__() -> list[str]:
    return sorted(["__all__", "__doc__", "__file__", "__name__", "__path__", "__version__", *__all__])


if not _typing.TYPE_CHECKING:  # otherwise type checkers accept any name

    def __getattr__(name: str) -> _typing.NoReturn:
        """Raise AttributeError, with a hint for names of NumPy, PyTorch and JAX."""
        import sys

        from keyrng._core.migration import missing

        missing(sys.modules[__name__], name)
