"""Sphinx: how the pages become a site. ``pip install . --group docs && sphinx-build -W docs build/docs``.

The pages are plain Markdown, readable without a build. This file adds the parts that only the site needs: the pages of
the repository's root, a page for each public name, the menu of the design records, descriptions for search engines and
link previews.
"""

from __future__ import annotations

import html
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

from docutils.nodes import SkipNode, paragraph
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.addnodes import desc_content
from sphinx.util.logging import getLogger

import keyrng

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import entries  # noqa: E402
from readme import HOME  # noqa: E402
from search_words import with_words  # noqa: E402

ROOT_PAGES = {"changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md"}

project = "keyrng"
author = copyright = "The keyrng authors"
version = release = keyrng.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
]
exclude_patterns = ["pictures", "static"]
default_role = "py:obj"  # `gamma` in a docstring
suppress_warnings = ["misc.highlighting_failure"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4  # as GitHub makes them

autodoc_mock_imports = ["dask", "jax", "torch", "xarray"]  # what keyrng.interop's modules are for
autosummary_generate = False  # the pages of names are those of entries.py
autodoc_typehints = "none"  # the texts say it, and say more
autodoc_member_order = "bysource"
toc_object_entries = False  # the pages have headings
napoleon_google_docstring = False
napoleon_use_param = False  # "key, shape, out" is one entry
napoleon_use_rtype = False

# Links into other projects need their inventories, so the network; a build without it has plain names instead.
intersphinx_mapping = (
    {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "jax": ("https://docs.jax.dev/en/latest", None),
        "torch": ("https://docs.pytorch.org/docs/stable", None),
    }
    if os.environ.get("KEYRNG_DOCS_ONLINE") == "1"
    else {}
)

html_theme = "furo"
html_title = f"keyrng {release}"
html_logo = html_favicon = "pictures/logo.svg"
html_theme_options = (
    {
        f"source_{act}_link": f"{HOME}/{verb}/main/docs/{{filename}}"
        for act, verb in (("edit", "edit"), ("view", "blob"))
    }
    if HOME
    else {}
)
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
html_static_path = ["static"]
html_css_files = ["keyrng.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False

_log = getLogger("keyrng.docs")
_OUTER = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^()\s#]+)(?:#[^()\s]*)?\)")
_PAGE = re.compile(r"\bdocs/([\w/-]+)\.md\b")
_NAME = re.compile(r"``((?:jax|keyrng|numpy|torch)\.[\w.]*\w)``")
_CITATION = re.compile(r"(\[\d+\])_")
_FOOTNOTE = re.compile(r"^\.\. \[(\d+)\] ", re.MULTILINE)
_HEADING = re.compile(r"(<h[12]>)(.*?)(</h[12]>)", re.DOTALL)
_RECORDS = """
```{toctree}
:hidden:

design/architecture
"""


def _of_the_root(file: str) -> str:
    """A page at the root of the repository, with its links as they are seen from docs/."""
    text = (HERE.parent / file).read_text("utf-8").replace("](docs/", "](./")
    return re.sub(r"\]\((?!\.|#|\w+:)", "](../", text)


def _without_outer_links(page: str, text: str) -> str:
    """A page whose links lead to pages: of other files of the repository the site has no more than the name."""
    folder = (HERE / page).parent

    def inner(link: re.Match[str]) -> str:
        target = (folder / link[2]).resolve()
        if target.is_relative_to(HERE):
            return link[0]
        path = target.relative_to(HERE.parent).as_posix()
        for name, file in ROOT_PAGES.items():
            if file == path:
                return f"[{link[1]}](/{name}.md)"
        return f"{link[1]} (`{path}`)"

    return _OUTER.sub(inner, text)


def _read(app: Any, page: str, source: list[str]) -> None:
    text = source[0]
    if page in ROOT_PAGES:
        app.env.note_dependency(HERE.parent / ROOT_PAGES[page], docname=page)
        text = _of_the_root(ROOT_PAGES[page])
        if page == "contributing":
            records = sorted(path.stem for path in (HERE / "design").glob("0*.md"))
            text += _RECORDS + "".join(f"design/{record}\n" for record in records) + "```\n"
    elif page == "reference":
        text += "\n{ref}`Alphabetical index <genindex>`\n"
    elif page.startswith("design/"):
        text = f"---\nnosearch: true\n---\n{text}"  # decisions, which do not answer a user's question
    elif page in entries.PAGES:
        text = entries.entry(page, text)
    elif page.startswith("reference/"):
        text = entries.group(text)
    source[0] = with_words(page, entries.with_links(_without_outer_links(page, text)))


def _with_links(app: Any, what: str, name: str, of: Any, options: Any, lines: list[str]) -> None:
    """Link full names in a docstring, and list its references, because MyST loses the footnotes of eval-rst blocks."""
    text = _PAGE.sub(r":doc:`/\1`", _NAME.sub(r":py:obj:`\1`", "\n".join(lines)))
    lines[:] = _FOOTNOTE.sub(r"\1. ", _CITATION.sub(r"\1", text)).split("\n")


def _finish(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Describe a page by its first paragraph, and let long names in headings break after dots and underscores."""
    if doctree is None:
        return
    content = doctree
    if page in entries.PAGES:
        content = next(iter(doctree.findall(desc_content)))  # the docstring
        context["page_source_suffix"] = ""  # a page without a file has no link to edit it
    first = next(iter(content.findall(paragraph)), None)
    if first is not None:
        text = html.escape(" ".join(first.astext().split()))
        title = html.escape(re.sub(r"<[^>]+>", "", context["title"]))
        context["metatags"] += (
            f'<meta name="description" content="{text}">\n'
            f'<meta property="og:title" content="{title}">\n'
            f'<meta property="og:description" content="{text}">\n'
        )
    context["body"] = _HEADING.sub(
        lambda heading: heading[1] + re.sub(r"(?<=\w)([._])(?=\w)(?![^<]*>)", r"\1<wbr>", heading[2]) + heading[3],
        context["body"],
    )


def _math(self: Any, node: Any, block: bool) -> None:
    try:
        text = tex2mathml(node.astext(), as_block=block)
    except MathError as error:
        _log.warning("%s", error, location=node)
        text = html.escape(node.astext())
    self.body.append(f'<div class="math">{text}</div>\n' if block else text)
    raise SkipNode


def _with_entries(app: Any) -> None:
    app.project = app.env.project = entries.Pages(app.srcdir, app.project.source_suffix)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("builder-inited", _with_entries)
    app.connect("source-read", _read)
    app.connect("autodoc-process-docstring", _with_links)
    app.connect("html-page-context", _finish)
    # MathML, which browsers show themselves: a page needs no script from elsewhere.
    app.add_html_math_renderer("mathml", (partial(_math, block=False), None), (partial(_math, block=True), None))
