"""``python -m keyrng selftest``: its checks, and its report of faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cases import ALGORITHMS, CASES, PATHS, Array, on
from modes import floating_mode
from processes import python
from public_calls import PLAIN_CALLS

import keyrng
from keyrng._cli import selftest
from keyrng._executors import native

TABLE = json.loads(selftest.TABLE.read_text())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """A table of a few rows, of which a test may change what it likes before it calls `run_with`."""
    table = json.loads(json.dumps(TABLE))
    table["rows"] = [row for row in table["rows"] if row["name"] in ("bits", "normal", "randint", "permutation")]
    monkeypatch.setattr(selftest, "TABLE", tmp_path / "table.json")
    return table


def run_with(table: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    selftest.TABLE.write_text(json.dumps(table))
    return selftest.run(), capsys.readouterr().out


def test_everything_holds_and_each_path_has_its_line() -> None:
    done = python("-m", "keyrng", "selftest")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "floating-point mode: the default\n" in done.stdout
    lines = [line for line in done.stdout.splitlines() if "all hold" in line]
    assert [line.split()[0] for line in lines if not line.startswith("cuda")] == keyrng.testing.available_backends()
    rows = len(CASES) + len(PLAIN_CALLS)
    assert all(int(line.split(" digests")[0].split()[-1]) >= rows * len(ALGORITHMS) for line in lines)
    assert "checks hold, in" in done.stdout


def test_a_digest_that_differs_is_named_on_every_path(small: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = (row for row in small["rows"] if row["name"] == "normal")
    digests = row["digests"][0].split()
    digests[2] = "0" * 16
    row["digests"][0] = " ".join(digests)

    status, text = run_with(small, capsys)

    assert status == 1
    for path in keyrng.testing.available_backends():
        assert f"  BROKEN  {path}: digest: normal float32 {ALGORITHMS[2]}: got " in text
    assert text.count("BROKEN  ") == len(keyrng.testing.available_backends())
    assert "must be 0000000000000000" in text and "samples on this machine are wrong" in text


def test_a_known_answer_that_differs_is_named(small: Any, capsys: pytest.CaptureFixture[str]) -> None:
    small["answers"][0][3][0] = "12345678"
    status, text = run_with(small, capsys)

    assert status == 1
    assert f"BROKEN  numpy: known answer: {small['answers'][0][0]} of" in text


def test_a_path_that_is_broken_is_named_alone(
    small: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if PATHS[-1] not in native.instruction_sets():
        pytest.skip("no compiled path")
    broken, run, small_draw = PATHS[-1], native.native.run, native.native.run_small

    def spoil(out: Array) -> None:
        if native.instruction_set() == broken:
            out.reshape(-1).view(f"u{out.itemsize}")[-1] ^= 1

    def wrong_run(*arguments: Any) -> bool:
        held: bool = run(*arguments)  # without it, the NumPy executor would draw again
        spoil(arguments[8])
        return held

    def wrong_small(*arguments: Any) -> Array | None:
        sample: Array | None = small_draw(*arguments)
        if sample is not None:
            spoil(sample)
        return sample

    monkeypatch.setattr(native.native, "run", wrong_run)
    monkeypatch.setattr(native.native, "run_small", wrong_small)
    monkeypatch.setattr(selftest, "_MOST", 1000)
    status, text = run_with(small, capsys)

    assert status == 1
    named = {line.split()[1] for line in text.splitlines() if line.startswith("  BROKEN")}
    assert named == {f"{broken}:"}
    assert "a short draw begins a long one: 1 of 37 elements differ, the first at 36" in text
    assert "KEYRNG_BACKEND=numpy" in text
    assert all(f"{path:<10} " in text for path in PATHS)


def test_an_error_in_a_check_is_a_broken_check(
    small: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: Any, **named: Any) -> None:
        raise MemoryError("no memory")

    monkeypatch.setattr(keyrng, "permutation", fails)
    status, text = run_with(small, capsys)

    assert status == 1
    assert f"BROKEN  numpy: digest: permutation {ALGORITHMS[0]}: MemoryError: no memory" in text


def test_it_tells_the_mode_of_the_process_and_holds_in_it(small: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with floating_mode("upward"):
        status, text = run_with(small, capsys)

    assert status == 0
    assert "floating-point mode: rounding upward, left on by another library; keyrng draws in the default" in text


def test_without_the_compiled_part(small: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "_isas", [])
        patch.setattr(native, "_reason", "KEYRNG_BACKEND=numpy is set")
        with on("numpy"):
            status, text = run_with(small, capsys)

    assert status == 0
    assert "compiled   not checked: KEYRNG_BACKEND=numpy is set" in text
