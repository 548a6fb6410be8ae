"""The samplers: a kernel above, its public function below, a file for each family."""

from keyrng.distributions.exponential import exponential
from keyrng.distributions.gamma import gamma
from keyrng.distributions.logseries import logseries
from keyrng.distributions.normal import normal
from keyrng.distributions.truncated_normal import truncated_normal
from keyrng.distributions.uniform import uniform
from keyrng.distributions.vonmises import vonmises
from keyrng.distributions.words import bernoulli, bits, rademacher, randint
from keyrng.distributions.zipf import zipf

__all__ = [
    "bernoulli",
    "bits",
    "exponential",
    "gamma",
    "logseries",
    "normal",
    "rademacher",
    "randint",
    "truncated_normal",
    "uniform",
    "vonmises",
    "zipf",
]
