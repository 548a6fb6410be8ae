"""Kernels printed as CUDA: one function for each kernel, dtype and algorithm, in which a thread computes whole lanes.

`source` gives a complete text, for NVRTC or nvcc; the backend compiles and launches it. Words, children and rejection
loops are inside it, as `keyrng.backends.numpy` has them. It includes nothing, for NVRTC has no standard headers, and it
is the same text from run to run.

No compiler flag changes a bit. CuPy appends ``-ftz=true`` to every compilation, and nvcc contracts by default. So every
floating-point operation is PTX, with ``.rn`` and without ``.ftz``; so are the moves between words and floats, for a
compiler that sees through them may make a flushing ``abs`` of an ``and``. A host compiler has its own definitions of
these, with KEYRNG_HOST (tests/cuda_host.h).

Must not import anything of keyrng but the kernel language and the algorithms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from keyrng.algorithms.base import Algorithm, Domain, Words
from keyrng.kernels.bits import store
from keyrng.kernels.cprint import CUDA, extend, statements
from keyrng.kernels.lane import Kernel
from keyrng.kernels.program import Attempt, Program, leaves, trace
from keyrng.kernels.symbols import BOOL, Graph, Symbol

__all__ = ["Request", "function_name", "module", "source"]

Dtype: TypeAlias = np.dtype[Any]

Request: TypeAlias = tuple[Kernel, Dtype, Any]
"""A kernel, the dtype it computes in, and that of its result: a NumPy dtype, or anything of the name bfloat16."""

_CUDA = CUDA()
_U32, _U64 = "unsigned int", "unsigned long long"
_CONSTRAINTS = {_U32: "r", "int": "r", _U64: "l", "long long": "l", "float": "f", "double": "d"}
_PTX = {"float": "f32", "double": "f64", _U32: "u32", "int": "s32", _U64: "u64", "long long": "s64"}


def function_name(kernel: Kernel, compute: Dtype, dtype: Any, algorithm: Algorithm) -> str:
    """The name of the function that `source` prints."""
    return re.sub(r"\W", "_", f"keyrng_{kernel.name}_{compute.name}_{dtype.name}_{algorithm.name}", flags=re.ASCII)


def source(kernel: Kernel, compute: Dtype, dtype: Any, algorithm: Algorithm) -> str:
    """The CUDA text of a kernel that computes in one dtype and stores another, with the words of an algorithm.

    Its function, whose name `function_name` tells, takes for ``keys`` keys of words in memory

    - ``const word *keys``: the words of all keys, one after the other;
    - ``u64 start, u64 count, u64 size``: of each key the elements from ``start`` on, ``count`` of ``size``;
    - ``u64 n``: ``count`` times the number of keys;
    - ``out``: the result, contiguous, key after key; 16-bit floats as ``unsigned short``;
    - for each parameter ``const T *p, T one, u64 repeat, u64 length``: element ``flat`` of the result reads
      ``p[flat / repeat % length]``, or ``one``, by value, if ``length`` is 0. So ``repeat, length`` are ``1, n`` for a
      value for each element, ``1, m`` for values along the last of the axes, ``n / m, m`` along the first. Parameters
      that broadcast otherwise must be broadcast in memory first.

    Any grid of blocks of one dimension computes the same.

    Raises
    ------
    TypeError
        If the kernel's result does not become the dtype without a ``cast`` in the kernel.
    """
    return module(algorithm, [(kernel, compute, dtype)])


def module(algorithm: Algorithm, requests: Iterable[Request]) -> str:
    """The text of `source` for several kernels and dtypes at once."""
    parts = [_prelude(), *_algorithm(algorithm)]
    programs: dict[tuple[Kernel, Dtype], Program] = {}
    for kernel, compute, dtype in requests:
        program = programs.get((kernel, compute))
        if program is None:
            program = programs[kernel, compute] = trace(kernel.function, compute, len(kernel.parameters))
            parts += _value(_value_name(kernel, compute), program, algorithm)
        parts.append(_global(kernel, compute, dtype, algorithm, program))
    return "\n\n".join([*parts, "}"]) + "\n"


# The prelude: floating-point operations


def _device(result: str, name: str, arguments: Sequence[str], body: Sequence[str]) -> str:
    """A function for other functions of the text."""
    return "\n".join([f"DEVICE {result} {name}({', '.join(arguments)}) {{", *(f"    {line}" for line in body), "}"])


def _instruction(result: str, name: str, ptx: str, *operands: str, value: str = "r") -> str:
    """A function of one instruction, on one line."""
    arguments = [f"{operand} {letter}" for operand, letter in zip(operands, "abc", strict=False)]
    places = ", ".join(f"%{i}" for i in range(len(operands) + 1))
    inputs = ", ".join(f'"{_CONSTRAINTS[o]}"({letter})' for o, letter in zip(operands, "abc", strict=False))
    register = _U32 if result == "bool" else result
    body = f'{register} r; asm("{ptx} {places};" : "={_CONSTRAINTS[register]}"(r) : {inputs}); return {value};'
    return f"DEVICE {result} {name}({', '.join(arguments)}) {{ {body} }}"


def _float_functions(real: str, word: str) -> list[str]:
    """What the dialect calls for one float type, as PTX."""
    bits, kind = ("64", "float64") if real == "double" else ("32", "float32")
    ptx = _PTX[real]
    lines = [_instruction(real, f"f_{op}", f"{op}.rn.{ptx}", real, real) for op in ("add", "sub", "mul", "div")]
    lines.append(_instruction(real, "f_sqrt", f"sqrt.rn.{ptx}", real))
    for op in ("lt", "le", "gt", "ge", "eq", "ne"):
        test = "neu" if op == "ne" else op  # NaN is unequal to everything, itself too
        lines.append(_instruction("bool", f"f_{op}", f"set.{test}.u32.{ptx}", real, real, value="r != 0"))
    lines.append(_instruction(real, f"{kind}_of", f"mov.b{bits}", word))
    lines.append(_instruction(word, f"uint{bits}_of", f"mov.b{bits}", real))
    for dtype, integer in (("uint32", _U32), ("int32", "int"), ("uint64", _U64), ("int64", "long long")):
        # Towards zero to an integer, to the nearest from one; that of 32 bits is exact in a double.
        lines.append(_instruction(integer, f"{dtype}_from", f"cvt.rzi.{_PTX[integer]}.{ptx}", real))
        lines.append(_instruction(real, f"{kind}_from", f"cvt.rn.{ptx}.{_PTX[integer]}", integer))
    return lines


# The same for both compilers, made of the functions above and of integers.
_COMMON = """
DEVICE float f_neg(float a) { return float32_of(uint32_of(a) ^ 0x80000000u); }
DEVICE float f_abs(float a) { return float32_of(uint32_of(a) & 0x7fffffffu); }
DEVICE double f_neg(double a) { return float64_of(uint64_of(a) ^ 0x8000000000000000ull); }
DEVICE double f_abs(double a) { return float64_of(uint64_of(a) & 0x7fffffffffffffffull); }
template <class T> DEVICE signed char int8_from(T a) { return (signed char)int32_from(a); }
template <class T> DEVICE unsigned char uint8_from(T a) { return (unsigned char)int32_from(a); }
template <class T> DEVICE short int16_from(T a) { return (short)int32_from(a); }
template <class T> DEVICE unsigned short uint16_from(T a) { return (unsigned short)int32_from(a); }

DEVICE unsigned int mulhi(unsigned int a, unsigned int b) { return __umulhi(a, b); }
DEVICE u64 mulhi(u64 a, u64 b) { return __umul64hi(a, b); }

// Nothing is read off a remainder of zero, but both sides of a choice are computed, and it must not trap on the host.
DEVICE unsigned int mod(unsigned int a, unsigned int b) { return b ? a % b : 0; }
DEVICE u64 mod(u64 a, u64 b) { return b ? a % b : 0; }
DEVICE unsigned int modwide(unsigned int high, unsigned int low, unsigned int divisor) {
    return divisor ? (unsigned int)(((u64)high << 32 | low) % divisor) : 0;
}
// Two digits of 32 bits: Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D.
DEVICE u64 modwide(u64 high, u64 low, u64 divisor) {
    if (!divisor) return 0;
    int shift = __clzll((long long)divisor);
    u64 scaled = divisor << shift, rest = high % divisor << shift;
    if (shift) rest |= low >> (64 - shift);
    low <<= shift;
    u64 d1 = scaled >> 32, d0 = scaled & 0xffffffffu;
    for (int digit = 1; digit >= 0; digit--) {
        u64 next = digit ? low >> 32 : low & 0xffffffffu;
        u64 quotient = rest / d1, left = rest - quotient * d1;
        while (quotient >> 32 || quotient * d0 > (left << 32 | next)) {
            quotient--;
            left += d1;
            if (left >> 32) break;
        }
        rest = (rest << 32 | next) - quotient * scaled;
    }
    return rest >> shift;
}

// A parameter's value for an element of the result; see source() in keyrng/kernels/cuda.py.
template <class T> DEVICE T parameter(const T *p, T one, u64 repeat, u64 length, u64 flat) {
    if (length == 0) return one;
    if (repeat == 1 && flat < length) return p[flat];
    return p[flat / repeat % length];
}
"""


@cache
def _prelude() -> str:
    """What every text begins with."""
    functions = [*_float_functions("float", _U32), *_float_functions("double", _U64)]
    functions.append(_instruction("float", "float32_from", "cvt.rn.f32.f64", "double"))
    functions.append(_instruction("double", "float64_from", "cvt.f64.f32", "float"))
    lines = [
        "// Printed by keyrng.kernels.cuda.",
        "namespace keyrng {",
        f"typedef {_U64} u64;",
        "#define DEVICE static __device__ __forceinline__",
        "#ifndef KEYRNG_HOST",
        *functions,
        "#endif",
    ]
    return "\n".join(lines) + "\n" + _COMMON.rstrip("\n")


# The algorithm


def _algorithm(algorithm: Algorithm) -> list[str]:
    """The types and functions of an algorithm's keys, blocks and words."""
    word, index = _CUDA.type(algorithm.dtype), "const Key &key, u64 index"
    key_names = [f"w{i}" for i in range(algorithm.key_words)]
    block_names = [f"w{i}" for i in range(algorithm.block_words)]
    first = "{" + ", ".join(f"made.{name}" for name in key_names) + "}"
    ones = ", ".join(["~(word)0"] * algorithm.block_words)
    loaded = "{" + ", ".join(f"p[{i}]" for i in range(algorithm.key_words)) + "}"
    return [
        "\n".join(
            [
                f"// {algorithm.name}",
                f"typedef {word} word;",
                f"struct Key {{ word {', '.join(key_names)}; }};",
                f"struct Block {{ word {', '.join(block_names)}; }};",
            ]
        ),
        _device("Key", "load_key", ["const word *p"], [f"return {loaded};"]),
        _block(algorithm),
        _block_at(algorithm),
        _device(
            "Key",
            "child",
            ["const Key &key", "u64 number"],
            [f"Block made = block_at(key, number, 0, {Domain.SPLIT:d});", f"return {first};"],
        ),
        "// The next block of a rejection loop; a key whose draw numbers are used up is folded.\n"
        + _device(
            "Block",
            "next_block",
            ["Key &key", "u64 index", "u64 &draw"],
            [
                f"if (draw == {algorithm.draws:#x}ull) {{",
                f"    Block made = block(key, {ones});",
                f"    key = {first};",
                "    draw = 0;",
                "}",
                f"return block_at(key, index, (word)draw++, {Domain.SAMPLE:d});",
            ],
        ),
        *(_direct(algorithm, bits, index) for bits in (32, 64)),
    ]


def _symbols(dtype: Dtype, names: Iterable[str]) -> dict[Symbol, str]:
    """Symbols of a new graph, by the names they are printed as."""
    graph = Graph()
    return {graph.node("param", dtype, i): name for i, name in enumerate(names)}


def _block(algorithm: Algorithm) -> str:
    count = algorithm.block_words
    names = [f"key.w{i}" for i in range(algorithm.key_words)] + [f"c{i}" for i in range(count)]
    inputs = _symbols(algorithm.dtype, names)
    symbols = list(inputs)
    made = algorithm.block(symbols[:-count], symbols[-count:])
    lines, results = statements(list(made), inputs, _CUDA)
    arguments = ["const Key &key", *(f"word c{i}" for i in range(count))]
    return _device("Block", "block", arguments, [*lines, f"return {{{', '.join(results)}}};"])


def _block_at(algorithm: Algorithm) -> str:
    """The block of an index, a draw number and a domain."""
    inputs = _symbols(algorithm.dtype, ["low", "high", "draw", "domain"])
    lines, results = statements(list(algorithm.counter(*inputs)), inputs, _CUDA)
    high = "(word)(index >> 32)" if algorithm.word_bits == 32 else "0"
    body = [f"word low = (word)index, high = {high};", *lines, f"return block(key, {', '.join(results)});"]
    return _device("Block", "block_at", ["const Key &key", "u64 index", "word draw", "word domain"], body)


def _direct(algorithm: Algorithm, bits: int, arguments: str) -> str:
    """The value of a direct draw at an index."""
    count = algorithm.per_block(bits)
    inputs = _symbols(algorithm.dtype, [f"made.w{i}" for i in range(algorithm.block_words)])
    values: Words = algorithm.values(list(inputs), bits)
    lines, results = statements(list(values), inputs, _CUDA)
    body = [f"Block made = block_at(key, index / {count}, 0, {Domain.SAMPLE:d});", *lines]
    if count > 1:
        body.append(f"unsigned int place = (unsigned int)(index % {count});")
    chosen = "".join(f"place == {i} ? {result} : " for i, result in enumerate(results[:-1]))
    body.append(f"return {chosen}{results[-1]};")
    return _device(_U32 if bits == 32 else _U64, f"direct{bits}", [arguments], body)


# The kernel


def _value_name(kernel: Kernel, compute: Dtype) -> str:
    return re.sub(r"\W", "_", f"{kernel.name}_{compute.name}", flags=re.ASCII)


def _keys_drawn(program: Program) -> list[int]:
    """The keys that words are drawn from."""
    return sorted({source.key for source in program.sources} | {loop.key for loop in program.loops})


def _keys_needed(program: Program) -> list[int]:
    """The keys words are drawn from and their parents, which come before them."""
    needed = set(_keys_drawn(program))
    for key in range(len(program.keys) - 1, 0, -1):
        if key in needed:
            needed.add(program.keys[key][0])
    return sorted(needed | {0})


def _value(name: str, program: Program, algorithm: Algorithm) -> list[str]:
    """The functions of a kernel's loops, and that of its value for one element."""
    leaf, parts = leaves(program), []
    known = {symbol: f"p{i}" for i, symbol in enumerate(program.parameters)}
    body = []
    for i, drawn in enumerate(program.sources):
        index = "index" if drawn.step == 1 else f"index * {drawn.step} + {drawn.place}"
        index += f" + {drawn.plane} * size" if drawn.plane else ""
        body.append(f"{_CUDA.declare(leaf['word', i])} w{i} = direct{drawn.bits}(key{drawn.key}, {index});")
        known[leaf["word", i]] = f"w{i}"
    for i, loop in enumerate(program.loops):
        parts.append(_loop(f"{name}_loop{i}", loop.body, [a.dtype for a in loop.arguments], algorithm))
        body += extend(known, loop.arguments, _CUDA)
        arguments = ", ".join([f"key{loop.key}", "index", *(known[a] for a in loop.arguments)])
        body.append(f"{_CUDA.declare(leaf['loop', i])} l{i} = {name}_loop{i}({arguments});")
        known[leaf["loop", i]] = f"l{i}"
    body += extend(known, [program.result], _CUDA)
    inputs = [f"const Key &key{i}" for i in _keys_drawn(program)] + ["u64 index", "u64 size"]
    inputs += [f"{_CUDA.declare(symbol)} p{i}" for i, symbol in enumerate(program.parameters)]
    result = _CUDA.declare(program.result)
    return [*parts, _device(result, name, inputs, [*body, f"return {known[program.result]};"])]


def _loop(name: str, attempt: Attempt, arguments: Sequence[Dtype], algorithm: Algorithm) -> str:
    """A rejection loop: attempts with the words of the next blocks until one is accepted."""
    graph = attempt.graph
    known = {graph.node("param", dtype, i): f"a{i}" for i, dtype in enumerate(arguments)}
    body = []
    if attempt.words:
        per_block = algorithm.word_bits * algorithm.block_words // attempt.bits
        for block in range(-(-attempt.words // per_block)):
            body.append(f"Block b{block} = next_block(key, index, draw);")
            words = _attempt_words(algorithm, attempt.bits, f"b{block}", known, body)
            for i, word in enumerate(words[: attempt.words - block * per_block]):
                known[graph.node("word", np.dtype(f"uint{attempt.bits}"), block * per_block + i)] = word
    body += extend(known, [attempt.accept, attempt.value], _CUDA)
    body.append(f"if ({known[attempt.accept]}) return {known[attempt.value]};")
    lines = ["u64 draw = 1;", "while (true) {", *(f"    {line}" for line in body), "}"]
    inputs = ["Key key", "u64 index", *(f"{_CUDA.type(dtype)} a{i}" for i, dtype in enumerate(arguments))]
    return _device(_CUDA.declare(attempt.value), name, inputs, lines)


def _attempt_words(algorithm: Algorithm, bits: int, block: str, known: dict[Symbol, str], body: list[str]) -> list[str]:
    """The words of a block of an attempt; the statements that make them go to ``body``."""
    inputs = _symbols(algorithm.dtype, [f"{block}.w{i}" for i in range(algorithm.block_words)])
    known.update(inputs)
    words = list(algorithm.words(list(inputs), bits))
    body += extend(known, words, _CUDA)
    return [known[word] for word in words]


def _global(kernel: Kernel, compute: Dtype, dtype: Any, algorithm: Algorithm, program: Program) -> str:
    """The function that is launched."""
    result = Graph().node("param", program.result.dtype, 0)
    stored = _stored(result, dtype)
    lines, (text,) = statements([stored], {result: "value"}, _CUDA)
    parameters = range(len(program.parameters))
    kind = _CUDA.type(compute)
    signature = [
        "        const word *__restrict__ keys, u64 start, u64 count, u64 size, u64 n",
        f"        {_CUDA.declare(stored)} *out",
        *(f"        const {kind} *p{i}, {kind} p{i}_one, u64 p{i}_repeat, u64 p{i}_length" for i in parameters),
    ]
    values = [f"parameter(p{i}, p{i}_one, p{i}_repeat, p{i}_length, flat)" for i in parameters]
    drawn = [f"key{i}" for i in _keys_drawn(program)]
    call = f"{_value_name(kernel, compute)}({', '.join([*drawn, 'index', 'size', *values])})"
    children = [f"key{i} = child(key{program.keys[i][0]}, {program.keys[i][1]});" for i in _keys_needed(program) if i]
    return "\n".join(
        [
            f'extern "C" __global__ void {function_name(kernel, compute, dtype, algorithm)}(',
            ",\n".join(signature) + ") {",
            "    // Keys are made when a thread comes to them, not for every element: a child costs as much as a word.",
            "    u64 row = ~0ull, step = (u64)gridDim.x * blockDim.x;",
            f"    Key {', '.join(f'key{i}' for i in _keys_needed(program))};",
            "    for (u64 flat = (u64)blockIdx.x * blockDim.x + threadIdx.x; flat < n; flat += step) {",
            "        u64 at = n == count ? 0 : flat / count;",
            "        if (at != row) {",
            "            row = at;",
            f"            key0 = load_key(keys + {algorithm.key_words} * row);",
            *(f"            {child}" for child in children),
            "        }",
            "        u64 index = start + (flat - row * count);",
            f"        {_CUDA.declare(program.result)} value = {call};",
            *(f"        {line}" for line in lines),
            f"        out[flat] = {text};",
            "    }",
            "}",
        ]
    )


def _stored(result: Symbol, dtype: Any) -> Symbol:
    """A result as what goes to memory."""
    kind = "f" if dtype.name == "bfloat16" else dtype.kind
    if (result.dtype == BOOL) != (kind == "b") or (result.dtype.kind == "f" and kind in "iu"):
        raise TypeError(f"the kernel returned {result.dtype}, asked for was {dtype.name}; cast() in the kernel")
    stored: Symbol = store(result, dtype)
    return stored
