"""keyrng: random numbers by explicit, immutable, splittable keys, the same bits everywhere."""

import typing as _typing

from keyrng._core.fpenv import default_fpenv as _default_mode

with _default_mode():  # by which Python reads the decimals of a module's text
    from keyrng import algorithms as algorithms
    from keyrng import debug as debug
    from keyrng import initializers as initializers
    from keyrng._dropout import dropout, dropout_mask
    from keyrng._epochs import EpochBatches, ShuffledBatches, shuffled_batches
    from keyrng._executors.threads import get_num_threads, set_num_threads
    from keyrng._generator import Generator
    from keyrng._keys.derive import (
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
    from keyrng._keys.named import keys_like
    from keyrng._lazy import LazyArray, lazy_array
    from keyrng._sampling.draw import sample_kernel
    from keyrng._saved_names import install as _install_saved_names
    from keyrng._version import __version__ as __version__
    from keyrng.distributions import (
        ball,
        bernoulli,
        beta,
        binomial,
        bits,
        categorical,
        cauchy,
        chisquare,
        choice,
        dirichlet,
        double_sided_maxwell,
        exponential,
        f,
        gamma,
        generalized_normal,
        geometric,
        gumbel,
        hypergeometric,
        index_shuffle,
        laplace,
        loggamma,
        logistic,
        lognormal,
        logseries,
        maxwell,
        multinomial,
        multivariate_hypergeometric,
        multivariate_normal,
        negative_binomial,
        noncentral_chisquare,
        noncentral_f,
        normal,
        orthogonal,
        pareto,
        permutation,
        poisson,
        power,
        rademacher,
        randint,
        rayleigh,
        sample_without_replacement,
        t,
        triangular,
        truncated_normal,
        uniform,
        vonmises,
        wald,
        weibull_min,
        wishart,
        zipf,
    )

__all__ = [
    "EpochBatches",
    "Generator",
    "Key",
    "LazyArray",
    "ShuffledBatches",
    "algorithms",
    "ball",
    "bernoulli",
    "beta",
    "binomial",
    "bits",
    "categorical",
    "cauchy",
    "chisquare",
    "choice",
    "clone",
    "concatenate",
    "debug",
    "dirichlet",
    "double_sided_maxwell",
    "dropout",
    "dropout_mask",
    "exponential",
    "f",
    "fold_in",
    "gamma",
    "generalized_normal",
    "geometric",
    "get_num_threads",
    "gumbel",
    "hypergeometric",
    "index_shuffle",
    "initializers",
    "key",
    "key_data",
    "key_impl",
    "keys_like",
    "laplace",
    "lazy_array",
    "loggamma",
    "logistic",
    "lognormal",
    "logseries",
    "maxwell",
    "multinomial",
    "multivariate_hypergeometric",
    "multivariate_normal",
    "negative_binomial",
    "noncentral_chisquare",
    "noncentral_f",
    "normal",
    "orthogonal",
    "pareto",
    "permutation",
    "poisson",
    "power",
    "rademacher",
    "randint",
    "rayleigh",
    "sample_kernel",
    "sample_without_replacement",
    "set_num_threads",
    "shuffled_batches",
    "split",
    "stack",
    "t",
    "triangular",
    "truncated_normal",
    "uniform",
    "vonmises",
    "wald",
    "weibull_min",
    "wishart",
    "wrap_key_data",
    "zipf",
]

_install_saved_names()


def __dir__() -> list[str]:
    return sorted(["__all__", "__doc__", "__file__", "__name__", "__path__", "__version__", *__all__])


if not _typing.TYPE_CHECKING:  # for type checkers every name would exist

    def __getattr__(name: str) -> _typing.NoReturn:
        """An AttributeError, which for a name of NumPy, PyTorch or JAX says what to type here."""
        import sys

        from keyrng._core.migration import missing

        missing(sys.modules[__name__], name)
