"""The samplers, one file for each: the kernel first, then the public function."""

from keyrng.distributions.ball import ball
from keyrng.distributions.bernoulli import bernoulli
from keyrng.distributions.beta import beta
from keyrng.distributions.binomial import binomial
from keyrng.distributions.bits import bits
from keyrng.distributions.categorical import categorical
from keyrng.distributions.cauchy import cauchy
from keyrng.distributions.chisquare import chisquare
from keyrng.distributions.choice import choice
from keyrng.distributions.dirichlet import dirichlet
from keyrng.distributions.double_sided_maxwell import double_sided_maxwell
from keyrng.distributions.exponential import exponential
from keyrng.distributions.f import f
from keyrng.distributions.gamma import gamma
from keyrng.distributions.generalized_normal import generalized_normal
from keyrng.distributions.geometric import geometric
from keyrng.distributions.gumbel import gumbel
from keyrng.distributions.half_cauchy import half_cauchy
from keyrng.distributions.half_normal import half_normal
from keyrng.distributions.hypergeometric import hypergeometric
from keyrng.distributions.index_shuffle import index_shuffle
from keyrng.distributions.inverse_gamma import inverse_gamma
from keyrng.distributions.laplace import laplace
from keyrng.distributions.loggamma import loggamma
from keyrng.distributions.logistic import logistic
from keyrng.distributions.lognormal import lognormal
from keyrng.distributions.logseries import logseries
from keyrng.distributions.maxwell import maxwell
from keyrng.distributions.multinomial import multinomial
from keyrng.distributions.multivariate_hypergeometric import multivariate_hypergeometric
from keyrng.distributions.multivariate_normal import multivariate_normal
from keyrng.distributions.negative_binomial import negative_binomial
from keyrng.distributions.noncentral_chisquare import noncentral_chisquare
from keyrng.distributions.noncentral_f import noncentral_f
from keyrng.distributions.normal import normal
from keyrng.distributions.orthogonal import orthogonal
from keyrng.distributions.pareto import pareto
from keyrng.distributions.permutation import permutation
from keyrng.distributions.poisson import poisson
from keyrng.distributions.power import power
from keyrng.distributions.rademacher import rademacher
from keyrng.distributions.randint import randint
from keyrng.distributions.rayleigh import rayleigh
from keyrng.distributions.sample_without_replacement import sample_without_replacement
from keyrng.distributions.skew_normal import skew_normal
from keyrng.distributions.t import t
from keyrng.distributions.triangular import triangular
from keyrng.distributions.truncated_normal import truncated_normal
from keyrng.distributions.uniform import uniform
from keyrng.distributions.vonmises import vonmises
from keyrng.distributions.wald import wald
from keyrng.distributions.weibull_min import weibull_min
from keyrng.distributions.wishart import wishart
from keyrng.distributions.zipf import zipf

__all__ = [
    "ball",
    "bernoulli",
    "beta",
    "binomial",
    "bits",
    "categorical",
    "cauchy",
    "chisquare",
    "choice",
    "dirichlet",
    "double_sided_maxwell",
    "exponential",
    "f",
    "gamma",
    "generalized_normal",
    "geometric",
    "gumbel",
    "half_cauchy",
    "half_normal",
    "hypergeometric",
    "index_shuffle",
    "inverse_gamma",
    "laplace",
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
    "sample_without_replacement",
    "skew_normal",
    "t",
    "triangular",
    "truncated_normal",
    "uniform",
    "vonmises",
    "wald",
    "weibull_min",
    "wishart",
    "zipf",
]
