"""Copies of keys, and keys as words and as bytes: every bit is preserved, and other bytes are rejected."""

from __future__ import annotations

import copy
import pickle
import struct
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_keys import KEYS, SCALAR, algorithms, same, words

import keyrng
from keyrng._keys.derive import Key

# Copies


def test_clone_is_another_object_with_the_same_bits():
    twin = keyrng.clone(KEYS)

    assert twin is not KEYS
    assert same(twin, KEYS)


def test_copies():
    assert copy.copy(KEYS) is KEYS
    assert copy.deepcopy({"key": KEYS})["key"] is KEYS


@algorithms
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(algorithm, protocol):
    keys = keyrng.split(keyrng.key(1, impl=algorithm), (2, 3))

    assert same(pickle.loads(pickle.dumps(keys, protocol)), keys)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (SCALAR, "Key((), key<fry>, [0x00000000 0x0000002a])"),
        (keyrng.key(-1, impl="philox2x64"), "Key((), key<phx2l>, [0xffffffffffffffff])"),
        (KEYS[:0], "Key((0, 3), key<fry>, [])"),
        (SCALAR[None, None], "Key((1, 1), key<fry>, [[[0x00000000 0x0000002a]]])"),
        (
            keyrng.stack([keyrng.key(1), keyrng.key(2**32)]),
            "Key((2,), key<fry>,\n    [[0x00000000 0x00000001]\n     [0x00000001 0x00000000]])",
        ),
    ],
)
def test_repr(keys, expected):
    with np.printoptions(threshold=1, edgeitems=1, linewidth=10, formatter={"int": str}):
        assert repr(keys) == str(keys) == expected


def test_repr_of_many_keys_is_short():
    text = repr(keyrng.split(SCALAR, 10**5))

    assert text.count("\n") == 7
    assert "..." in text


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


# Bytes


@algorithms
@given(data=st.data(), shape=st.lists(st.integers(0, 3), max_size=3))
def test_bytes_there_and_back(algorithm, data, shape):
    size = int(np.prod(shape)) * algorithm.key_bits // 8
    raw = data.draw(st.binary(min_size=size, max_size=size))
    data = np.frombuffer(raw, algorithm.dtype).reshape(*shape, algorithm.key_words)
    keys = keyrng.wrap_key_data(data, impl=algorithm)

    assert same(Key.from_bytes(keys.to_bytes()), keys)


def test_bytes_are_of_version_1():
    body = b"keyrng" + bytes([1, 32, 12, 1]) + b"threefry2x32" + struct.pack("<Q2I", 2, 0, 42)

    assert SCALAR.to_bytes() == body + blake2b(body, digest_size=8).digest()


def signed(*, name: bytes = b"threefry2x32", bits: int = 32, shape: tuple = (2,), data: bytes = bytes(8)) -> bytes:
    """Return bytes that another program might write, with a valid checksum."""
    body = b"keyrng" + bytes([1, bits, len(name), len(shape)]) + name + struct.pack(f"<{len(shape)}Q", *shape) + data
    return body + blake2b(body, digest_size=8).digest()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"not the bytes of a key: they begin with b'' instead of b'keyrng'"),
        (b"\x93NUMPY" + bytes(30), "not the bytes of a key"),
        (b"keyrng" + bytes([2]) + bytes(30), "unsupported version of the bytes of a key: 2 .expected 1"),
        (SCALAR.to_bytes()[:-1], "corrupt bytes of a key: the checksum does not match"),
        (signed(name=b"mt19937"), "unknown impl: 'mt19937' .expected threefry2x32"),
        (signed(name=b"\xff"), "unknown impl: '\N{REPLACEMENT CHARACTER}' .expected"),
        (signed(bits=64), "malformed bytes of a key: .* do not fit keys of threefry2x32"),
        (
            signed(name=b"philox2x64", shape=(2,), bits=64),
            "do not fit keys of philox2x64, which have 1 words of 64 bits",
        ),
        (signed(shape=()), r"with shape \(\) do not fit keys"),
        (signed(shape=(3,)), r"with shape \(3,\) do not fit keys"),
        (signed(shape=(2, 2)), r"8 bytes of 32-bit words with shape \(2, 2\) do not fit keys"),
        (signed(shape=(2**63, 2**63, 2)), "do not fit keys"),
        (signed(shape=(0, 2**63, 2), data=b""), "malformed bytes of a key"),
        (signed(shape=(1,) * 100 + (2,)), "malformed bytes of a key"),
        (signed(data=b""), "0 bytes of 32-bit words"),
        (signed()[:12] + blake2b(signed()[:12], digest_size=8).digest(), "12 bytes, but their header needs 30"),
    ],
)
def test_bytes_that_are_no_keys(data, message):
    with pytest.raises(ValueError, match=message):
        Key.from_bytes(data)
