"""Static lists of samplers for type checkers: ``distributions.__all__`` and the methods of Generator."""

from __future__ import annotations

import re

from files import DISTRIBUTIONS, PACKAGE, rewrite, samplers


def update(check: bool) -> list[str]:
    """Write both lists; names come from the imports of ``distributions/__init__.py``."""
    return [
        *rewrite(DISTRIBUTIONS / "__init__.py", with_all, check),
        *rewrite(PACKAGE / "_generator.py", with_methods, check),
    ]


def with_all(text: str) -> str:
    """Return the module with an ``__all__`` of the samplers."""
    names = "".join(f'    "{name}",\n' for name in samplers())
    return re.sub(r"(?<=^__all__ = \[\n).*?(?=^\]$)", names, text, flags=re.MULTILINE | re.DOTALL)


def with_methods(text: str) -> str:
    """Return the module with a line of Generator for each sampler."""
    lines = "".join(f"    {name} = _method(distributions.{name})\n" for name in samplers())
    return re.sub(r"(?:^    \w+ = _method\(distributions\.\w+\)\n)+", lines, text, flags=re.MULTILINE)
