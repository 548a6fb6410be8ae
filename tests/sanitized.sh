#!/usr/bin/env bash
# Run tests with the C code under AddressSanitizer and UndefinedBehaviorSanitizer, on Linux with GCC. The arguments are
# passed to pytest:
#
#     bash tests/sanitized.sh -n auto tests/executors/test_memory.py
#
# PYTHON is the interpreter, by default that of .venv. The build is in build/sanitized; the package is not changed.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-$PWD/.venv/bin/python}
build=$PWD/build/sanitized

"$python" -c 'import setuptools; assert int(setuptools.__version__.split(".")[0]) >= 77' 2>/dev/null ||
    "$python" -m pip install -q 'setuptools>=77'
mkdir -p "$build"
KEYRNG_SANITIZE=address,undefined "$python" setup.py -q build --build-base "$build" --build-lib "$build/lib" \
    >"$build/log" 2>&1 || { tail -50 "$build/log"; exit 1; }

export PYTHONPATH=$build/lib PYTHONSAFEPATH=1
export PYTHONMALLOC=malloc # Python's own allocator would hide the ends of small objects
# Python frees little at its end, so leaks are found otherwise, in tests/executors/test_memory.py; huge sizes are a MemoryError.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
export LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
"$python" -c 'from keyrng._executors import native; assert native.enabled, native.missing_reason()'
exec "$python" -m pytest "$@"
