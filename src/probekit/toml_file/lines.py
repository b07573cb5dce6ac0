"""Find the line of a key in a TOML file with tree-sitter, which is loaded only to report a mistake."""

from __future__ import annotations

import tomllib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Node

Keys = Sequence[str | int]
_Path = tuple[str | int, ...]
_DEEPEST: Final = 64  # parts of a key; a deeper key has the line of its parent


def line_of(text: str, keys: Keys) -> int | None:
    """The line of a key, counted from 1, or of its nearest parent; None for the whole document."""
    lines = _lines(text)
    return next((lines[path] for path in _upwards(keys) if path in lines), None)


def _upwards(keys: Keys) -> Iterator[_Path]:
    """The path and its parents, nearest first."""
    return (tuple(keys[:length]) for length in range(min(len(keys), _DEEPEST), 0, -1))


@lru_cache(maxsize=64)  # each mistake asks; a configuration has up to 33 files and a checklist
def _lines(text: str) -> Mapping[_Path, int]:
    """The line of every key; a key that longer ones imply, such as `a` in `[a.b]`, has the line of the first."""
    import tree_sitter_toml  # noqa: PLC0415  # only a mistake needs it
    from tree_sitter import Language, Parser  # noqa: PLC0415  # see above

    root = Parser(Language(tree_sitter_toml.language())).parse(text.encode(errors="replace")).root_node
    named: dict[_Path, int] = {}
    implied: dict[_Path, int] = {}
    for path, node in _paths(root):
        line = node.start_point[0] + 1
        named.setdefault(path, line)
        for parent in _upwards(path[:-1]):
            implied.setdefault(parent, line)
    return implied | named


def _paths(root: Node) -> Iterator[tuple[_Path, Node]]:
    """Every path in the document with its first node; without recursion, because a file may nest to any depth."""
    counts: dict[_Path, int] = {}
    waiting: deque[tuple[_Path, Node]] = deque([((), root)])
    while waiting:
        base, node = waiting.popleft()
        if len(base) >= _DEEPEST:
            continue
        children = [child for child in node.named_children if child.type != "comment"]
        if node.type == "array":
            found = [((*base, number), child) for number, child in enumerate(children)]
            yield from found
            waiting += found
            continue
        if children and node.type in ("table", "table_array_element"):
            base = _in_arrays(_names(children[0]), counts, begins=node.type == "table_array_element")
            yield base, node
        elif children and node.type == "pair":
            base = (*base, *_names(children[0]))
            yield base, node
        waiting += [(base, child) for child in children]


def _in_arrays(names: _Path, counts: dict[_Path, int], *, begins: bool) -> _Path:
    """A table's path with the index of each array element that contains it."""
    path: _Path = ()
    for depth, name in enumerate(names, start=1):
        path = (*path, name)
        if begins and depth == len(names):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _names(key: Node) -> _Path:
    """The parts of a bare, quoted or dotted key; of a longer one, the first `_DEEPEST`."""
    names: deque[str] = deque(maxlen=_DEEPEST)
    waiting = [key]
    while waiting:  # the node of a dotted key contains the dotted key without its last part
        node = waiting.pop()
        if node.type == "dotted_key":
            waiting += node.named_children
        else:
            names.appendleft(_name(node))
    return tuple(names)


def _name(key: Node) -> str:
    text = (key.text or b"").decode(errors="replace")
    if key.type != "quoted_key":
        return text
    try:
        return next(iter(tomllib.loads(f"{text} = 0")))
    except ValueError:  # the rest of an invalid file
        return text
