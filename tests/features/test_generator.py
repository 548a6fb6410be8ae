"""Generators: the keys of calls, seeds and states."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from calls import CALLS
from cases import assert_same

import keyrng
from keyrng import Generator, algorithms, distributions
from keyrng._keys.serialize import digest

IMPLS = algorithms.names()[:7]

each_impl = pytest.mark.parametrize("impl", IMPLS)


def same(a: keyrng.Key, b: keyrng.Key) -> bool:
    return (a.impl, a.shape, a.device) == (b.impl, b.shape, b.device) and bool((a == b).all())


# Keys of calls


@each_impl
def test_calls_get_the_numbered_children_of_the_root(impl):
    key = keyrng.key(42, impl=impl)
    g = Generator(42, impl)

    assert same(g.next_key(), keyrng.fold_in(key, 0))
    assert_same(g.normal((3,)), keyrng.normal(keyrng.fold_in(key, 1), (3,)))
    assert same(g.next_key((2, 3)), keyrng.fold_in(key, np.arange(2, 8).reshape(2, 3)))
    assert same(g.next_key(0), keyrng.split(key, 0))
    assert same(g.next_key(()), keyrng.fold_in(key, 8))
    assert same(g.next_key(1), keyrng.fold_in(key, np.array([9])))
    assert same(g.next_key(np.int64(2)), keyrng.fold_in(key, np.arange(10, 12)))


def test_spawned_generators_have_named_children():
    key = keyrng.key(42)
    g = Generator(key)
    first, second = g.spawn(1), g.spawn(2)

    for number, spawned in enumerate((*first, *second)):
        assert same(spawned.next_key(), keyrng.fold_in(key, ("generator spawn", number, 0)))
    assert g.spawn(0) == []
    assert same(g.next_key(), keyrng.fold_in(key, 0))


@pytest.mark.parametrize("name", CALLS)
def test_a_sampler_is_a_method(name):
    g, key = Generator(5), keyrng.fold_in(keyrng.key(5), 0)
    arguments = CALLS[name]

    assert_same(np.asarray(getattr(g, name)(*arguments)), np.asarray(getattr(keyrng, name)(key, *arguments)))
    assert same(g.next_key(), keyrng.fold_in(keyrng.key(5), 1))


def test_no_sampler_is_forgotten():
    methods = {name for name, value in vars(Generator).items() if callable(value) and not name.startswith("_")}
    others = {"manual_seed", "seed", "initial_seed", "get_state", "set_state", "clone_state", "next_key", "spawn"}

    assert methods == {*distributions.__all__, *others}


@pytest.mark.parametrize("name", CALLS)
def test_signature_and_help_have_no_key(name):
    sampler, method = getattr(keyrng, name), getattr(Generator(0), name)
    (first, *rest), own = inspect.signature(sampler).parameters.values(), inspect.signature(method)

    assert first.name == "key"
    assert list(own.parameters.values()) == rest
    assert own.return_annotation == inspect.signature(sampler).return_annotation
    assert next(iter(inspect.signature(getattr(Generator, name)).parameters)) == "self"
    assert (method.__name__, method.__qualname__, method.__module__) == (name, f"Generator.{name}", "keyrng._generator")
    assert f"``help(keyrng.{name})``" in method.__doc__


def test_keywords_and_out_work_as_with_a_key():
    out = np.empty(4, np.float64)
    g = Generator(1)

    assert g.normal(dtype="float64", out=out) is out
    assert_same(out, keyrng.normal(keyrng.fold_in(keyrng.key(1), 0), (4,), "float64"))
    with pytest.raises(TypeError):
        g.normal(key=keyrng.key(0))


def test_a_call_that_fails_has_used_its_key_up():
    g = Generator(1)
    with pytest.raises(ValueError, match="positive"):
        g.gamma(-1.0)

    assert same(g.next_key(), keyrng.fold_in(keyrng.key(1), 1))


# Seeds


@pytest.mark.parametrize("seed", [0, 42, -1, 2**64 - 1, np.int32(-5), "weights", b"\x00"])
def test_seeds_are_those_of_key(seed):
    key = keyrng.key(seed)
    for g in (Generator(seed), Generator(key), Generator().manual_seed(seed)):
        assert same(keyrng.key(g.initial_seed()), key)
        assert same(g.next_key(), keyrng.fold_in(key, 0))


@each_impl
def test_initial_seed_begins_again(impl):
    for g in (Generator("name", impl), Generator(None, impl), Generator(1, impl).spawn(1)[0]):
        first = g.next_key()
        assert g.impl == impl
        assert same(Generator(g.initial_seed(), impl).next_key(), first)


def test_manual_seed_begins_anew_and_returns_the_generator():
    g = Generator(1)
    g.normal()
    g.spawn(2)

    assert g.manual_seed(2) is g
    assert g.get_state() == Generator(2).get_state()


def test_entropy_is_as_wide_as_a_key():
    seeds = [Generator(0, impl).seed() for impl in ("threefry2x32", "threefry4x64") for _ in range(4)]
    g = Generator(0)

    assert len(set(seeds)) == len(seeds)
    assert max(seeds[:4]) >> 60 and max(seeds[4:]) >> 252  # none of 4 so large: 1 in 65536**4
    assert g.seed() == g.initial_seed()
    assert Generator().initial_seed() != Generator().initial_seed()


def test_a_key_brings_its_algorithm():
    key = keyrng.key(1, impl="philox4x32")

    assert Generator(key).impl == Generator(key, "philox4x32").impl == "philox4x32"
    assert Generator(key).device == "cpu"


# States


def moved() -> Generator:
    g = Generator("state")
    g.next_key(5)
    g.spawn(3)
    return g


def test_set_state_goes_back():
    g = moved()
    state = g.get_state()
    keys, spawned = g.next_key(3), g.spawn(1)[0].next_key()

    assert g.set_state(state) is g
    assert same(g.next_key(3), keys)
    assert same(g.spawn(1)[0].next_key(), spawned)
    assert same(Generator(0).set_state(state).next_key(3), keys)


def test_the_state_is_as_documented():
    g = moved()
    state = g.get_state()

    assert len(state) == 77
    assert state[:7] == b"keygen\x01"
    assert [int.from_bytes(state[at : at + 8], "little") for at in (7, 15)] == [5, 3]
    assert same(keyrng.Key.from_bytes(state[23:-8]), keyrng.key("state"))


def test_the_bytes_of_version_1_stay():
    state = "6b657967656e0102000000000000000100000000000000" + Generator(7).get_state()[23:-8].hex()
    g = Generator(7)
    g.next_key(2)
    g.spawn(1)

    assert g.get_state().hex()[:-16] == state
    assert g.get_state().hex()[-16:] == "c7bebabaf37ab765"


def checked(*parts: bytes) -> bytes:
    body = b"".join(parts)
    return body + digest(body, 8)


HEAD = b"keygen\x01" + bytes(16)


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        (bytearray(moved().get_state()), TypeError, "expected bytes from get_state"),
        (np.zeros(5056, np.uint8), TypeError, "got ndarray"),
        (b"", ValueError, "not a generator state"),
        (keyrng.key(0).to_bytes(), ValueError, "begins with b'keyrng' instead of b'keygen'"),
        (checked(b"keygen\x02", HEAD[7:]), ValueError, "version of a state: 2 .expected 1"),
        (
            Generator(0, "philox4x32").get_state(),
            ValueError,
            "a state of philox4x32 does not fit a generator of threefry2x32; use",
        ),
        (checked(HEAD), ValueError, "not the bytes of a key"),
        (checked(HEAD, keyrng.split(keyrng.key(0)).to_bytes()), ValueError, r"keys of shape \(2,\)"),
        (checked(HEAD[:14], b"\xff" * 9, keyrng.key(0).to_bytes()), ValueError, "malformed state"),
    ],
)
def test_foreign_states_are_refused(state, error, message):
    with pytest.raises(error, match=message):
        Generator(0).set_state(state)


def test_the_last_key_is_the_last():
    body = HEAD[:7] + (2**63 - 1).to_bytes(8, "little") + bytes(8)
    g = Generator(0).set_state(checked(body, keyrng.key(0).to_bytes()))

    assert same(g.next_key(), keyrng.fold_in(keyrng.key(0), 2**63 - 1))
    with pytest.raises(ValueError, match="use spawn"):
        g.next_key()


def test_clone_state_draws_the_same():
    g = moved()
    again = g.clone_state()

    assert again is not g
    assert again.get_state() == g.get_state()
    assert same(again.next_key(), g.next_key())
    again.next_key()
    assert again.get_state() != g.get_state()
