"""Weights by name: an array for every shape in nested dicts, lists and tuples, each from the key of its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyrng._core.arguments import short_repr
from keyrng._core.dtypes import DTypeLike
from keyrng._keys.derive import Key, check_key, fold_in
from keyrng._keys.named import Tree, map_with_path
from keyrng._sampling.shapes import dimensions
from keyrng.initializers.base import Initializer


def init_tree(
    key: Key, shapes: Tree, initializer: Initializer | Mapping[str, Initializer], dtype: DTypeLike = None
) -> Tree:
    """The same tree with an array for each shape: ``initializer(fold_in(key, path), shape, dtype)``.

    Parameters
    ----------
    key
        A key, or an array of keys, as for each initializer.
    shapes
        A tree as in `keys_like`, whose leaves are ints, tuples of ints, or have a ``shape``, as arrays do.
    initializer
        One for all, or a dict of patterns of paths, such as ``"*/bias"``: the first that matches decides. ``*`` stands
        for anything, ``/`` too, ``?`` for one character.
    dtype
        That of the arrays; None for the initializers' own.

    Raises
    ------
    TypeError
        For a leaf that is no shape, a name that is no str, or an initializer that is none.
    ValueError
        For a path that no pattern matches.

    Notes
    -----
    A parameter depends on the key, its path and its shape: what is added elsewhere changes none.

    Examples
    --------
    >>> import keyrng
    >>> init = {"*/bias": keyrng.initializers.zeros, "*": keyrng.initializers.he_normal()}
    >>> shapes = {"encoder": [{"weight": (3, 4), "bias": (4,)}], "decoder": {"weight": (4, 3)}}
    >>> params = keyrng.initializers.init_tree(keyrng.key(42), shapes, init)
    >>> weight = keyrng.fold_in(keyrng.key(42), "encoder/0/weight")
    >>> bool((params["encoder"][0]["weight"] == keyrng.initializers.he_normal()(weight, (3, 4))).all())
    True
    """
    check_key(key)
    rules = initializer if isinstance(initializer, Mapping) else {"*": initializer}
    for pattern, rule in rules.items():
        if not isinstance(pattern, str) or not callable(rule):
            raise TypeError(
                "initializer is one, or a dict of them by patterns of paths, got "
                f"{short_repr(pattern)}: {short_repr(rule)}"
            )

    def initialized(path: str, leaf: Any) -> Any:
        return _rule(rules, path)(fold_in(key, path), _shape(leaf, path), dtype)

    return map_with_path(initialized, shapes)


def _rule(rules: Mapping[str, Initializer], path: str) -> Initializer:
    from fnmatch import fnmatchcase  # here, for most who import keyrng name no pattern

    for pattern, rule in rules.items():
        if fnmatchcase(path, pattern):
            return rule
    raise ValueError(f'no pattern of initializer matches {path!r}; "*" as the last one matches all')


def _shape(leaf: Any, path: str) -> tuple[int, ...]:
    try:
        return dimensions(tuple(leaf.shape) if hasattr(leaf, "shape") else leaf)
    except ValueError as error:
        raise ValueError(f"shapes at {path!r}: {error}") from None
    except TypeError as error:
        raise TypeError(f"shapes at {path!r}: {error}") from None
