"""The public face: names, docstrings, type hints, jax.random's signatures, and `python -m keyrng`."""

from __future__ import annotations

import doctest
import importlib
import importlib.metadata
import inspect
import os
import re
import subprocess
import sys
import tomllib
import types
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import keyrng
from keyrng import Generator, Key, algorithms, debug, initializers
from keyrng._cli import stream_layouts
from keyrng._executors import native

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
    assert keyrng.__all__ == sorted(keyrng.__all__)
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
    citation = ROOT / "CITATION.cff"  # not beside tests that run away from the source tree
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


@pytest.mark.parametrize("name", [*FUNCTIONS, "Key", "Generator"])
def test_docstring_has_a_sentence_and_an_example(name):
    text = inspect.getdoc(getattr(keyrng, name)) or ""
    first = text.partition("\n")[0]

    assert first.endswith((".", ":")) or "." in text.partition("\n\n")[0], first
    assert _examples(text), "no example that runs"


@pytest.mark.parametrize("name", METHODS)
def test_methods_say_what_they_are(name):
    assert inspect.getdoc(METHODS[name])


@pytest.mark.parametrize("name", algorithms.__all__)
def test_algorithms_say_what_they_are(name):
    assert inspect.getdoc(getattr(algorithms, name))


def _unhinted(function) -> list[str]:
    signature = inspect.signature(function)
    missing = [p.name for p in signature.parameters.values() if p.annotation is p.empty and p.name != "self"]
    return missing + (["return"] if signature.return_annotation is signature.empty else [])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_type_hints(name):
    assert _unhinted(getattr(keyrng, name)) == []


@pytest.mark.parametrize("name", METHODS)
def test_methods_have_type_hints(name):
    value = METHODS[name]
    if isinstance(value, (property, staticmethod)):
        value = value.fget if isinstance(value, property) else value.__func__
    if inspect.isfunction(value):
        assert _unhinted(value) == []


# jax.random's signatures: names, order, kinds and defaults

DIFFERENT = (
    # function, jax, keyrng, why
    ("*", "out_sharding=None", "out=None", "a result is NumPy's, and can be written to an array"),
    ("key", "impl=None, dtype=None", "impl='threefry2x32', device='cpu'", "no global default; a key knows its device"),
    ("choice", "mode=None)", "mode=None, *, out=None)", "as everywhere; jax has no out_sharding here"),
    ("wrap_key_data", "(key_bits_array, *, impl=None, dtype=None)", "(words, *, impl='threefry2x32')", "likewise"),
    ("lognormal", "sigma=np.float32(1.0)", "sigma=1.0", "the same number"),
    ("multinomial", "unroll=1)", "unroll=1, out=None)", "there is no out_sharding that out could stand for"),
    *(
        (name, "dtype=None)", "dtype=None, *, out=None)", "likewise")
        for name in ("weibull_min", "double_sided_maxwell", "binomial")
    ),
)
# Functions that jax.random does not have.
OURS = (
    "sample_kernel", "stack", "concatenate", "power", "vonmises", "zipf", "logseries", "hypergeometric",
    "negative_binomial",
    "multivariate_hypergeometric", "noncentral_chisquare", "noncentral_f", "index_shuffle", "wishart", "dropout",
    "dropout_mask", "keys_like", "shuffled_batches", "lazy_array",
)  # fmt: skip


def _plain(function) -> str:
    """A signature as text, without its type hints."""
    signature = inspect.signature(function)
    parameters = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=parameters, return_annotation=signature.empty))


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n not in OURS])
def test_signature_is_that_of_jax(name):
    random = pytest.importorskip("jax").random
    if name in ("get_num_threads", "set_num_threads"):
        assert not hasattr(random, name)
        return
    expected = _plain(getattr(random, name))
    for function, jax, ours, _ in DIFFERENT:
        if function in ("*", name):
            expected = expected.replace(jax, ours)

    assert _plain(getattr(keyrng, name)) == expected


def test_every_function_of_jax_random_is_there():
    random = pytest.importorskip("jax").random
    theirs = {name for name in dir(random) if not name.startswith("_") and callable(getattr(random, name))}

    # Raw keys of no algorithm, and the dtype of a key array, which is NumPy's no more than jax's.
    assert theirs - set(keyrng.__all__) == {"PRNGKey", "key_dtype"}


@pytest.mark.parametrize("name", OURS)
def test_names_of_our_own_are_not_in_jax_random(name):
    assert not hasattr(pytest.importorskip("jax").random, name)


# python -m keyrng

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(keyrng.__file__).parents[1])}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "keyrng", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(*arguments), env=ENVIRONMENT, capture_output=True, timeout=120, check=False)


def test_the_main_job_holds():
    done = run()
    lines = done.stdout.decode().splitlines()

    assert done.stderr == b""
    assert done.returncode == 0
    assert any(line.startswith("holds") and "digest" in line for line in lines)
    assert not any(line.startswith("BROKEN") for line in lines)


def test_info_names_the_paths():
    done = run("info")
    lines = [line.split(maxsplit=1) for line in done.stdout.decode().splitlines()]
    found = {words[0]: words[1] for words in lines if len(words) == 2}

    assert (done.returncode, done.stderr) == (0, b"")
    assert found["keyrng"] == keyrng.__version__
    assert found["NumPy"] == np.__version__
    assert found["numpy"] == "yes"
    assert re.match(r"yes: CuPy \d.*; cuda:0 is \w|no: .+; .*type: ", found["cuda"])
    for name in algorithms.names()[:7]:
        assert name in found["algorithms"]
    sets = native.instruction_sets()
    if sets:
        assert found["compiled"].startswith("yes: ")
        assert all(name in found["compiled"] for name in sets)
    else:
        assert found["compiled"].startswith("no: ")
        assert "type: " in found["compiled"]


def words(done: subprocess.CompletedProcess[bytes]) -> np.ndarray:
    assert (done.returncode, done.stderr) == (0, b"")
    return np.frombuffer(done.stdout, "<u4")


MORE_THAN_A_BUFFER = 4 * (1 << 20) + 400  # bytes


@pytest.mark.parametrize("impl", ["threefry2x32", "philox4x32", "threefry4x64"])
def test_bits_are_those_of_the_key(impl):
    found = words(run("bits", "--seed", "42", "--impl", impl, "--bytes", str(MORE_THAN_A_BUFFER)))

    assert found.size == MORE_THAN_A_BUFFER // 4
    assert np.array_equal(found, keyrng.bits(keyrng.key(42, impl=impl), found.size))


@pytest.mark.parametrize("size", [0, 1, 3, 4, 1001])
def test_bits_end_at_the_byte(size):
    done = run("bits", "--seed", "-5", "--bytes", str(size))

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == keyrng.bits(keyrng.key(-5), 300).astype("<u4").tobytes()[:size]


@pytest.mark.parametrize(
    "layout",
    ["split:3", "split:4096", f"fold_in:{1 << 21}", "seeds:4096", "tree:4", "sparse_keys:2"],
)
def test_streams_are_interleaved_word_by_word(layout):
    # One of them has more streams than words in a buffer.
    keys = stream_layouts.keys_of(*stream_layouts.parse(layout), 7, "threefry2x32")
    each = -(-MORE_THAN_A_BUFFER // (4 * keys.size)) + 2
    size = 4 * (each * keys.size - 1)
    found = words(run("bits", "--seed", "7", "--stream-layout", layout, "--bytes", str(size)))

    assert np.array_equal(found, keyrng.bits(keys, each).T.reshape(-1)[:-1])


@pytest.mark.parametrize(("dtype", "digits"), [("float32", 23), ("float64", 52)])
def test_bits_of_uniforms_are_the_random_ones(dtype, digits):
    found = words(run("bits", "--seed", "7", "--stream-layout", dtype, "--bytes", str(2 * MORE_THAN_A_BUFFER)))
    uniforms = keyrng.uniform(keyrng.key(7), (1 << 20) + 100, dtype)
    numbers = np.ldexp(uniforms, digits).astype(np.uint64)

    total = sum(int(number) << (i * digits) for i, number in enumerate(numbers[:1000].tolist()))
    assert found[:700].tobytes() == (total & (1 << 700 * 32) - 1).to_bytes(2800, "little")
    # Beyond the first buffer: the number that begins at the next 32-bit border after it.
    place = (1 << 20) // 32 * 32 + 64
    at = place * digits
    pair = int(found[at // 32]) | int(found[at // 32 + 1]) << 32
    assert pair & (1 << digits) - 1 == int(numbers[place])


def test_a_closed_pipe_ends_it_quietly():
    with subprocess.Popen(command("bits"), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.read(4000)
        process.stdout.close()
        message = process.stderr.read()

        assert process.wait(timeout=60) == 0
    assert message == b""
    assert first == keyrng.bits(keyrng.key(0), 1000).astype("<u4").tobytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bits", "--bytes", "-1"], "--bytes must not be negative, got -1"),
        (["bits", "--bytes", "many"], "invalid int value: 'many'"),
        (["bits", "--seed", "x"], "invalid int value: 'x'"),
        (["bits", "--seed", str(2**64)], "-2**63 to 2**64 - 1"),
        (["bits", "--impl", "mt19937"], "unknown impl 'mt19937'; known are threefry2x32, "),
        (["bits", "--stream-layout", "split"], "split:N takes 1 to 16777216 streams, got 'split'"),
        (["bits", "--stream-layout", "split:0"], "got 'split:0'"),
        (["bits", "--stream-layout", "split:-4"], "got 'split:-4'"),
        (["bits", "--stream-layout", "split:٣"], "got 'split:٣'"),
        (["bits", "--stream-layout", "split:" + "9" * 5000], "split:N takes 1 to 16777216 streams"),
        (["bits", "--stream-layout", "sparse_keys:4"], "sparse_keys:N takes 0 to 3 bits, got 'sparse_keys:4'"),
        (
            ["bits", "--stream-layout", "permuted_paths:2"],
            "permuted_paths:N takes 3 to 256 numbers, got 'permuted_paths:2'",
        ),
        (["bits", "--stream-layout", "one_hot_keys:3"], "one_hot_keys takes no number, got 'one_hot_keys:3'"),
        (["bits", "--stream-layout", "one:"], "one takes no number, got 'one:'"),
        (
            ["bits", "--stream-layout", "jump:4"],
            "a stream layout is one of one, split:N, fold_in:N, tree:N, permuted_paths:N, ",
        ),
        (["bits", "--stream-layout", "jump:4"], "got 'jump:4'"),
        (["bits", "--stream-layout", "seeds:2", "--seed", str(2**64 - 1)], "-2**63 to 2**64 - 1"),
        (["words"], "invalid choice: 'words'"),
        (["info", "all"], "unrecognized arguments: all"),
    ],
)
def test_bad_arguments_exit_2_with_a_message(arguments, message):
    done = run(*arguments)

    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
