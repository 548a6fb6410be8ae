"""The rows of the migration guides run in both libraries and give results of the same shape."""

from __future__ import annotations

import importlib.util
import re
import secrets
from pathlib import Path
from typing import Any

import pytest

from keyrng._core import migration

DOCS = Path(__file__).parents[2] / "docs"

_BLOCK = re.compile(r"^```python( \w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| (`[^`]+`)([^|]*) \| `([^`]+)`[^|]* \|", re.MULTILINE)


def _rows(module: str) -> list[tuple[str, str]]:
    page = (DOCS / f"from-{module}.md").read_text("utf-8")
    return [(theirs.strip("`"), ours) for theirs, _, ours in _ROW.findall(page)]


def _namespace(module: str) -> dict[str, Any]:
    """The names that the blocks of a page define."""
    names: dict[str, Any] = {"secrets": secrets, "__name__": "__main__"}
    for needed, code in _BLOCK.findall((DOCS / f"from-{module}.md").read_text("utf-8")):
        if not needed or importlib.util.find_spec(needed.strip()):
            exec(code, names)
    return names


def _result(code: str, names: dict[str, Any]) -> Any:
    name, assigned, value = code.partition(" = ")
    return eval(value if assigned and name.isidentifier() else code, names)


def _shape(value: Any) -> tuple[int, ...] | None:
    if isinstance(value, list):
        return (len(value),)
    return tuple(value.shape) if hasattr(value, "shape") else None


@pytest.mark.parametrize("module", ["numpy", "torch", "jax"])
def test_rows_run_and_shapes_are_equal(module):
    pytest.importorskip(module)
    names = _namespace(module)
    rows = _rows(module)

    differ = []
    for theirs, ours in rows:
        if module == "jax" and "key_impl" not in theirs:
            # Abstractly: to compile each call would take seconds.
            expected = _shape(names["jax"].eval_shape(lambda theirs=theirs: eval(theirs, names)))
        else:
            expected = _shape(_result(theirs, names))
        got = _shape(_result(ours, names))
        # A generator, a state or words have no shape to compare.
        if None not in (expected, got) and "PRNGKey" not in theirs and expected != got:
            differ.append((theirs, expected, got))

    assert differ == []
    assert len(rows) > 15


@pytest.mark.parametrize("module", ["numpy", "torch", "jax"])
def test_every_line_of_a_table_is_a_row(module):
    page = (DOCS / f"from-{module}.md").read_text("utf-8")
    lines = re.findall(r"^\|(?!---)", page, re.MULTILINE)
    headings = re.findall(r"^\|---", page, re.MULTILINE)

    assert len(lines) - len(headings) == len(_rows(module))


@pytest.mark.parametrize("module", ["numpy", "torch", "jax"])
def test_errors_quote_the_rows_of_the_page(module):
    assert list(getattr(migration, module.upper())) == _rows(module)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("rng.integers(0, 10, 5)", "integers"),
        ("torch.empty(5).uniform_(-1.0, 1.0, generator=g)", "uniform_"),
        ("torch.multinomial(torch.tensor([1.0, 3.0]), 5)", "multinomial"),
        ("jax.nn.initializers.he_normal()(theirs, (8, 4))", "he_normal"),
        ("rng.bit_generator.state", "state"),
        ("[torch.Generator().manual_seed(i) for i in range(8)]", ""),
    ],
)
def test_the_name_that_a_row_calls(code, name):
    assert migration.called_name(code) == name
