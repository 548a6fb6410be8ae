"""keyrng imported from a zip file, where it runs on NumPy because a zip file cannot contain the compiled part."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from processes import python

import keyrng

PACKAGE = Path(keyrng.__file__).parent


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files of the package but the compiled part."""
    path = tmp_path_factory.mktemp("zip") / "keyrng.zip"
    with zipfile.ZipFile(path, "w") as file:
        for source in sorted(PACKAGE.rglob("*")):
            if source.is_file() and source.suffix in (".py", ".json", ".typed"):
                file.write(source, source.relative_to(PACKAGE.parent))
    return path


def run(archive: Path, *arguments: str) -> str:
    # -P: not the source tree, where the tests may be started.
    done = python("-P", *arguments, cwd=archive.parent, PYTHONPATH=str(archive))
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


def test_it_is_imported_from_there_and_has_the_same_values(archive: Path) -> None:
    script = "import keyrng; print(keyrng.__file__); print(keyrng.normal(keyrng.key(0), (5,)).tobytes().hex())"
    file, values = run(archive, "-c", script).splitlines()

    assert file.startswith(str(archive))
    assert values == keyrng.normal(keyrng.key(0), (5,)).tobytes().hex()


def test_selftest_finds_its_table(archive: Path) -> None:
    script = (
        "from keyrng._cli import selftest; import json, sys\n"
        "table = json.loads(selftest.TABLE.read_text('utf-8')); table['rows'] = table['rows'][:3]\n"
        "print(sum(1 for _ in selftest._checks(table)) > 50)\n"
    )

    assert run(archive, "-c", script) == "True\n"


def test_info_says_why_nothing_is_compiled(archive: Path) -> None:
    assert "compiled  no" in run(archive, "-m", "keyrng", "info")


def test_reuse_is_found_and_its_place(archive: Path) -> None:
    script = (
        "import keyrng; key = keyrng.key(0)\n"
        "try:\n"
        "    with keyrng.debug.check_reuse():\n"
        "        keyrng.choice(key, 5)\n"
        "        keyrng.dropout_mask(key, (3,), 0.5)\n"
        "except keyrng.debug.KeyReuseError as error:\n"
        "    print(error)\n"
    )
    told = run(archive, "-c", script)

    assert "first used at <string>:4, by choice" in told
    assert "used again at <string>:5, by dropout_mask" in told
