"""The samplers: a kernel above, its public function below, a file for each family."""

from keyrng.distributions.ball import ball, generalized_normal
from keyrng.distributions.beta import beta
from keyrng.distributions.binomial import binomial
from keyrng.distributions.chisquare import chisquare, f, noncentral_chisquare, noncentral_f, t
from keyrng.distributions.dirichlet import dirichlet
from keyrng.distributions.exponential import exponential
from keyrng.distributions.gamma import gamma, loggamma
from keyrng.distributions.hypergeometric import hypergeometric
from keyrng.distributions.maxwell import double_sided_maxwell, maxwell
from keyrng.distributions.multinomial import multinomial, multivariate_hypergeometric
from keyrng.distributions.negative_binomial import negative_binomial
from keyrng.distributions.normal import normal
from keyrng.distributions.poisson import poisson
from keyrng.distributions.truncated_normal import truncated_normal
from keyrng.distributions.uniform import uniform
from keyrng.distributions.words import bernoulli, bits, rademacher, randint

__all__ = [
    "ball",
    "bernoulli",
    "beta",
    "binomial",
    "bits",
    "chisquare",
    "dirichlet",
    "double_sided_maxwell",
    "exponential",
    "f",
    "gamma",
    "generalized_normal",
    "hypergeometric",
    "loggamma",
    "maxwell",
    "multinomial",
    "multivariate_hypergeometric",
    "negative_binomial",
    "noncentral_chisquare",
    "noncentral_f",
    "normal",
    "poisson",
    "rademacher",
    "randint",
    "t",
    "truncated_normal",
    "uniform",
]
