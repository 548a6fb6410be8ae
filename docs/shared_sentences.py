"""Writes the sentences that docstrings share into them; type python docs/shared_sentences.py to run it.

Editors show the text of the source, so a docstring cannot be put together when keyrng is imported. The sentences have
one source, here; tests/docs/test_shared_sentences.py compares the docstrings with it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import keyrng
from keyrng._sampling.shapes import PER_KEY

SOURCES = sorted((Path(keyrng.__file__).parent / "distributions").glob("*.py"))

#: Samplers with arrays of parameters that do not broadcast to the shape of the sample.
OTHERS = {"choice", "permutation", "index_shuffle"}

#: A shape other than (): that of multinomial has the axis of the classes.
SHAPES = {"multinomial": "p.shape[-1:]"}

_ANY = re.compile(re.escape(PER_KEY).replace(r"\(\)", r"\S+?") + r"\n\n    ")


def sentence(name: str) -> str:
    """The sentence on parameters per key, for a sampler."""
    return PER_KEY.replace("()", SHAPES.get(name, "()"))


def samplers(source: str) -> Iterator[tuple[str, str]]:
    """The public samplers of a module that have parameters, each with its docstring."""
    for node in ast.parse(source).body:
        if (
            not isinstance(node, ast.FunctionDef)
            or node.name in OTHERS
            or node.name not in keyrng.distributions.__all__
        ):
            continue
        text = ast.get_docstring(node, clean=False)
        arguments = [*node.args.args, *node.args.kwonlyargs]
        if text and any(a.annotation is not None and "ArrayLike" in ast.unparse(a.annotation) for a in arguments):
            yield node.name, text


def written(source: str) -> str:
    """The source of a module with the sentence in each docstring, before the parameters."""
    for name, text in samplers(source):
        plain = _ANY.sub("", text)
        new = plain.replace("\n\n    Parameters\n", f"\n\n    {sentence(name)}\n\n    Parameters\n", 1)
        if new == plain:
            raise SystemExit(f"{name} has no section of parameters")
        source = source.replace(text, new, 1)
    return source


def main() -> None:
    """Write what has changed."""
    for path in SOURCES:
        before = path.read_text("utf-8")
        after = written(before)
        if after != before:
            path.write_text(after, "utf-8")
            print(path)


if __name__ == "__main__":
    main()
