"""The public names of keyrng: docstrings, type hints, and the signatures of jax.random."""

from __future__ import annotations

import doctest
import importlib
import importlib.metadata
import inspect
import re
import tomllib
import types
from importlib.resources import files
from pathlib import Path

import pytest

import keyrng
from keyrng import Generator, Key, algorithms, debug, initializers

ROOT = Path(__file__).parents[2]

FUNCTIONS = [name for name in keyrng.__all__ if inspect.isfunction(getattr(keyrng, name))]


# Names


def test_all_is_what_is_public():
    public = {
        name
        for name, value in vars(keyrng).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }

    assert set(keyrng.__all__) == public | {"algorithms", "debug", "initializers"}
    types_ = [Key, Generator, keyrng.LazyArray, keyrng.ShuffledBatches, keyrng.EpochBatches]
    assert len(keyrng.__all__) == len(FUNCTIONS) + len([*types_, algorithms, debug, initializers])


def test_dir_shows_only_public_names_and_modules():
    others = {name for name in dir(keyrng) if not name.startswith("_")} - set(keyrng.__all__)

    assert [name for name in others if not isinstance(getattr(keyrng, name), types.ModuleType)] == []


@pytest.mark.parametrize("module", ["algorithms", "distributions", "debug", "initializers"])
def test_all_of_a_module_exists(module):
    found = importlib.import_module(f"keyrng.{module}")

    assert [name for name in found.__all__ if not hasattr(found, name)] == []


def test_the_version_is_one():
    version = keyrng.__version__
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)

    assert project["tool"]["setuptools"]["dynamic"]["version"]["attr"] == "keyrng._version.__version__"
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    entries = re.findall(r"^## \[(.+)\] - (.+)$", changelog, re.M)
    assert entries[0][0] == version.removesuffix(".dev0")
    assert (entries[0][1] == "unreleased") == version.endswith(".dev0")
    assert f"\n{'.'.join(version.split('.')[:2])}.\n" in (ROOT / "README.md").read_text("utf-8")  # its status
    citation = ROOT / "CITATION.cff"  # missing where the tests run outside of the source tree
    if citation.exists():
        number, date = next(entry for entry in entries if entry[1] != "unreleased")  # what can be cited
        assert f"\nversion: {number}\n" in citation.read_text("utf-8")
        assert f'\ndate-released: "{date}"\n' in citation.read_text("utf-8")
    try:
        installed = importlib.metadata.version("keyrng")
    except importlib.metadata.PackageNotFoundError:
        return
    assert installed == version


def test_py_typed_ships():
    with (ROOT / "pyproject.toml").open("rb") as file:
        data = tomllib.load(file)["tool"]["setuptools"]["package-data"]["keyrng"]

    assert files("keyrng").joinpath("py.typed").is_file()
    assert "py.typed" in data


# Docstrings and type hints

METHODS = {
    f"{kind.__name__}.{name}": value
    for kind in (Key, Generator)
    for name, value in vars(kind).items()
    if not name.startswith("_")
}


def _examples(text: str) -> list[doctest.Example]:
    return doctest.DocTestParser().get_examples(text)


def test_docstrings_have_a_sentence_and_an_example():
    for name in [*FUNCTIONS, "Key", "Generator"]:
        text = inspect.getdoc(getattr(keyrng, name)) or ""

        assert "." in text.partition("\n\n")[0] or text.partition("\n")[0].endswith(":"), name
        assert _examples(text), f"{name} has no example that runs"


def test_methods_and_algorithms_have_docstrings():
    for name, value in {**METHODS, **{name: getattr(algorithms, name) for name in algorithms.__all__}}.items():
        assert inspect.getdoc(value), name


def _unhinted(function) -> list[str]:
    signature = inspect.signature(function)
    missing = [p.name for p in signature.parameters.values() if p.annotation is p.empty and p.name != "self"]
    return missing + (["return"] if signature.return_annotation is signature.empty else [])


def test_functions_and_methods_have_type_hints():
    for name, value in {**METHODS, **{name: getattr(keyrng, name) for name in FUNCTIONS}}.items():
        if isinstance(value, (property, staticmethod)):
            value = value.fget if isinstance(value, property) else value.__func__
        if inspect.isfunction(value):
            assert _unhinted(value) == [], name


# jax.random's signatures: names, order, kinds and defaults

DIFFERENT = (
    # function, jax, keyrng, why
    ("*", "out_sharding=None", "out=None", "a result is NumPy's, and can be written to an array"),
    ("key", "impl=None, dtype=None", "impl='threefry2x32', device='cpu'", "no global default; a key knows its device"),
    ("choice", "mode=None)", "mode=None, *, out=None)", "as everywhere; jax has no out_sharding here"),
    ("wrap_key_data", "(key_bits_array, *, impl=None, dtype=None)", "(words, *, impl='threefry2x32')", "likewise"),
    ("lognormal", "sigma=np.float32(1.0)", "sigma=1.0", "the same number"),
    ("multinomial", "unroll=1)", "unroll=1, out=None)", "jax has no out_sharding here that out would replace"),
    *(
        (name, "dtype=None)", "dtype=None, *, out=None)", "likewise")
        for name in ("weibull_min", "double_sided_maxwell", "binomial")
    ),
)


def _plain(function) -> str:
    """A signature as text, without its type hints."""
    signature = inspect.signature(function)
    parameters = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=parameters, return_annotation=signature.empty))


def test_signatures_are_those_of_jax():
    random = pytest.importorskip("jax").random
    for name in (name for name in FUNCTIONS if hasattr(random, name)):
        expected = _plain(getattr(random, name))
        for function, jax, ours, _ in DIFFERENT:
            if function in ("*", name):
                expected = expected.replace(jax, ours)

        assert _plain(getattr(keyrng, name)) == expected, name


def test_every_function_of_jax_random_is_there():
    random = pytest.importorskip("jax").random
    theirs = {name for name in dir(random) if not name.startswith("_") and callable(getattr(random, name))}

    # Raw keys of no algorithm, and the dtype of a key array, which is NumPy's no more than jax's.
    assert theirs - set(keyrng.__all__) == {"PRNGKey", "key_dtype"}
