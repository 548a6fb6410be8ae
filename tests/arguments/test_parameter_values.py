"""The value of a parameter determines the draw, not its container or type, and no value causes a warning.

Each example is a sampler, a dtype and one value for each parameter. The draw by Python numbers is the reference;
NumPy's scalars, 0-d arrays, lists and arrays that hold the same values must give the same elements or the same error.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from cases import BOOL, CASES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import keyrng

KEY = keyrng.key(7)
SHAPE = (4,)

#: How many times as many examples.
TIMES = int(os.environ.get("BAD_INPUT_EXAMPLES", "1"))

FLOAT_ENDS = (
    0.0, -0.0, 5e-324, 1e-310, 2.2250738585072014e-308, 1e-300, 1e-45, 1e-40, 1.1754943508222875e-38, 1e-37, 6e-8,
    6.1e-5,
    2.0**-24, 0.1, 0.5, 1 - 2.0**-24, 1 - 2.0**-53, 1.0, 1 + 2.0**-52, 1.5, 2.0, 3.0, 10.0, 65504.0, 65520.0, 1e10,
    1e18,
    3.4028234663852886e38, 3.4028235677973366e38, 1e39, 1e300, 1.7976931348623157e308, float("inf"), float("nan"),
)  # fmt: skip
INT_ENDS = tuple(
    sorted({0, 1, 2, 7, 100, *(2**w + d for w in (7, 8, 15, 16, 24, 31, 32, 53, 63, 64) for d in (-1, 0, 1)), 10**30})
)
VALUES = st.one_of(
    st.sampled_from([*FLOAT_ENDS, *(-x for x in FLOAT_ENDS)]),
    st.sampled_from([*INT_ENDS, *(-x for x in INT_ENDS)]),
    st.floats(),
    st.floats(0, 1),
    st.integers(0, 100),
)


@dataclass(frozen=True)
class Sampler:
    """A sampler, the parameters that are numbers, and the dtypes it has."""

    name: str
    parameters: tuple[str, ...]
    dtypes: tuple[str, ...]
    fixed: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return self.name

    def draw(self, dtype: str, parameters: Mapping[str, Any], shape: Any = SHAPE) -> Any:
        named = {**dict(self.fixed), **parameters, "shape": shape}
        if self.dtypes != ("",):
            named["dtype"] = dtype
        return getattr(keyrng, self.name)(KEY, **named)


SAMPLERS = [
    Sampler(
        case.function or case.name,
        tuple(case.parameters[0]),
        ("",) if case.dtypes == BOOL else case.dtypes,
        tuple(case.fixed.items()),
    )
    for case in CASES
    if case.parameters[0] and (case.fixed or not case.function)
]


def containers(value: Any) -> Iterator[tuple[str, Any]]:
    """The ways to give a number, each with its name; those of types that hold it."""
    exact = Fraction(value) if value == value and abs(value) != float("inf") else None
    for kind in (np.float16, np.float32, np.float64):
        with np.errstate(all="ignore"):
            try:
                held = kind(value)
            except OverflowError:
                continue
        if exact is None or (np.isfinite(held) and Fraction(float(held)) == exact):
            yield kind.__name__, held
            yield f"0-d {kind.__name__}", np.array(held)
            yield f"array of {kind.__name__}", np.full(SHAPE, held)
            yield f"list of {kind.__name__}", [held] * SHAPE[0]
    integer = isinstance(value, int)
    for kind in (np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64) if integer else ():
        if np.iinfo(kind).min <= value <= np.iinfo(kind).max:
            yield kind.__name__, kind(value)
            yield f"array of {kind.__name__}", np.full(SHAPE, value, kind)
    yield "list", [value] * SHAPE[0]
    yield "tuple", (value,) * SHAPE[0]
    yield "list of one", [value]


def outcome(draw: Callable[[], Any]) -> Any:
    """The elements as bytes, or the kind of the error; a warning is an error of another kind."""
    with warnings.catch_warnings(), np.errstate(all="warn"):
        warnings.simplefilter("error")
        try:
            result = draw()
        except (ValueError, TypeError) as error:
            return type(error)
    if result.dtype.kind not in "iub":
        assert not np.isnan(result.astype(np.float64)).any(), result
    return result.tobytes()


def floats_are_integers(sampler: Sampler, name: str) -> bool:
    """Whether a parameter must be an integer by type: a float of NumPy is then refused, as Python's is."""
    return sampler.name == "randint"


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@pytest.mark.turns(3)
def test_the_value_decides(sampler: Sampler) -> None:
    @settings(
        max_examples=60 * TIMES, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def check(data: st.DataObject) -> None:
        dtype = data.draw(st.sampled_from(sampler.dtypes), "dtype")
        values = {name: data.draw(VALUES, name) for name in sampler.parameters}
        expected = outcome(lambda: sampler.draw(dtype, values))
        for name, value in values.items():
            for kind, held in containers(value):
                if isinstance(value, int) and "float" in kind and floats_are_integers(sampler, name):
                    continue
                got = outcome(lambda: sampler.draw(dtype, {**values, name: held}))  # noqa: B023
                assert got == expected, (
                    f"{sampler}({dtype}, {values}) with {name} as {kind}: {got!r:.60}, not {expected!r:.60}"
                )

    check()
