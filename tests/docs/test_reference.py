"""The reference has every public name, with a docstring, and every sampler with its formula and a line in the list."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import keyrng
from keyrng import algorithms, debug, distributions, initializers, kernels, testing

DOCS = Path(__file__).parents[2] / "docs"
TEXTS = {page.name: page.read_text("utf-8") for page in sorted((DOCS / "reference").glob("*.md"))}
SAMPLERS = [*distributions.__all__, "dropout", "dropout_mask"]

_TABLE = re.compile(r"^\.\. autosummary::\n   :nosignatures:\n\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"^   (keyrng\.[\w.]+)$", re.MULTILINE)
_DIRECTIVE = re.compile(r"^\.\. auto(?:function|class|exception|data):: ([\w.]+)$", re.MULTILINE)
_SECTION = re.compile(r"^## `keyrng\.(\w+)`\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def _public_names_of_file(path: Path) -> set[str]:
    """The public functions and classes of a module that may not be importable here."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")}


def _public() -> set[str]:
    names = {f"keyrng.{name}" for name in keyrng.__all__ if callable(getattr(keyrng, name))}
    for module in (initializers, kernels, debug):
        names |= {f"{module.__name__}.{name}" for name in module.__all__}
    names |= {f"keyrng.algorithms.{n}" for n in algorithms.__all__ if n not in algorithms.names()}
    for path in [Path(testing.__file__), *Path(keyrng.__file__).parent.glob("interop/[!_]*.py")]:
        module = "testing" if path.stem == "testing" else f"interop.{path.stem}"
        names |= {f"keyrng.{module}.{name}" for name in _public_names_of_file(path)}
    return names


def _names(text: str) -> list[str]:
    """The names in the tables of a page, which get pages on the site."""
    return [name for table in _TABLE.findall(text) for name in _NAME.findall(table)]


ENTRIES = [name for text in TEXTS.values() for name in _names(text)]


def test_every_public_name_is_in_the_reference():
    assert sorted(_public() - set(ENTRIES)) == []


def test_no_name_is_there_twice():
    assert sorted({name for name in ENTRIES if ENTRIES.count(name) > 1}) == []


def test_every_entry_exists_and_has_a_docstring():
    for name in ENTRIES:
        module, _, attribute = name.rpartition(".")
        if not name.startswith("keyrng.interop."):
            assert getattr(importlib.import_module(module), attribute).__doc__, name


def test_every_sampler_has_a_formula():
    for name in SAMPLERS:
        sections = [body for text in TEXTS.values() for found, body in _SECTION.findall(text) if found == name]

        assert len(sections) == 1, name
        in_docstring = ".. math::" in (getattr(keyrng, name).__doc__ or "")
        assert in_docstring or re.search(r"^\$\$\n.+\n\$\$$", sections[0], re.MULTILINE), f"no formula of {name}"
        assert f".. autofunction:: keyrng.{name}\n" in sections[0], name


def test_every_section_and_directive_is_of_a_name_in_a_table_of_its_page():
    for page, text in TEXTS.items():
        names, sections = _names(text), re.findall(r"^## `([\w.]+)`$", text, re.MULTILINE)

        assert sections == [name for name in names if name in sections], page
        assert set(_DIRECTIVE.findall(text)) <= set(names), page


def test_every_sampler_has_a_line_in_the_table():
    table = (DOCS / "samplers.md").read_text("utf-8")
    for name in SAMPLERS:
        assert re.search(rf"\[`{name}\([^`]*`\]\(reference/\w+\.md#keyrng{name}\)", table), name
