"""What every CUDA text is made of: floating-point operations, parameters and stores, and how a text is put together.

No compiler flag changes a bit. CuPy appends ``-ftz=true`` to every compilation, and nvcc contracts by default. So every
floating-point operation is PTX, with ``.rn`` and without ``.ftz``; so are the moves between words and floats, for a
compiler that sees through them may make a flushing ``abs`` of an ``and``. A host compiler has its own definitions of
these, with KEYRNG_HOST (tests/table/cuda_host.h).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from string import Template

__all__ = ["U32", "U64", "complete", "device", "written"]

U32, U64 = "unsigned int", "unsigned long long"
_CONSTRAINTS = {U32: "r", "int": "r", U64: "l", "long long": "l", "float": "f", "double": "d"}
_PTX = {"float": "f32", "double": "f64", U32: "u32", "int": "s32", U64: "u64", "long long": "s64"}

Definitions = Mapping[str, str]


# Text


def device(result: str, name: str, arguments: Sequence[str], body: Sequence[str]) -> str:
    """A function for other functions of the text."""
    return "\n".join([f"DEVICE {result} {name}({', '.join(arguments)}) {{", *(f"    {line}" for line in body), "}"])


def written(template: str, **parts: str | Sequence[str]) -> str:
    """A template with its ``$names`` replaced; a list takes a line for each item, indented as its name is."""
    lines: list[str] = []
    for line in template.strip("\n").splitlines():
        part = parts.get(line.strip().removeprefix("$"), "")
        if isinstance(part, str):
            lines.append(Template(line).substitute(parts))
        else:
            lines += [line[: line.index("$")] + each for each in part]
    return "\n".join(lines)


def complete(body: Sequence[str], definitions: Definitions) -> str:
    """A text with what it calls before it, and no more: what is not there need not be compiled."""
    machine, common = _machine(), _common()
    called = _called("\n".join(body), {**machine, **common, **definitions})
    operations = [machine[name] for name in called if name in machine]
    return "\n".join(
        [
            "// Printed by keyrng._codegen.cuda.",
            "namespace keyrng {",
            f"typedef {U64} u64;",
            "#define DEVICE [[maybe_unused]] static __device__ __forceinline__",
            *(["#ifndef KEYRNG_HOST", *operations, "#endif"] if operations else []),
            *("\n" + {**common, **definitions}[name] for name in called if name not in machine),
            *("\n" + part for part in body),
            "}\n",
        ]
    )


def _called(text: str, definitions: Definitions) -> list[str]:
    """The names of the definitions that a text needs, in the order of their definition."""
    needed: set[str] = set()
    unread = [text]
    while unread:
        new = (set(re.findall(r"\w+", unread.pop())) & definitions.keys()) - needed
        needed |= new
        unread += [definitions[name] for name in new]
    return [name for name in definitions if name in needed]


# Floating-point operations, as PTX


def _instruction(result: str, name: str, ptx: str, *operands: str, value: str = "r") -> tuple[str, str]:
    """A function of one instruction, on one line, after its name."""
    arguments = [f"{operand} {letter}" for operand, letter in zip(operands, "abc", strict=False)]
    places = ", ".join(f"%{i}" for i in range(len(operands) + 1))
    inputs = ", ".join(f'"{_CONSTRAINTS[o]}"({letter})' for o, letter in zip(operands, "abc", strict=False))
    register = U32 if result == "bool" else result
    body = f'{register} r; asm("{ptx} {places};" : "={_CONSTRAINTS[register]}"(r) : {inputs}); return {value};'
    return name, f"DEVICE {result} {name}({', '.join(arguments)}) {{ {body} }}"


def _float_functions(real: str, word: str) -> list[tuple[str, str]]:
    """What the dialect calls for one float type."""
    bits, kind = ("64", "float64") if real == "double" else ("32", "float32")
    ptx = _PTX[real]
    made = [_instruction(real, f"f_{op}", f"{op}.rn.{ptx}", real, real) for op in ("add", "sub", "mul", "div")]
    made.append(_instruction(real, "f_sqrt", f"sqrt.rn.{ptx}", real))
    for op in ("lt", "le", "gt", "ge", "eq", "ne"):
        test = "neu" if op == "ne" else op  # NaN is unequal to everything, itself too
        made.append(_instruction("bool", f"f_{op}", f"set.{test}.u32.{ptx}", real, real, value="r != 0"))
    made.append(_instruction(real, f"{kind}_of", f"mov.b{bits}", word))
    made.append(_instruction(word, f"uint{bits}_of", f"mov.b{bits}", real))
    for dtype, integer in (("uint32", U32), ("int32", "int"), ("uint64", U64), ("int64", "long long")):
        # Towards zero to an integer, to the nearest from one; that of 32 bits is exact in a double.
        made.append(_instruction(integer, f"{dtype}_from", f"cvt.rzi.{_PTX[integer]}.{ptx}", real))
        made.append(_instruction(real, f"{kind}_from", f"cvt.rn.{ptx}.{_PTX[integer]}", integer))
    return made


# Four words at once: of a vector type, a compiler makes four stores as soon as it sees its parts.
_PUT16 = """DEVICE void put16(void *to, unsigned int a, unsigned int b, unsigned int c, unsigned int d) {
    asm volatile("{ .reg .u64 p; cvta.to.global.u64 p, %0; st.global.v4.u32 [p], {%1, %2, %3, %4}; }"
        :: "l"(to), "r"(a), "r"(b), "r"(c), "r"(d) : "memory");
}"""


@cache
def _machine() -> Definitions:
    """The operations that a host compiler has its own definitions of; those of one name are overloads."""
    made = [*_float_functions("float", U32), *_float_functions("double", U64)]
    made.append(_instruction("float", "float32_from", "cvt.rn.f32.f64", "double"))
    made.append(_instruction("double", "float64_from", "cvt.f64.f32", "float"))
    # One instruction for both halves of a product; a compiler that is asked for each finds it for neither.
    made.append(_instruction(U64, "wide", "mul.wide.u32", U32, U32))
    made.append(("put16", _PUT16))
    texts: dict[str, str] = {}
    for name, text in made:
        texts[name] = f"{texts[name]}\n{text}" if name in texts else text
    return texts


# The same for both compilers, made of the operations above and of integers; a definition for each paragraph, which is
# called as the paragraph's first line says.
_COMMON = """
// f_neg
DEVICE float f_neg(float a) { return float32_of(uint32_of(a) ^ 0x80000000u); }
DEVICE double f_neg(double a) { return float64_of(uint64_of(a) ^ 0x8000000000000000ull); }

// f_abs
DEVICE float f_abs(float a) { return float32_of(uint32_of(a) & 0x7fffffffu); }
DEVICE double f_abs(double a) { return float64_of(uint64_of(a) & 0x7fffffffffffffffull); }

// int8_from
template <class T> DEVICE signed char int8_from(T a) { return (signed char)int32_from(a); }

// uint8_from
template <class T> DEVICE unsigned char uint8_from(T a) { return (unsigned char)int32_from(a); }

// int16_from
template <class T> DEVICE short int16_from(T a) { return (short)int32_from(a); }

// uint16_from
template <class T> DEVICE unsigned short uint16_from(T a) { return (unsigned short)int32_from(a); }

// mullo: beside mulhi
DEVICE unsigned int mullo(unsigned int a, unsigned int b) { return (unsigned int)wide(a, b); }

// mulhi
DEVICE unsigned int mulhi(unsigned int a, unsigned int b) { return (unsigned int)(wide(a, b) >> 32); }
DEVICE u64 mulhi(u64 a, u64 b) { return __umul64hi(a, b); }

// mod: nothing is read off a remainder of zero, but both sides of a choice are computed, and it must not trap on a host
DEVICE unsigned int mod(unsigned int a, unsigned int b) { return b ? a % b : 0; }
DEVICE u64 mod(u64 a, u64 b) { return b ? a % b : 0; }

// modwide: two digits of 32 bits; Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D
DEVICE unsigned int modwide(unsigned int high, unsigned int low, unsigned int divisor) {
    return divisor ? (unsigned int)(((u64)high << 32 | low) % divisor) : 0;
}
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

// varies: whether a parameter has more than one value in a row; if not, the values of all groups
template <class T, int N> DEVICE bool varies(
        T (&values)[N], const T *p, T one, u64 repeat, u64 length, u64 row, u64 count) {
    if (length > 1 && (repeat != count || row >= length)) return true;
    T same = length == 0 ? one : p[length == 1 ? 0 : row];
    #pragma unroll
    for (int i = 0; i < N; i++) values[i] = same;
    return false;
}

// vary: the values of a group; see source() in keyrng/_codegen/cuda.py. Next to the row, where a group may begin and
// end, they are any of them. Most parameters need no division, and the others one a group.
template <class T, int N> DEVICE void vary(
        T (&values)[N], const T *p, u64 repeat, u64 length, u64 row, u64 count, long long at) {
    if (repeat == 1 && (length == count || (row + 1) * count <= length)) {
        const T *from = length == count ? p : p + row * count;
        #pragma unroll
        for (int i = 0; i < N; i++) values[i] = from[(u64)(at + i) < count ? at + i : 0];
        return;
    }
    u64 flat = row * count + (at < 0 ? 0 : at), turn = flat / repeat;
    u64 rest = flat - turn * repeat, place = turn % length;
    #pragma unroll
    for (int i = 0; i < N; i++) {
        values[i] = p[place];
        if (at + i < 0 || ++rest < repeat) continue;
        rest = 0;
        if (++place == length) place = 0;
    }
}

// whole_groups: the places of a row before which a group of N elements, W bytes each, may be stored 16 bytes at once
template <int N, int W> DEVICE u64 whole_groups(const void *row, u64 start, u64 count) {
    return ((u64)row - start * W) % 16 == 0 && count >= N ? count - N + 1 : 0;
}

// put: a group of elements, as words of their size
template <int N> DEVICE void put(unsigned int *to, const unsigned int (&v)[N]) {
    #pragma unroll
    for (int i = 0; i < N; i += 4) put16(to + i, v[i], v[i + 1], v[i + 2], v[i + 3]);
}
template <int N> DEVICE void put(u64 *to, const u64 (&v)[N]) {
    unsigned int halves[2 * N];
    #pragma unroll
    for (int i = 0; i < N; i++) halves[2 * i] = (unsigned int)v[i], halves[2 * i + 1] = (unsigned int)(v[i] >> 32);
    put((unsigned int *)to, halves);
}
template <int N> DEVICE void put(unsigned short *to, const unsigned short (&v)[N]) {
    unsigned int pairs[N / 2];
    #pragma unroll
    for (int i = 0; i < N / 2; i++) pairs[i] = v[2 * i] | (unsigned int)v[2 * i + 1] << 16;
    put((unsigned int *)to, pairs);
}
template <int N> DEVICE void put(unsigned char *to, const unsigned char (&v)[N]) {
    unsigned short pairs[N / 2];
    #pragma unroll
    for (int i = 0; i < N / 2; i++) pairs[i] = (unsigned short)(v[2 * i] | v[2 * i + 1] << 8);
    put((unsigned short *)to, pairs);
}
"""


@cache
def _common() -> Definitions:
    paragraphs = _COMMON.strip("\n").split("\n\n")
    return {re.findall(r"\w+", paragraph)[0]: paragraph for paragraph in paragraphs}
