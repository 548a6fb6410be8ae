"""Creating keys: seeds, devices, and the laws of split and fold_in."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import keyrng
from keyrng._keys.derive import Key
from keyrng.algorithms import Domain, get, names

algorithms = pytest.mark.parametrize("algorithm", [get(name) for name in names()], ids=names())

SCALAR = keyrng.key(42)
KEYS = keyrng.split(SCALAR, (2, 3))


def words(key: Key) -> list:
    return keyrng.key_data(key).tolist()


def same(a: Key, b: Key) -> bool:
    return a.impl == b.impl and a.shape == b.shape and words(a) == words(b)


def child(key: Key, index: int, domain: Domain) -> list:
    """The words of a child of one key, from the block function itself."""
    a = key._algorithm
    key_words, counter = [
        [np.array([word], a.dtype) for word in part]
        for part in (words(key), (index % 2**a.word_bits, index >> a.word_bits, 0, domain))
    ]
    return [int(word[0]) for word in a.at(key_words, *counter)[: a.key_words]]


def hashed(data: bytes, bits: int, person: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=bits // 8, person=person).digest(), "big")


# JAX's numbers


@pytest.fixture
def jax():
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        yield jax


JAX_SEEDS = [
    0, 1, 42, -1, 2**32 - 1, 2**32, -(2**32), 2**40 + 5, 2**63 - 1, -(2**63), np.int64(-2), np.uint64(2**64 - 1)
]  # fmt: skip


@pytest.mark.parametrize("seed", JAX_SEEDS)
def test_seed_gives_the_key_of_jax(jax, seed):
    expected = jax.random.key_data(jax.random.key(seed))

    assert words(keyrng.key(seed)) == expected.tolist()


@pytest.mark.parametrize("seed", [0, 42, -(2**63)])
@pytest.mark.parametrize("num", [0, 1, 2, 3, 200, (2, 3), [4], (3, 0, 2), ()])
def test_split_gives_the_keys_of_jax(jax, seed, num):
    expected = jax.random.key_data(jax.random.split(jax.random.key(seed), num))

    assert words(keyrng.split(keyrng.key(seed), num)) == expected.tolist()


@pytest.mark.parametrize("data", [0, 1, 2**31, 2**32 - 1])
def test_fold_in_gives_the_key_of_jax(jax, data):
    expected = jax.random.key_data(jax.random.fold_in(jax.random.key(7), data))

    assert words(keyrng.fold_in(keyrng.key(7), data)) == expected.tolist()


def test_words_go_to_jax_and_back(jax):
    there = jax.random.wrap_key_data(keyrng.key_data(KEYS))

    assert there.shape == KEYS.shape
    assert same(keyrng.wrap_key_data(np.asarray(jax.random.key_data(there))), KEYS)


# Seeds


@pytest.mark.parametrize(
    ("seed", "impl", "expected"),
    [
        (42, "threefry2x32", [0, 42]),
        (-1, "threefry2x32", [2**32 - 1] * 2),
        (2**32, "threefry2x32", [1, 0]),
        (np.int32(-2), "threefry2x32", [2**32 - 1, 2**32 - 2]),  # the integer -2; JAX takes 32 bits of it
        (np.uint8(200), "threefry2x32", [0, 200]),
        (2**64 + 5, "threefry4x32", [0, 1, 0, 5]),
        (-1, "threefry4x32", [2**32 - 1] * 4),
        (2**64 + 5, "threefry2x64", [1, 5]),
        (2**255, "threefry4x64", [2**63, 0, 0, 0]),
        (-(2**255), "threefry4x64", [2**63, 0, 0, 0]),
        (42, "philox4x32", [0, 42]),
        (42, "philox2x64", [42]),
        (42, "philox4x64", [0, 42]),
    ],
)
def test_integer_seed_is_used_whole(seed, impl, expected):
    assert words(keyrng.key(seed, impl=impl)) == expected


@algorithms
@given(data=st.data())
def test_integer_seed_is_the_words_in_order(algorithm, data):
    bits = algorithm.key_bits
    seed = data.draw(st.integers(-(2 ** (bits - 1)), 2**bits - 1))

    got = words(keyrng.key(seed, impl=algorithm.name))

    assert sum(w << algorithm.word_bits * i for i, w in enumerate(reversed(got))) == seed % 2**bits


@algorithms
@pytest.mark.parametrize("seed", ["", "weights", "Gewichte für 重み", "x" * 1000])
def test_text_seed_is_hashed_to_the_width(algorithm, seed):
    made = keyrng.key(seed, impl=algorithm)

    assert same(made, keyrng.key(seed.encode(), impl=algorithm))
    assert same(made, keyrng.key(hashed(seed.encode(), algorithm.key_bits, b"keyrng.seed"), impl=algorithm))


@algorithms
def test_seed_outside_the_range(algorithm):
    bits = algorithm.key_bits
    fits = 'impl="threefry4x64" takes 256 bits' if bits < 256 else r"keyrng.key\(hex\(seed\)\) hashes it"

    for seed in (2**bits, -(2 ** (bits - 1)) - 1):
        with pytest.raises(ValueError, match=rf"seed for {algorithm.name} must be from .* got .*; {fits}"):
            keyrng.key(seed, impl=algorithm)


def test_impl():
    assert same(keyrng.key(0), keyrng.key(0, impl=get("threefry2x32")))


# Devices


def test_cpu():
    assert SCALAR.device == "cpu"
    assert SCALAR.to("cpu") is SCALAR
    assert same(keyrng.key(42, device="cpu"), SCALAR)


# Laws of split and fold_in


@algorithms
def test_named_child_is_a_block_of_its_parent(algorithm):
    parent = keyrng.key(5, impl=algorithm)
    name = hashed(b"dropout", algorithm.index_bits, b"keyrng.name")

    assert words(keyrng.fold_in(parent, "dropout")) == child(parent, name, Domain.NAME)


@algorithms
@pytest.mark.parametrize("shape", [(), (3,), (2, 2), (0,), (200,)])  # 200: more than one key and more than a handful
def test_split_is_fold_in_of_numbers(algorithm, shape):
    parents = keyrng.split(keyrng.key(1, impl=algorithm), shape)
    children = keyrng.split(parents, 3)

    assert children.shape == (*shape, 3)
    for i in range(3):
        assert same(children[..., i], keyrng.fold_in(parents, i))
    assert same(children, keyrng.fold_in(parents[..., None], np.arange(3)))


@algorithms
def test_child_does_not_depend_on_how_many_there_are(algorithm):
    parent = keyrng.key(1, impl=algorithm)
    many = keyrng.split(parent, 300)

    for n in (0, 1, 2, 127, 128, 129):
        assert same(keyrng.split(parent, n), many[:n])
        assert keyrng.split(parent, n)._words.flags.c_contiguous
    assert same(keyrng.split(parent, (3, 100)), many.reshape(3, 100))


@algorithms
@pytest.mark.parametrize("data", [5, 2**64 - 1, "name", b"name", (1, "name"), np.uint8(7)])
def test_batch_is_every_key_alone(algorithm, data):
    parents = keyrng.split(keyrng.key(1, impl=algorithm), (2, 3))

    together = keyrng.fold_in(parents, data)

    assert together.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        assert same(together[i, j], keyrng.fold_in(parents[i, j], data))


@pytest.mark.parametrize("dtype", [f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)])
def test_arrays_of_every_integer_dtype(dtype):
    top = np.iinfo(dtype).max
    numbers = np.array([[0, 1], [5, top]], dtype)

    got = keyrng.fold_in(SCALAR, numbers)

    assert got.shape == (2, 2)
    for i, j in np.ndindex(2, 2):
        assert same(got[i, j], keyrng.fold_in(SCALAR, int(numbers[i, j])))


@pytest.mark.parametrize(
    ("keys", "numbers", "expected"),
    [((), (), ()), ((3,), (), (3,)), ((), (3,), (3,)), ((3,), (3,), (3,)), ((2, 1), (3,), (2, 3)), ((0,), (1,), (0,))],
)
def test_keys_and_numbers_broadcast(keys, numbers, expected):
    parents = keyrng.split(SCALAR, keys)
    data = np.arange(int(np.prod(numbers))).reshape(numbers)

    got = keyrng.fold_in(parents, data)

    assert got.shape == expected
    index = np.broadcast_to(data, expected)
    for i in np.ndindex(expected):
        own = i[len(i) - len(keys) :]
        parent = parents[tuple(0 if length == 1 else j for length, j in zip(keys, own, strict=True))]
        assert same(got[i], keyrng.fold_in(parent, int(index[i])))


@algorithms
def test_names_and_numbers_do_not_meet(algorithm):
    parent = keyrng.key(1, impl=algorithm)

    assert same(keyrng.fold_in(parent, "é"), keyrng.fold_in(parent, "é".encode()))
    made = [0, 1, 2**63, "", "0", "1", "a", "b", ("a", 0), (0, "a"), ("a", "b"), "ab"]
    assert len({tuple(words(keyrng.fold_in(parent, data))) for data in made}) == len(made)


def test_tuple_is_folded_in_turn():
    data = ("layer", 3, b"x", np.arange(4))

    expected = SCALAR
    for part in data:
        expected = keyrng.fold_in(expected, part)
    assert same(keyrng.fold_in(SCALAR, data), expected)
    assert expected.shape == (4,)


def test_split_takes_numpy_integers():
    assert same(keyrng.split(SCALAR, np.int64(3)), keyrng.split(SCALAR, 3))
    assert keyrng.split(SCALAR, [np.uint8(200), 2]).shape == (200, 2)
