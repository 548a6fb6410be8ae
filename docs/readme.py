"""Write README.md and the other files that hold the address of the repository.

``python docs/readme.py`` writes what has changed; ``--check`` reports it instead.
README.in is the template. A block ``{{home ... }}`` is kept where there is an address, ``{{no home ... }}`` where there
is none.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HOME = ""  # the address of the repository, for example https://github.com/OWNER/keyrng

ROOT = Path(__file__).resolve().parent.parent

_BLOCK = re.compile(r"^\{\{(no )?home\n(.*?)^\}\}\n", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:|#)([^()\s]+)\)")
_CODE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
_URLS = re.compile(r"(\[project\.urls\]\n(?:\w+ = .*\n)+\n)?(?=\[project\.optional-dependencies\]\n)")
_REPOSITORY = re.compile(r"^repository-code: .*\n", re.MULTILINE)


def absolute_links(text: str, home: str) -> str:
    """Make relative links absolute, because PyPI shows the text without the repository."""

    def absolute(link: re.Match[str]) -> str:
        kind = "raw" if link[1].endswith(".svg") else "blob"
        return f"]({home}/{kind}/main/{link[1]})"

    parts = _CODE.split(text)
    return "".join(part if part.startswith("```") else _LINK.sub(absolute, part) for part in parts)


def readme(template: str, home: str, version: str) -> str:
    """Fill the template."""
    text = _BLOCK.sub(lambda block: block[2] if bool(block[1]) != bool(home) else "", template)
    text = re.sub(r"\n{3,}", "\n\n", text).replace("VERSION", ".".join(version.split(".")[:2]))
    return absolute_links(text.replace("HOME", home), home) if home else text


def pyproject(text: str, home: str) -> str:
    """Write ``[project.urls]``, or remove it."""
    urls = {
        "Repository": home,
        "Documentation": f"{home}/tree/main/docs",
        "Changelog": f"{home}/blob/main/CHANGELOG.md",
        "Issues": f"{home}/issues",
    }
    lines = [f'{name} = "{url}"\n' for name, url in urls.items()]
    return _URLS.sub("".join(["[project.urls]\n", *lines, "\n"]) if home else "", text, count=1)


def citation(text: str, home: str) -> str:
    """Write ``repository-code``, or remove it."""
    text = _REPOSITORY.sub("", text)
    return text.replace("\nlicense:", f"\nrepository-code: {home}\nlicense:", 1) if home else text


def written(home: str = HOME) -> dict[Path, str]:
    """Return the text of each file."""
    version = re.search(r'__version__ = "(.+)"', (ROOT / "keyrng" / "_version.py").read_text("utf-8"))
    assert version
    project, cite = ROOT / "pyproject.toml", ROOT / "CITATION.cff"
    return {
        ROOT / "README.md": readme((ROOT / "docs" / "README.in").read_text("utf-8"), home, version[1]),
        project: pyproject(project.read_text("utf-8"), home),
        cite: citation(cite.read_text("utf-8"), home),
    }


def main() -> None:
    """Write what differs, or report it."""
    changed = [(path, text) for path, text in written().items() if path.read_text("utf-8") != text]
    for path, text in changed:
        if "--check" in sys.argv:
            sys.exit(f"{path.name} is not up to date; type: python docs/readme.py")
        path.write_text(text, "utf-8")
        print(path.name)


if __name__ == "__main__":
    main()
