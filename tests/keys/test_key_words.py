"""Words of keys, values that are not keys, and keys of custom algorithms."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from test_keys import KEYS, SCALAR, algorithms, same, words

import keyrng
from keyrng._keys.derive import Key, check_key
from keyrng.algorithms import Algorithm, get, names, register

# Words


@algorithms
def test_words_survive(algorithm, tmp_path):
    keys = keyrng.split(keyrng.key(1, impl=algorithm), (2, 3))
    np.save(tmp_path / "words.npy", keyrng.key_data(keys))

    loaded = np.load(tmp_path / "words.npy")

    assert loaded.dtype == algorithm.dtype
    assert same(keyrng.wrap_key_data(loaded, impl=keyrng.key_impl(keys)), keys)


def test_words_are_copies():
    data = keyrng.key_data(SCALAR)
    wrapped = keyrng.wrap_key_data(data)
    data[:] = 7

    assert words(SCALAR) == words(wrapped) == [0, 42]
    assert words(keyrng.wrap_key_data(np.arange(8, dtype="uint32").reshape(2, 4)[:, ::2])) == [[0, 2], [4, 6]]


def test_words_cannot_be_written():
    for keys in (SCALAR, KEYS, KEYS[0], KEYS[[0]], KEYS.T, keyrng.fold_in(SCALAR, 1), keyrng.fold_in(KEYS, "a"),
                 keyrng.split(KEYS), keyrng.split(SCALAR, 0), keyrng.stack([SCALAR]), keyrng.clone(KEYS),
                 pickle.loads(pickle.dumps(KEYS)), *keyrng.split(SCALAR)):  # fmt: skip
        assert not keys._words.flags.writeable
        assert keys._words.flags.c_contiguous
        assert keys._words.shape == (*keys.shape, 2)
        with pytest.raises(ValueError, match="read-only"):
            keys._words[...] = 0


# Values that are not keys


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros(2, "uint32"), r"an array of uint32 with shape \(2,\); keyrng.wrap_key_data\(words\) makes one"),
        (
            np.zeros((3, 4), "uint64"),
            r"an array of uint64 with shape \(3, 4\); keyrng.wrap_key_data\(words\) makes one",
        ),
        (np.zeros(2), r"an array of float64 with shape \(2,\); keyrng.key\(seed\) makes one"),
        (42, r"int; keyrng.key\(seed\) makes one"),
        (None, r"None; keyrng.key\(seed\) makes one"),
        ([0, 42], r"list; keyrng.key\(seed\) makes one"),
        ([SCALAR, SCALAR], r"list; keyrng.stack\(keys\) makes one"),
        (Key, r"type; keyrng.key\(seed\) makes one"),
    ],
)
def test_expected_a_key(value, message):
    acts = [check_key, keyrng.split, keyrng.clone, keyrng.key_data, keyrng.key_impl, lambda k: keyrng.fold_in(k, 1),
            lambda k: keyrng.stack([k]), lambda k: keyrng.concatenate([k])]  # fmt: skip
    for act in acts:
        with pytest.raises(TypeError, match=f"^expected a key, got {message}$"):
            act(value)


def test_check_key_returns_the_key():
    assert check_key(SCALAR) is SCALAR


def test_key_is_not_made_by_its_class():
    with pytest.raises(TypeError, match=r"use keyrng.key\(seed\)"):
        Key(42)


# Custom algorithms


def test_keys_of_another_algorithm(monkeypatch):
    monkeypatch.setattr("keyrng.algorithms.base._registry", {name: get(name) for name in names()})
    known = get("threefry2x64")
    mine = register(Algorithm("mine", "mine", 64, 2, 2, known.block))
    key = keyrng.key(3, impl="mine")

    assert words(keyrng.split(key, 5)) == words(keyrng.split(keyrng.key(3, impl=known), 5))
    assert same(Key.from_bytes(key.to_bytes()), key)
    assert repr(key) == "Key((), key<mine>, [0x0000000000000000 0x0000000000000003])"
    assert key != keyrng.key(3, impl=known)
    assert keyrng.key_impl(key) == mine.name
