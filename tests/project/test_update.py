"""python tests/update: nothing is missing, and its output follows from the source of a sampler."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from processes import python

UPDATE = next(folder for folder in Path(__file__).resolve().parents if folder.name == "tests") / "update"
sys.path.append(str(UPDATE))

import docstrings  # noqa: E402
import names  # noqa: E402
import reference  # noqa: E402
from files import DISTRIBUTIONS, PACKAGE, ROOT  # noqa: E402


def test_nothing_is_missing() -> None:
    done = python(str(UPDATE), "--check")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_wrong_arguments_get_the_usage() -> None:
    done = python(str(UPDATE), "gamma")

    assert done.returncode == 2
    assert "usage: python tests/update [--check]" in done.stderr


def test_lists_of_names() -> None:
    init = (DISTRIBUTIONS / "__init__.py").read_text("utf-8")
    generator = (PACKAGE / "_generator.py").read_text("utf-8")

    assert names.with_all(init.replace('    "gamma",\n', "")) == init
    assert names.with_methods(generator.replace("    gamma = _method(distributions.gamma)\n", "")) == generator


@pytest.mark.parametrize("name", ["half_normal", "inverse_gamma"])
def test_placeholders_are_replaced(name: str) -> None:
    source = (DISTRIBUTIONS / f"{name}.py").read_text("utf-8")
    lines, kept, skip = source.splitlines(), [], False
    for line in lines:
        skip = skip and line.startswith("        ")
        if not skip:
            kept.append(line)
        if line.strip() in docstrings.BEGINNINGS and line.startswith("    "):
            kept.append(f"        {docstrings.PLACEHOLDER}")
            skip = True
    placeholders = "\n".join(kept) + "\n"

    assert placeholders.count(docstrings.PLACEHOLDER) == 4
    assert docstrings.written(placeholders) == source == docstrings.written(source)


OWN = '''def gamma(key: Key, a: ArrayLike, shape: Shape | None = None, *, out: Array | None = None) -> Array:
    """Return numbers.

    Parameters
    ----------
    key
        A key of three words.
    shape
        As for `sample_kernel`.
    out
        An array.

    Notes
    -----
    None.
    """
    return sample_kernel(_gamma, key, shape, floating_dtype(None, out), out=out)
'''


def test_texts_of_their_own_stay() -> None:
    written = docstrings.written(OWN)

    assert "A key of three words." in written
    assert "        An array.\n" in written
    assert docstrings.per_key("gamma") in " ".join(written.split())
    assert docstrings.PLACEHOLDER not in written


def test_a_sampler_is_entered_after_another() -> None:
    page = (ROOT / "docs" / "reference" / "floats.md").read_text("utf-8")
    text = reference.entered_in(page, "half_normal", "maxwell")

    assert text.count("## `keyrng.half_normal`") == page.count("## `keyrng.half_normal`") + 1
    assert "   keyrng.maxwell\n   keyrng.half_normal\n" in text
    assert "\n\n\n" not in text


def test_the_check_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "samplers", lambda: ["gamma", "never_written"])

    assert reference.update(check=True) == ["docs/reference has no entry of never_written"]
