"""`python -m keyrng`: the demo, `info`, and the words that `bits` writes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keyrng
from keyrng import algorithms
from keyrng.__main__ import main
from keyrng._cli import stream_layouts
from keyrng._executors import native

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(keyrng.__file__).parents[1])}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "keyrng", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(*arguments), env=ENVIRONMENT, capture_output=True, timeout=120, check=False)


def test_the_demo_holds():
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
        (["bits", "--impl", "mt19937"], "unknown impl: 'mt19937' (expected threefry2x32, "),
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
            "stream layout must be one of one, split:N, fold_in:N, tree:N, permuted_paths:N, ",
        ),
        (["bits", "--stream-layout", "jump:4"], "got 'jump:4'"),
        (["bits", "--stream-layout", "seeds:2", "--seed", str(2**64 - 1)], "-2**63 to 2**64 - 1"),
        (["words"], "invalid choice: 'words'"),
        (["info", "all"], "unrecognized arguments: all"),
    ],
)
def test_bad_arguments_exit_2_with_a_message(arguments, message, capsys):
    try:
        status = main(arguments)
    except SystemExit as error:  # as argparse ends
        status = error.code
    out, err = capsys.readouterr()

    assert (status, out) == (2, "")
    assert message in err
