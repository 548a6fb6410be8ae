"""The table of the samplers: a later sampler is one row here, and every test of the suite runs on it.

Also what the tests of samplers share: the paths (executors), and comparison by bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import keyrng
from keyrng import sampling
from keyrng.backends import Slab, compiled

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
    """The distribution of integers that are all as likely, from ``low`` to ``high - 1``, in scipy's form."""

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
    """The distribution of -1 and 1, in scipy's form."""

    def cdf(self, x: Any) -> Any:
        return np.where(np.asarray(x) < -1, 0.0, np.where(np.asarray(x) < 1, 0.5, 1.0))

    def ppf(self, q: Any) -> Any:
        return np.where(np.asarray(q) <= 0.5, -1.0, 1.0)

    def support(self) -> tuple[float, float]:
        return -1.0, np.inf


def scipy(name: str, *arguments: Any, **keywords: Any) -> Any:
    """A distribution of scipy.stats; imported when asked for, for it takes a second."""
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


@dataclass(frozen=True)
class Case:
    """One sampler, or one mode of it."""

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
    fresh: Callable[[np.random.Generator, str], Parameters] = lambda rng, dtype: {}
    #: What each parameter must be: the key of a row of REFUSED in test_arguments.py.
    domain: Mapping[str, str] = field(default_factory=dict)
    #: Calls that break a rule between parameters: (parameters, what the ValueError says).
    refused: tuple[tuple[Parameters, str], ...] = ()
    #: Whether a sample is the beginning of a longer one; if not, the reason.
    not_prefix: str = ""

    def __call__(self, key: Any, shape: Any, dtype: str, **more: Any) -> Array:
        """The sample, for the parameters named."""
        function = getattr(keyrng, self.function or self.name)
        if self.dtypes != BOOL:
            more["dtype"] = dtype
        result: Array = function(key, shape=shape, **self.fixed, **more)
        return result

    @property
    def all_parameters(self) -> tuple[Parameters, ...]:
        """Every set of parameters."""
        return (*self.parameters, *self.extremes)

    def mixed(self, shape: tuple[int, ...], *names: str) -> dict[str, Array]:
        """The named parameters, or all, as arrays of a shape in which the sets of parameters take turns."""
        turns = np.arange(int(np.prod(shape)))
        return {
            name: np.array([self.parameters[i % len(self.parameters)][name] for i in turns]).reshape(shape)
            for name in (names or self.parameters[0])
        }

    def __str__(self) -> str:
        return self.name.replace(" ", "_")


def _interval(rng: np.random.Generator, dtype: str) -> Parameters:
    low = float(rng.normal(0.0, 10.0 ** rng.integers(-3, 4)))
    return {"minval": low, "maxval": low + float(10.0 ** rng.uniform(-2, 4))}


def _range(rng: np.random.Generator, dtype: str) -> Parameters:
    # Where jax has no bias: spans up to the square root of the range, and powers of two.
    info = np.iinfo(dtype)
    width = max(info.bits, 32)
    largest = min(2 ** (width // 2), int(info.max) - int(info.min))
    span = int(rng.integers(1, largest + 1)) if rng.integers(2) else 2 ** int(rng.integers(0, min(info.bits, 62)))
    low = int(rng.integers(int(info.min), min(int(info.max) - span, 2**62), endpoint=True))
    return {"minval": low, "maxval": low + span}


# A column would be too wide: a row names what is not the default.
CASES = (
    Case(
        "bits",
        UNSIGNED,
        distribution=lambda dtype: Integers(0, 2 ** (8 * np.dtype(dtype).itemsize)),
        jax_dtypes=UNSIGNED,
    ),
    Case(
        "uniform",
        parameters=({"minval": 0.0, "maxval": 1.0}, {"minval": -1.0, "maxval": 3.3}, {"minval": 0.1, "maxval": 700.0}),
        distribution=lambda dtype, minval, maxval: scipy("uniform", minval, maxval - minval),
        extremes=({"minval": -1e-3, "maxval": 2e4}, {"minval": 10.0, "maxval": 11.0}),
        jax=1,
        fresh=_interval,
        domain={"minval": "finite", "maxval": "finite"},
        refused=(
            ({"minval": 1.0, "maxval": 1.0}, r"minval must be less than maxval.*1\.0 and 1\.0"),
            ({"minval": 3.0, "maxval": 2.0}, r"minval must be less than maxval.*3\.0 and 2\.0"),
            ({"minval": np.array([0.0, 5.0]), "maxval": 2.0}, r"minval must be less than maxval"),
            ({"minval": np.zeros(2), "maxval": np.ones(3)}, r"minval.*\(2,\).*maxval.*\(3,\).*broadcast"),
        ),
    ),
    Case(
        "normal",
        distribution=lambda dtype: scipy("norm"),
        jax={"float32": 4, "float64": 64},
    ),
    Case(
        "truncated_normal",
        parameters=({"lower": -1.0, "upper": 3.5}, {"lower": 0.5, "upper": 4.0}, {"lower": 3.25, "upper": np.inf}),
        distribution=lambda dtype, lower, upper: scipy("truncnorm", lower, upper),
        extremes=(
            {"lower": -1.0, "upper": 2.0},
            {"lower": 0.5, "upper": 0.75},
            {"lower": -np.inf, "upper": np.inf},
            {"lower": -np.inf, "upper": -3.0},
            {"lower": 6.0, "upper": np.inf},
            {"lower": -9.0, "upper": -8.0},
            {"lower": 20.0, "upper": 21.0},
            {"lower": -100.0, "upper": 100.0},
        ),
        jax=by_condition,
        fresh=lambda rng, dtype: {"lower": float(rng.uniform(-3, 1)), "upper": float(rng.uniform(1.1, 3))},
        domain={"lower": "number", "upper": "number"},
        refused=(
            ({"lower": 1.0, "upper": 1.0}, r"lower must be less than upper.*1\.0 and 1\.0"),
            ({"lower": 3.0, "upper": -2.0}, r"lower must be less than upper.*3\.0 and -2\.0"),
            ({"lower": np.zeros(2), "upper": np.ones(3)}, r"lower.*\(2,\).*upper.*\(3,\).*broadcast"),
        ),
    ),
    Case(
        "exponential",
        distribution=lambda dtype: scipy("expon"),
        jax=TRANSFORM,
    ),
    Case(
        "randint",
        INTEGERS,
        parameters=({"minval": 0, "maxval": 10}, {"minval": 3, "maxval": 100}, {"minval": 9, "maxval": 127}),
        distribution=lambda dtype, minval, maxval: Integers(minval, maxval),
        fresh=_range,
        jax_dtypes=INTEGERS,
        domain={"minval": "integer", "maxval": "integer"},
        refused=(
            ({"minval": 5, "maxval": 5}, r"minval must be less than maxval, got 5 and 5"),
            ({"minval": 7, "maxval": 3}, r"minval must be less than maxval, got 7 and 3"),
            ({"minval": np.array([0, 9]), "maxval": 5}, r"minval must be less than maxval"),
            ({"minval": np.zeros(2, int), "maxval": np.ones(3, int)}, r"minval.*\(2,\).*maxval.*\(3,\).*broadcast"),
            ({"minval": 0, "maxval": 2**64 + 1}, r"holds.* to .*, got minval 0 and maxval 18446744073709551617"),
            ({"minval": -(2**63) - 1, "maxval": 0}, r"holds.* to .*, got minval -9223372036854775809"),
            ({"minval": 0, "maxval": np.array([2**64 + 1], object)}, r"holds.* to .*maxval.*18446744073709551617"),
        ),
    ),
    Case(
        "bernoulli",
        BOOL,
        parameters=({"p": 0.5}, {"p": 0.1}, {"p": np.float64(0.7)}),
        distribution=lambda dtype, p: scipy("bernoulli", p),
        extremes=({"p": 0.0}, {"p": 1.0}, {"p": 1e-3}),
        jax_dtypes=BOOL,
        fresh=lambda rng, dtype: {"p": rng.choice([np.float32, np.float64])(rng.random())},
        domain={"p": "probability"},
    ),
    Case(
        "bernoulli high",
        BOOL,
        parameters=({"p": 0.5}, {"p": 0.1}, {"p": np.float64(0.7)}),
        distribution=lambda dtype, p: scipy("bernoulli", p),
        function="bernoulli",
        fixed={"mode": "high"},
        extremes=({"p": 0.0}, {"p": 1.0}, {"p": 1e-3}),
        jax_dtypes=BOOL,
        fresh=lambda rng, dtype: {"p": rng.choice([np.float32, np.float64])(rng.random())},
        domain={"p": "probability"},
        not_prefix="element i of n also reads word i + n, as in jax",
    ),
    Case(
        "rademacher",
        SIGNED,
        distribution=lambda dtype: Signs(),
        # jax draws a word as wide as its default float, so 32 bits without x64; keyrng 32 bits for every dtype.
        jax_dtypes=("int8", "int16", "int32", "float32"),
        jax_x64=False,
    ),
    Case(
        "gamma",
        parameters=({"a": 2.5}, {"a": 0.3}, {"a": 1.0}),
        distribution=lambda dtype, a: scipy("gamma", a),
        extremes=tuple({"a": a} for a in (1e-3, 0.1, 0.9, 30.0, 1e4, 1e8)),
        jax=None,
        domain={"a": "positive"},
    ),
)
CASES = tuple(case for case in CASES if hasattr(keyrng, case.function or case.name))
BY_NAME = {case.name: case for case in CASES}

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)
each_case_and_dtype = pytest.mark.parametrize(
    ("case", "dtype"), [pytest.param(c, d, id=f"{c}-{d}") for c in CASES for d in c.dtypes]
)


# Paths: what runs a kernel. A build without compiled part has NumPy alone, and says why.

PATHS = ("numpy", *(compiled.instruction_sets() or ("compiled",)))


@contextmanager
def on(path: str) -> Iterator[str]:
    """Run on a path: "numpy", or one instruction set of the compiled path."""
    before = compiled.enabled
    if path == "numpy":
        compiled.enable(False)
        try:
            yield path
        finally:
            compiled.enable(before)
        return
    if not compiled.instruction_sets():
        pytest.skip(f"no compiled path: {compiled.missing_reason()}")
    chosen = compiled.instruction_set()
    compiled.enable(True)
    compiled.instruction_set(path)
    try:
        yield path
    finally:
        compiled.instruction_set(chosen)
        compiled.enable(before)


# Comparison by bits: of NaN and of -0.0 too.


def assert_same(actual: Array, expected: Array, *where: object) -> None:
    """The same shape, dtype and bits; ``where`` tells a failure apart."""
    __tracebackhide__ = True
    place = " ".join(str(w) for w in where)
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        pytest.fail(f"{place}: {actual.dtype} {actual.shape}, expected {expected.dtype} {expected.shape}")
    if actual.tobytes() == expected.tobytes():
        return
    word = f"u{actual.dtype.itemsize}"
    a, e = (np.ascontiguousarray(x).reshape(-1) for x in (actual, expected))
    at = np.flatnonzero(a.view(word) != e.view(word))
    first = at[0]
    pytest.fail(f"{place}: {at.size} of {a.size} differ, first at {first}: {a[first]!r}, expected {e[first]!r}")


@dataclass(frozen=True)
class Call:
    """What a sampler asks of the waist: `draw` without its checks."""

    kernel: Any
    key: Any
    dtype: np.dtype[Any]
    values: list[Array]
    compute: np.dtype[Any]
    shape: tuple[int, ...]

    def slab(self, start: int, count: int, size: int | None = None) -> Array:
        """Elements from ``start`` on, ``count`` of ``size``, of each key: key axes first, then flat."""
        keys = self.key.shape
        values = []
        for value in self.values:
            if value.ndim:
                whole = np.broadcast_to(value, self.shape).reshape(*keys, -1)
                value = np.ascontiguousarray(whole[..., start : start + count])
            values.append(value)
        out = np.empty((*keys, count), self.dtype)
        total = start + count if size is None else size
        sampling.fill_slab(self.kernel, self.key, out, out.shape, values, self.compute, Slab(start, count, total))
        return out


def intercepted(case: Case, key: Any, shape: Any, dtype: str, **parameters: Any) -> Call:
    """The call that a sampler makes for some arguments, without running it."""
    made: list[Call] = []

    def record(kernel: Any, key: Any, result: Array, full: Any, values: Any, compute: Any) -> None:
        made.append(Call(kernel, key, result.dtype, values, compute, full))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "_fill", record)
        patch.setattr(compiled, "recipes", {})
        case(key, shape, dtype, **parameters)
    return made[0]
