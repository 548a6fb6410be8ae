"""keyrng under python -O and -OO, which remove asserts and docstrings, as in frozen applications."""

from __future__ import annotations

import subprocess

import pytest
from processes import python

import keyrng

# It reports by its exit status: an assert would be left out.
SCRIPT = """
import pickle, pkgutil, sys, importlib
import numpy as np
import keyrng

optimize, expected = sys.flags.optimize, sys.argv[1:]
wrong = []


def check(name, holds):
    if not holds:
        wrong.append(name)


key = keyrng.key(0)
generator = keyrng.Generator(0)
check("level", optimize == int(expected[0]))
check("docstrings", (keyrng.normal.__doc__ is None) == (optimize == 2))
check("methods", "keyrng.normal" in keyrng.Generator.normal.__doc__)
check("values", keyrng.normal(key, (3,)).tolist() == [float(x) for x in expected[1:]])
check("a generator", (generator.normal((3,)) == keyrng.normal(keyrng.fold_in(key, 0), (3,))).all())
check("pickle", (pickle.loads(pickle.dumps(key)) == key).all())
check("lazy", (keyrng.lazy_array(keyrng.normal, key, (30,))[:3] == keyrng.normal(key, (3,))).all())
try:
    with keyrng.debug.check_reuse():
        keyrng.normal(key), keyrng.normal(key)
    wrong.append("reuse is not found")
except keyrng.debug.KeyReuseError:
    pass
for module in pkgutil.walk_packages(keyrng.__path__, "keyrng."):
    if ".interop." not in module.name and not module.name.endswith(("__main__", "_compiled")):
        importlib.import_module(module.name)
print(*wrong, sep="\\n", end="")
sys.exit(bool(wrong))
"""


def run(level: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(*level.split(), *arguments, PYTHONDONTWRITEBYTECODE="1")


@pytest.mark.parametrize("level", ["", "-O", "-OO"])
def test_it_works(level: str) -> None:
    values = map(str, keyrng.normal(keyrng.key(0), (3,)).tolist())
    done = run(level, "-c", SCRIPT, str(level.count("O")), *values)

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_the_script_can_fail() -> None:
    done = run("-OO", "-c", SCRIPT, "2", "0.0", "0.0", "0.0")

    assert (done.stdout, done.returncode) == ("values", 1)


def test_the_command_line_works() -> None:
    done = run("-OO", "-m", "keyrng", "info")

    assert (done.stderr, done.returncode) == ("", 0)
