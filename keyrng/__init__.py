"""keyrng: random numbers by explicit, immutable, splittable keys, the same bits everywhere."""

from keyrng import algorithms as algorithms
from keyrng._version import __version__ as __version__
from keyrng.backends.threads import get_num_threads, set_num_threads
from keyrng.distributions import (
    bernoulli,
    bits,
    categorical,
    choice,
    exponential,
    gamma,
    normal,
    permutation,
    rademacher,
    randint,
    truncated_normal,
    uniform,
)
from keyrng.keys import (
    Key,
    clone,
    concatenate,
    fold_in,
    key,
    key_data,
    key_impl,
    split,
    stack,
    wrap_key_data,
)
from keyrng.sampling import draw

__all__ = [
    "Key",
    "algorithms",
    "bernoulli",
    "bits",
    "categorical",
    "choice",
    "clone",
    "concatenate",
    "draw",
    "exponential",
    "fold_in",
    "gamma",
    "get_num_threads",
    "key",
    "key_data",
    "key_impl",
    "normal",
    "permutation",
    "rademacher",
    "randint",
    "set_num_threads",
    "split",
    "stack",
    "truncated_normal",
    "uniform",
    "wrap_key_data",
]
