"""Find phrases that are not plain English in comments, docstrings, messages and pages.

usage: python .ci/english.py [FILE...] (default: all files that git tracks, except those in EXCEPTIONS)

For each finding it prints file, line, phrase and what to write instead. The exit status is 1 if there are findings.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Prefixes of files that are not checked: stored results.
EXCEPTIONS: tuple[str, ...] = ("benchmarks/results/",)

_RELATIVE = "(?:that|which|who|whose|where)"
_DETERMINER = "(?:a|an|the|no|each|every|any|some|this|that|these|those|its|their|one|only|all|most)"
_VERB = (
    "(?:is|are|was|were|has|have|had|do|does|can|cannot|could|may|might|must|will|would|"
    "takes|costs|needs|makes|gives|calls|comes|reads|holds|knows)"
)
_UNIT = r"(?:ns|us|µs|ms|seconds|microseconds?|bits?|bytes?|words?|blocks?|keys?|values?|[kM]B)"
_WHOLE = r"(?:value|call|element|block|word|key|draw|step|sample|row|lane|thread|group|store|stream|operation|attempt)"

#: Phrase, and what to write instead.
RULES = [
    (r"(?<![Tt]here )\bis no\b(?! longer)", "is not a ..."),
    (
        rf", for (?:it|they|there|we|you|(?:{_DETERMINER} )?(?:(?!{_RELATIVE})[\w'-]+ ){{1,4}}{_VERB})\b",
        "because",
    ),
    (rf"\b{_UNIT} an? {_WHOLE}\b", "... per ..."),
    (r"\bbeside\b", "besides, next to, near, in addition to"),
    (r"\bstands?\b(?!-)", "is, are, represents"),
    (r"\bof (?:its|their|one's) own\b", "separate, its own ..."),
    (
        r"(?:\A|(?<=[.!?:] )|(?<=\n\n)|(?<=\n- )|(?<=\n# )|(?<=\n## ))"
        r"(?:What|Who|Whoever|Whatever|Of)\b[^?.\n]*+(?!\?)",
        "a noun",
    ),
]
_PATTERNS = [(re.compile(pattern, re.MULTILINE), instead) for pattern, instead in RULES]


def python_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and text of each string and of each block of comments."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value
    start, last, block = 0, -1, ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if token.start[0] != last + 1:
                yield start, block
                start, block = token.start[0], ""
            block += token.string.lstrip("#: ") + "\n"
            last = token.start[0]
    yield start, block


def c_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and text of each comment and of each string."""
    for match in re.finditer(r'/\*(.*?)\*/|//([^\n]*)|"((?:[^"\\\n]|\\.)*)"', source, re.DOTALL):
        text = next(group for group in match.groups() if group is not None)
        yield source.count("\n", 0, match.start()) + 1, re.sub(r"^\s*\* ?", "", text.strip(), flags=re.MULTILINE)


def shell_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and text of each comment."""
    for number, line in enumerate(source.splitlines(), 1):
        if match := re.match(r"\s*#\s+(.*)", line):
            yield number, match[1]


def markdown_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the page with code blocks blanked."""
    yield 1, re.sub(r"^```.*?^```", lambda match: "\n" * match[0].count("\n"), source, flags=re.DOTALL | re.MULTILINE)


READERS = {
    ".py": python_texts,
    ".c": c_texts,
    ".h": c_texts,
    ".sh": shell_texts,
    "": shell_texts,
    ".md": markdown_texts,
}


def findings(file: str) -> Iterator[str]:
    """Yield a line for each phrase in a file."""
    path = ROOT / file
    for start, text in READERS[path.suffix](path.read_text("utf-8")):
        plain = re.sub(r"``?[^`]*``?", lambda match: "x" + "\n" * match[0].count("\n"), text)
        plain = re.sub(r"(?<=[^\n])\n(?=[^\n\-#|*\d])", "\v", plain)  # lines of one paragraph
        for pattern, instead in _PATTERNS:
            for match in pattern.finditer(plain.replace("\v", " ")):
                line = start + re.sub("\v", "\n", plain[: match.start()]).count("\n")
                yield f"{file}:{line}: {match[0].strip()[:60]!r}: write {instead!r}"


def main(files: list[str]) -> int:
    """Print the findings in the files; return 1 if there are any."""
    if not files:
        tracked = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
        files = [file for file in tracked if Path(file).suffix in READERS and not file.startswith(EXCEPTIONS)]
        files = [file for file in files if Path(file).suffix or file == ".ci/run"]
    found = [finding for file in files for finding in findings(file)]
    print(*found, f"{len(found)} phrases in {len(files)} files", sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
