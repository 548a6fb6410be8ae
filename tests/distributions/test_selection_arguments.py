"""Arguments that permutation, choice and categorical reject, and their error messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.exceptions import AxisError
from selection import INF, KEY, NAN

import keyrng
from keyrng import categorical, choice, permutation

BAD: tuple[tuple[Callable[[], Any], type[Exception], str], ...] = (
    (lambda: permutation(5, KEY), TypeError, "expected a key, got int"),
    (lambda: choice(None, 5), TypeError, "expected a key, got None"),
    (lambda: categorical([0.0], KEY), TypeError, "expected a key, got list"),
    # what is permuted or chosen from
    (lambda: permutation(KEY, -1), ValueError, "x must not be negative, got -1"),
    (lambda: permutation(KEY, np.int8(-5)), ValueError, "x must not be negative, got -5"),
    (lambda: permutation(KEY, 3.0), TypeError, r"x must be an integer or an array of at least one axis, got 3\.0"),
    (lambda: permutation(KEY, np.float32(3)), TypeError, "x must be an integer or an array of at least one axis, got"),
    (lambda: permutation(KEY, np.array(3.0)), TypeError, "x must be an integer or an array of at least one axis, got"),
    (lambda: permutation(KEY, True), TypeError, "x must be an integer or an array of at least one axis, got True"),
    (lambda: permutation(KEY, "abc"), TypeError, "x must be an integer or an array of at least one axis, got 'abc'"),
    (lambda: permutation(KEY, None), TypeError, "x must be an integer or an array of at least one axis, got None"),
    (lambda: permutation(KEY, {1, 2}), TypeError, "x must be an integer or an array of at least one axis, got set"),
    (lambda: permutation(KEY, KEY), TypeError, "x must be a number, an array or an array of keys, got a scalar key"),
    (lambda: permutation(KEY, [KEY, KEY]), TypeError, "key"),
    (lambda: permutation(KEY, [[1], [2, 3]]), ValueError, "x cannot be converted to an array: "),
    (lambda: choice(KEY, -1), ValueError, "a must not be negative, got -1"),
    (lambda: choice(KEY, 2.5), TypeError, r"a must be an integer or an array of at least one axis, got 2\.5"),
    (lambda: choice(KEY, KEY), TypeError, "a must be a number, an array or an array of keys, got a scalar key"),
    # axes and switches
    (lambda: permutation(KEY, 5, 1), AxisError, "axis 1 is out of bounds for array of dimension 1"),
    (lambda: permutation(KEY, np.ones((2, 3)), -3), AxisError, "axis -3 is out of bounds for array of dimension 2"),
    (lambda: permutation(KEY, keyrng.split(KEY, 3), 1), AxisError, "axis 1 is out of bounds for array of dimension 1"),
    (lambda: permutation(KEY, np.ones((2, 3)), 0.0), TypeError, "axis must be an int, got"),
    (lambda: permutation(KEY, 5, 0, "no"), TypeError, "independent must be True or False, got 'no'"),
    (lambda: choice(KEY, 5, (), 1), TypeError, "replace must be True or False, got 1"),
    (lambda: choice(KEY, 2, (3,), [0.5, 0.5]), TypeError, r"replace must be True or False, got \[0\.5, 0\.5\]"),
    (lambda: choice(KEY, np.ones((2, 3)), axis=2), AxisError, "axis 2 is out of bounds for array of dimension 2"),
    (lambda: categorical(KEY, [0.0, 1.0], 1), AxisError, "axis 1 is out of bounds for array of dimension 1"),
    (lambda: categorical(KEY, [0.0, 1.0], replace=None), TypeError, "replace must be True or False, got None"),
    (lambda: categorical(KEY, 0.0), ValueError, "logits must have an axis of classes, got a number"),
    # shapes
    (lambda: choice(KEY, 5, (-1,)), ValueError, r"shape must not have negative sizes, got \(-1,\)"),
    (lambda: choice(KEY, 5, 2.0), TypeError, r"shape must be an int or a tuple of ints, got 2\.0"),
    (
        lambda: categorical(KEY, np.zeros((2, 3)), shape=(3,)),
        ValueError,
        r"logits of shape \(2,\).*not broadcast.*\(3,\)",
    ),
    (lambda: categorical(KEY, np.zeros((2, 3)), shape=()), ValueError, r"logits of shape \(2,\).*not broadcast.*\(\)"),
    (
        lambda: categorical(KEY, np.zeros((2, 3)), shape=(2, 3), replace=False),
        ValueError,
        r"logits of shape \(2,\).*not broadcast.*\(3,\)",
    ),
    # too many draws
    (lambda: choice(KEY, 0), ValueError, "a must not be empty"),
    (lambda: choice(KEY, np.ones((2, 0)), (1,), axis=1), ValueError, "a must not be empty"),
    (lambda: choice(KEY, 4, (5,), False), ValueError, "5 draws without replacement require as many elements, got 4"),
    (lambda: choice(KEY, 4, (5,), False, [1] * 4), ValueError, "5 draws without replacement require as many elements"),
    (
        lambda: choice(KEY, 4, (3,), False, [1, 0, 1, 0]),
        ValueError,
        "3 draws without replacement require as many classes of positive probability, got 2",
    ),
    (
        lambda: categorical(KEY, [[0.0, -INF, 0.0], [0.0, 0.0, 0.0]], shape=(3, 2), replace=False),
        ValueError,
        "3 draws without replacement require as many classes of positive probability, got 2",
    ),
    (
        lambda: categorical(KEY, np.zeros(3), shape=(4,), replace=False),
        ValueError,
        "4 draws without replacement require as many classes of positive probability, got 3",
    ),
    # weights and logits
    (lambda: choice(KEY, 3, p=[1, -1, 1]), ValueError, r"p must be finite and not negative, got -1\.0 among others"),
    (lambda: choice(KEY, 3, p=[1, NAN, 1]), ValueError, "p must be finite and not negative, got nan"),
    (lambda: choice(KEY, 3, p=[1, INF, 1]), ValueError, "p must be finite and not negative, got inf"),
    (lambda: choice(KEY, 3, p=[0, 0, 0]), ValueError, "p must have a positive weight, got 3 zeros"),
    (lambda: choice(KEY, 3, (1,), False, [0, 0, 0]), ValueError, "at least one class must have positive probability"),
    (
        lambda: choice(KEY, 3, p=[1, 1]),
        ValueError,
        r"p must have shape .3,., one weight per element, .*got shape \(2,\)",
    ),
    (lambda: choice(KEY, 3, p=1.0), ValueError, r"p must have shape .3,., one weight per element, .*got shape \(\)"),
    (
        lambda: choice(KEY, 3, p=np.ones((1, 3))),
        ValueError,
        r"p must have shape .3,., one weight per element, .*\(1, 3\)",
    ),
    (
        lambda: choice(KEY, np.ones((3, 4)), p=np.ones(3), axis=1),
        ValueError,
        "p must have shape .4,., one weight per element",
    ),
    (lambda: choice(KEY, 3, p="abc"), TypeError, "p must be a number or an array of numbers, got 'abc'"),
    (lambda: choice(KEY, 3, p=[True, False, True]), TypeError, "p must be .*, got bool"),
    (lambda: choice(KEY, 3, p=KEY), TypeError, "p must be a number or an array, got a key"),
    (lambda: categorical(KEY, [0.0, NAN]), ValueError, "logits must be a number below infinity, not NaN, got nan"),
    (lambda: categorical(KEY, [0.0, INF]), ValueError, "logits must be a number below infinity, not NaN, got inf"),
    (lambda: categorical(KEY, [[0.0, -INF], [-INF, -INF]]), ValueError, "at least one class must have positive probab"),
    (lambda: categorical(KEY, np.zeros((2, 0))), ValueError, "at least one class must have positive probability"),
    (lambda: categorical(KEY, None), TypeError, "logits must be .*, got None"),
    (lambda: categorical(KEY, [True, False]), TypeError, "logits must be .*, got bool"),
    (lambda: categorical(KEY, [1j]), TypeError, "logits must be .*, got complex128"),
    (lambda: categorical(KEY, KEY), TypeError, "logits must be .*, got a key"),
    # modes
    (lambda: categorical(KEY, [0.0], mode="lowest"), ValueError, "mode must be .*'low'.*got 'lowest'"),
    (lambda: choice(KEY, 3, mode="HIGH"), ValueError, "mode must be .*'low'.*got 'HIGH'"),
    (lambda: choice(KEY, 3, (2,), False, [1, 1, 1], mode=1), ValueError, "mode must be .*'low'.*got 1"),
)


@pytest.mark.parametrize("row", range(len(BAD)))
def test_bad_arguments(row: int) -> None:
    call, error, message = BAD[row]
    with pytest.raises(error, match=message):
        call()
