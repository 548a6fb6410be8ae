"""keyrng: random numbers by explicit, immutable, splittable keys, the same bits everywhere."""

from keyrng import algorithms as algorithms
from keyrng._version import __version__ as __version__
from keyrng.backends.threads import get_num_threads, set_num_threads
from keyrng.distributions import (
    bernoulli,
    bits,
    exponential,
    gamma,
    logseries,
    normal,
    rademacher,
    randint,
    truncated_normal,
    uniform,
    vonmises,
    zipf,
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
    "logseries",
    "normal",
    "rademacher",
    "randint",
    "set_num_threads",
    "split",
    "stack",
    "truncated_normal",
    "uniform",
    "vonmises",
    "wrap_key_data",
    "zipf",
]
