"""The digests of tests/data/values.json by other compilers, optimizations, Pythons, and on aarch64 under an emulator.

usage: python tests/portability/run.py [--every N] [--numpy-every N] [--only PART ...] [--results FILE]

Parts: ``gcc``, ``gcc-O0``, ``gcc-scalar`` (as compilers without vectors have it), ``clang``, ``clang-O0``, ``pythons``
(those that pyenv or the system has, and the oldest NumPy), ``aarch64`` (Debian's Python and NumPy's wheel for that
processor, keyrng compiled by Debian's cross compiler, all run by qemu).

It requires Debian or a Linux derived from it on x86-64, setuptools 77 or newer, and a network. It reports missing
Debian packages but does not install them, and writes only to a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECK = "tests/portability/check.py"

# GCC 12 fails with an internal error for AVX-512 without optimization.
WITHOUT_OPTIMIZATION = 'case "$*" in *-mavx512f*) level=-O1 ;; *) level=-O0 ;; esac\nexec gcc "$@" $level'
COMPILERS = {
    "gcc": ("-O3", 'exec gcc "$@"'),
    "gcc-O0": ("-O0, AVX-512 with -O1", WITHOUT_OPTIMIZATION),
    "gcc-scalar": ("-O3, without vectors", 'exec gcc "$@" -DKEYRNG_SCALAR'),
    "clang": ("-O3", 'exec "$CLANG" "$@"'),
    "clang-O0": ("-O0", 'exec "$CLANG" "$@" -O0'),
}

PYTHONS = (("3.11", "numpy==2.0.*"), ("3.11", "numpy"), ("3.12", "numpy"), ("3.13", "numpy"))

DEBIAN = (
    "python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libc6 libstdc++6 libgcc-s1 zlib1g libexpat1 libffi8"
)
WHEELS = [f"--platform=manylinux_2_{glibc}_aarch64" for glibc in (28, 27, 17)] + ["--platform=manylinux2014_aarch64"]
# As in setup.py.
STRICT = ["-O3", "-std=gnu11", "-ffp-contract=off", "-fno-math-errno", "-fno-fast-math", "-fwrapv"]
STRICT += ["-fvisibility=hidden", "-Wno-psabi"]


class Failed(Exception):
    """A part whose digests differ, or that could not be built."""


class Run:
    """The options, the output and the number of failures of a run."""

    def __init__(self, work: Path, every: int, numpy_every: int) -> None:
        self.work, self.every, self.numpy_every = work, every, numpy_every
        self.lines: list[str] = []
        self.failures = 0

    def say(self, line: str) -> None:
        print(line, flush=True)
        self.lines.append(line)

    def do(self, *command: object, **more: str) -> str:
        """Run a command and return its output; raise `Failed` with the output if it fails."""
        done = subprocess.run(
            [str(part) for part in command],
            env={**os.environ, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failed(done.stdout)
        return done.stdout

    def tree(self, name: str) -> Path:
        """A copy of the sources, without anything built."""
        tree = self.work / name
        shutil.copytree(ROOT / "keyrng", tree / "keyrng", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        shutil.copytree(ROOT / "tests", tree / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / file, tree)
        return tree

    def check(self, tree: Path, *python: object, compiled_only: bool = False, **more: str) -> None:
        how = (*python, tree / CHECK)
        if not compiled_only:
            self.say(self.do(*how, "--numpy", "--every", self.numpy_every, **more).rstrip())
        for line in self.do(*how, "--compiled", "--every", self.every, **more).splitlines()[not compiled_only :]:
            self.say(line)

    def part(self, title: str, step: Callable[[], None]) -> None:
        start = time.perf_counter()
        self.say(f"\n{title}")
        try:
            step()
        except Failed as error:
            self.failures += 1
            self.say(f"  FAILED\n{error}")
        print(f"  ({time.perf_counter() - start:.0f} s)", flush=True)


def build(run: Run, name: str, compiler: str, **more: str) -> Path:
    """The sources with their compiled part, by a compiler that is a line of a shell."""
    tree = run.tree(name)
    wrapper = tree / "cc"
    wrapper.write_text(f"#!/bin/sh\n{compiler}\n")
    wrapper.chmod(0o755)
    log = run.do(
        "sh", "-c", f"cd '{tree}' && '{sys.executable}' setup.py -q build_ext --inplace", CC=str(wrapper), **more
    )
    if "WITHOUT" in log:
        raise Failed(log)
    return tree


def compiled_by(name: str, run: Run) -> None:
    options, compiler = COMPILERS[name]
    clang = next((path for path in map(shutil.which, ("clang", "clang-14", "clang-19")) if path), "")
    if "CLANG" in compiler and not clang:
        run.say(f"\n{name}: skipped, because clang is not installed (Debian: apt-get install clang)")
        return
    version = run.do(clang if "CLANG" in compiler else "gcc", "--version").splitlines()[0]

    def step() -> None:
        tree = build(run, name, compiler, CLANG=clang)
        run.check(tree, sys.executable, compiled_only=True, PYTHONPATH=str(tree))

    run.part(f"{version}, {options}", step)


def pythons(run: Run) -> None:
    tree = build(run, "pythons", 'exec gcc "$@"')
    for number, (version, numpy) in enumerate(PYTHONS):
        python = next(interpreters(version), None)
        if python is None:
            run.say(f"\nPython {version}: skipped, because it is not installed")
            continue

        def step(name: str = f"venv{number}", python: str = python, numpy: str = numpy) -> None:
            venv = run.work / name
            run.do(python, "-m", "venv", venv)
            run.do(venv / "bin" / "pip", "install", "-q", numpy, "ml_dtypes", "pytest")
            run.check(tree, venv / "bin" / "python", PYTHONPATH=str(tree))

        run.part(f"Python {version}, {numpy}", step)


def interpreters(version: str) -> Iterator[str]:
    """Interpreters of a version that really run: a pyenv shim may be there and refuse."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for candidate in (f"python{version}", *sorted(map(str, pyenv.glob(f"{version}.*/bin/python")))):
        try:
            done = subprocess.run([candidate, "-c", "import venv"], capture_output=True, check=False)
        except OSError:
            continue
        if not done.returncode:
            yield candidate


def aarch64(run: Run) -> None:
    needed = {
        "apt-get": "apt",
        "dpkg": "dpkg",
        "qemu-aarch64": "qemu-user",
        "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    }
    missing = sorted(package for program, package in needed.items() if not shutil.which(program))
    if missing:
        run.say(f"\naarch64: skipped, because packages are missing (Debian: apt-get install {' '.join(missing)})")
        return
    qemu, gcc = (run.do(p, "--version").splitlines()[0] for p in ("qemu-aarch64", "aarch64-linux-gnu-gcc"))
    run.part(f"aarch64: {qemu}; {gcc}", lambda: emulated(run))


def emulated(run: Run) -> None:
    """Python and NumPy for aarch64 in a folder, keyrng compiled for it, and the check run by qemu."""
    system, apt, tree = run.work / "system", run.work / "apt", run.tree("aarch64")
    for folder in ("state/lists/partial", "cache/archives/partial", "debs"):
        (apt / folder).mkdir(parents=True)
    (apt / "state" / "status").touch()
    # A separate folder for apt's state, so that arm64 is not added to the architectures of this machine.
    options = [
        *("-o", "APT::Architecture=arm64", "-o", "APT::Architectures=arm64", "-o", "APT::Sandbox::User="),
        *("-o", f"Dir::State={apt}/state", "-o", f"Dir::State::status={apt}/state/status"),
        *("-o", f"Dir::Cache={apt}/cache"),
    ]
    run.do("apt-get", *options, "update")
    run.do("sh", "-c", 'cd "$0" && shift 0 && exec apt-get "$@"', apt / "debs", *options, "download", *DEBIAN.split())
    for package in (apt / "debs").glob("*.deb"):
        run.do("dpkg", "-x", package, system)
    site = system / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", site]
    run.do(*pip, *WHEELS, "--python-version=3.11", "--only-binary=:all:", "numpy", "ml_dtypes", "pytest")

    printed = run.work / "printed"
    printed.mkdir()
    run.do(sys.executable, "-c", PRINT, printed, PYTHONPATH=str(tree))
    native = tree / "keyrng" / "_executors" / "csrc"
    headers = (sysconfig.get_paths()["include"], site / "numpy" / "_core" / "include")
    include = [f"-I{folder}" for folder in (printed, native, *headers)]
    library = native.parent / "_compiled.abi3.so"
    sources = [native / "isa.c", native / "module.c"]
    # The limited API of Python is the same on all machines of 64 bits, so the headers of this one serve.
    compiler = ["aarch64-linux-gnu-gcc", *STRICT, "-fPIC", "-shared", "-DKEYRNG_ISA=baseline"]
    run.do(*compiler, *include, "-o", library, *sources, "-lm")

    libraries = f"LD_LIBRARY_PATH={system}/usr/lib/aarch64-linux-gnu"
    python = ["qemu-aarch64", "-L", system, "-E", libraries, system / "usr/bin/python3.11"]
    run.check(tree, *python, PYTHONHOME=str(system / "usr"), PYTHONPATH=f"{site}:{tree}")


PRINT = """
import sys
from pathlib import Path
from keyrng import algorithms, distributions, dropout, initializers
from keyrng._codegen import c as native
from keyrng.kernels import lane
functions, tables = native.sources([algorithms.get(n) for n in algorithms.names()], lane.kernels())
Path(sys.argv[1], "functions.inc").write_text(functions)
Path(sys.argv[1], "tables.inc").write_text(tables)
"""

PARTS = {**{name: partial(compiled_by, name) for name in COMPILERS}, "pythons": pythons, "aarch64": aarch64}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="one of every N digests, by TESTS_TURN (default 1: all)"
    )
    parser.add_argument("--numpy-every", type=int, default=1, metavar="N", help="likewise, on the NumPy path")
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=PARTS, help="(default: all parts)")
    parser.add_argument("--results", type=Path, help="a Markdown file to write what came out to")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        run = Run(Path(work), given.every, given.numpy_every)
        for name in given.only:
            PARTS[name](run)
    if given.results:
        text = "\n".join(run.lines).strip()
        given.results.write_text(f"# Portability of values\n\n{time.strftime('%Y-%m-%d')}\n\n```text\n{text}\n```\n")
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
