"""The entries of samplers in the reference, and their rows in docs/samplers.md.

A sampler that has none is entered after the last one of its page with a support of the same kind, such as from a bound
upwards; its row in docs/samplers.md has the first sentence of its docstring. Entries can then be moved by hand.
"""

from __future__ import annotations

import re
from inspect import getdoc, signature
from math import isfinite
from typing import Any

from files import ROOT, rewrite, samplers, table

DOCS = ROOT / "docs"
_LINE = re.compile(r"^   keyrng\.(\w+)$", re.MULTILINE)


def update(check: bool) -> list[str]:
    """Enter the samplers that are in no page of the reference."""
    pages = sorted((DOCS / "reference").glob("*.md"))
    entered = {name for page in pages for name in _LINE.findall(page.read_text("utf-8"))}
    done: list[str] = []
    for name in samplers():
        if name in entered:
            continue
        if check:
            return [f"docs/reference has no entry of {name}"]
        if name not in table():
            return [f"docs/reference has no entry of {name}, which has no row in the table: write it by hand"]
        page, before = _place(name)
        done += rewrite(DOCS / "reference" / page, lambda text, n=name, b=before: entered_in(text, n, b), check)
        done += rewrite(DOCS / "samplers.md", lambda text, n=name, b=before, p=page: listed(text, n, b, p), check)
    return done


def _place(name: str) -> tuple[str, str]:
    """Return the page of a sampler and the sampler to enter it after."""
    rows = table()
    page = "integers.md" if {"int32", "uint32", "bool"} & set(rows[name].dtypes) else "floats.md"
    there = [other for other in _LINE.findall((DOCS / "reference" / page).read_text("utf-8")) if other in rows]
    alike = [other for other in there if _bounds(rows[other]) == _bounds(rows[name])]
    return page, (alike or there)[-1]


def _bounds(case: Any) -> tuple[bool, bool]:
    """Whether the support has a finite lower bound and a finite upper one."""
    low, high = case.distribution(case.dtypes[0], **case.parameters[0]).support()
    return isfinite(low), isfinite(high)


def _summary(name: str) -> str:
    import keyrng

    first = (getdoc(getattr(keyrng, name)) or "").partition("\n\n")[0]
    return " ".join(first.split()).removeprefix("Return ").rstrip(".").replace("``", "`")


def entered_in(text: str, name: str, before: str) -> str:
    """Return a page of the reference with a line and a section for a sampler, each after that of another one."""
    text = re.sub(rf"^   keyrng\.{before}\n", rf"\g<0>   keyrng.{name}\n", text, flags=re.MULTILINE)
    section = f"## `keyrng.{name}`\n\n```{{eval-rst}}\n.. autofunction:: keyrng.{name}\n```\n"
    there = re.search(rf"^## `keyrng\.{before}`\n(?:(?!## ).*\n)*", text, re.MULTILINE)
    assert there is not None, before
    begin, after = text[: there.end()].rstrip("\n"), text[there.end() :]
    return f"{begin}\n\n{section}" + (f"\n{after}" if after else "")


def listed(text: str, name: str, before: str, page: str) -> str:
    """Return docs/samplers.md with a row for a sampler after that of another one."""
    import keyrng

    arguments = [p.replace(annotation=p.empty) for p in signature(getattr(keyrng, name)).parameters.values()]
    call = f"{name}({', '.join(str(a) for a in arguments if a.name != 'out')})"
    row = f"| [`{call}`](reference/{page}#keyrng{name}) | {_summary(name)} |\n"
    return re.sub(rf"^\| \[`{before}\(.*\n", lambda other: other[0] + row, text, flags=re.MULTILINE)
