"""The paragraphs that docstrings of samplers share.

Editors show the text of the source, so a docstring cannot be put together when keyrng is imported. In the section
*Parameters* the entries ``key``, ``shape``, ``dtype`` and ``out`` get their text from here. A text that begins in
another way is left as it is.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap

from files import DISTRIBUTIONS, rewrite, samplers

PLACEHOLDER = "As for `sample_kernel`."
#: How a shared text begins.
BEGINNINGS = {
    "key": "A key, or an array of keys, each of which gives",
    "shape": "Shape of each key's sample",
    "dtype": "Dtype of the result",
    "out": "Array that the result is written to",
}

#: By the function of keyrng._core.dtypes that a sampler calls.
DTYPES = {
    "floating_dtype": "float16, bfloat16, float32 (the default) or float64",
    "inexact_dtype": "float16, bfloat16, float32 (the default), float64, complex64 or complex128",
    "integer_dtype": "any integer dtype, int32 by default",
    "unsigned_dtype": "uint8, uint16, uint32 (the default) or uint64",
    "signed_dtype": "any signed integer or float dtype, int32 by default",
    "number_dtype": "any integer or float dtype, float32 by default",
}

#: Samplers with arrays of parameters that do not broadcast to the shape of the sample.
WITHOUT_PER_KEY = ("choice", "permutation", "index_shuffle")
#: A shape other than () that returns one sample per key: that of multinomial has the axis of the classes.
ONE_SAMPLE = {"multinomial": "p.shape[-1:]"}


def update(check: bool) -> list[str]:
    """Write the paragraphs into every file of a sampler."""
    done: list[str] = []
    for path in sorted(DISTRIBUTIONS.glob("*.py")):
        done += rewrite(path, written, check)
    return done


def written(source: str) -> str:
    """Return the source of a module with the shared paragraphs in the docstrings of its samplers."""
    names = samplers()
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.FunctionDef) and node.name in names and ast.get_docstring(node):
            lines = source.splitlines(keepends=True)
            first, last = node.body[0].lineno - 1, node.body[0].end_lineno
            lines[first:last] = [_docstring(node, "".join(lines[first:last]))]
            source = "".join(lines)
    return source


def _docstring(node: ast.FunctionDef, text: str) -> str:
    head, parameters, rest = _sections(text)
    shared_shape = False
    for name, body in _bodies(node).items():
        entry = re.search(rf"^    {name}\n((?:        .*\n|\n(?=        ))*)", parameters, re.MULTILINE)
        present = " ".join(entry[1].split()) if entry else ""
        if entry and (present == PLACEHOLDER or present.startswith(BEGINNINGS[name])):
            parameters = parameters[: entry.start(1)] + _wrapped(body) + parameters[entry.end(1) :]
            shared_shape |= name == "shape"
    if PLACEHOLDER in parameters:
        sys.exit(f"{node.name} has an entry that says {PLACEHOLDER!r} and no shared text for it; write a text")
    head = re.sub(re.escape(f"    {per_key('')}\n\n").replace(r"shape=\(\)", r"shape=\S+?"), "", head)
    if _has_arrays(node) and not shared_shape:
        head += f"    {per_key(node.name)}\n\n"
    return head + parameters + rest


def _sections(text: str) -> tuple[str, str, str]:
    """Split a docstring before its section of parameters and after it."""
    start = text.find("    Parameters\n    ----------\n")
    if start < 0:
        return text, "", ""
    after = re.search(r"^    [A-Z][\w ]+\n    -{3,}$|^    \"\"\"", text[start + 30 :], re.MULTILINE)
    end = start + 30 + after.start() if after else len(text)
    return text[:start], text[start:end], text[end:]


def per_key(name: str) -> str:
    """Return the sentence on parameters per key for a sampler."""
    from keyrng._sampling.shapes import PER_KEY

    return PER_KEY.replace("()", ONE_SAMPLE.get(name, "()"))


def _bodies(node: ast.FunctionDef) -> dict[str, str]:
    """Return the texts of the entries of a sampler, from its signature and the functions that it calls."""
    called = {call.func.id for call in ast.walk(node) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)}
    defaults = _defaults(node)
    optional = " and ".join(f"``{name}``" for name in ("shape", "dtype") if name in defaults)
    bodies = {
        "key": f"{BEGINNINGS['key']} an independent sample.",
        "shape": _shape(node, defaults.get("shape"), "broadcast_shape" in called),
        "out": f"{BEGINNINGS['out']} and that is returned; {optional} may be left out. It must have the shape and the "
        "dtype of the result. A PyTorch tensor on the CPU is accepted, too.",
    }
    families = [DTYPES[name] for name in DTYPES if name in called]
    return bodies | ({"dtype": f"{BEGINNINGS['dtype']}: {families[0]}."} if families else {})


def _shape(node: ast.FunctionDef, default: str | None, grows: bool) -> str:
    text = f"{BEGINNINGS['shape']}, an int or a tuple of ints"
    if default == "()":
        text += "; () by default" + (", which is broadcast with the parameters" if grows else "")
    elif default == "None":
        text += "; by default the shape that the parameters broadcast to"
    return f"{text}. {per_key(node.name)}" if _has_arrays(node) else f"{text}."


def _defaults(node: ast.FunctionDef) -> dict[str, str]:
    """Return the default of each argument that has one, as text."""
    arguments, defaults = node.args.args, node.args.defaults
    pairs = zip(arguments[len(arguments) - len(defaults) :], defaults, strict=True)
    named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    return {argument.arg: ast.unparse(value) for argument, value in [*pairs, *named] if value}


def _has_arrays(node: ast.FunctionDef) -> bool:
    """Whether a sampler has parameters that may be arrays with a value for each key."""
    if node.name in WITHOUT_PER_KEY:
        return False
    arguments = [*node.args.args, *node.args.kwonlyargs]
    return any(a.annotation is not None and "ArrayLike" in ast.unparse(a.annotation) for a in arguments)


def _wrapped(body: str) -> str:
    indent = " " * 8
    whole = re.sub("``.*?``", lambda code: code[0].replace(" ", "\0"), body)  # not wrapped inside code
    text = textwrap.fill(whole, 120, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return text.replace("\0", " ") + "\n"
