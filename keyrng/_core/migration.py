"""Calls of NumPy, PyTorch and JAX with their equivalents in keyrng: the rows of docs/from-*.md, quoted by errors.

A test compares the rows with the pages. At import only the names are collected; the rest runs when an error is raised.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from inspect import unwrap
from types import FrameType
from typing import Any, NoReturn, TypeAlias

_Rows: TypeAlias = tuple[tuple[str, str], ...]

NUMPY: _Rows = (
    ("np.random.default_rng(42)", "keyrng.key(42)"),
    ("np.random.SeedSequence(42)", "keyrng.key(42)"),
    ("np.random.default_rng()", "keyrng.key(secrets.randbits(64))"),
    ("rng.spawn(3)", "keyrng.split(key, 3)"),
    ("np.random.SeedSequence([42, 7])", "keyrng.fold_in(key, 7)"),
    ("rng.bit_generator.state", "key.to_bytes()"),
    ("rng.bytes(8)", 'keyrng.bits(key, (8,), "uint8").tobytes()'),
    ("rng.random(5)", "keyrng.uniform(key, (5,))"),
    ('rng.random((2, 3), dtype="float32")', "keyrng.uniform(key, (2, 3))"),
    ("rng.random(out=np.empty(5))", 'keyrng.uniform(key, dtype="float64", out=np.empty(5))'),
    ("rng.uniform(-1, 1, 5)", "keyrng.uniform(key, (5,), minval=-1, maxval=1)"),
    ("rng.integers(0, 10, 5)", "keyrng.randint(key, (5,), 0, 10)"),
    ("rng.integers(1, 6, 5, endpoint=True)", "keyrng.randint(key, (5,), 1, 7)"),
    ("rng.standard_exponential(5)", "keyrng.exponential(key, (5,))"),
    ("rng.standard_gamma(3.0, 5)", "keyrng.gamma(key, 3.0, (5,))"),
    ("rng.standard_normal(5)", "keyrng.normal(key, (5,))"),
    ("rng.normal(3.0, 2.0, 5)", "3.0 + 2.0 * keyrng.normal(key, (5,))"),
    ("rng.lognormal(1.0, 0.5, 5)", "np.exp(1.0) * keyrng.lognormal(key, 0.5, (5,))"),
    ("rng.exponential(2.0, 5)", "2.0 * keyrng.exponential(key, (5,))"),
    ("rng.laplace(0.0, 2.0, 5)", "2.0 * keyrng.laplace(key, (5,))"),
    ("rng.logistic(0.0, 2.0, 5)", "2.0 * keyrng.logistic(key, (5,))"),
    ("rng.gumbel(0.0, 2.0, 5)", "2.0 * keyrng.gumbel(key, (5,))"),
    ("rng.standard_cauchy(5)", "keyrng.cauchy(key, (5,))"),
    ("rng.standard_t(3.0, 5)", "keyrng.t(key, 3.0, (5,))"),
    ("rng.gamma(3.0, 2.0, 5)", "2.0 * keyrng.gamma(key, 3.0, (5,))"),
    ("rng.beta(2.0, 3.0, 5)", "keyrng.beta(key, 2.0, 3.0, (5,))"),
    ("rng.chisquare(3.0, 5)", "keyrng.chisquare(key, 3.0, (5,))"),
    ("rng.noncentral_chisquare(3.0, 1.0, 5)", "keyrng.noncentral_chisquare(key, 3.0, 1.0, (5,))"),
    ("rng.f(3.0, 4.0, 5)", "keyrng.f(key, 3.0, 4.0, (5,))"),
    ("rng.noncentral_f(3.0, 4.0, 1.0, 5)", "keyrng.noncentral_f(key, 3.0, 4.0, 1.0, (5,))"),
    ("rng.pareto(3.0, 5)", "keyrng.pareto(key, 3.0, (5,)) - 1"),
    ("rng.power(3.0, 5)", "keyrng.power(key, 3.0, (5,))"),
    ("rng.rayleigh(2.0, 5)", "keyrng.rayleigh(key, 2.0, (5,))"),
    ("rng.weibull(1.5, 5)", "keyrng.weibull_min(key, 1.0, 1.5, (5,))"),
    ("rng.wald(3.0, 2.0, 5)", "2.0 * keyrng.wald(key, 3.0 / 2.0, (5,))"),
    ("rng.triangular(0.0, 1.0, 4.0, 5)", "keyrng.triangular(key, 0.0, 1.0, 4.0, (5,))"),
    ("rng.vonmises(0.0, 2.0, 5)", "keyrng.vonmises(key, 0.0, 2.0, (5,))"),
    ("rng.poisson(3.0, 5)", "keyrng.poisson(key, 3.0, (5,))"),
    ("rng.binomial(10, 0.3, 5)", 'keyrng.binomial(key, 10, 0.3, (5,), "int64")'),
    ("rng.negative_binomial(10, 0.3, 5)", "keyrng.negative_binomial(key, 10, 0.3, (5,))"),
    ("rng.geometric(0.3, 5)", "keyrng.geometric(key, 0.3, (5,))"),
    ("rng.hypergeometric(5, 4, 3, 5)", "keyrng.hypergeometric(key, 5, 4, 3, (5,))"),
    ("rng.zipf(2.0, 5)", "keyrng.zipf(key, 2.0, (5,))"),
    ("rng.logseries(0.5, 5)", "keyrng.logseries(key, 0.5, (5,))"),
    ("rng.multinomial(10, [0.2, 0.8], 5)", "keyrng.multinomial(key, 10, np.array([0.2, 0.8]), shape=(5, 2))"),
    ("rng.multivariate_hypergeometric([3, 4], 2, 5)", "keyrng.multivariate_hypergeometric(key, [3, 4], 2, (5,))"),
    ("rng.dirichlet([1.0, 2.0], 5)", "keyrng.dirichlet(key, [1.0, 2.0], (5,))"),
    (
        "rng.multivariate_normal([0.0, 0.0], np.eye(2), 5)",
        "keyrng.multivariate_normal(key, [0.0, 0.0], np.eye(2), (5,))",
    ),
    ("rng.permutation(10)", "keyrng.permutation(key, 10)"),
    ("rng.permutation(table, axis=1)", "keyrng.permutation(key, table, axis=1)"),
    ("rng.permuted(table, axis=1)", "keyrng.permutation(key, table, axis=1, independent=True)"),
    ("rng.shuffle(x)", "x = keyrng.permutation(key, x)"),
    ("rng.choice(x, 3)", "keyrng.choice(key, x, (3,))"),
    ("rng.choice(x, 3, replace=False)", "keyrng.choice(key, x, (3,), replace=False)"),
    ("rng.choice(2, 3, p=[0.2, 0.8])", "keyrng.choice(key, 2, (3,), p=np.array([0.2, 0.8]))"),
    ("np.random.seed(42)", "key = keyrng.key(42)"),
    ("np.random.RandomState(42)", "keyrng.key(42)"),
    ("np.random.rand(2, 3)", "keyrng.uniform(key, (2, 3))"),
    ("np.random.randn(2, 3)", "keyrng.normal(key, (2, 3))"),
    ("np.random.random_sample(5)", "keyrng.uniform(key, (5,))"),
    ("np.random.randint(0, 10, 5)", "keyrng.randint(key, (5,), 0, 10)"),
)

TORCH: _Rows = (
    ("torch.Generator().manual_seed(42)", "keyrng.key(42)"),
    ("torch.manual_seed(42)", "key = keyrng.key(42)"),
    ("g.seed()", "keyrng.key(secrets.randbits(64))"),
    ("g.get_state()", "key.to_bytes()"),
    ("[torch.Generator().manual_seed(i) for i in range(8)]", "keyrng.split(key, 8)"),
    ('torch.Generator(device="cpu").device', 'keyrng.key(42, device="cpu").device'),
    ("torch.rand(2, 3, generator=g)", "keyrng.uniform(key, (2, 3))"),
    ("torch.randn(2, 3, generator=g)", "keyrng.normal(key, (2, 3))"),
    ("torch.rand_like(x)", "keyrng.uniform(key, x.shape)"),
    ("torch.randn_like(x)", "keyrng.normal(key, x.shape)"),
    ("torch.normal(3.0, 2.0, (5,), generator=g)", "3.0 + 2.0 * keyrng.normal(key, (5,))"),
    ("torch.randint(0, 10, (5,), generator=g)", "keyrng.randint(key, (5,), 0, 10)"),
    ("torch.randperm(10, generator=g)", "keyrng.permutation(key, 10)"),
    ("torch.bernoulli(torch.full((5,), 0.3), generator=g)", "keyrng.bernoulli(key, 0.3, (5,))"),
    ("torch.poisson(torch.full((5,), 3.0), generator=g)", "keyrng.poisson(key, 3.0, (5,))"),
    (
        "torch.multinomial(torch.tensor([1.0, 3.0]), 5, True, generator=g)",
        "keyrng.choice(key, 2, (5,), p=np.array([0.25, 0.75]))",
    ),
    ("torch.empty(5).uniform_(-1.0, 1.0, generator=g)", "keyrng.uniform(key, (5,), minval=-1.0, maxval=1.0)"),
    ("torch.empty(5).exponential_(2.0, generator=g)", "keyrng.exponential(key, (5,)) / 2.0"),
    ("torch.empty(5).cauchy_(1.0, 2.0, generator=g)", "1.0 + 2.0 * keyrng.cauchy(key, (5,))"),
    ("torch.empty(5).log_normal_(1.0, 0.5, generator=g)", "np.exp(1.0) * keyrng.lognormal(key, 0.5, (5,))"),
    ("torch.empty(5).geometric_(0.3, generator=g)", "keyrng.geometric(key, 0.3, (5,))"),
    (
        "torch.nn.init.kaiming_normal_(torch.empty(4, 5))",
        "keyrng.initializers.he_normal(in_axis=1, out_axis=0)(key, (4, 5))",
    ),
    ("torch.nn.functional.dropout(x, 0.1)", "ktorch.dropout(key, x, 0.1)"),
    ("torch.nn.Dropout(0.1)(x)", "ktorch.Dropout(key, 0.1)(x)"),
)

JAX: _Rows = (
    ("jax.random.key(42)", "keyrng.key(42)"),
    ("jax.random.PRNGKey(42)", "keyrng.key(42)"),
    ("jax.random.split(theirs)", "keyrng.split(key)"),
    ("jax.random.split(theirs, (2, 3))", "keyrng.split(key, (2, 3))"),
    ("jax.random.fold_in(theirs, 7)", "keyrng.fold_in(key, 7)"),
    ("jax.vmap(lambda i: jax.random.fold_in(theirs, i))(jnp.arange(9))", "keyrng.fold_in(key, np.arange(9))"),
    ("jax.random.clone(theirs)", "keyrng.clone(key)"),
    ("jax.random.key_data(theirs)", "keyrng.key_data(key)"),
    ("jax.random.wrap_key_data(jax.random.key_data(theirs))", "keyrng.wrap_key_data(keyrng.key_data(key))"),
    ("jax.random.key_impl(theirs)", "keyrng.key_impl(key)"),
    ("jnp.stack([theirs, theirs])", "keyrng.stack([key, key])"),
    ('jax.random.key(42, impl="rbg")', 'keyrng.key(42, impl="philox4x32")'),
    ("jax.random.bits(theirs, (5,))", "keyrng.bits(key, (5,))"),
    ("jax.random.uniform(theirs, (5,), minval=-1.0, maxval=1.0)", "keyrng.uniform(key, (5,), minval=-1.0, maxval=1.0)"),
    ("jax.random.normal(theirs, (2, 3))", "keyrng.normal(key, (2, 3))"),
    ("jax.random.randint(theirs, (5,), 0, 10)", "keyrng.randint(key, (5,), 0, 10)"),
    ("jax.random.bernoulli(theirs, 0.3, (5,))", "keyrng.bernoulli(key, 0.3, (5,))"),
    ("jax.random.permutation(theirs, 10)", "keyrng.permutation(key, 10)"),
    ("jax.random.choice(theirs, 10, (3,), replace=False)", "keyrng.choice(key, 10, (3,), replace=False)"),
    ("jax.random.categorical(theirs, jnp.zeros(4), shape=(5,))", "keyrng.categorical(key, np.zeros(4), shape=(5,))"),
    ("jax.random.truncated_normal(theirs, -1.0, 2.0, (5,))", "keyrng.truncated_normal(key, -1.0, 2.0, (5,))"),
    ("jax.random.rademacher(theirs, (5,))", "keyrng.rademacher(key, (5,))"),
    ("jax.random.maxwell(theirs, (5,))", "keyrng.maxwell(key, (5,))"),
    ("jax.random.double_sided_maxwell(theirs, 0.0, 1.0, (5,))", "keyrng.double_sided_maxwell(key, 0.0, 1.0, (5,))"),
    ("jax.random.loggamma(theirs, 2.0, (5,))", "keyrng.loggamma(key, 2.0, (5,))"),
    ("jax.random.generalized_normal(theirs, 3.0, (5,))", "keyrng.generalized_normal(key, 3.0, (5,))"),
    ("jax.random.ball(theirs, 3, shape=(5,))", "keyrng.ball(key, 3, shape=(5,))"),
    ("jax.random.orthogonal(theirs, 3)", "keyrng.orthogonal(key, 3)"),
    (
        "jax.random.multivariate_normal(theirs, jnp.zeros(2), jnp.eye(2))",
        "keyrng.multivariate_normal(key, np.zeros(2), np.eye(2))",
    ),
    ("jax.vmap(lambda k: jax.random.normal(k, (5,)))(jax.random.split(theirs, 3))", "keyrng.normal(keys, (5,))"),
    ("jax.nn.initializers.he_normal()(theirs, (8, 4))", "keyrng.initializers.he_normal()(key, (8, 4))"),
)

_INNERMOST = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


def called_name(code: str) -> str:
    """Return the name of the outermost call of an expression: ``integers`` for ``rng.integers(0, 10)``."""
    while (outer := _INNERMOST.sub("", code)) != code:
        code = outer
    name = code.rpartition(".")[2]
    return name if name.isidentifier() else ""


def _by_name() -> dict[str, tuple[str, str]]:
    """Map each name to its first row: of another library's names, then of keyrng's."""
    found: dict[str, tuple[str, str]] = {}
    rows = NUMPY + TORCH + JAX
    for row in rows:
        found.setdefault(called_name(row[0]), row)
    for row in rows:
        for name in re.findall(r"\bkeyrng\.(\w+)\(", row[1]):
            found.setdefault(name, row)
    found.pop("", None)
    return found


BY_NAME: Mapping[str, tuple[str, str]] = _by_name()


def instead(name: str, generator: type | None = None) -> str:
    """Return the end of a message: the equivalent of another library's name, or nothing."""
    if name not in BY_NAME:
        return ""
    theirs, ours = BY_NAME[name]
    if generator is not None:
        ours = re.sub(r"\bkeyrng\.(\w+)\(key(?:, )?", lambda m: _of_generator(m[1], m[0], generator), ours)
    return f"; for {theirs} type {ours}"


def _of_generator(name: str, code: str, generator: type) -> str:
    """Rewrite the call of a function as that of a generator's method, if it has one."""
    if name in generator.__dict__:
        return f"generator.{name}("
    return code.replace("(key", "(generator.next_key()")


class _WithoutAbsent(type):
    """Metaclass that hides the absent names from ``dir``."""

    def __dir__(cls) -> list[str]:
        return [name for name in super().__dir__() if name not in _ABSENT or name in vars(cls)]


class MayHelp(metaclass=_WithoutAbsent):
    """Base of classes whose objects users may mistake for another library's generator.

    An AttributeError for one of its method names says what to type. Each name has a descriptor, because
    ``__getattr__`` would make every attribute slower.
    """

    __slots__ = ()

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in _ABSENT or name in vars(type(self))]


class _Absent:
    """An attribute that does not exist."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        name, generator = self._name, owner if owner.__name__ == "Generator" else None
        raise AttributeError(
            f"{owner.__name__!r} object has no attribute {name!r}{instead(name, generator)}", name=name, obj=instance
        )


_ABSENT = frozenset(name for name in BY_NAME if name not in ("key", "Generator"))
for _name in _ABSENT:
    setattr(MayHelp, _name, _Absent(_name))


_KEYWORDS = {"size": "shape", "low": "minval", "high": "maxval"}


def argument_names(function: Any) -> tuple[str, ...]:
    """Return the names of a function's arguments."""
    code = unwrap(function).__code__
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return names


def misplaced(error: TypeError, function: Any, generator: type | None = None) -> TypeError | None:
    """Return an error about the arguments of a call with a hint; None for an error raised inside the function.

    Call it where the error was caught. A method of a generator replaces the hint of the function.
    """
    trace = error.__traceback__
    if not hasattr(error, "as_raised") and (trace is None or trace.tb_next is not None):
        return None
    text = getattr(error, "as_raised", str(error))
    found = re.search(r"keyword argument '(\w+)'", text)
    names = argument_names(function)[generator is not None :]
    keyword = _KEYWORDS.get(found[1]) if found else None
    renamed = f"; it is called {keyword} here" if keyword in names else ""
    hint = instead(function.__name__, generator) or f"; the arguments are {', '.join(names)}"
    made = TypeError(f"{text}{renamed}{hint}")
    made.__dict__["as_raised"] = text
    return made


def advice(dtype: object = None) -> str:
    """Return a hint for the sampler that is running, as the end of a message."""
    sampler: FrameType | None = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("keyrng."):
        if frame.f_globals["__name__"].startswith("keyrng.distributions."):
            sampler = frame  # ends at the outermost one, which the user called
        frame = frame.f_back
    if sampler is None:
        return ""
    shape, several = sampler.f_locals.get("shape"), ""
    if type(shape) is int and type(dtype) is int:
        several = f"; pass the shape as one tuple, ({shape}, {dtype})"
    return several + instead(sampler.f_code.co_name)


def missing(module: Any, name: str) -> NoReturn:
    """Raise the AttributeError of a module, with a hint."""
    hint = "" if name.startswith("_") else instead(name)
    if name in ("interop", "testing"):
        hint = f"; import keyrng.{name} first"
    raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}{hint}", name=name, obj=module)
