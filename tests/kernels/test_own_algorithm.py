"""Custom algorithms: their values, and definitions that are rejected."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cases import ALGORITHMS, PATHS, Case, assert_same, in_turn, on

import keyrng
from keyrng._executors import bigint, native
from keyrng.algorithms import Algorithm, base, get, register


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that is forgotten after the test."""
    monkeypatch.setattr(base, "_registry", dict(base._registry))


def philox_of_7_rounds() -> Algorithm:
    def block(key: Any, counter: Any) -> Any:
        from keyrng.kernels.ops import mulhi

        x, key = list(counter), list(key)
        for i in range(7):
            if i:
                key = [key[0] + 0x9E3779B9, key[1] + 0xBB67AE85]
            x = [
                mulhi(x[2], 0xCD9E8D57) ^ x[1] ^ key[0],
                x[2] * 0xCD9E8D57,
                mulhi(x[0], 0xD2511F53) ^ x[3] ^ key[1],
                x[0] * 0xD2511F53,
            ]
        return tuple(x)

    return Algorithm("philox4x32-7", "phx7", 32, 2, 4, block)


def squares() -> Algorithm:
    """Widynski's squares in spirit: products of two words, which the packed integers do not have."""

    def block(key: Any, counter: Any) -> Any:
        x = (counter[0] + counter[1]) * (key[0] | 1) + counter[1]
        for _ in range(3):
            x = x * x + key[0] + counter[1]
            x = (x >> 32) | (x << 32)
        return x, x * x + counter[0]

    return Algorithm("squares", "sq", 64, 1, 2, block)


def test_own_algorithm_has_its_own_known_answer(registry: None) -> None:
    # The row "philox4x32 7" of Random123's kat_vectors.
    key = keyrng.key(0, impl=philox_of_7_rounds())

    assert [hex(word) for word in keyrng.bits(key, 4).tolist()] == [
        "0x5f6fb709",
        "0xd893f64",
        "0x4f121f81",
        "0x4f730a48",
    ]
    assert keyrng.key(0, impl="philox4x32-7").impl == "philox4x32-7"


@in_turn("name", ["philox4x32", "threefry2x32", "philox2x64"])
@pytest.mark.turns(3)
def test_the_same_algorithm_under_another_name_gives_the_same_samples(case: Case, name: str, registry: None) -> None:
    # Under a name that was not compiled in it runs on NumPy: everything a user's algorithm can do, one can compare.
    mine = register(replace(get(name), name=f"my {name}", tag="mine"))
    ours, theirs = (keyrng.split(keyrng.key(9, impl=impl), 3) for impl in (name, mine))
    assert native.algorithm_number(mine) is None
    for dtype, parameters in zip(case.dtypes, case.parameters * 8, strict=False):
        for shape in ((), (5,), (3_001,)):
            assert_same(case(theirs, shape, dtype, **parameters), case(ours, shape, dtype, **parameters), dtype, shape)
            assert_same(
                case(theirs[0], shape, dtype, **parameters), case(ours[0], shape, dtype, **parameters), dtype, shape
            )


@in_turn("make", [philox_of_7_rounds, squares])
@pytest.mark.turns(3)
def test_own_algorithm_keeps_the_laws(case: Case, make: Any, registry: None) -> None:
    algorithm = register(make())
    key = keyrng.key("mine", impl=algorithm)
    for dtype, parameters in zip(case.dtypes, case.parameters * 8, strict=False):
        whole = case(key, (3_001,), dtype, **parameters)
        if not case.not_prefix:
            assert_same(case(key, (7,), dtype, **parameters), whole[:7], dtype)
        keys = keyrng.split(key, (2, 3))
        batch = case(keys, (41,), dtype, **parameters)
        for j in np.ndindex(2, 3):
            assert_same(batch[j], case(keys[j], (41,), dtype, **parameters), dtype, j)
            assert_same(keyrng.key_data(keys[j]), keyrng.key_data(keyrng.fold_in(key, 3 * j[0] + j[1])))
        for path in PATHS[1:]:
            if path != "compiled":
                with on(path):
                    assert_same(case(key, (3_001,), dtype, **parameters), whole, dtype, path)


def test_own_algorithm_with_keys(registry: None) -> None:
    algorithm = register(squares())
    assert bigint._block(algorithm) is None
    keys = keyrng.split(keyrng.key(1, impl="squares"), 300)

    assert keyrng.Key.from_bytes(keys.to_bytes()).impl == "squares"
    assert bool((keyrng.fold_in(keyrng.key(1, impl="squares"), np.arange(300)) == keys).all())
    assert len(np.unique(keyrng.key_data(keys))) == 300
    assert keyrng.fold_in(keys, "name").shape == (300,)
    assert repr(keyrng.key(3, impl="squares")) == "Key((), key<sq>, [0x0000000000000003])"
    assert keyrng.key(3, impl="squares") != keyrng.key(3, impl="philox2x64")


# Rejected definitions

GOOD = {
    "name": "x",
    "tag": "x",
    "word_bits": 32,
    "key_words": 2,
    "block_words": 4,
    "block": lambda key, counter: counter,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"word_bits": 16}, "word_bits must be 32 or 64, got 16"),
        ({"key_words": 0}, r"key_words must be from 1 to block_words \(4\), got 0"),
        ({"key_words": 5}, r"key_words must be from 1 to block_words \(4\), got 5"),
        ({"key_words": -1}, r"key_words must be from 1 to block_words \(4\), got -1"),
        ({"block_words": 2}, "128 bits, got 2 words of 32 bits; .*jax_layout=True"),
        ({"block_words": 5}, "even number of words.*, got 5 words of 32 bits"),
        ({"jax_layout": True}, "jax_layout requires blocks of two 32-bit words"),
        ({"jax_layout": True, "word_bits": 64, "block_words": 2}, "jax_layout requires blocks of two 32-bit words"),
    ],
)
def test_bad_algorithm(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Algorithm(**{**GOOD, **change})


def test_bad_names(registry: None) -> None:
    first = register(Algorithm(**GOOD))

    assert register(first) is first
    assert get("x") is first
    with pytest.raises(ValueError, match="another algorithm is registered as 'x'; choose another name"):
        register(Algorithm(**GOOD))
    with pytest.raises(ValueError, match="another algorithm is registered as 'philox4x32'"):
        keyrng.key(0, impl=Algorithm(**{**GOOD, "name": "philox4x32"}))
    with pytest.raises(TypeError, match="expected an Algorithm, got str"):
        register("philox4x32")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"unknown impl: 'philox4x33' .expected threefry2x32, .*philox4x64"):
        keyrng.key(0, impl="philox4x33")
    with pytest.raises(TypeError, match="impl must be a name or an Algorithm, got int"):
        keyrng.key(0, impl=3)  # type: ignore[arg-type]


def test_block_of_the_wrong_form(registry: None) -> None:
    # A block must be words: what returns fewer, or words of another width, is found at the first draw.
    short = register(Algorithm(**{**GOOD, "name": "short", "block": lambda key, counter: counter[:3]}))
    with pytest.raises((ValueError, TypeError), match="block"):
        keyrng.bits(keyrng.key(0, impl=short), 3)


def test_an_algorithm_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        get("philox4x32").tag = "other"  # type: ignore[misc]
    assert get("philox4x32") == get("philox4x32") != get("philox4x64")
    assert len({get(name) for name in ALGORITHMS}) == len(ALGORITHMS)
