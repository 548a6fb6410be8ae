"""The samplers: a kernel above, its public function below, a file for each family."""

from keyrng.distributions.categorical import categorical
from keyrng.distributions.choice import choice
from keyrng.distributions.exponential import exponential
from keyrng.distributions.gamma import gamma
from keyrng.distributions.normal import normal
from keyrng.distributions.permutation import permutation
from keyrng.distributions.truncated_normal import truncated_normal
from keyrng.distributions.uniform import uniform
from keyrng.distributions.words import bernoulli, bits, rademacher, randint

__all__ = [
    "bernoulli",
    "bits",
    "categorical",
    "choice",
    "exponential",
    "gamma",
    "normal",
    "permutation",
    "rademacher",
    "randint",
    "truncated_normal",
    "uniform",
]
