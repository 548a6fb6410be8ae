"""README.md and other files with the repository's address follow from docs/readme.py, with and without an address."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
ADDRESS = "https://example.org/owner/keyrng"

pytestmark = pytest.mark.skipif(not (ROOT / "LICENSE").exists(), reason="needs the whole repository")


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("readme", ROOT / "docs" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_files_are_up_to_date() -> None:
    for path, text in _script().written().items():
        assert path.read_text("utf-8") == text, "type: python docs/readme.py"


def test_without_an_address_nothing_points_to_one() -> None:
    readme, project, citation = _script().written("").values()

    assert "http" not in readme
    assert "git+" not in readme
    assert "{{" not in readme
    assert "urls" not in tomllib.loads(project)["project"]
    assert "repository-code" not in citation


def test_with_an_address_every_link_is_absolute() -> None:
    readme, project, citation = _script().written(ADDRESS).values()
    links = re.findall(r"\]\(([^()\s]+)\)", readme)

    assert len(links) > 20
    assert [link for link in links if not link.startswith("https://")] == []
    pictures = re.findall(r"!\[[^\]]*\]\(([^()\s]+)\)", readme)
    assert f"{ADDRESS}/raw/main/docs/pictures/speed.svg" in pictures
    for link in links:
        kind, _, path = link.removeprefix(f"{ADDRESS}/").partition("/main/")
        if kind in ("blob", "raw"):
            assert (ROOT / path.partition("#")[0]).exists(), link
    assert f"pip install git+{ADDRESS}\n" in readme
    assert "HOME" not in readme
    assert "{{" not in readme
    assert tomllib.loads(project)["project"]["urls"]["Repository"] == ADDRESS
    assert f"\nrepository-code: {ADDRESS}\n" in citation


def test_an_address_can_be_taken_away() -> None:
    script = _script()
    _, project, citation = script.written(ADDRESS).values()

    assert script.pyproject(project, "") == (ROOT / "pyproject.toml").read_text("utf-8")
    assert script.citation(citation, "") == (ROOT / "CITATION.cff").read_text("utf-8")
