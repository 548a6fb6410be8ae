"""The progress of commands: one line on a terminal, nothing in a pipe."""

from __future__ import annotations

import io
import json
import os
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest
from processes import python

import keyrng
from keyrng._cli import progress, selftest
from keyrng._cli.progress import Progress

pty = pytest.importorskip("pty", reason="Windows does not have pseudo terminals")

ROOT = Path(keyrng.__file__).parents[1]
QUALITY = ROOT / "benchmarks" / "quality" / "run.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SIZE = 20_000_000  # bytes: several buffers


class Terminal(io.StringIO):
    """Standard error on a terminal, in this process."""

    def isatty(self) -> bool:
        return True


def screen(written: str) -> list[str]:
    """Return the lines that a terminal shows."""
    lines = []
    for line in written.split("\n"):
        shown: list[str] = []
        for text in line.split("\r"):
            shown[: len(text)] = text
        lines.append("".join(shown).rstrip())
    return lines


def run(*arguments: str, out: int | None = None) -> bytes:
    """Run Python with standard error, and standard output unless ``out`` is given, on a terminal; return its text."""
    master, end = pty.openpty()
    command, written = [sys.executable, *arguments], b""
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=end if out is None else out, stderr=end) as process:
        ended = False
        while not ended or select.select([master], [], [], 0)[0]:
            ended = process.poll() is not None
            if select.select([master], [], [], 0.05)[0]:
                written += os.read(master, 1 << 16)
    os.close(master)
    os.close(end)

    assert process.returncode == 0, written
    return written


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make standard error a terminal; not a fixture, because pytest replaces standard error after those."""
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    return stderr


def test_the_latest_text_replaces_the_others_and_is_erased(monkeypatch):
    stderr = terminal(monkeypatch)
    times = iter(range(100))
    monkeypatch.setattr(progress, "monotonic", lambda: next(times))
    with Progress() as shown:
        shown.show("one of ten")
        shown.show("two")
    written = stderr.getvalue()

    assert written == "\rone of ten\r\rtwo       \r\r   \r"
    assert screen(written) == [""]


def test_it_is_erased_after_an_error(monkeypatch):
    stderr = terminal(monkeypatch)

    def interrupted() -> None:
        with Progress() as shown:
            shown.show("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert "half" in stderr.getvalue()
    assert screen(stderr.getvalue()) == [""]


def test_updates_are_rate_limited(monkeypatch):
    stderr = terminal(monkeypatch)
    now = 0.0
    monkeypatch.setattr(progress, "monotonic", lambda: now)
    with Progress() as shown:
        for step in range(1000):
            now = step / 1000
            shown.show(f"{step:03}")

    assert 9 <= stderr.getvalue().count("\r") / 2 - 1 <= 10


@pytest.mark.parametrize(
    ("stream", "enabled", "text"),
    [(Terminal(), True, ""), (Terminal(), False, "text"), (io.StringIO(), True, "text"), (None, True, "text")],
    ids=["no text", "disabled", "no terminal", "no stream"],
)
def test_nothing_is_written(stream, enabled, text, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress(enabled=enabled) as shown:
        if text:
            shown.show(text)

    assert stream is None or stream.getvalue() == ""


def test_a_closed_terminal_is_not_an_error(monkeypatch):
    class Closed(Terminal):
        def flush(self) -> None:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stderr", Closed())
    with Progress() as shown:
        shown.show("text")
        shown.show("more")


def test_bits_show_progress_and_the_words_are_the_same(tmp_path):
    with (tmp_path / "words").open("w+b") as file:
        text = run("-m", "keyrng", "bits", "--bytes", str(SIZE), out=file.fileno()).decode()
    words = (tmp_path / "words").read_bytes()

    assert words == keyrng.bits(keyrng.key(0), SIZE // 4).astype("<u4").tobytes()
    assert f" of {SIZE:,} bytes, " in text
    assert " MB/s" in text
    assert screen(text) == [""]


def test_bits_on_the_terminal_are_alone():
    written = run("-m", "keyrng", "bits", "--bytes", "400")

    assert written.replace(b"\r\n", b"\n") == keyrng.bits(keyrng.key(0), 100).astype("<u4").tobytes()


def test_selftest_shows_progress_between_the_lines(tmp_path):
    table = json.loads(selftest.TABLE.read_text("utf-8"))
    table["rows"] = [row for row in table["rows"] if row["name"] == "normal"]
    (tmp_path / "table.json").write_text(json.dumps(table), "utf-8")
    code = (
        "import pathlib, sys; from keyrng._cli import selftest\n"
        "selftest.TABLE = pathlib.Path(sys.argv[1]); sys.exit(selftest.run())"
    )
    text = run("-c", code, str(tmp_path / "table.json")).decode()
    lines = screen(text)

    assert re.search(r"\rnumpy      0% of \d+ checks *\r", text)
    paths = [line for line in lines if re.fullmatch(r"\w+ +[^%]*: all hold \(.* s\)", line)]
    assert [line.split()[0] for line in paths] == keyrng.testing.available_backends()
    assert lines[-1] == ""
    assert re.fullmatch(r"[\d,]+ checks hold, in [\d.]+ s", lines[-2])


STUB = """#!/bin/sh
echo "0,File-bytes,Entropy,Chi-square,Mean,Monte-Carlo-Pi,Serial-Correlation dieharder version 0"
echo "1,1000000,8.0,255.0,127.5,3.14,0.0"
echo "diehard,0,0.5"
"""


@pytest.mark.skipif(not QUALITY.exists(), reason="this is a part of the repository, without benchmarks")
@pytest.mark.parametrize("piped", [False, True])
def test_quality_runs_show_the_number_of_the_test(piped, tmp_path, monkeypatch):
    for name in ("ent", "dieharder"):
        (tmp_path / name).write_text(STUB)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setitem(ENVIRONMENT, "PATH", f"{tmp_path}:{os.environ['PATH']}")
    options = ["--size", "quick", "--impl", "threefry2x32", "--stream-layout", "one", "tree:1", "--out"]
    command = [str(QUALITY), *options, str(tmp_path / "results.csv")]
    if piped:
        done = python(*command, PATH=ENVIRONMENT["PATH"])
        text = done.stderr + done.stdout
    else:
        text = run(*command).decode()
    shown = re.findall(r"\r(stream \d of \d, test \d of \d) *\r", text)

    assert shown[:1] == ([] if piped else ["stream 1 of 5, test 1 of 4"])
    assert ("stream 2 of 5, test 1 of 4" in shown) is not piped
    assert not any(line.startswith("stream") for line in screen(text))
    assert sum("one" in line or "tree:1" in line for line in screen(text)[:2]) == 2
