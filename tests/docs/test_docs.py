"""The examples of pages and docstrings run, links are valid, and every public name is on a page."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import pkgutil
import re
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import pytest

import keyrng
from keyrng._executors import gpu, threads
from keyrng.algorithms import base
from keyrng.debug import check_reuse

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(keyrng.__path__, "keyrng.")
    if not module.name.endswith(("__main__", "_compiled"))
)

each_page = pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])

# A fence may say after "python" what its code needs: cuda for a GPU, and modules; a script is for test_engines.py.
# A directive of MyST has braces around its name.
_FENCED = re.compile(r"^```(\w*(?: \w+)*|\{[\w-]+\}.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MENU = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"^(?!:)(?:.*<)?([\w/-]+)>?$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@pytest.fixture
def restored(monkeypatch, tmp_path):
    """Undo the changes that the examples of a page make to the process and its folder."""
    monkeypatch.setattr(base, "_registry", dict(base._registry))
    monkeypatch.setattr(threads, "_count", threads._count)
    monkeypatch.chdir(tmp_path)


def _run(text: str, name: str, file: str, line: int, namespace: dict[str, Any]) -> None:
    """Run doctests that follow each other in one namespace; fail with what they should have printed."""
    test = doctest.DocTestParser().get_doctest(text, namespace, name, file, line)
    test.globs = namespace
    failures: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=failures.append, clear_globs=False)
    if failures:
        pytest.fail("".join(failures), pytrace=False)


@each_page
@pytest.mark.usefixtures("restored")
def test_python_of_a_page_runs(page):
    namespace: dict[str, Any] = {"__name__": "__main__"}
    text, blocks = page.read_text("utf-8"), []
    for block in _FENCED.finditer(text):
        (language, *needed), code = block[1].split() or [""], block[2]
        line = text[: block.start()].count("\n") + 1
        if language != "python" or {"cuda", "script"} & set(needed) or not all(map(importlib.util.find_spec, needed)):
            continue
        blocks.append((line, code))
    # A page keeps the rule that it teaches.
    with check_reuse():
        for line, code in blocks:
            if ">>>" in code:
                _run(code, page.name, str(page), line, namespace)
            else:
                exec(compile("\n" * line + code, str(page), "exec"), namespace)


GPU_PAGES = [page for page in PAGES if "```python cuda" in page.read_text("utf-8")]

each_gpu_page = pytest.mark.parametrize("page", GPU_PAGES, ids=[str(page.relative_to(ROOT)) for page in GPU_PAGES])


def _for_gpus(page: Path) -> list[tuple[list[str], CodeType]]:
    """Return the blocks that need a GPU, compiled, each with the other modules that it needs."""
    text = page.read_text("utf-8")
    found = []
    for block in _FENCED.finditer(text):
        language, *needed = block[1].split()
        if needed[:1] == ["cuda"]:
            assert language == "python"
            code = "\n" * (text[: block.start()].count("\n") + 1) + block[2]
            found.append((needed[1:], compile(code, str(page), "exec")))
    return found


@each_gpu_page
def test_python_for_gpus_names_what_there_is(page):
    names = {name for _, code in _for_gpus(page) for name in _attributes(code)}
    ours = {name for name in names if re.search(rf"\bkeyrng\.{name}\b", page.read_text("utf-8"))}

    assert ours
    assert [name for name in sorted(ours) if not hasattr(keyrng, name)] == []


def _attributes(code: CodeType) -> set[str]:
    """The names in a piece of code, and in its comprehensions."""
    return set(code.co_names).union(*(_attributes(part) for part in code.co_consts if isinstance(part, CodeType)))


@pytest.mark.cuda
@pytest.mark.skipif(gpu.missing_reason() != "", reason=gpu.missing_reason())
@each_gpu_page
@pytest.mark.usefixtures("restored")
def test_python_for_gpus_runs(page):
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for modules, code in _for_gpus(page):
        if all(importlib.util.find_spec(module) for module in modules):
            exec(code, namespace)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.usefixtures("restored")
def test_docstrings_of_a_module_run(module):
    # A module of keyrng.interop imports its library.
    found = pytest.importorskip(module) if ".interop." in module else importlib.import_module(module)
    failures: list[str] = []
    for test in doctest.DocTestFinder().find(found, extraglobs={"keyrng": keyrng, "np": np}):
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=failures.append)
    if failures:
        pytest.fail("".join(failures), pytrace=False)


def _prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text("utf-8"))


def _anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    headings = (heading.lower() for heading in _HEADING.findall(_prose(page)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


@pytest.mark.skipif(not (ROOT / "LICENSE").exists(), reason="links lead to all of the repository, this is a part")
@each_page
def test_relative_links_lead_somewhere(page):
    broken = []
    for link in _LINK.findall(_prose(page)):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_algorithm_is_in_its_table():
    text = (ROOT / "docs" / "algorithms.md").read_text("utf-8")

    assert [name for name in base.names() if f"| `{name}` |" not in text] == []


def test_every_page_is_in_a_menu():
    linked = set()
    for page in DOCS:
        for entries in _MENU.findall(page.read_text("utf-8")):
            linked |= {(page.parent / f"{entry}.md").resolve() for entry in _ENTRY.findall(entries)}

    records = {page for page in DOCS if page.parent.name == "design"}  # docs/conf.py puts them below Contributing
    assert [
        str(page.relative_to(ROOT)) for page in DOCS if page.name != "index.md" and page not in linked | records
    ] == []


def test_readme_has_two_commands_each_alone_in_its_block():
    blocks = [code for language, code in _FENCED.findall((ROOT / "README.md").read_text("utf-8")) if language == "sh"]

    assert [len(code.splitlines()) for code in blocks] == [1, 1]
    assert blocks[0].endswith("-m keyrng\n")
    assert [code for code in blocks if "pytest" in code] == [blocks[1]]
    assert (ROOT / "README.md").read_text("utf-8").count("pytest") == 1
