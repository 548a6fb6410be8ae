"""Weights by name: an array for each shape in nested dicts, lists and tuples, with a key for its path."""

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
    """Return a tree of initial weights with the structure of a tree of shapes.

    Parameters
    ----------
    key : Key
        A key, or an array of keys, as for each initializer.
    shapes : dict, list or tuple
        A tree as for `keys_like`, whose leaves are ints, tuples of ints, or objects with a ``shape``, such as arrays.
    initializer : Initializer or dict of Initializer
        One initializer for all leaves, or a dict from patterns of paths, such as ``"*/bias"``, to initializers. The
        first pattern that matches is used. ``*`` matches any text, including ``/``, and ``?`` one character.
    dtype : dtype_like, optional
        Dtype of the arrays; those of the initializers by default.

    Returns
    -------
    dict, list or tuple
        The tree with ``initializer(fold_in(key, path), shape, dtype)`` at each leaf.

    Raises
    ------
    TypeError
        If a leaf is not a shape, a name is not a str, or an initializer is not callable.
    ValueError
        If no pattern matches a path.

    See Also
    --------
    keys_like : The keys of the leaves.
    keyrng.interop.torch.init_module_ : The same for modules of PyTorch.

    Notes
    -----
    A weight depends on the key, its path and its shape only: adding other weights does not change it.

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
                "initializer must be an initializer or a dict from patterns of paths to initializers, got "
                f"{short_repr(pattern)}: {short_repr(rule)}"
            )

    def initialized(path: str, leaf: Any) -> Any:
        return _rule(rules, path)(fold_in(key, path), _shape(leaf, path), dtype)

    return map_with_path(initialized, shapes)


def _rule(rules: Mapping[str, Initializer], path: str) -> Initializer:
    from fnmatch import fnmatchcase  # rarely used

    for pattern, rule in rules.items():
        if fnmatchcase(path, pattern):
            return rule
    raise ValueError(f'initializer has no pattern that matches {path!r}; add "*" as the last pattern')


def _shape(leaf: Any, path: str) -> tuple[int, ...]:
    try:
        return dimensions(tuple(leaf.shape) if hasattr(leaf, "shape") else leaf)
    except ValueError as error:
        raise ValueError(f"shapes at {path!r}: {error}") from None
    except TypeError as error:
        raise TypeError(f"shapes at {path!r}: {error}") from None
