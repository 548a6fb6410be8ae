"""The kernels of a CUDA source and their parameters, parsed from the source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import cuda_on_host

DTYPES = {
    "bool": "bool",
    "signed char": "int8",
    "unsigned char": "uint8",
    "short": "int16",
    "unsigned short": "uint16",
    "int": "int32",
    "unsigned": "uint32",
    "unsigned int": "uint32",
    "long long": "int64",
    "unsigned long long": "uint64",
    "float": "float32",
    "double": "float64",
}


@dataclass(frozen=True)
class Parameter:
    """An argument's name, the dtype of it or of what it points to, and whether it does."""

    name: str
    dtype: str
    pointer: bool


@cache
def signatures(text: str) -> dict[str, tuple[Parameter, ...]]:
    """The parameters of each kernel."""
    types = dict(DTYPES)
    for known, name in re.findall(r"\btypedef\s+([\w ]+?)\s+(\w+)\s*;", text):
        types[name] = types.get(known, known)
    found = {}
    for kernel in cuda_on_host.GLOBAL.finditer(text):
        listed = text[kernel.end() : text.index(")", kernel.end())]
        found[kernel["name"]] = tuple(_parameter(each, types) for each in listed.split(",") if each.strip())
    return found


def _parameter(declared: str, types: dict[str, str]) -> Parameter:
    words = re.findall(r"\w+|\*", declared)
    name, pointer = words.pop(), "*" in words
    kind = " ".join(word for word in words if word not in ("*", "const", "__restrict__", "volatile"))
    return Parameter(name, types[kind], pointer)
