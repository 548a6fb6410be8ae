"""The class `Generator`: a key and the number of its children that have been used, in the style of torch.Generator."""

from __future__ import annotations

import os
from collections.abc import Callable
from inspect import Parameter, signature
from math import prod
from typing import Any, Concatenate, ParamSpec, SupportsIndex, TypeVar, final

import numpy as np

from keyrng import distributions
from keyrng._core.arguments import Shape, as_int, check_sizes, short_repr
from keyrng._core.migration import MayHelp, misplaced
from keyrng._generator_state import COPY, KEYS, SPAWN, GeneratorState, dump, load, lock
from keyrng._keys.create import key as key_of
from keyrng._keys.create import key_data
from keyrng._keys.derive import Key, clone, device_of, fold_in
from keyrng._pickles import Readings, new_name
from keyrng.algorithms.base import Algorithm, get

_P = ParamSpec("_P")
_R = TypeVar("_R")

# The pickles read in this process, so that reading one twice gives two different generators.
_read = Readings(limit=2**16, beyond=KEYS)


def _method(sampler: Callable[Concatenate[Key, _P], _R]) -> Callable[Concatenate[Generator, _P], _R]:
    """A sampler as a method: of its arguments all but the key."""

    def method(self: Generator, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        key = self.next_key()
        try:
            return sampler(key, *args, **kwargs)
        except TypeError as error:
            if (hinted := misplaced(error, sampler, Generator)) is not None:
                raise hinted from None
            raise

    name, given = sampler.__name__, signature(sampler)
    own = [Parameter("self", Parameter.POSITIONAL_ONLY), *list(given.parameters.values())[1:]]
    method.__name__, method.__qualname__ = name, f"Generator.{name}"
    method.__doc__ = (
        f"Return ``keyrng.{name}`` of the generator's next key; ``help(keyrng.{name})`` describes the arguments."
    )
    method.__annotations__ = {k: v for k, v in sampler.__annotations__.items() if k != "key"}
    method.__dict__["__signature__"] = given.replace(parameters=own)
    return method


@final
class Generator(MayHelp):
    """A stateful generator like ``torch.Generator``: samplers as methods, with a new key for each call.

    Parameters
    ----------
    seed_or_key : int, str, bytes or Key, optional
        A seed as ``keyrng.key`` takes it, or a key of shape (). None, the default, is a seed from the operating system,
        which ``initial_seed`` returns.
    impl : str or Algorithm, optional
        Algorithm; that of the key, or threefry2x32, by default.
    device : str or device, optional
        Device of the samples; that of the key, or ``"cpu"``, by default.

    Raises
    ------
    TypeError
        If ``seed_or_key`` is neither a seed nor a key.
    ValueError
        If it is an array of keys, a key of another algorithm, or a seed outside the range of the algorithm.

    See Also
    --------
    key : Keys, which make the state explicit.
    keyrng.interop.numpy.generator : A generator of NumPy.
    keyrng.interop.torch.torch_generator : A generator of PyTorch.

    Notes
    -----
    ``Generator(seed)`` draws the samples of ``fold_in(key(seed), 0)``, ``fold_in(key(seed), 1)`` and so on, one key per
    call. No two calls get the same key, neither in several threads nor in generators derived from this one by
    ``spawn``, a fork, a pickle or a copy. Only ``set_state``, ``manual_seed`` and ``clone_state`` repeat samples on
    purpose.

    A key that is passed explicitly shows at the call what a sample depends on; a generator hides it in the order of
    calls. docs/generator.md says when that is worth it.

    Examples
    --------
    >>> import keyrng
    >>> g = keyrng.Generator(42)
    >>> g.randint((5,), 0, 100)
    array([24, 11, 19, 81, 50], dtype=int32)
    >>> state = g.get_state()
    >>> again = g.normal((2, 3))
    >>> bool((g.set_state(state).normal((2, 3)) == again).all())
    True
    """

    __slots__ = ("__weakref__", "_state")

    _state: GeneratorState

    def __init__(
        self,
        seed_or_key: Key | int | np.integer[Any] | str | bytes | None = None,
        impl: str | Algorithm | None = None,
        device: Any = None,
    ) -> None:
        if not isinstance(seed_or_key, Key):
            algorithm = get("threefry2x32" if impl is None else impl)
            seed = _entropy(algorithm) if seed_or_key is None else seed_or_key
            self._state = GeneratorState(key_of(seed, impl=algorithm, device="cpu" if device is None else device))
            return
        if seed_or_key.ndim:
            raise ValueError(
                f"Generator requires a single key, got keys of shape {seed_or_key.shape}; "
                "use [keyrng.Generator(key) for key in keys]"
            )
        if impl is not None and get(impl) != seed_or_key._algorithm:
            raise ValueError(f"impl must be that of the key, {seed_or_key.impl}, got {get(impl).name}; omit impl")
        self._state = GeneratorState(seed_or_key if device is None else seed_or_key.to(device))

    @property
    def impl(self) -> str:
        """Name of the algorithm."""
        return self._state.root.impl

    @property
    def device(self) -> str:
        """Device of the samples, such as ``"cpu"`` or ``"cuda:0"``."""
        return self._state.root.device

    def __repr__(self) -> str:
        root, drawn, _ = self._state.current()
        return f"<keyrng.Generator of {root!r}, {drawn} keys drawn>"

    # Seeds and states, as torch.Generator has them

    def manual_seed(self, seed: int | np.integer[Any] | str | bytes) -> Generator:
        """Restart with a seed, as ``keyrng.key`` takes it, and return the generator."""
        self._state.restart(key_of(seed, impl=self._state.root._algorithm, device=self.device))
        return self

    def seed(self) -> int:
        """Restart with a seed from the operating system, as wide as a key, and return the seed."""
        seed = _entropy(self._state.root._algorithm)
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """Return the seed that the generator started with, however it was made.

        Returns
        -------
        int
            A seed such that ``Generator(seed, impl)`` starts in the same state.

        Examples
        --------
        >>> import keyrng
        >>> keyrng.Generator("weights").initial_seed() == keyrng.Generator(keyrng.key("weights")).initial_seed()
        True
        """
        root, _, _ = self._state.current()
        seed = 0
        for word in key_data(root).tolist():
            seed = seed << root._algorithm.word_bits | word
        return seed

    def get_state(self) -> bytes:
        """Return the state of the generator.

        Returns
        -------
        bytes
            Bytes that ``set_state`` reads on any machine, 77 for threefry2x32.
        """
        return dump(*self._state.current())

    def set_state(self, state: bytes) -> Generator:
        """Restore a state and return the generator, which stays on its device.

        Parameters
        ----------
        state : bytes
            The result of ``get_state``.

        Returns
        -------
        Generator
            The generator itself.

        Raises
        ------
        TypeError
            If ``state`` is not bytes.
        ValueError
            If the bytes are altered, incomplete or not a state, or the state is that of another algorithm.
        """
        root, drawn, spawned = load(state)
        if root._algorithm != self._state.root._algorithm:
            raise ValueError(
                f"a state of {root.impl} does not fit a generator of {self.impl}; "
                f"use keyrng.Generator(0, impl={root.impl!r}).set_state(state)"
            )
        self._state.restart(clone(root.to(self.device)), drawn, spawned)
        return self

    def clone_state(self) -> Generator:
        """Return another generator in the same state, which draws the same samples.

        Returns
        -------
        Generator
            The other generator.

        See Also
        --------
        Generator.spawn : Generators that draw other samples.
        """
        root, drawn, spawned = self._state.current()
        other = Generator(root)
        other._state.restart(clone(root), drawn, spawned)
        return other

    # Keys

    def next_key(self, num: Shape | None = None) -> Key:
        """Return the next key, or the next keys as an array.

        Parameters
        ----------
        num : int or tuple of ints, optional
            Number of keys, or the shape of the array of keys. By default one key of shape ().

        Returns
        -------
        Key
            Keys that no other call gets.

        Raises
        ------
        TypeError
            If ``num`` is not an integer or a tuple of integers.
        ValueError
            If a number is negative.

        Examples
        --------
        >>> import keyrng
        >>> g = keyrng.Generator(42)
        >>> bool(g.next_key() == keyrng.fold_in(keyrng.key(42), 0))
        True
        >>> g.next_key((2, 3)).shape
        (2, 3)
        """
        if num is None:
            return fold_in(*self._state.take(1))
        shape = tuple(_count(n) for n in (num if isinstance(num, (tuple, list)) else (num,)))
        if prod(shape) <= KEYS:
            check_sizes("num", (*shape, 1), 2**60)  # of 8 bytes, and an axis of words
        root, first = self._state.take(prod(shape))
        numbers = np.arange(first, first + prod(shape), dtype=np.uint64).reshape(shape)
        # A 0-d array would be a scalar, which is on the CPU.
        return fold_in(root, device_of(root).receive(numbers) if shape else first)

    def spawn(self, n: SupportsIndex) -> list[Generator]:
        """Return new generators, independent of this one, of each other and of those spawned before or after.

        Parameters
        ----------
        n : int
            Number of generators.

        Returns
        -------
        list of Generator
            The generators. Spawning does not change the samples of this one.

        Raises
        ------
        TypeError
            If ``n`` is not an integer.
        ValueError
            If ``n`` is negative.

        Examples
        --------
        >>> import keyrng
        >>> a, b = keyrng.Generator(42).spawn(2)
        >>> a.uniform((3,))
        array([0.81431425, 0.810652  , 0.15863872], dtype=float32)
        """
        n = _count(n)
        check_sizes("n", (n,), 2**60)
        root, first = self._state.take_spawned(n)
        numbers = device_of(root).receive(np.arange(first, first + n, dtype=np.uint64))
        return [Generator(key) for key in fold_in(fold_in(root, SPAWN), numbers)]

    def __reduce__(self) -> tuple[Any, ...]:
        # A spawned generator, because drawing the same numbers twice would surprise; copies are spawned too.
        (child,) = self.spawn(1)
        return from_pickle, (child._state.root.to_bytes(), self.device, new_name())

    def __copy__(self) -> Generator:
        return self.spawn(1)[0]

    def __deepcopy__(self, memo: object) -> Generator:
        return self.spawn(1)[0]

    # The samplers: python tests/update writes these lines

    ball = _method(distributions.ball)
    bernoulli = _method(distributions.bernoulli)
    beta = _method(distributions.beta)
    binomial = _method(distributions.binomial)
    bits = _method(distributions.bits)
    categorical = _method(distributions.categorical)
    cauchy = _method(distributions.cauchy)
    chisquare = _method(distributions.chisquare)
    choice = _method(distributions.choice)
    dirichlet = _method(distributions.dirichlet)
    double_sided_maxwell = _method(distributions.double_sided_maxwell)
    exponential = _method(distributions.exponential)
    f = _method(distributions.f)
    gamma = _method(distributions.gamma)
    generalized_normal = _method(distributions.generalized_normal)
    geometric = _method(distributions.geometric)
    gumbel = _method(distributions.gumbel)
    half_cauchy = _method(distributions.half_cauchy)
    half_normal = _method(distributions.half_normal)
    hypergeometric = _method(distributions.hypergeometric)
    index_shuffle = _method(distributions.index_shuffle)
    inverse_gamma = _method(distributions.inverse_gamma)
    laplace = _method(distributions.laplace)
    loggamma = _method(distributions.loggamma)
    logistic = _method(distributions.logistic)
    lognormal = _method(distributions.lognormal)
    logseries = _method(distributions.logseries)
    maxwell = _method(distributions.maxwell)
    multinomial = _method(distributions.multinomial)
    multivariate_hypergeometric = _method(distributions.multivariate_hypergeometric)
    multivariate_normal = _method(distributions.multivariate_normal)
    negative_binomial = _method(distributions.negative_binomial)
    noncentral_chisquare = _method(distributions.noncentral_chisquare)
    noncentral_f = _method(distributions.noncentral_f)
    normal = _method(distributions.normal)
    orthogonal = _method(distributions.orthogonal)
    pareto = _method(distributions.pareto)
    permutation = _method(distributions.permutation)
    poisson = _method(distributions.poisson)
    power = _method(distributions.power)
    rademacher = _method(distributions.rademacher)
    randint = _method(distributions.randint)
    rayleigh = _method(distributions.rayleigh)
    sample_without_replacement = _method(distributions.sample_without_replacement)
    skew_normal = _method(distributions.skew_normal)
    t = _method(distributions.t)
    triangular = _method(distributions.triangular)
    truncated_normal = _method(distributions.truncated_normal)
    uniform = _method(distributions.uniform)
    vonmises = _method(distributions.vonmises)
    wald = _method(distributions.wald)
    weibull_min = _method(distributions.weibull_min)
    wishart = _method(distributions.wishart)
    zipf = _method(distributions.zipf)


def from_pickle(root: bytes, device: str, pickle: bytes) -> Generator:
    """Load a generator from a pickle; reading the same pickle again gives another generator."""
    with lock:
        before = _read.add(pickle)
    key = Key.from_bytes(root)
    return Generator(fold_in(key, (COPY, before)) if before else key, device=device)


def _entropy(algorithm: Algorithm) -> int:
    """Return a seed from the operating system, as wide as a key."""
    return int.from_bytes(os.urandom(algorithm.key_bits // 8))


def _count(value: object) -> int:
    number = as_int("a number of keys or generators", value)
    if number < 0:
        raise ValueError(f"a number of keys or generators must not be negative, got {short_repr(number)}")
    return number
