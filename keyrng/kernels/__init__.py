"""The kernel language: what samplers are written in, for keyrng's and for your own."""

from keyrng.kernels.bits import positive_unit, signed_unit, unit
from keyrng.kernels.elementary import *  # noqa: F403
from keyrng.kernels.ops import bitcast, cast, mod_wide, mulhi, rotl, sqrt, where
from keyrng.kernels.program import kernel
