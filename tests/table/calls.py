"""A small call of every sampler: its arguments after the key."""

from __future__ import annotations

from typing import Any

import numpy as np

from keyrng import distributions

CALLS: dict[str, tuple[Any, ...]] = {
    "ball": (2, 2, (3,)),
    "bernoulli": (0.5, (3,)),
    "beta": (2.0, 3.0, (3,)),
    "binomial": (10, 0.5, (3,)),
    "bits": ((3,),),
    "categorical": (np.zeros(4), -1, (3,)),
    "cauchy": ((3,),),
    "chisquare": (2.0, (3,)),
    "choice": (10, (3,), False),
    "dirichlet": (np.ones(3), (2,)),
    "double_sided_maxwell": (0.0, 1.0, (3,)),
    "exponential": ((3,),),
    "f": (2.0, 3.0, (3,)),
    "gamma": (2.0, (3,)),
    "generalized_normal": (2.0, (3,)),
    "geometric": (0.5, (3,)),
    "gumbel": ((3,),),
    "hypergeometric": (5, 5, 4, (3,)),
    "index_shuffle": (np.arange(5), 10),
    "laplace": ((3,),),
    "loggamma": (2.0, (3,)),
    "logistic": ((3,),),
    "lognormal": (1.0, (3,)),
    "logseries": (0.5, (3,)),
    "maxwell": ((3,),),
    "multinomial": (5, np.array([0.5, 0.5])),
    "multivariate_hypergeometric": (np.array([5, 5]), 4),
    "multivariate_normal": (np.zeros(2), np.eye(2)),
    "negative_binomial": (5, 0.5, (3,)),
    "noncentral_chisquare": (2.0, 1.0, (3,)),
    "noncentral_f": (2.0, 3.0, 1.0, (3,)),
    "normal": ((3,),),
    "orthogonal": (2,),
    "pareto": (2.0, (3,)),
    "permutation": (10,),
    "poisson": (3.0, (3,)),
    "power": (2.0, (3,)),
    "rademacher": ((3,),),
    "randint": ((3,), 0, 10),
    "rayleigh": (1.0, (3,)),
    "sample_without_replacement": (10, (3,)),
    "t": (2.0, (3,)),
    "triangular": (0.0, 0.5, 1.0, (3,)),
    "truncated_normal": (-1.0, 1.0, (3,)),
    "uniform": ((3,),),
    "vonmises": (0.0, 1.0, (3,)),
    "wald": (1.0, (3,)),
    "weibull_min": (1.0, 2.0, (3,)),
    "wishart": (3, np.eye(2)),
    "zipf": (2.0, (3,)),
}

assert set(CALLS) == set(distributions.__all__)
