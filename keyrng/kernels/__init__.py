"""The kernel language, in which samplers are written."""

from keyrng.kernels.atan import atan
from keyrng.kernels.bits import uniform_co, uniform_oc, uniform_signed
from keyrng.kernels.counting import count_sums
from keyrng.kernels.elementary import (
    copysign,
    exp,
    expm1,
    floor,
    isnan,
    ldexp,
    log,
    log1p,
    power,
    rint,
)
from keyrng.kernels.erfinv import erfinv
from keyrng.kernels.ops import bitcast, cast, mod_wide, mulhi, rarely, rotl, sqrt, where
from keyrng.kernels.requirements import (
    Interval,
    Requirement,
    above_one,
    below_one,
    finite,
    integer_up_to,
    non_negative,
    not_nan,
    positive,
    positive_probability,
    probability,
)
from keyrng.kernels.special import cospi, erf, erfc, lgamma, sinpi, tanpi

__all__ = [
    "Interval",
    "Requirement",
    "above_one",
    "atan",
    "below_one",
    "bitcast",
    "cast",
    "copysign",
    "cospi",
    "count_sums",
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "expm1",
    "finite",
    "floor",
    "integer_up_to",
    "isnan",
    "ldexp",
    "lgamma",
    "log",
    "log1p",
    "mod_wide",
    "mulhi",
    "non_negative",
    "not_nan",
    "positive",
    "positive_probability",
    "power",
    "probability",
    "rarely",
    "rint",
    "rotl",
    "sinpi",
    "sqrt",
    "tanpi",
    "uniform_co",
    "uniform_oc",
    "uniform_signed",
    "where",
]
