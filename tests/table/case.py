"""The class of the rows in rows_*.py, and distributions with scipy's interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import keyrng

Array = np.ndarray[Any, np.dtype[Any]]
Parameters = Mapping[str, Any]

try:
    import ml_dtypes  # noqa: F401

    HAVE_BFLOAT16 = True
except ImportError:
    HAVE_BFLOAT16 = False

FLOATS = ("float16", "bfloat16", "float32", "float64") if HAVE_BFLOAT16 else ("float16", "float32", "float64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = ("int8", "int16", "int32", "int64", *UNSIGNED)
SIGNED = ("int8", "int16", "int32", "int64", *FLOATS)
BOOL = ("bool",)

ALGORITHMS = (
    "threefry2x32",
    "threefry4x32",
    "threefry2x64",
    "threefry4x64",
    "philox4x32",
    "philox2x64",
    "philox4x64",
)


@dataclass(frozen=True)
class Integers:
    """The uniform distribution of the integers from ``low`` to ``high - 1``."""

    low: int
    high: int

    def cdf(self, x: Any) -> Any:
        return np.clip((np.floor(x) - self.low + 1) / (self.high - self.low), 0.0, 1.0)

    def ppf(self, q: Any) -> Any:
        return self.low + np.ceil(np.asarray(q) * (self.high - self.low)) - 1

    def support(self) -> tuple[float, float]:
        return self.low, self.high - 1


@dataclass(frozen=True)
class Signs:
    """The uniform distribution of -1 and 1."""

    def cdf(self, x: Any) -> Any:
        return np.where(np.asarray(x) < -1, 0.0, np.where(np.asarray(x) < 1, 0.5, 1.0))

    def ppf(self, q: Any) -> Any:
        return np.where(np.asarray(q) <= 0.5, -1.0, 1.0)

    def support(self) -> tuple[float, float]:
        return -1.0, np.inf


@dataclass(frozen=True)
class DoubleMaxwell:
    """The two-sided Maxwell distribution."""

    loc: float
    scale: float

    def cdf(self, x: Any) -> Any:
        z = (np.asarray(x) - self.loc) / self.scale
        return 0.5 + 0.5 * np.sign(z) * scipy("maxwell").cdf(abs(z))

    def ppf(self, q: Any) -> Any:
        side = 2 * np.asarray(q) - 1
        return self.loc + self.scale * np.sign(side) * scipy("maxwell").ppf(abs(side))

    def support(self) -> tuple[float, float]:
        return -np.inf, np.inf


def scipy(name: str, *arguments: Any, **keywords: Any) -> Any:
    """A distribution of scipy.stats, which is imported late because that takes a second."""
    return getattr(pytest.importorskip("scipy.stats"), name)(*arguments, **keywords)


# How near to jax: "equal"; 1 unit in the last place of the larger bound; units in the last place, or (rtol, atol), by
# dtype; or a function of jax's values that gives the distance allowed.
TRANSFORM = {"float32": (2e-6, 2e-6), "float64": (1e-11, 1e-11)}


def by_condition(x: Array) -> Array:
    """For sqrt(2) * erfinv(u): a few roundings of u, by dx/du, and of x (the worst seen: 4.6 and 11.6 of them)."""
    wide = x.astype(float)
    rounding, times = (2.0**-24, 8) if x.dtype == np.float32 else (2.0**-53, 20)
    allowed: Array = times * rounding * (np.sqrt(np.pi / 2) * np.exp(wide * wide / 2) + np.abs(wide))
    return allowed


def _rounding(x: Array) -> float:
    return 2.0**-23 if x.dtype == np.float32 else 2.0**-52


def by_slope(x: Array) -> Array:
    """For tan(pi * u): a few roundings of u, by dx/du (the worst seen: 1.3 of them; jax rounds pi, and the product)."""
    wide = x.astype(float)
    allowed: Array = 4 * _rounding(x) * (1 + wide * wide)
    return allowed


def by_logarithm(x: Array) -> Array:
    """For exponentials: roundings of the exponent (the worst seen: 2, and 95 for float64, where jax's log1p has 40)."""
    wide = x.astype(float)
    logarithm = np.log(np.maximum(wide, np.finfo(x.dtype).tiny))
    allowed: Array = (8 if x.dtype == np.float32 else 400) * _rounding(x) * wide * (1 + np.abs(logarithm))
    return allowed


def by_cancellation(x: Array) -> Array:
    """For jax's formula of the Wald distribution, means from 1/2 to 2: roundings of its terms, mean and mean**2 / x.

    A root above the mean has the relative error of the one below (the worst seen: 1.2 of these).
    """
    wide = x.astype(float)
    allowed: Array = 4 * _rounding(x) * (2 + 4 / wide + 2 * wide**2 + 4 * wide**3)
    return allowed


def on_device(function: Callable[..., Any], key: keyrng.Key, out: Any = None, **named: Any) -> Array:
    """Call a sampler on a GPU and return a NumPy array; arrays among the arguments are copied to the device."""
    import cupy

    there = {name: to_device(value, key) if name != "shape" else value for name, value in named.items()}
    if out is None:
        return cupy.asnumpy(function(key, **there))
    place = to_device(out[np.newaxis], key)[0] if out.ndim == 0 else to_device(out, key)
    same = [name for name, value in named.items() if value is out]
    result = function(key, out=place, **{**there, **dict.fromkeys(same, place)})
    assert result is place
    out[...] = cupy.asnumpy(result)
    return out


def to_device(value: Any, key: keyrng.Key) -> Any:
    """Copy an array with at least one axis to the key's device; return anything else as it is."""
    import cupy

    if not isinstance(value, np.ndarray) or not value.ndim:
        return value
    with cupy.cuda.Device(int(key.device.partition(":")[2])):
        return cupy.asarray(np.ascontiguousarray(value).astype(value.dtype.newbyteorder("=")))


@dataclass(frozen=True)
class Case:
    """A sampler, or one of its modes."""

    name: str
    dtypes: tuple[str, ...] = FLOATS
    #: Parameters to test with, by name; of all arrays mixed from them, every combination must be valid.
    parameters: tuple[Parameters, ...] = ({},)
    #: The distribution of the values, of ``dtype`` and the parameters, with scipy's cdf and ppf.
    distribution: Callable[..., Any] = field(kw_only=True)
    #: More parameters, each set for itself: for the tests of statistics, values and paths, after ``parameters``.
    extremes: tuple[Parameters, ...] = ()
    #: Arguments that choose a mode, and the function where the case is not named after it.
    fixed: Parameters = field(default_factory=dict)
    function: str = ""
    #: How near the values are to jax's (see above), for which dtypes, and with which fresh parameters.
    jax: Any = "equal"
    jax_dtypes: tuple[str, ...] = ("float32", "float64")
    jax_x64: bool = True
    #: The share of values that must be equal to jax's, by dtype, where not all are.
    jax_share: Mapping[str, float] = field(default_factory=dict)
    fresh: Callable[[np.random.Generator, str], Parameters] = lambda rng, dtype: {}
    #: The domain of each parameter: the key of a row of REFUSED in test_arguments.py.
    domain: Mapping[str, str] = field(default_factory=dict)
    #: Calls that break a rule between parameters: (parameters, what the ValueError says).
    refused: tuple[tuple[Parameters, str], ...] = ()
    #: Whether a sample is the beginning of a longer one; if not, the reason.
    not_prefix: str = ""
    #: Whether complex64 and complex128 are dtypes too; test_complex.py has their tests.
    complex: bool = False
    #: Whether ``shape`` is broadcast with parameters that do not fit it.
    grows: bool = False

    def __call__(self, key: Any, shape: Any, dtype: str, **more: Any) -> Array:
        """Call the sampler."""
        function = getattr(keyrng, self.function or self.name)
        if self.dtypes != BOOL:
            more["dtype"] = dtype
        if getattr(key, "device", "cpu") != "cpu":
            return on_device(function, key, shape=shape, **self.fixed, **more)
        result: Array = function(key, shape=shape, **self.fixed, **more)
        return result

    @property
    def all_parameters(self) -> tuple[Parameters, ...]:
        """All sets of parameters."""
        return (*self.parameters, *self.extremes)

    @property
    def some_dtypes(self) -> tuple[str, ...]:
        """All dtypes, or every third of many: one for each width of the computation, and narrow ones."""
        return self.dtypes if len(self.dtypes) <= 4 else self.dtypes[::3]

    def mixed(self, shape: tuple[int, ...], *names: str) -> dict[str, Array]:
        """Arrays of the named parameters, or all, in which the sets of parameters alternate."""
        turns = np.arange(int(np.prod(shape)))
        return {
            name: np.array([self.parameters[i % len(self.parameters)][name] for i in turns]).reshape(shape)
            for name in (names or self.parameters[0])
        }

    def __str__(self) -> str:
        return self.name.replace(" ", "_")
