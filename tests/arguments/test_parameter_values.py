"""The value of a parameter determines the draw, not its container or type, and no value causes a warning.

Each example is a sampler, a dtype and one value for each parameter. The draw by Python numbers is the reference;
fractions, NumPy's scalars, 0-d arrays, lists and arrays that hold the same values must give the same elements or the
same error.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from cases import CASES, FLOATS, INTEGERS, Case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import keyrng

KEY = keyrng.key(7)
SHAPE = (4,)

#: How many times as many examples.
TIMES = int(os.environ.get("BAD_INPUT_EXAMPLES", "1"))

FLOAT_ENDS = (
    0.0, -0.0, 5e-324, 1e-310, 2.2250738585072014e-308, 1e-300, 1e-45, 1e-40, 1.1754943508222875e-38, 1e-37, 2.0**-70,
    6e-8, 6.1e-5, 2.0**-24, 0.1, 0.5, 1 - 2.0**-24, 1 - 2.0**-53, 1.0, 1 + 2.0**-52, 1.5, 2.0, 3.0, 10.0, 65504.0,
    65520.0, 1e10, 1e18, 2.0**70, 2.0**128 - 2.0**120, 3.4028234663852886e38, 3.4028235677973366e38, 1e39, 1e300,
    1.7976931348623157e308, float("inf"), float("nan"),
)  # fmt: skip
INT_ENDS = sorted(
    {0, 1, 2, 7, 100, *(2**w + d for w in (7, 8, 15, 16, 24, 31, 32, 53, 63, 64) for d in (-1, 0, 1)), 10**30}
)
VALUES = st.one_of(
    st.sampled_from([*FLOAT_ENDS, *(-x for x in FLOAT_ENDS)]),
    st.sampled_from([*INT_ENDS, *(-x for x in INT_ENDS)]),
    st.floats(),
    st.floats(0, 1),
    st.integers(0, 100),
)
SAMPLERS = [case for case in CASES if case.parameters[0] and (case.fixed or not case.function)]


def scalars(value: Any, domain: str) -> Iterator[Any]:
    """A number in every type that has exactly this value; integers only where floats are another kind of value."""
    integers_only = domain == "integer" and isinstance(value, int)
    if math.isfinite(value) and not integers_only:
        yield from (Fraction(value), Decimal(value))
    for name in () if integers_only else (*FLOATS, "longdouble"):
        kind = np.dtype(name).type
        with np.errstate(all="ignore"):
            try:
                held = kind(value)
            except (OverflowError, TypeError):  # TypeError is bfloat16's, for large integers
                continue
        if float(held) == value or math.isnan(value):
            yield held
    if isinstance(value, int) or (domain != "integer" and value.is_integer() and str(value) != "-0.0"):
        whole = int(value)
        yield whole
        for name in INTEGERS:
            if np.iinfo(name).min <= whole <= np.iinfo(name).max:
                yield np.dtype(name).type(whole)


def containers(value: Any, domain: str) -> Iterator[Any]:
    """The ways to give a number: alone, and for each element."""
    for one in scalars(value, domain):
        yield one
        yield [one] * SHAPE[0]
        yield np.array([one] * SHAPE[0], object)
        if isinstance(one, np.generic):
            yield np.array(one)
            yield np.full(SHAPE, one)
            yield np.full((1,), one)
    yield (value,) * SHAPE[0]
    yield [value]


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


@pytest.mark.parametrize("case", SAMPLERS, ids=str)
@pytest.mark.turns(3)
def test_the_value_decides(case: Case) -> None:
    @settings(
        max_examples=60 * TIMES, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def check(data: st.DataObject) -> None:
        dtype = data.draw(st.sampled_from(case.dtypes), "dtype")
        usual = data.draw(st.sampled_from(case.all_parameters), "usual")
        values = {name: data.draw(VALUES | st.just(np.asarray(usual[name]).item()), name) for name in usual}
        expected = outcome(lambda: case(KEY, SHAPE, dtype, **values))
        for name, value in values.items():
            for held in containers(value, case.domain[name]):
                got = outcome(lambda: case(KEY, SHAPE, dtype, **{**values, name: held}))  # noqa: B023
                assert got == expected, f"{name}={held!r:.60}: {got!r:.60}, not {expected!r:.60}"

    check()
