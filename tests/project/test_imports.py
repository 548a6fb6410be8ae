"""`import keyrng` imports only what it needs. The layers are contracts in pyproject.toml."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from processes import python

import keyrng

PACKAGE = Path(keyrng.__file__).parent


def imports(path: Path) -> set[str]:
    """The modules that a module names in its imports, wherever these are."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            found.add(str(node.module))
    return found


def test_no_import_is_relative():
    assert len([imports(path) for path in PACKAGE.rglob("*.py")]) > 100


def test_algorithms_use_the_named_operations_only():
    allowed = {"keyrng.kernels.ops", "keyrng._core.arguments"}
    for path in (PACKAGE / "algorithms").glob("*.py"):
        others = {name for name in imports(path) if name.startswith("keyrng.")}
        assert {name for name in others if not name.startswith("keyrng.algorithms")} <= allowed, path


# Modules that `import numpy` loads do not count.
SCRIPT = """
import sys
import numpy
before = set(sys.modules)
import keyrng
print(*sorted(set(sys.modules) - before), sep="\\n")
"""


@pytest.fixture(scope="module")
def imported():
    done = python("-c", SCRIPT)
    assert done.stderr == ""
    return done.stdout.split()


def test_import_adds_keyrng_and_the_standard_library_only(imported):
    assert "keyrng" in imported
    foreign = [name for name in imported if name.partition(".")[0] not in {"keyrng", *sys.stdlib_module_names}]

    assert foreign == []


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("keyrng._codegen", "it is for the build and for GPUs"),
        ("keyrng.testing", "it is for tests"),
        ("keyrng._cli", "it is for python -m keyrng"),
        ("cupy", "it takes 0.2 seconds, and only a key on a GPU needs it"),
        ("jax", "only keyrng.interop.jax needs it"),
        ("scipy", "only the tests compare with it"),
        ("mpmath", "only the tests compare with it"),
        ("ml_dtypes", "only bfloat16 needs it"),
        ("concurrent.futures", "only a large draw needs it"),
        ("numpy.random", "it takes 10 ms, and the first key imports it"),
        ("torch", "only keyrng.interop.torch needs it"),
        ("hashlib", "only names and files need it"),
        ("argparse", "only python -m keyrng needs it"),
    ],
)
def test_import_leaves_out(imported, module, why):
    assert module not in imported, why
