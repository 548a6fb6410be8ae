"""The key as a value: array behavior, unsupported operations, and its text form."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from test_keys import KEYS, SCALAR, algorithms, same

import keyrng
from keyrng._keys.derive import Key
from keyrng.algorithms import names

OTHER = keyrng.key(42, impl="threefry4x64")


# An array of keys


@algorithms
@pytest.mark.parametrize("shape", [(), (0,), (4,), (2, 3), (2, 0, 3)])
def test_attributes(algorithm, shape):
    keys = keyrng.split(keyrng.key(1, impl=algorithm), shape)

    assert keys.shape == shape
    assert keys.ndim == len(shape)
    assert keys.size == np.prod(shape)
    assert keys.nbytes == keys.size * algorithm.key_bits // 8
    assert keys.impl == keyrng.key_impl(keys) == algorithm.name
    assert keyrng.key_data(keys).dtype == algorithm.dtype


# Each key has a number: an index must select the keys with the numbers that it selects from this array.
NUMBERS = np.arange(6).reshape(2, 3)


@pytest.mark.parametrize(
    "index",
    [0, -1, (1, 2), (1, -1), slice(None), slice(None, None, -1), (slice(None), 1), ..., (..., 0), (0, ...), None,
     (None, 0), (slice(1), None), (), [0, 1, 0], [[0], [1]], (slice(None), [2, 0]), ([0, 1], [2, 0]), (0, None, [1]),
     ([0, 1], None, [2, 0]), np.int8(1), np.array(1), np.array([1, 1]), (np.array([], int),), NUMBERS > 2,
     (0, NUMBERS[0] > 9), (slice(None), [True, False, True]), True, False, (0, True)],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("impl", ["threefry2x32", "philox2x64"])  # keys of two words and of one
def test_indexing_is_of_numpy(index, impl):
    parent = keyrng.key(1, impl=impl)

    assert same(keyrng.fold_in(parent, NUMBERS)[index], keyrng.fold_in(parent, np.asarray(NUMBERS[index])))


@pytest.mark.parametrize(
    "index",
    [(0, 0, 0), 2, (0, 3), "a", 1.0, np.ones((2, 3, 2), bool), np.ones(3, bool), (0, 0, slice(None)), (..., 0, ...)],
    ids=repr,
)
def test_index_errors_are_about_the_shape_of_keys(index):
    with pytest.raises(IndexError) as expected:
        NUMBERS[index]

    with pytest.raises(IndexError) as got:
        KEYS[index]

    assert str(got.value) == str(expected.value)


@pytest.mark.parametrize(
    "act",
    [
        lambda a: a.reshape(3, 2),
        lambda a: a.reshape((3, -1)),
        lambda a: a.reshape([-1]),
        lambda a: a.reshape(1, 6, 1),
        lambda a: a.ravel(),
        lambda a: a.flatten(),
        lambda a: a[:0].reshape(3, 0),
        lambda a: a.T,
        lambda a: a.T.ravel(),
        lambda a: a[None].transpose(2, 0, 1),
        lambda a: a[None].transpose((-1, 0, 1)),
        lambda a: a.transpose(None),
        lambda a: a[None, :, None].squeeze(),
        lambda a: a[None, :, None].squeeze(0),
        lambda a: a[None, :, None].squeeze((0, -2)),
        lambda a: a[0, 0].squeeze(),
    ],
)
@pytest.mark.parametrize("impl", ["threefry2x32", "philox2x64"])
def test_shapes_change_as_in_numpy(act, impl):
    parent = keyrng.key(1, impl=impl)

    assert same(act(keyrng.fold_in(parent, NUMBERS)), keyrng.fold_in(parent, act(NUMBERS)))


def test_iteration():
    first, second = KEYS

    assert same(first, KEYS[0])
    assert same(second, KEYS[1])
    assert len(KEYS) == 2
    assert KEYS[1, 2] in KEYS.ravel()
    assert SCALAR not in KEYS.ravel()


# An axis counts the axes of keys, never that of their words.
@pytest.mark.parametrize("axis", [0, 1, -1, -2])
@pytest.mark.parametrize("join", ["stack", "concatenate"])
def test_joining_is_of_numpy(join, axis):
    parts = [NUMBERS, NUMBERS + 6]

    got = getattr(keyrng, join)([keyrng.fold_in(SCALAR, part) for part in parts], axis)

    assert same(got, keyrng.fold_in(SCALAR, getattr(np, join)(parts, axis)))
    assert got._words.flags.c_contiguous


def test_arrays_of_keys_are_lists_of_keys():
    assert same(keyrng.stack(KEYS), KEYS)
    assert same(keyrng.stack(iter([SCALAR, SCALAR]), axis=-1), keyrng.wrap_key_data(np.array([[0, 42]] * 2, "uint32")))
    assert same(keyrng.concatenate(KEYS), KEYS.ravel())
    assert same(keyrng.concatenate([KEYS, KEYS[:, :1]], axis=1), KEYS[:, [0, 1, 2, 0]])


# Equality


def test_equality_is_key_by_key():
    assert (KEYS == KEYS).tolist() == [[True] * 3] * 2
    assert (KEYS != KEYS).tolist() == [[False] * 3] * 2
    assert (KEYS[:, :1] == KEYS).tolist() == [[True, False, False]] * 2
    assert (KEYS[0] == KEYS[0, 1]).tolist() == [False, True, False]
    assert (KEYS[:0] == SCALAR).shape == (0, 3)
    assert (KEYS == KEYS).dtype == bool
    assert keyrng.key(42) == SCALAR
    assert not keyrng.key(42) != SCALAR  # noqa: SIM202
    assert keyrng.key(1) != keyrng.key(2**32 + 1)  # one word alike is not enough


class Anything:
    """Says of itself that it equals everything, as `unittest.mock.ANY` does."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


NO_KEYS = {
    "None": None,
    "int": 0,
    "NumPy's int": np.uint32(42),
    "str": "x",
    "bytes": SCALAR.to_bytes(),
    "tuple": (0, 42),
    "list": [SCALAR],
    "words": np.array([0, 42], "uint32"),
    "0-d array": np.array(42),
    "object array": np.array([None, 1]),
    "Key": Key,
}


@pytest.mark.parametrize("keys", [SCALAR, KEYS, KEYS[:0], OTHER], ids=["one", "several", "none", "another algorithm"])
@pytest.mark.parametrize("other", NO_KEYS.values(), ids=NO_KEYS)
def test_a_key_equals_only_keys(keys, other):
    assert (keys == other) is False
    assert (keys != other) is True
    assert (other == keys) is False
    assert (other != keys) is True


def test_a_key_lets_the_other_side_decide():
    assert (Anything() == SCALAR, Anything() == SCALAR) == (True, True)


def test_keys_of_other_algorithms_differ():
    others = [keyrng.key(42, impl=algorithm) for algorithm in names() if algorithm != SCALAR.impl]

    assert not any(other == SCALAR for other in others)
    assert all(other != SCALAR for other in others)
    for other in others:
        assert (other == KEYS).tolist() == [[False] * 3] * 2
        assert (other != KEYS[0]).tolist() == [True] * 3
        assert (KEYS[:0] == other).shape == (0, 3)


def test_containers_compare_keys():
    other = keyrng.key(42, impl="philox4x32")

    assert SCALAR in ["x", None, other, keyrng.key(42)]
    assert SCALAR not in ("x", 0, other)
    assert ["x", other, SCALAR].index(SCALAR) == 2
    assert {"key": keyrng.key(42)} == {"key": SCALAR}
    assert {"key": SCALAR} != {"key": 0}
    assert {"key": other} != {"key": SCALAR}
    assert {"key": KEYS} != {"key": None}


@pytest.mark.parametrize("other", [KEYS[:, :2], keyrng.split(keyrng.key(42, impl="philox4x32"), (2, 2))])
@pytest.mark.parametrize("compare", [operator.eq, operator.ne])
def test_shapes_must_broadcast(compare, other):
    with pytest.raises(ValueError, match=r"keys of shapes \(2, 3\) and \(2, 2\) do not broadcast"):
        compare(KEYS, other)


# Unsupported operations

BINARY = [operator.add, operator.sub, operator.mul, operator.matmul, operator.truediv, operator.floordiv,
          operator.mod, divmod, operator.pow, operator.and_, operator.or_, operator.xor, operator.lshift,
          operator.rshift, operator.lt, operator.le, operator.gt, operator.ge]  # fmt: skip
UNARY = [operator.neg, operator.pos, abs, operator.invert, int, float, complex, operator.index]
NO_NUMBER = r"keys do not support arithmetic; use keyrng.fold_in\(key, data\)"


@pytest.mark.parametrize("act", BINARY)
@pytest.mark.parametrize("other", [1, SCALAR, np.arange(3), None], ids=["int", "key", "array", "None"])
def test_no_arithmetic(act, other):
    with pytest.raises(TypeError, match=NO_NUMBER):
        act(SCALAR, other)
    with pytest.raises(TypeError, match=NO_NUMBER):
        act(other, SCALAR)


def test_no_arithmetic_in_place():
    key = SCALAR

    with pytest.raises(TypeError, match=NO_NUMBER):
        key += 1


@pytest.mark.parametrize("act", UNARY)
def test_no_number(act):
    with pytest.raises(TypeError, match=NO_NUMBER):
        act(SCALAR)


@pytest.mark.parametrize(
    "act", [np.asarray, np.array, np.save, np.exp, lambda k: np.stack([k, k]), lambda k: np.array([k])]
)
def test_no_array_of_numbers(act, tmp_path):
    args = (tmp_path / "key.npy", SCALAR) if act is np.save else (SCALAR,)
    message = (
        "does not support ufuncs"
        if act is np.exp
        else r"a key cannot be converted to an array; use keyrng.key_data\(key\)"
    )

    with pytest.raises(TypeError, match=message):
        act(*args)


@pytest.mark.parametrize("name", ["_words", "_algorithm", "shape", "T", "anything", "__class__"])
def test_no_change(name):
    with pytest.raises(
        AttributeError, match=f"cannot set '{name}': keys are immutable; use keyrng.split or keyrng.fold_in"
    ):
        setattr(SCALAR, name, 1)
    with pytest.raises(AttributeError, match=f"cannot delete '{name}': keys are immutable"):
        delattr(SCALAR, name)
