"""Build the C code for compilers without vector extensions, such as MSVC: python tests/strict_c.py FOLDER.

Clang compiles the generated and the handwritten code as strict C11, and a second time for the types and rules of MSVC
(32-bit long), without the headers of Windows. The folder receives a complete package keyrng.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
NATIVE = ROOT / "keyrng" / "_executors" / "csrc"
STRICT = ["clang", "-std=c11", "-pedantic-errors", "-Wall", "-Werror", "-ffp-contract=off", "-DKEYRNG_SCALAR"]
MSVC = ["--target=x86_64-pc-windows-msvc", "-fms-compatibility-version=19.29", "-ffreestanding", "-fsyntax-only"]
# The declarations that the C code uses from headers that are not part of clang.
HEADERS = {
    "string.h": "void *memchr(const void *, int, size_t); void *memcpy(void *, const void *, size_t);"
    " void *memset(void *, int, size_t);",
    "math.h": "float sqrtf(float); double sqrt(double);",
    "stdlib.h": "void *malloc(size_t); void free(void *);",
}
# Words that C11 does not have.
FOREIGN = r"\b(__builtin_\w+|__attribute__|__extension__|__int128|__typeof__|typeof|asm|__asm__)\b"


def run(*command: str | Path) -> str:
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout


def main(folder: Path) -> None:
    sys.path.insert(0, str(ROOT))
    from keyrng import algorithms
    from keyrng._codegen import c
    from keyrng.kernels import lane

    made, stubs = folder / "printed", folder / "headers"
    made.mkdir(parents=True, exist_ok=True)
    stubs.mkdir(exist_ok=True)
    functions, tables = c.sources([algorithms.get(name) for name in algorithms.names()], lane.kernels())
    (made / "functions.inc").write_text(functions)
    (made / "tables.inc").write_text(tables)
    for name, text in HEADERS.items():
        (stubs / name).write_text(f"#include <stddef.h>\n{text}\n")
    isa, module = NATIVE / "isa.c", NATIVE / "module.c"
    here = ["-DKEYRNG_ISA=baseline", f"-I{made}", f"-I{NATIVE}"]

    # MSVC's rules first, with its headers' names; execute.h is all of module.c that knows no Python.
    runtime = folder / "runtime.c"
    runtime.write_text('#include <string.h>\n#include "code.h"\n#include "tables.inc"\n#include "execute.h"\n')
    for source in isa, runtime:
        run(*STRICT, "-Wno-unused-function", "-Wno-unused-variable", *MSVC, f"-I{stubs}", *here, source)
    text = run(*STRICT, "-E", "-P", *MSVC[:-1], f"-I{stubs}", *here, isa)
    foreign = sorted(set(re.findall(FOREIGN, text)))
    if foreign:
        sys.exit(f"the C for compilers without vectors has words that C11 has not: {', '.join(foreign)}")

    package = folder / "keyrng"
    shutil.copytree(ROOT / "keyrng", package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    headers = [word for path in (sysconfig.get_path("include"), np.get_include()) for word in ("-isystem", path)]
    out = package / "_executors" / "_compiled.abi3.so"
    run(*STRICT, "-O2", "-fwrapv", "-fPIC", "-shared", *here, *headers, isa, module, "-o", out, "-lm")
    print(out, out.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
