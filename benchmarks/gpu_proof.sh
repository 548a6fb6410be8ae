#!/usr/bin/env bash
# One proof on a machine with an NVIDIA GPU: bash benchmarks/gpu_proof.sh FOLDER [SECONDS]
#
# Leaves env.txt smoke.txt tests.log tests.xml gpu.json gpu.md blocks.txt memcheck.txt in FOLDER, within SECONDS (540
# unless given; the limits of the steps shrink with it). A step that fails or takes too long does not stop the next.
set -u
[ $# -ge 1 ] || { echo "usage: bash benchmarks/gpu_proof.sh FOLDER [SECONDS]" >&2; exit 2; }
mkdir -p "$1" || exit 2
out=$(cd "$1" && pwd)
total=${2:-540}
cd "$(dirname "$0")/.." || exit 2
python=${PYTHON:-python3}
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1 PATH=$PATH:/usr/local/cuda/bin
export XLA_PYTHON_CLIENT_PREALLOCATE=false CUPY_CACHE_DIR=${CUPY_CACHE_DIR:-$(mktemp -d)}
summary=()
trap 'kill $(jobs -p) 2>/dev/null' EXIT

# The seconds of a step, of which all six have 515 of 540 together.
share() { echo $(($1 * total / 540 > 2 ? $1 * total / 540 : 2)); }

# step FILE SECONDS COMMAND...: what it prints is in FILE, and on the terminal as it comes. At the limit it is
# interrupted, because pytest then writes its results, which can take 10 seconds; after that it is killed.
step() {
    local name=$1 limit left grace=$(share 12) start=$SECONDS code watcher
    limit=$(share "$2")
    left=$((total - SECONDS - grace - 1))
    shift 2
    [ "$left" -lt "$limit" ] && limit=$left
    echo "== $name, at ${SECONDS} s, at most $limit s"
    if [ "$limit" -lt 1 ]; then
        summary+=("$name: no time left")
        return
    fi
    : >"$out/$name"
    tail -n +1 -s 0.2 -f "$out/$name" & watcher=$!
    timeout -s INT -k "$grace" "$limit" "$@" >"$out/$name" 2>&1 </dev/null
    code=$?
    sleep 0.4
    kill "$watcher" 2>/dev/null
    wait "$watcher" 2>/dev/null
    [ "$code" -ge 124 ] && [ $((SECONDS - start)) -ge "$limit" ] && code="$code, stopped at its limit"
    summary+=("$name: exit status $code, $((SECONDS - start)) s")
}

# The files with tests for a GPU, independent of their names.
tests=$(grep -lE 'any_path|DEVICE_PATHS|there: Gpu|cupy: Any|mark\.cuda' tests/*/test_*.py 2>/dev/null | grep -v test_gpu_proof)
plugins=()
has() { timeout 15 "$python" -c "$1" 2>/dev/null; }
has 'import xdist' && plugins+=(-n "$(nproc | awk '{print ($1 < 10) ? $1 : 10}')" --dist worksteal)
has 'import pytest_timeout' && plugins+=(--timeout 60 --timeout-method thread)

step env.txt 20 bash -c '
    nvidia-smi
    nproc
    git rev-parse HEAD
    '"$python"' -m keyrng info
    '"$python"' -m pip list 2>/dev/null | grep -iE "^(cupy|numpy|torch|jax|pytest|nvidia-cuda-nvrtc|nvidia-cusolver)"'
has 'from keyrng._executors import native; assert native.instruction_sets()' ||
    timeout "$(share 60)" "$python" setup.py -q build_ext --inplace >>"$out/env.txt" 2>&1 ||
    echo "the compiled part could not be built; env.txt says why"
step smoke.txt 60 "$python" benchmarks/gpu_smoke.py
# One warning of another library would stop everything, so warnings are not errors here.
# shellcheck disable=SC2086  # names of files without spaces
step tests.log 170 env JAX_PLATFORMS=cpu TESTS_UNTIL=$(($(date +%s) + $(share 150))) \
    "$python" -m pytest -m cuda "${plugins[@]}" -v -p no:cacheprovider -W default --junitxml "$out/tests.xml" $tests
step gpu.log 185 "$python" benchmarks/gpu.py --limit "$(share 135)" --json "$out/gpu.json" --markdown "$out/gpu.md"
# Its tables are in gpu.md, which needs the log only where there are none.
grep -q '^## Targets' "$out/gpu.md" 2>/dev/null || cat "$out/gpu.log" >>"$out/gpu.md"
rm -f "$out/gpu.log"
step blocks.txt 30 "$python" benchmarks/gpu_blocks.py
step memcheck.txt 50 compute-sanitizer --tool memcheck --error-exitcode 9 "$python" benchmarks/gpu_smoke.py --small

echo "== after $SECONDS s"
grep -hoE '(FAILED|ERROR) tests/.*|.*(passed|failed|error|skipped).* in [0-9].*' "$out/tests.log" 2>/dev/null |
    sort -u | tail -n 40 | cut -c 1-200
grep -h 'FAILED' "$out/smoke.txt" 2>/dev/null | cut -c 1-300
grep -hE '\*\*no\*\*' "$out/gpu.md" 2>/dev/null
printf '%s\n' "${summary[@]}"
! printf '%s\n' "${summary[@]}" | grep -qv ': exit status 0,'
