"""Keys by path: one for each leaf of nested dicts, lists and tuples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from keyrng._core.arguments import short_repr
from keyrng._keys.derive import Key, check_key, fold_in, is_integer

Tree: TypeAlias = Any  # a leaf, or a dict, list or tuple of trees


def keys_like(key: Key, tree: Tree) -> Tree:
    """Return a tree of keys with the structure of ``tree``, one key per leaf.

    Parameters
    ----------
    key : Key
        A key, or an array of keys, which is then at each leaf.
    tree : dict, list or tuple
        Nested dicts, whose keys are str, lists and tuples. Everything else is a leaf, and so are the empty tuple and
        tuples and lists of integers, because these are shapes. The values of leaves are ignored.

    Returns
    -------
    dict, list or tuple
        The tree with ``fold_in(key, path)`` at each leaf, as in ``fold_in(key, "encoder/0/weight")``.

    Raises
    ------
    TypeError
        If a key of a dict is not a str.
    ValueError
        If the tree is nested too deeply.

    See Also
    --------
    fold_in : The key of one name.
    keyrng.initializers.init_tree : A tree of initial weights.

    Notes
    -----
    A path consists of the keys of dicts and the positions in lists and tuples, from 0, separated by ``/``. In a name
    ``~`` is written ``~0`` and ``/`` is written ``~1``, as in JSON pointers (RFC 6901), so that the paths of a tree are
    distinct. A key depends on nothing else, neither on the order of a dict nor on the other leaves.

    Examples
    --------
    >>> import keyrng
    >>> key = keyrng.key(42)
    >>> keys = keyrng.keys_like(key, {"encoder": [{"weight": (3, 4), "bias": (4,)}], "decoder": (4, 3)})
    >>> bool(keys["encoder"][0]["weight"] == keyrng.fold_in(key, "encoder/0/weight"))
    True
    """
    check_key(key)
    return map_with_path(lambda path, leaf: fold_in(key, path), tree)


def map_with_path(function: Callable[[str, Any], Any], tree: Tree) -> Tree:
    """Apply ``function(path, leaf)`` to each leaf of a tree."""
    try:
        return _mapped(function, tree, ())
    except RecursionError:
        raise ValueError("tree is nested too deeply or contains itself") from None


def _mapped(function: Callable[[str, Any], Any], tree: Tree, path: tuple[str, ...]) -> Tree:
    if isinstance(tree, Mapping):
        return {name: _mapped(function, part, (*path, escaped_name(name, path))) for name, part in tree.items()}
    if isinstance(tree, (list, tuple)) and not _is_shape(tree):
        parts = [_mapped(function, part, (*path, str(i))) for i, part in enumerate(tree)]
        if isinstance(tree, list):
            return parts
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    return function("/".join(path), tree)


def _is_shape(tree: list[Any] | tuple[Any, ...]) -> bool:
    return all(map(is_integer, tree)) and (bool(tree) or isinstance(tree, tuple))


def escaped_name(name: object, path: tuple[str, ...]) -> str:
    if not isinstance(name, str):
        where = f" under {'/'.join(path)!r}" if path else ""
        raise TypeError(f"names in a tree must be str, got {short_repr(name)}{where}; use str(name)")
    return name.replace("~", "~0").replace("/", "~1")
