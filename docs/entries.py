"""The pages that the site has for public names: ``reference/keyrng.normal.html``.

The pages of docs/reference list names in ``autosummary`` blocks, which become tables. For each of these names Sphinx
builds a page that has no file: its text is the section of the name, if there is one, and its docstring.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from search_words import entered
from sphinx.project import Project

HERE = Path(__file__).resolve().parent

_TABLE = re.compile(r"^\.\. autosummary::\n(?:   .*\n|\n)+", re.MULTILINE)
_NAME = re.compile(r"^   (keyrng\.[\w.]+)$", re.MULTILINE)
_SECTION = re.compile(r"^## `(keyrng\.[\w.]+)`\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_DIRECTIVES = re.compile(r"^```\{eval-rst\}\n\.\. auto(?!summary).*?^```\n?", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\([\w./]*#(keyrng\w*)\)")


def _pages() -> dict[str, tuple[str, str]]:
    """Return the name and the group of each page."""
    names = {
        name: group.stem
        for group in sorted((HERE / "reference").glob("*.md"))
        for table in _TABLE.findall(group.read_text("utf-8"))
        for name in _NAME.findall(table)
    }
    # Some file systems do not distinguish keyrng.Key and keyrng.key.
    functions = {name for name in names if name.islower()}
    return {
        f"reference/{name}" + "-class" * (name not in functions and name.lower() in functions): (name, group)
        for name, group in names.items()
    }


PAGES = _pages()


class Pages(Project):
    """The files of docs/, and the pages of names, whose source is the file of their group."""

    def discover(self, exclude_paths: Iterable[str] = (), include_paths: Iterable[str] = ("**",)) -> set[str]:
        """Find the pages."""
        super().discover(exclude_paths, include_paths)
        self.docnames.update(PAGES)
        return self.docnames

    def doc2path(self, docname: str, absolute: bool) -> Any:
        """Return the file of a page."""
        _, group = PAGES.get(docname, ("", ""))
        return super().doc2path(f"reference/{group}" if group else docname, absolute)


def with_links(text: str) -> str:
    """Return a text whose links to sections of names lead to their pages."""
    return _LINK.sub(r"](#\1)", text)


def group(text: str) -> str:
    """Return a page of docs/reference without what is on the pages of names."""
    return _DIRECTIVES.sub("", _SECTION.sub("", text))


def entry(page: str, text: str) -> str:
    """Return the page of a name from the page of its group."""
    name, group = PAGES[page]
    title = text.partition("\n")[0].removeprefix("# ")
    section = dict(_SECTION.findall(text)).get(name, "")
    found = re.search(rf"^\.\. auto\w+:: {re.escape(name)}\n(?:   .*\n)*", text, re.MULTILINE)
    short = name.removeprefix("keyrng.")
    anchor = page.removeprefix("reference/").replace(".", "").lower()  # as GitHub names that of the section
    picture = f"pictures/samplers/{short}.svg"
    text = "\n\n".join(
        [
            f"---\norphan: true\n---\n({anchor})=\n# {short}",
            f"[API reference](../reference.md) / [{title}]({group}.md)",
            f"![density of {short}, and a sample](../{picture})" if (HERE / picture).exists() else "",
            _DIRECTIVES.sub("", section).strip(),
            f"```{{eval-rst}}\n{found[0] if found else _directive(name)}```\n",
        ]
    )
    return text if "." in short else entered(text, "", [short])


def _directive(name: str) -> str:
    is_class = name.rpartition(".")[2][0].isupper()
    return f".. autoclass:: {name}\n   :members:\n" if is_class else f".. autofunction:: {name}\n"
