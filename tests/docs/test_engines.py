"""The scripts of the pages that need another library run in separate processes, where it is installed."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import keyrng

ROOT = Path(__file__).parents[2]

# A fence may say after "python" that it is a script, and which modules that needs.
_SCRIPT = re.compile(r"^```python script (\w+(?: \w+)*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCRIPTS = [
    pytest.param(needed.split(), code, id=f"{page.stem}-{needed.replace(' ', '-')}")
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for needed, code in _SCRIPT.findall(page.read_text("utf-8"))
]


@pytest.mark.parametrize(("needed", "code"), SCRIPTS)
def test_script_of_a_page_runs(needed, code, tmp_path):
    missing = [module for module in needed if importlib.util.find_spec(module) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    script = tmp_path / "script.py"
    script.write_text(code, "utf-8")
    command = [sys.executable, str(script)]
    if "mpi4py" in needed:
        mpiexec = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
        if mpiexec is None:
            pytest.skip("no mpiexec on the PATH; pip install mpich brings one")
        command = [mpiexec, "-n", "2", *command]
    path = os.pathsep.join(filter(None, [str(Path(keyrng.__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    # The scripts keep the rule of the pages: each process uses a key once.
    environment = {**os.environ, "PYTHONPATH": path, "KEYRNG_DEBUG_REUSE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr


def test_there_are_scripts():
    assert {module for script in SCRIPTS for module in script.values[0]} >= {"dask", "ray", "mpi4py", "torch"}
