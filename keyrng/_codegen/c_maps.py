"""Maps, the straight-line functions of the C source, over vectors of lanes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keyrng._codegen.dialects import C
from keyrng._codegen.statements import extend, for_each_copy
from keyrng._codegen.tails import Tail, without_tails
from keyrng.kernels.symbols import Symbol

# Vectors of a map that are computed side by side unless its kernel states a number, and the most statements that it may
# have for that: the code of larger maps would not fit the processor's cache of instructions.
_ABREAST, _MOST_STATEMENTS = 4, 450

# Lanes from which collecting those in tails is not slower than branches: a map takes 50 to 100 ns for one of them.
_COLLECT, _COLLECT_OFTEN = 512, 64

# Array sizes of csrc/code.h.
MOST_INPUTS, _MOST_TAILS = 12, 2


class Maps:
    """The maps of a source."""

    def __init__(self) -> None:
        self.functions: list[str] = []
        self.names: dict[str, str] = {}  # by code, in the order of their numbers
        self.picoseconds: list[int] = []  # of each map, estimated

    def map(
        self,
        name: str,
        lanes: int,
        inputs: Sequence[Symbol],
        outputs: Sequence[Symbol],
        copies: int = 0,
        tails: Sequence[Tail] = (),
    ) -> int:
        """Print a straight-line function of the input symbols, unless one has the same code, and return its number.

        Several vectors are computed side by side, and the rest one by one. The lanes in each of the tails are listed in
        further outputs, after their number.
        """
        one = _vectors(lanes, inputs, outputs, 1, tails)
        copies = copies or (_ABREAST if len(one) <= _MOST_STATEMENTS else 1)
        lines = side_by_side(lanes, one, _vectors(lanes, inputs, outputs, copies, tails), copies)
        for i in range(len(tails)):
            lines.insert(0, f"    uint32_t *list{i} = (uint32_t *)out[{len(outputs) + i}] + 1, listed{i} = 0;")
            lines.append(f"    list{i}[-1] = listed{i};")
        body = "\n".join([*lines, "}"])
        if body not in self.names:
            self.names[body] = f"map_{name}"
            head = f"static void map_{name}(size_t n, const void *const *in, void *const *out) {{"
            self.functions.append(f"{head}\n{body}")
            self.picoseconds.append(len(one) * lanes // 3)
        return list(self.names).index(body)

    def maps_of(
        self, name: str, lanes: int, inputs: Sequence[Symbol], outputs: Sequence[Symbol], copies: int
    ) -> dict[str, Any]:
        """Print a map, and if it has tails, one without them and one for each; return what a stage says of them."""
        stage: dict[str, Any] = {"map": self.map(name, lanes, inputs, outputs, copies)}
        common, tails = without_tails(outputs, dict.fromkeys(inputs))
        if len(tails) > _MOST_TAILS:
            raise ValueError(f"{name} has more tails than code.h holds")
        if tails:
            stage["common"] = self.map(f"{name}_common", lanes, inputs, common, copies, tails)
            stage["gathered"], stage["spread"] = ([s.dtype.itemsize for s in side] for side in (inputs, outputs))
            stage["columns"] = len(inputs) + len(outputs)
            stage["collect"] = _COLLECT_OFTEN if any(tail.often for tail in tails) else _COLLECT
        for i, tail in enumerate(tails):
            again = self.map(f"{name}_tail{i}", lanes, inputs, list(tail.outputs.values()), copies)
            stage[f"tails[{i}]"] = row(map=again, outputs=list(tail.outputs))
        return stage


def _vectors(
    lanes: int, inputs: Sequence[Symbol], outputs: Sequence[Symbol], copies: int, tails: Sequence[Tail]
) -> list[str]:
    """The statements for one vector, or for several."""
    dialect, at = C(lanes), f"i + @ * LANES_w{lanes}"
    known = {symbol: f"v{i}" + "_@" * (copies > 1) for i, symbol in enumerate(inputs)}
    loads = []
    for i, symbol in enumerate(inputs):
        kind = dialect.declare(symbol)
        loads.append(f"{kind} {known[symbol]} = load_{kind}(in[{i}], {at});")
    body = [line for i, tail in enumerate(tails) for line in _list(known, i, tail, dialect, at, copies)]
    body += extend(known, outputs, dialect, copies)
    stores = stores_of(dialect, outputs, [known[output] for output in outputs], at)
    return [*for_each_copy(loads, copies), *body, *for_each_copy(stores, copies)]


def _list(known: dict[Symbol, str], i: int, tail: Tail, dialect: C, at: str, copies: int) -> list[str]:
    """The statements that list the lanes in a tail; for few of them in a branch that is usually not taken."""
    lines, mask = extend(known, [tail.condition], dialect, copies), known[tail.condition]
    full = dialect.mask(tail.condition, mask, dialect.lanes)
    append = for_each_copy([f"listed{i} = list_w{dialect.lanes}(list{i}, listed{i}, {at}, {full});"], copies)
    if tail.often:
        return lines + append
    together = " | ".join(for_each_copy([mask], copies))
    return [*lines, f"if ({dialect.any(tail.condition, together)}) {{", *append, "}"]


def stores_of(dialect: C, outputs: Sequence[Symbol], results: Sequence[str], at: str) -> list[str]:
    kinds = (dialect.declare(symbol) for symbol in outputs)
    return [f"store_{k}(out[{i}], {at}, {r});" for i, (k, r) in enumerate(zip(kinds, results, strict=True))]


def side_by_side(lanes: int, one: list[str], several: list[str], copies: int) -> list[str]:
    """Return loops over i < n: with the statements for several vectors, and for the rest with those for one."""
    lines = ["    size_t i = 0;"]
    if copies > 1:
        step = f"{copies} * LANES_w{lanes}"
        lines += ["#ifdef VECTOR_BYTES", f"    for (; i + {copies - 1} * LANES_w{lanes} < n; i += {step}) {{"]
        lines += [*(f"        {line}" for line in several), "    }", "#endif"]
    return [*lines, f"    for (; i < n; i += LANES_w{lanes}) {{", *(f"        {line}" for line in one), "    }"]


def row(**values: Any) -> str:
    """Return a C structure with the values of its fields; lists are ended by -1."""
    if any(isinstance(value, list) and len(value) >= MOST_INPUTS for value in values.values()):
        raise ValueError(f"a stage has more inputs or outputs than code.h holds: {values}")

    def text(value: Any) -> str:
        return "{" + ", ".join(map(str, [*value, -1])) + "}" if isinstance(value, list) else str(value)

    return "{" + ", ".join(f".{name} = {text(v)}" for name, v in values.items()) + "}"
