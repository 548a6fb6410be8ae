"""Instructions per word in the main loops of the CUDA fills, and the resulting speed limit on H100 and H200.

    python benchmarks/sass.py [--arch sm_90]

Compiles the generated source with nvcc or NVRTC and reads the machine code with nvdisasm, from the PATH or from pip's
packages; works without a GPU. It counts the shortest path around the loop that stores 16 bytes at once. The limit is a
model: the minimum over all instructions, those of the ALU pipe, and memory bandwidth.
"""

from __future__ import annotations

import argparse
import heapq
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from keyrng import algorithms
from keyrng._codegen import cuda
from keyrng.kernels.lane import kernel_of

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "tests" / "cuda")]
from cuda_compilers import compiled, pip_folders
from gpu_model import MEMORY, Count

MISSING = "nvdisasm is not on the PATH; type: python -m pip install nvidia-cuda-nvdisasm"

# The integer pipe: additions, logic, shifts and comparisons. Products and float arithmetic use other pipes.
ALU_PIPE = re.compile(
    r"(IADD|IADD3|VIADD|VIADDMNMX|LOP3|SHF|SHL|SHR|LEA|ISETP|SEL|FSEL|FSETP|FMNMX|IMNMX|VIMNMX|PRMT|MOV|PLOP3|SGXT|BMSK|IABS"
    r"|P2R|R2P|DSETP)\b"
)

FILLS = [
    *(("bits", "uint32", name) for name in algorithms.names()),
    *(("unit", "float32", name) for name in algorithms.names()),
    *((kernel, "float32", "threefry2x32") for kernel in ("normal", "exponential")),
    *((kernel, "float32", "philox4x32") for kernel in ("normal", "exponential")),
]


def nvdisasm() -> str | None:
    """Return the path of the disassembler, from the PATH or pip's packages."""
    found = shutil.which("nvdisasm")
    return found or next((str(p) for folder in pip_folders() for p in folder.glob("**/bin/nvdisasm")), None)


def disassembled(requests: list[cuda.Request], algorithm: str, arch: str) -> dict[str, list[str]]:
    """Return the lines of each function."""
    program = nvdisasm()
    if program is None:
        raise RuntimeError(MISSING)
    # With CuPy's flags.
    made = compiled(cuda.module(algorithms.get(algorithm), requests), arch, "--fmad=false", "-ftz=true")
    with tempfile.NamedTemporaryFile(suffix=".cubin") as cubin:
        cubin.write(made.code)
        cubin.flush()
        listing = subprocess.run([program, "-c", cubin.name], check=True, capture_output=True, text=True).stdout
    parts = re.split(r"^\.text\.(\w+):$", listing, flags=re.MULTILINE)
    return {name: body.splitlines() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


@dataclass
class Block:
    """A basic block: instructions without a branch, and its successors."""

    instructions: list[str]
    next: list[int]


def blocks(lines: list[str]) -> list[Block]:
    """Return the basic blocks of a function."""
    code: list[str] = []
    labels: dict[str, int] = {}
    for line in lines:
        if label := re.match(r"\s*(\.L_\w+):", line):
            labels[label[1]] = len(code)
        elif instruction := re.match(r"\s*/\*[0-9a-f]+\*/\s+(.*?)\s*;", line):
            code.append(instruction[1])
    jump = re.compile(r"(@\S+ )?(?:BRA\S*|BRX|EXIT|RET\S*)\b[^`]*(?:`\((\.L_\w+)\))?")
    jumps = {i: match for i, text in enumerate(code) if (match := jump.match(text))}
    starts = sorted({0, len(code), *labels.values(), *(i + 1 for i in jumps)})
    where = {start: number for number, start in enumerate(starts)}
    made = []
    for first, stop in pairwise(starts):
        match = jumps.get(stop - 1)
        follow = [where[stop]] if (match is None or match[1]) and stop < len(code) else []
        if match and match[2]:
            follow.append(where[labels[match[2]]])
        made.append(Block(code[first:stop], [n for n in follow if n < len(starts) - 1]))
    return made


def shortest(graph: list[Block], first: int, last: int) -> list[int] | None:
    """Return the blocks of the path with the fewest instructions from one block to another."""
    ready = [(len(graph[first].instructions), [first])]
    seen: set[int] = set()
    while ready:
        length, path = heapq.heappop(ready)
        if path[-1] == last:
            return path
        if path[-1] not in seen:
            seen.add(path[-1])
            for n in graph[path[-1]].next:
                heapq.heappush(ready, (length + len(graph[n].instructions), [*path, n]))
    return None


def count(lines: list[str], words_a_store: int = 4) -> Count:
    """Count the instructions of the shortest path around the loop that stores 16 bytes at once."""
    graph = blocks(lines)
    loops = []
    for store, block in enumerate(graph):
        if any("STG" in text and ".128" in text for text in block.instructions):
            for latch, end in enumerate(graph):
                for head in (n for n in end.next if n <= latch):
                    there, back = shortest(graph, head, store), shortest(graph, store, latch)
                    if there and back and head <= store:
                        path = dict.fromkeys([*there, *back])
                        loops.append([text for n in path for text in graph[n].instructions])
    if not loops:
        raise ValueError("no loop stores 16 bytes at once")
    best = min(loops, key=len)
    operations = [re.sub(r"^@\S+ ", "", text) for text in best]
    stores = sum(text.startswith("STG") and ".128" in text for text in operations)
    return Count(len(best), sum(bool(ALU_PIPE.match(text)) for text in operations), stores * words_a_store)


def fills(arch: str = "sm_90", wanted: list[tuple[str, str, str]] | None = None) -> dict[tuple[str, str], Count]:
    """Return the count of each fill, by kernel and algorithm."""
    found = {}
    chosen = FILLS if wanted is None else wanted
    for algorithm in dict.fromkeys(name for _, _, name in chosen):
        requests = {k: cuda.Request(kernel_of(k), np.dtype(d), np.dtype(d)) for k, d, a in chosen if a == algorithm}
        functions = disassembled(list(requests.values()), algorithm, arch)
        for kernel, request in requests.items():
            found[kernel, algorithm] = count(functions[cuda.function_name(request, algorithms.get(algorithm))])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", default="sm_90")
    arch = parser.parse_args().arch
    try:
        counts = fills(arch)
    except RuntimeError as error:
        sys.exit(str(error))
    print(f"| fill, {arch} | instructions/word | ALU-pipe/word | ceiling in Gword/s: {' | '.join(MEMORY)} |")
    print("|---" * (3 + len(MEMORY)) + "|")
    for (kernel, algorithm), found in counts.items():
        ceilings = [found.ceiling(memory) for memory in MEMORY.values()]
        cells = [f"{speed / 1e9:.0f}, {bound}" for speed, bound in ceilings]
        each, alu = found.instructions / found.words, found.alu / found.words
        print(f"| {kernel} {algorithm} | {each:.2f} | {alu:.2f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
