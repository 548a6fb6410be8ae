"""Build of the compiled part: C generated from the kernels, compiled once per instruction set.

It is optional: without a C compiler, keyrng is installed without it and uses NumPy.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
NATIVE = ROOT / "keyrng" / "_executors" / "csrc"
ABI3 = not sysconfig.get_config_var("Py_GIL_DISABLED")  # free-threaded Python has no stable ABI

# Samples depend on these flags: no fused multiply-add, no reassociation, wrapping signed integers.
STRICT = [
    "-O3",
    "-g0",
    "-falign-functions=64",
    "-falign-loops=32",
    "-std=gnu11",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-fast-math",
    "-fwrapv",
    "-fvisibility=hidden",
]
QUIET = ["-Wno-psabi"]  # vectors wider than a register are passed between static functions only
MSVC = ["/O2", "/std:c11", "/fp:strict"]  # without vector extensions: plain C11, as in tests/strict_c.py
# Sanitizers, such as KEYRNG_SANITIZE=address,undefined; see tests/sanitized.sh.
SANITIZE = os.environ.get("KEYRNG_SANITIZE")
# -g1 is enough for lines in reports; -g takes 2.4 times as long to compile.
WATCHED = ["-O1", "-g1", f"-fsanitize={SANITIZE}", "-fno-sanitize-recover=all"] if SANITIZE else []
X86 = {
    "avx512": ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mprefer-vector-width=512"],
    "avx2": ["-mavx2"],
    "baseline": [],
}


class BuildKernels(build_ext):
    """Generate the C and compile it for every instruction set; continue without it if that fails."""

    def build_extension(self, ext: Extension) -> None:
        try:
            self._build(ext)
        except Exception as error:  # the NumPy path works in any case
            self.warn("=" * 70)
            self.warn(f"keyrng is installed WITHOUT its compiled part: {error}")
            self.warn("Everything works on NumPy alone. For speed, install a C compiler (on Debian: apt install gcc),")
            self.warn("then: pip install --force-reinstall --no-deps .")
            self.warn("=" * 70)

    def _build(self, ext: Extension) -> None:
        if sys.byteorder != "little":
            raise RuntimeError("it requires a little-endian processor")
        sys.path.insert(0, str(ROOT))
        os.environ["KEYRNG_BACKEND"] = "numpy"  # an older compiled part may lie there
        import numpy

        from keyrng import algorithms
        from keyrng._codegen import c as native
        from keyrng.kernels import lane

        made = Path(self.build_temp) / "printed"
        made.mkdir(parents=True, exist_ok=True)
        functions, tables = native.sources([algorithms.get(n) for n in algorithms.names()], lane.kernels())
        (made / "functions.inc").write_text(functions)
        (made / "tables.inc").write_text(tables)

        msvc = self.compiler.compiler_type == "msvc"
        # The target, not the build machine. universal2 of macOS has two targets, so it gets the baseline only.
        x86 = self.plat_name.endswith(("x86_64", "amd64")) and not msvc
        flags = MSVC if msvc else STRICT + QUIET + WATCHED
        include = [str(made), str(NATIVE), numpy.get_include()]

        def compiled(isa: str) -> list[str]:
            # In separate folders, because the object files have the same name.
            return self.compiler.compile(
                [str(NATIVE / "isa.c")],
                output_dir=str(Path(self.build_temp) / isa),
                macros=[("KEYRNG_ISA", isa)],
                include_dirs=include,
                extra_postargs=flags + X86[isa] * x86,
            )

        with ThreadPoolExecutor(os.cpu_count()) as pool:  # a compiler takes 40 s or more, and less than 1 GB
            ext.extra_objects = [obj for objs in pool.map(compiled, X86 if x86 else ["baseline"]) for obj in objs]
        self.force = True  # setuptools does not track the objects
        ext.include_dirs = include
        ext.extra_compile_args, ext.extra_link_args = flags, WATCHED
        ext.define_macros += [("KEYRNG_HAVE_X86", "1")] if x86 else []
        super().build_extension(ext)


def _abi3(command: type) -> type:
    class Wheel(command):  # type: ignore[misc, valid-type]
        def get_tag(self) -> tuple[str, str, str]:
            python, abi, plat = super().get_tag()
            return ("cp311", "abi3", plat) if ABI3 and python.startswith("cp") else (python, abi, plat)

    return Wheel


def commands() -> dict[str, type]:
    from setuptools.command.bdist_wheel import bdist_wheel

    return {"build_ext": BuildKernels, "bdist_wheel": _abi3(bdist_wheel)}


setup(
    cmdclass=commands(),
    ext_modules=[
        Extension(
            "keyrng._executors._compiled",
            sources=["keyrng/_executors/csrc/module.c"],
            py_limited_api=ABI3,
            optional=True,
        )
    ],
)
