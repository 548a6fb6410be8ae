"""Names, keywords and argument orders of NumPy, torch and jax: the error suggests the keyrng equivalent."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import numpy as np
import pytest
from processes import python

import keyrng
import keyrng.distributions
from keyrng import Generator, Key
from keyrng._core import migration

KEY = keyrng.key(0)
GENERATOR = Generator(0)

HERE = [name for name in migration.BY_NAME if hasattr(keyrng, name)]
ELSEWHERE = [name for name in migration.BY_NAME if not hasattr(keyrng, name)]


def message(call: Any, error: type[Exception]) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


# Names


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_name_of_another_library(name: str) -> None:
    theirs, ours = migration.BY_NAME[name]

    said = message(lambda: getattr(keyrng, name), AttributeError)

    assert said == f"module 'keyrng' has no attribute {name!r}; for {theirs} type {ours}"


COMMONEST = "shuffle integers rand randn default_rng manual_seed PRNGKey standard_normal randperm seed"


@pytest.mark.parametrize("name", COMMONEST.split())
def test_the_commonest_names_are_among_them(name: str) -> None:
    assert name in ELSEWHERE
    assert "keyrng." in message(lambda: getattr(keyrng, name), AttributeError)


def test_a_name_of_no_library() -> None:
    said = message(lambda: keyrng.nrmal, AttributeError)
    assert said == "module 'keyrng' has no attribute 'nrmal'"

    with pytest.raises(AttributeError) as caught:
        _ = keyrng.nrmal
    assert (caught.value.name, caught.value.obj) == ("nrmal", keyrng)  # by which Python says: did you mean 'normal'?


@pytest.mark.parametrize(
    "name", ["split", "normal", "uniform", "fold_in", "permutation", "gamma", "standard_normal", "random"]
)
def test_a_key_has_no_such_method(name: str) -> None:
    ours = migration.BY_NAME[name][1]
    for key in (KEY, keyrng.split(KEY, 3)):
        said = message(lambda key=key: getattr(key, name), AttributeError)

        assert said.startswith(f"'Key' object has no attribute {name!r}; for ")
        assert said.endswith(f" type {ours}")


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("standard_normal", "generator.normal((5,))"),
        ("integers", "generator.randint((5,), 0, 10)"),
        ("shuffle", "x = generator.permutation(x)"),
        ("randn", "generator.normal((2, 3))"),
        ("split", "keyrng.split(generator.next_key())"),
    ],
)
def test_a_generator_has_no_such_method(name: str, ours: str) -> None:
    said = message(lambda: getattr(GENERATOR, name), AttributeError)

    assert said.startswith(f"'Generator' object has no attribute {name!r}; for ")
    assert said.endswith(f" type {ours}")


def test_what_looks_for_attributes_finds_what_there_is() -> None:
    assert not hasattr(KEY, "normal")
    assert not hasattr(Key, "normal")
    assert not hasattr(GENERATOR, "standard_normal")
    assert not hasattr(keyrng, "default_rng")
    assert getattr(KEY, "split", None) is None
    assert {"split", "normal", "rand"}.isdisjoint([*dir(KEY), *dir(Key)])
    assert {"split", "rand"}.isdisjoint([*dir(GENERATOR), *dir(Generator)])
    assert {"normal", "spawn", "device", "get_state"} <= set(dir(GENERATOR)) & set(dir(Generator))
    assert {"shape", "spawn", "device", "__reduce__"} <= set(dir(KEY)) & set(dir(Key))
    assert "normal" not in dict(inspect.getmembers(KEY))
    assert "rand" not in dict(inspect.getmembers(Generator))
    assert "rand" not in dir(keyrng)


def test_the_protocols_work() -> None:
    for name in ("__array_interface__", "__cuda_array_interface__", "__dlpack__", "__wrapped__", "_repr_html_"):
        for value in (KEY, GENERATOR, keyrng):
            assert not hasattr(value, name)
    assert (pickle.loads(pickle.dumps(KEY)) == KEY).all()
    assert pickle.loads(pickle.dumps(keyrng.normal)) is keyrng.normal
    assert copy.copy(KEY) is KEY
    assert copy.deepcopy(keyrng.split(KEY))[1].shape == ()
    assert isinstance(copy.deepcopy(GENERATOR), Generator)
    namespace: dict[str, Any] = {}
    exec("from keyrng import *", namespace)
    assert set(keyrng.__all__) <= set(namespace)
    with pytest.raises(ImportError, match="cannot import name 'default_rng'"):
        exec("from keyrng import default_rng")


def test_a_key_without_words_does_not_recurse() -> None:
    with pytest.raises(AttributeError):
        _ = object.__new__(Key).shape


def test_attributes_are_as_fast_as_without() -> None:
    """Every attribute of a class with ``__getattr__`` is slower."""
    for kind in (Key, Generator):
        assert not any("__getattr__" in vars(base) or "__getattribute__" in vars(base) for base in kind.__mro__[:-1])


def test_python_suggests_a_name_of_ours() -> None:
    assert "Did you mean: 'normal'?" in python("-c", "import keyrng; keyrng.nromal").stderr


# Arguments


class _OfKey:
    """The samplers of one key."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **named: getattr(keyrng, name)(KEY, *args, **named)


@pytest.mark.parametrize("arguments", [(0, 5, 10), (0, 10, 5), (0, 1, 7)])
@pytest.mark.parametrize("f", [GENERATOR, _OfKey()])
def test_randint_in_numpys_order(arguments: tuple[int, int, int], f: Any) -> None:
    low, high, size = arguments
    says = rf"the order is randint\(key, shape, minval, maxval\), .* type randint\(key, \({size},\), {low}, {high}\)"
    with pytest.raises(ValueError, match=says):
        f.randint(low, high, size)
    with pytest.raises(ValueError, match=r"the order is randint\(key, shape, minval, maxval\)"):
        f.randint(1, high, 1)


def test_calls_of_jax_stay_legal() -> None:
    assert keyrng.exponential(KEY, 2).shape == (2,)
    assert keyrng.randint(KEY, (0,), 5, 10).shape == (0,)
    assert keyrng.randint(KEY, (0, 3), 5, 10).shape == (0, 3)
    assert keyrng.randint(KEY, 0, 0, 10).shape == (0,)
    assert keyrng.randint(KEY, 0, -5, 10).shape == (0,)
    assert keyrng.randint(KEY, 0, np.array(5), 10).shape == (0,)
    assert keyrng.randint(KEY, 3, 5, 10).shape == (3,)


@pytest.mark.parametrize("name", [*keyrng.distributions.__all__, "split", "fold_in"])
def test_unknown_arguments_of_functions(name: str) -> None:
    function = getattr(keyrng, name)
    expected = "it is called shape here" if "shape" in inspect.signature(function).parameters else "; "
    assert expected in message(lambda: function(KEY, size=3), TypeError)
    assert f"{name}() " in message(lambda: function(KEY, lwo=3), TypeError)
    assert "; " in message(function, TypeError)


def test_an_error_of_a_sampler_stays_as_it_is() -> None:
    for f in (GENERATOR, _OfKey()):
        with pytest.raises(TypeError, match=r"^a must be a number or an array of numbers, got 'x'$"):
            f.gamma("x")
        with pytest.raises(TypeError, match=r"^p "):
            f.choice(2, p="x")
