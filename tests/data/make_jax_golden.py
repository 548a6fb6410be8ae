"""Copy jax's golden values for the functions of keyrng: jax_golden.json and jax_golden.npz.

usage: python tests/data/make_jax_golden.py FOLDER     which has golden.json and golden.npz, made from jax itself

Taken are threefry2x32 keys with jax_threefry_partitionable=True, jax's default, with x64 off and on.
An entry is enough to replay a call: ``fn`` below jax.random, ``key`` (seed and derivations), ``args`` and ``kwargs``
(``__a__`` is an array, ``__dt__`` a dtype, ``__t__`` a tuple), the flag ``x64``, the result's ``dtype`` and ``shape``,
and ``cmp``: "bits" and "exact01" must be equal, "fp" and "linalg" within rounding. bfloat16 is stored as its words.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
FUNCTIONS = {
    "key_data", "split", "fold_in", "bits", "uniform", "normal", "truncated_normal", "exponential", "randint",
    "bernoulli", "rademacher", "gamma", "cauchy", "laplace", "logistic", "gumbel", "weibull_min", "rayleigh", "pareto",
    "triangular", "lognormal", "wald", "geometric", "maxwell", "double_sided_maxwell",
    "multivariate_normal", "orthogonal", "permutation", "choice", "categorical",
}  # fmt: skip
KEPT = ("id", "fn", "key", "args", "kwargs", "x64", "dtype", "shape", "cmp", "n_keys")


def main(folder: Path) -> None:
    manifest = json.loads((folder / "golden.json").read_text())
    arrays = np.load(folder / "golden.npz")
    entries, kept = [], {}
    for entry in manifest["entries"]:
        batched, _, function = entry["fn"].rpartition("random.")
        if function not in FUNCTIONS or batched not in ("", "vmap:"):
            continue
        if not entry["partitionable"] or entry["key"]["impl"] != "threefry2x32" or "stored" in entry:
            continue
        row = {name: entry[name] for name in KEPT if name in entry}
        row["key"] = {name: entry["key"][name] for name in ("seed", "ops")}
        entries.append({**row, "fn": function})
        kept[entry["id"]] = arrays[entry["id"]]
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    (HERE / "jax_golden.json").write_text(f'{{"meta": {json.dumps(manifest["meta"])}, "entries": [\n{lines}\n]}}\n')
    np.savez_compressed(HERE / "jax_golden.npz", **kept)
    print(f"{len(entries)} entries")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
