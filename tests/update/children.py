"""The samplers that do not read children of a key, which ``debug.check_reuse`` lists by name."""

from __future__ import annotations

import re
import textwrap
from typing import Any

from files import PACKAGE, rewrite

_NAMES = re.compile(r"(?<=^_WITHOUT_CHILDREN = frozenset\(\(\n).*?(?=^\)\)$)", re.MULTILINE | re.DOTALL)


def update(check: bool) -> list[str]:
    """Write the names in ``debug.py``: those without a row in the table stay as they are."""
    return rewrite(PACKAGE / "debug.py", with_names, check)


def with_names(text: str) -> str:
    """Return the module with the names of the samplers that read no children."""
    from cases import CASES

    found = _NAMES.search(text)
    assert found is not None
    names, splitting = set(re.findall(r"\w+", found[0])), set()
    for case in CASES:
        names.add(case.function or case.name)
        if splits(case):
            splitting.add(case.function or case.name)
    lines = textwrap.fill(", ".join(f'"{name}"' for name in sorted(names - splitting)) + ",", 116)
    return text.replace(found[0], textwrap.indent(lines, "    ") + "\n", 1)


def splits(case: Any) -> bool:
    """Whether a kernel of a sampler of real numbers splits its lane, for any parameters of its row."""
    import keyrng
    from keyrng import debug
    from keyrng._sampling.spec import RecordingKey

    for parameters in case.all_parameters:
        for dtype in case.dtypes:
            named = {**case.fixed, **parameters} | ({} if dtype == "bool" else {"dtype": dtype})
            key = RecordingKey.of(keyrng.key(0))
            spec = getattr(keyrng, case.function or case.name)(key, shape=(1,), **named)
            if any(debug._splits(kernel) for kernel in spec.kernels):
                return True
    return False
