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

REFUSED: dict[str, list[Refusal]] = {
    "number": [
        (NAN, ValueError, "{name} must be a number, not NaN, got nan"),
        (np.array([0.1, NAN]), ValueError, "{name} must be a number, not NaN, got nan among others"),
    ],
    "finite": [
        (NAN, ValueError, "{name} must be finite, got nan"),
        (INF, ValueError, "{name} must be finite, got inf"),
        (-INF, ValueError, "{name} must be finite, got -inf"),
        (np.float32(INF), ValueError, "{name} must be finite, got inf"),
        (np.array([0.5, -INF]), ValueError, "{name} must be finite, got -inf among others"),
        (1e300, ValueError, r"{name} must be finite, got 1e\+300 \(inf as float32\)"),
        (10**400, ValueError, "{name} must fit float"),
    ],
    "angle": [  # reduced before it is rounded, so that none is too large
        (NAN, ValueError, "{name} must be finite, got nan"),
        (INF, ValueError, "{name} must be finite, got inf"),
        (-INF, ValueError, "{name} must be finite, got -inf"),
        (np.array([0.5, NAN]), ValueError, "{name} must be finite, got nan among others"),
        (10**400, ValueError, "{name} must fit float64"),
    ],
    "positive": [
        (NAN, ValueError, "{name} must be positive and finite, got nan"),
        (INF, ValueError, "{name} must be positive and finite, got inf"),
        (0, ValueError, "{name} must be positive and finite, got 0"),
        (0.0, ValueError, r"{name} must be positive and finite, got 0\.0"),
        (-0.0, ValueError, r"{name} must be positive and finite, got -0\.0"),
        (-2, ValueError, "{name} must be positive and finite, got -2"),
        (np.float64(-2.5), ValueError, r"{name} must be positive and finite, got -2\.5"),
        (np.array([1.0, 0.0]), ValueError, r"{name} must be positive and finite, got 0\.0 among others"),
        ([2.0, NAN], ValueError, "{name} must be positive and finite, got nan among others"),
        (1e300, ValueError, r"{name} must be positive and finite, got 1e\+300 \(inf as float32\)"),
        (1e-300, ValueError, r"{name} must be positive and finite, got 1e-300 \(0\.0 as float32\)"),
        (10**400, ValueError, "{name} must fit float32"),
    ],
    "non-negative": [
        (NAN, ValueError, "{name} must be zero or positive, and finite, got nan"),
        (INF, ValueError, "{name} must be zero or positive, and finite, got inf"),
        (-1e-9, ValueError, "{name} must be zero or positive, and finite, got -1e-09"),
        (-2, ValueError, "{name} must be zero or positive, and finite, got -2"),
        (np.array([1.0, -3.0]), ValueError, r"{name} must be zero or positive, and finite, got -3\.0 among others"),
        (1e300, ValueError, r"{name} must be zero or positive, and finite, got 1e\+300 \(inf as float32\)"),
        (10**400, ValueError, "{name} must fit float32"),
    ],
    "chance": [
        (NAN, ValueError, "{name} must be above 0 and at most 1, got nan"),
        (INF, ValueError, "{name} must be above 0 and at most 1, got inf"),
        (0, ValueError, "{name} must be above 0 and at most 1, got 0"),
        (0.0, ValueError, r"{name} must be above 0 and at most 1, got 0\.0"),
        (-0.5, ValueError, r"{name} must be above 0 and at most 1, got -0\.5"),
        (1.0000001, ValueError, r"{name} must be above 0 and at most 1, got 1\.0000001"),
        (np.array([0.5, 2.0]), ValueError, r"{name} must be above 0 and at most 1, got 2\.0 among others"),
        (1e-300, ValueError, r"{name} must be above 0 and at most 1, got 1e-300 \(0\.0 as float32\)"),
        (10**400, ValueError, "{name} must fit float32"),
    ],
    "probability": [
        (NAN, ValueError, "{name} must be between 0 and 1, got nan"),
        (INF, ValueError, "{name} must be between 0 and 1, got inf"),
        (-INF, ValueError, "{name} must be between 0 and 1, got -inf"),
        (-1, ValueError, "{name} must be between 0 and 1, got -1"),
        (-1e-9, ValueError, "{name} must be between 0 and 1, got -1e-09"),
        (1.0000001, ValueError, r"{name} must be between 0 and 1, got 1\.0000001"),
        (2, ValueError, "{name} must be between 0 and 1, got 2"),
        (np.float32(1.5), ValueError, r"{name} must be between 0 and 1, got 1\.5"),
        (np.array([0.5, NAN]), ValueError, "{name} must be between 0 and 1, got nan among others"),
        (1e300, ValueError, r"{name} must be between 0 and 1, got 1e\+300"),
        (10**400, ValueError, "{name} must fit float"),
    ],
    "positive, in float64": [
        (NAN, ValueError, "{name} must be positive and finite, got nan"),
        (INF, ValueError, "{name} must be positive and finite, got inf"),
        (0, ValueError, "{name} must be positive and finite, got 0"),
        (-2, ValueError, "{name} must be positive and finite, got -2"),
        (np.array([1.0, 0.0]), ValueError, r"{name} must be positive and finite, got 0\.0 among others"),
        (10**400, ValueError, "{name} must fit float64"),
    ],
    "mean": [
        (NAN, ValueError, "{name} must be between 0 and .* to fit .*, got nan"),
        (INF, ValueError, "{name} must be between 0 and .* to fit .*, got inf"),
        (-1e-9, ValueError, "{name} must be between 0 and .* to fit .*, got -1e-09"),
        (np.array([1.0, -2.0]), ValueError, r"{name} must be between 0 and .*, got -2\.0 among others"),
        (1e30, ValueError, r"{name} must be between 0 and .*, got 1e\+30"),
        (10**400, ValueError, "{name} must fit float"),
    ],
    "whole": [
        (NAN, ValueError, "{name} must be a whole number from 0 to .*, got nan"),
        (INF, ValueError, "{name} must be a whole number from 0 to .*, got inf"),
        (-1, ValueError, "{name} must be a whole number from 0 to .*, got -1"),
        (2.5, ValueError, r"{name} must be a whole number from 0 to .*, got 2\.5"),
        (np.array([1.0, 0.5]), ValueError, r"{name} must be a whole number from 0 to .*, got 0\.5 among others"),
        (2.0**54, ValueError, r"{name} must be a whole number from 0 to .*, got"),
        (10**400, ValueError, "{name} must fit float"),
    ],
    "chance, in float64": [
        (NAN, ValueError, "{name} must be above 0 and at most 1, got nan"),
        (0.0, ValueError, r"{name} must be above 0 and at most 1, got 0\.0"),
        (1.5, ValueError, r"{name} must be above 0 and at most 1, got 1\.5"),
        (np.array([0.5, -1.0]), ValueError, r"{name} must be above 0 and at most 1, got -1\.0 among others"),
        (10**400, ValueError, "{name} must fit float"),
    ],
    "above one": [
        (NAN, ValueError, "{name} must be greater than 1 and finite, got nan"),
        (INF, ValueError, "{name} must be greater than 1 and finite, got inf"),
        (1, ValueError, "{name} must be greater than 1 and finite, got 1"),
        (0.5, ValueError, r"{name} must be greater than 1 and finite, got 0\.5"),
        (-2.0, ValueError, r"{name} must be greater than 1 and finite, got -2\.0"),
        (np.array([2.0, 1.0]), ValueError, r"{name} must be greater than 1 and finite, got 1\.0 among others"),
        (10**400, ValueError, "{name} must fit float64"),
    ],
    "below one": [
        (NAN, ValueError, "{name} must be at least 0 and less than 1, got nan"),
        (INF, ValueError, "{name} must be at least 0 and less than 1, got inf"),
        (1, ValueError, "{name} must be at least 0 and less than 1, got 1"),
        (-1e-9, ValueError, "{name} must be at least 0 and less than 1, got -1e-09"),
        (np.array([0.5, -0.5]), ValueError, r"{name} must be at least 0 and less than 1, got -0\.5 among others"),
        (10**400, ValueError, "{name} must fit float64"),
    ],
    "integer": [
        (NAN, TypeError, "{name} must be an integer or an array of integers, got nan"),
        (INF, TypeError, "{name} must be an integer or an array of integers, got inf"),
        (2.0, TypeError, r"{name} must be an integer or an array of integers, got 2\.0"),
        (np.float32(2.0), TypeError, "{name} must be an integer or an array of integers, got float32"),
        (np.array([2.0]), TypeError, "{name} must be an integer or an array of integers, got float64"),
        (np.array([2, 2.5], object), TypeError, "{name} must be an integer or an array of integers, got object"),
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
def test_randint_takes_the_whole_dtype_and_no_more(dtype: str) -> None:
    info = np.iinfo(dtype)
    low, high = int(info.min), int(info.max)
    for minval, maxval in ((low, high + 1), (high, high + 1), (low, low + 1)):
        sample = keyrng.randint(KEY, (100,), minval, maxval, dtype)
        arrays = keyrng.randint(KEY, (100,), np.array([minval], object), np.array([maxval], object), dtype)
        assert sample.tobytes() == arrays.tobytes()
        assert minval <= int(sample.min()) <= int(sample.max()) < maxval
    for minval, maxval in ((low - 1, high), (low, high + 2), (high + 1, high + 2)):
        with pytest.raises(ValueError, match=f"{dtype} holds {low} to {high}, got minval {minval} and maxval {maxval}"):
            keyrng.randint(KEY, (2,), minval, maxval, dtype)


def test_uniform_interval_must_be_finite_and_distinct_in_its_dtype() -> None:
    with pytest.raises(ValueError, match=r"maxval - minval must be finite in float32, got -3e\+38 and 3e\+38"):
        keyrng.uniform(KEY, (2,), minval=-3e38, maxval=3e38)
    with pytest.raises(ValueError, match=r"minval must be less than maxval, got 1\.0 and 1\.00000000001"):
        keyrng.uniform(KEY, (2,), minval=1.0, maxval=1.00000000001)
    with pytest.raises(ValueError, match="maxval must be finite, got 70000"):
        keyrng.uniform(KEY, (2,), "float16", maxval=70_000)
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


def test_mode_of_bernoulli() -> None:
    for mode in ("highest", "", None, 1, "LOW"):
        with pytest.raises(ValueError, match=f"mode must be 'low' or 'high', got {mode!r}"):
            keyrng.bernoulli(KEY, 0.5, (2,), mode)
