"""Invalid parameters of every sampler: the type of the error, and the requirement and value in its message."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from cases import BY_NAME, CASES, Case

import keyrng

KEY = keyrng.key(0)
NAN, INF = float("nan"), float("inf")

Refusal = tuple[Any, type[Exception], str]


def given(case: Case, **changed: Any) -> dict[str, Any]:
    return {**case.parameters[0], **changed}


# Values that no parameter accepts, and values that each domain rejects. {name} is replaced by the parameter's name.

NO_NUMBER: list[Refusal] = [
    (None, TypeError, r"{name} must be .*, got None"),
    ("1", TypeError, r"{name} must be .*, got '1'"),
    (b"1", TypeError, r"{name} must be .*, got b'1'"),
    (True, TypeError, r"{name} must be .*, got (bool|True)"),
    (np.True_, TypeError, r"{name} must be .*, got bool"),
    (1j, TypeError, r"{name} must be .*, got (complex128|1j)"),
    ({}, TypeError, r"{name} must be .*, got (object|dict|\{{\}})"),
    (object(), TypeError, r"{name} must be .*, got (object|<object)"),
    ([1.0, "x"], TypeError, r"{name} must be .*, got"),
    (np.array(["1"]), TypeError, r"{name} must be .*, got <U1"),
    (np.array([True]), TypeError, r"{name} must be .*, got bool"),
    (np.array([1j]), TypeError, r"{name} must be .*, got complex128"),
    (np.array([None]), TypeError, r"{name} must be .*, got object"),
    (np.array(["2020"], "M8[Y]"), TypeError, r"{name} must be .*, got datetime64"),
    (np.datetime64("2020"), TypeError, r"{name} must be .*, got datetime64"),
    (keyrng.key(1), TypeError, r"{name} must be .*, got a key"),
    (np.ones(3, int), ValueError, r"{name} of shape \(3,\) does not broadcast to .*\(2,\)"),
    (np.ones((3, 2), int), ValueError, r"{name} of shape \(3, 2\) does not broadcast to .*\(2,\)"),
    (np.ones((0,), int), ValueError, r"{name} of shape \(0,\) does not broadcast to .*\(2,\)"),
]


def outside(requirement: str, *values: Any, beyond: str = "float") -> list[Refusal]:
    """Values that a domain rejects; of an array, the last. An integer beyond all floats is another error."""
    rows: list[Refusal] = [(10**400, ValueError, f"{{name}} must fit {beyond}")]
    for value in values:
        got = f"{value[-1]} among others" if np.ndim(value) else f"{value}"
        rows.append((value, ValueError, f"{{name}} must be {requirement}, got {re.escape(got)}"))
    return rows


def rounded(requirement: str, value: float, rounding: str) -> Refusal:
    """A value that a domain rejects because of its rounding."""
    return value, ValueError, rf"{{name}} must be {requirement}, got {re.escape(f'{value} ({rounding} as float32)')}"


POSITIVE, CHANCE = "positive and finite", "above 0 and at most 1"
NON_NEGATIVE, WHOLE = "zero or positive, and finite", "a whole number from 0 to .*"
AN_INTEGER = "{name} must be an integer or an array of integers, got "

REFUSED: dict[str, list[Refusal]] = {
    "number": outside("a number, not NaN", NAN, np.array([0.1, NAN]))[1:],  # infinity is one
    "finite": [
        *outside("finite", NAN, INF, -INF, np.float32(INF), np.array([0.5, -INF])),
        rounded("finite", 1e300, "inf"),
    ],
    # Reduced before it is rounded, so that none is too large.
    "angle": outside("finite", NAN, INF, -INF, np.array([0.5, NAN]), beyond="float64"),
    "positive": [
        *outside(
            POSITIVE, NAN, INF, 0, 0.0, -0.0, -2, np.float64(-2.5), np.array([1.0, 0.0]), [2.0, NAN], beyond="float32"
        ),
        rounded(POSITIVE, 1e300, "inf"),
        rounded(POSITIVE, 1e-300, "0.0"),
    ],
    "positive, in float64": outside(POSITIVE, NAN, INF, 0, -2, np.array([1.0, 0.0]), beyond="float64"),
    "non-negative": [
        *outside(NON_NEGATIVE, NAN, INF, -1e-9, -2, np.array([1.0, -3.0]), beyond="float32"),
        rounded(NON_NEGATIVE, 1e300, "inf"),
    ],
    "chance": [
        *outside(CHANCE, NAN, INF, 0, 0.0, -0.5, 1.0000001, np.array([0.5, 2.0]), beyond="float32"),
        rounded(CHANCE, 1e-300, "0.0"),
    ],
    "chance, in float64": outside(CHANCE, NAN, 0.0, 1.5, np.array([0.5, -1.0])),
    "probability": outside(
        "between 0 and 1", NAN, INF, -INF, -1, -1e-9, 1.0000001, 2, np.float32(1.5), np.array([0.5, NAN]), 1e300
    ),
    "mean": outside("between 0 and .* to fit .*", NAN, INF, -1e-9, np.array([1.0, -2.0]), 1e30),
    "whole": outside(WHOLE, NAN, INF, -1, 2.5, np.array([1.0, 0.5]), 2.0**54),
    "above one": outside("greater than 1 and finite", NAN, INF, 1, 0.5, -2.0, np.array([2.0, 1.0]), beyond="float64"),
    "below one": outside("at least 0 and less than 1", NAN, INF, 1, -1e-9, np.array([0.5, -0.5]), beyond="float64"),
    "integer": [
        (NAN, TypeError, AN_INTEGER + "nan"),
        (INF, TypeError, AN_INTEGER + "inf"),
        (2.0, TypeError, AN_INTEGER + r"2\.0"),
        (np.float32(2.0), TypeError, AN_INTEGER + "float32"),
        (np.array([2.0]), TypeError, AN_INTEGER + "float64"),
        (np.array([2, 2.5], object), TypeError, AN_INTEGER + "object"),
    ],
}

each_parameter = pytest.mark.parametrize(
    ("case", "name"), [pytest.param(c, name, id=f"{c}-{name}") for c in CASES for name in c.domain]
)


def test_every_parameter_has_a_domain() -> None:
    assert all(set(case.domain) == set(case.parameters[0]) for case in CASES)
    assert all(set(case.domain.values()) <= set(REFUSED) for case in CASES)


@each_parameter
def test_parameter(case: Case, name: str) -> None:
    # All rows that fail are told at once: a table is read whole.
    wrong = []
    for value, error, message in NO_NUMBER + REFUSED[case.domain[name]]:
        if isinstance(value, np.ndarray) and value.dtype == int:
            if case.grows and value.shape == (3, 2):
                continue
            # Bounds must be in order before they can be too many.
            value = np.full(value.shape, case.parameters[0][name])
        text = message.format(name=name)
        for keys in (KEY, keyrng.split(KEY, 2)):
            try:
                case(
                    keys,
                    (2,),
                    case.dtypes[-2:][0] if "float32" in case.dtypes else case.dtypes[0],
                    **given(case, **{name: value}),
                )
            except error as raised:
                text_matches = re.search(text, str(raised).replace("(2, 2)", "(2,)"))
                if not text_matches:
                    wrong.append(f"{value!r:.60}: said {str(raised)[:200]!r}, expected /{text}/")
            except Exception as raised:
                wrong.append(f"{value!r:.60}: {type(raised).__name__}: {str(raised)[:160]}")
            else:
                wrong.append(f"{value!r:.60}: accepted")

    assert not wrong, "\n" + "\n".join(dict.fromkeys(wrong))


@pytest.mark.parametrize(
    ("case", "parameters", "message"),
    [pytest.param(c, p, m, id=f"{c}-{i}") for c in CASES for i, (p, m) in enumerate(c.refused)],
)
def test_parameters_together(case: Case, parameters: dict, message: str) -> None:
    for dtype in case.dtypes:
        with pytest.raises(ValueError, match=message):
            case(KEY, (2,), dtype, **parameters)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_randint_takes_no_more_than_the_dtype(dtype: str) -> None:
    info = np.iinfo(dtype)
    low, high = int(info.min), int(info.max)
    for minval, maxval in ((low - 1, high), (low, high + 2), (high + 1, high + 2)):
        with pytest.raises(ValueError, match=f"{dtype} holds {low} to {high}, got minval {minval} and maxval {maxval}"):
            keyrng.randint(KEY, (2,), minval, maxval, dtype)


def test_uniform_interval_must_be_finite_and_distinct_in_its_dtype() -> None:
    assert keyrng.uniform(KEY, (2,), "float64", minval=1.0, maxval=1.00000000001).max() < 1.00000000001
    assert (keyrng.uniform(KEY, (9,), minval=1.0, maxval=np.nextafter(np.float32(1), np.float32(2))) == 1).all()


def test_values_of_logseries_fit_the_dtype() -> None:
    for dtype in BY_NAME["logseries"].dtypes:
        largest = float(np.iinfo(dtype).max)
        limit = 1.0 - 38.0 / largest
        if limit == 1.0:  # float64 has nothing between the largest p and 1
            keyrng.logseries(KEY, 1.0 - 2.0**-53, (2,), dtype)
            continue
        # The largest value there can be: of the largest q and the smallest uniform.
        assert 1.0 + 52 * np.log(2) / -np.log(limit) < largest
        keyrng.logseries(KEY, limit, (2,), dtype)
        for p in (np.nextafter(limit, 1.0), np.array([0.1, 1.0 - 1e-15])):
            with pytest.raises(ValueError, match=rf"p must be at most 0\.\d+ for {dtype} \(a wider .*, got 0\.\d+"):
                keyrng.logseries(KEY, p, (2,), dtype)
