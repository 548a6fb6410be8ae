"""The samplers: a kernel above, its public function below, a file for each family."""

from keyrng.distributions.exponential import exponential
from keyrng.distributions.gamma import gamma
from keyrng.distributions.geometric import geometric
from keyrng.distributions.gumbel import gumbel
from keyrng.distributions.lognormal import lognormal
from keyrng.distributions.normal import normal
from keyrng.distributions.powers import pareto, power
from keyrng.distributions.symmetric import cauchy, laplace, logistic
from keyrng.distributions.triangular import triangular
from keyrng.distributions.truncated_normal import truncated_normal
from keyrng.distributions.uniform import uniform
from keyrng.distributions.wald import wald
from keyrng.distributions.weibull import rayleigh, weibull_min
from keyrng.distributions.words import bernoulli, bits, rademacher, randint

__all__ = [
    "bernoulli",
    "bits",
    "cauchy",
    "exponential",
    "gamma",
    "geometric",
    "gumbel",
    "laplace",
    "logistic",
    "lognormal",
    "normal",
    "pareto",
    "power",
    "rademacher",
    "randint",
    "rayleigh",
    "triangular",
    "truncated_normal",
    "uniform",
    "wald",
    "weibull_min",
]
