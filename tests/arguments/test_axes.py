"""An axis out of range raises numpy.exceptions.AxisError, a subclass of ValueError and IndexError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.exceptions import AxisError

import keyrng
from keyrng import initializers

KEY = keyrng.key(0)
KEYS = keyrng.split(KEY, (2, 3))
TABLE = np.zeros((2, 3), np.float32)

# Functions with an axis, and the number of axes.
CALLS: list[tuple[str, int, Callable[[Any], Any]]] = [
    ("permutation of a number", 1, lambda axis: keyrng.permutation(KEY, 5, axis)),
    ("permutation of an array", 2, lambda axis: keyrng.permutation(KEY, TABLE, axis)),
    ("permutation of lines", 2, lambda axis: keyrng.permutation(KEY, TABLE, axis, independent=True)),
    ("permutation of keys", 2, lambda axis: keyrng.permutation(KEY, KEYS, axis)),
    ("permutation, many keys", 2, lambda axis: keyrng.permutation(KEYS, TABLE, axis)),
    ("choice of a number", 1, lambda axis: keyrng.choice(KEY, 5, (2,), axis=axis)),
    ("choice of an array", 2, lambda axis: keyrng.choice(KEY, TABLE, (2,), axis=axis)),
    ("choice of a list", 2, lambda axis: keyrng.choice(KEY, [[1], [2]], (), False, axis=axis)),
    ("categorical", 2, lambda axis: keyrng.categorical(KEY, TABLE, axis)),
    ("a generator's method", 2, lambda axis: keyrng.Generator(0).permutation(TABLE, axis)),
    ("stack", 3, lambda axis: keyrng.stack([KEYS, KEYS], axis)),
    ("concatenate", 2, lambda axis: keyrng.concatenate([KEYS, KEYS], axis)),
    ("squeeze", 2, lambda axis: KEYS[:1].squeeze(axis)),
    ("squeeze of several", 2, lambda axis: KEYS[:1].squeeze((0, axis))),
    ("transpose", 2, lambda axis: KEYS.transpose(0, axis)),
    ("dropout", 2, lambda axis: keyrng.dropout(KEY, TABLE, 0.5, broadcast_dims=axis)),
    ("dropout_mask", 2, lambda axis: keyrng.dropout_mask(KEY, (2, 3), 0.5, broadcast_dims=(0, axis))),
    ("he_normal", 2, lambda axis: initializers.he_normal(in_axis=axis)(KEY, (2, 3))),
    ("lecun_uniform", 3, lambda axis: initializers.lecun_uniform(out_axis=axis)(KEY, (4, 2, 3))),
    ("variance_scaling", 3, lambda axis: _scaled(batch_axis=(0, axis))),
    ("orthogonal", 2, lambda axis: initializers.orthogonal(column_axis=axis)(KEY, (2, 3))),
    ("dirac", 3, lambda axis: initializers.dirac(in_axis=axis)(KEY, (2, 2, 3))),
]


def _scaled(**axes: Any) -> Any:
    return initializers.variance_scaling(1.0, "fan_in", "normal", -2, -1, **axes)(KEY, (4, 2, 3))


each_call = pytest.mark.parametrize(("name", "ndim", "call"), CALLS, ids=[name for name, _, _ in CALLS])


@each_call
def test_an_axis_out_of_range(name: str, ndim: int, call: Callable[[Any], Any]) -> None:
    for axis in (ndim, -ndim - 1, np.int64(ndim + 1), 2**62):
        with pytest.raises(AxisError, match=rf"axis {axis} is out of bounds for array of dimension {ndim}") as caught:
            call(axis)

        assert isinstance(caught.value, ValueError)
        assert isinstance(caught.value, IndexError)
        assert (caught.value.axis, caught.value.ndim) == (axis, ndim)


@each_call
def test_an_axis_of_thousands_of_digits_does_not_fill_the_message(name: str, ndim: int, call: Any) -> None:
    for axis in (10**5000, -(10**40)):
        with pytest.raises(AxisError, match="is out of bounds for array of dimension") as caught:
            call(axis)

        assert len(str(caught.value)) < 200


@each_call
def test_another_kind_is_a_type_error(name: str, ndim: int, call: Callable[[Any], Any]) -> None:
    for axis in (0.0, "0", True):
        with pytest.raises(TypeError):
            call(axis)
