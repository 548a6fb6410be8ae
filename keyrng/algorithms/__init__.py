"""The counter-based generators, and the registration of other ones."""

from keyrng.algorithms.base import Algorithm, Domain, get, names, register
from keyrng.algorithms.philox import philox2x64, philox4x32, philox4x64
from keyrng.algorithms.threefry import threefry2x32, threefry2x64, threefry4x32, threefry4x64

__all__ = [
    "Algorithm",
    "Domain",
    "get",
    "names",
    "philox2x64",
    "philox4x32",
    "philox4x64",
    "register",
    "threefry2x32",
    "threefry2x64",
    "threefry4x32",
    "threefry4x64",
]

# Default first: errors and `names` list them in this order.
for _algorithm in (threefry2x32, threefry4x32, threefry2x64, threefry4x64, philox4x32, philox2x64, philox4x64):
    register(_algorithm)
