"""Which line of a TOML file is wrong, and what was expected there?"""

from __future__ import annotations

import re
import tomllib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails
    from tree_sitter import Node

LARGEST: Final = 4 << 20  # bytes of a file
Keys = Sequence[str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblem:
    """One mistake: where it is, what was found, what was expected, what to do."""

    file: Path
    line: int | None
    key: str
    found: str
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else str(self.file)
        key = f" {self.key}:" if self.key else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}:{key} {self.found}; expected {self.expected}{hint}"


class ConfigError(Exception):
    """A file cannot be used as it stands."""

    def __init__(self, problems: Iterable[FileProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def read(path: Path) -> dict[str, Any]:
    """The document in a TOML file.

    Raises:
        ConfigError: there is no such file, or it is no TOML.
    """
    return parse(text_of(path), path)


def text_of(path: Path) -> str:
    """The file's text.

    Raises:
        ConfigError: it cannot be read, is no UTF-8 or larger than any configuration.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise _refused(path, f"more than {LARGEST >> 20} MiB", "a configuration")
        return data.decode()
    except OSError as error:
        hint = (
            "name it with --config, or start with the example in the README"
            if isinstance(error, FileNotFoundError)
            else ""
        )
        raise _refused(path, f"it cannot be read: {error.strerror}", "a TOML file", hint) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _refused(path, "it is not UTF-8", "a TOML file", line=line) from error


def parse(text: str, path: Path) -> dict[str, Any]:
    """The document in the text of a TOML file.

    Raises:
        ConfigError: a mistake in its syntax, with its line.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told, _, place = str(error).partition(" (at ")
        line = re.match(r"line (\d+), column (\d+)", place)
        number = int(line[1]) if line else text.count("\n") + 1
        raise _refused(path, told.rstrip("."), "valid TOML (toml.io)", line=number) from error
    except (RecursionError, ValueError) as error:  # ValueError: a number of thousands of digits
        raise _refused(path, "it is nested too deeply, or a number is too long", "valid TOML (toml.io)") from error


def _refused(path: Path, found: str, expected: str, hint: str = "", line: int | None = None) -> ConfigError:
    return ConfigError([FileProblem(file=path, line=line, key="", found=found, expected=expected, hint=hint)])


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?` for the known word that is most like this one, else nothing."""
    close = get_close_matches(word, list(known), n=1)
    return f"did you mean '{close[0]}'?" if close else ""


def line_of(text: str, keys: Keys) -> int | None:
    """The line, counted from 1, on which the value at this path begins, or the nearest parent of one that is missing."""
    import tree_sitter_toml  # noqa: PLC0415  # only a mistake needs it
    from tree_sitter import Language, Parser  # noqa: PLC0415  # see above

    root = Parser(Language(tree_sitter_toml.language())).parse(text.encode()).root_node
    best_depth, best_row = 0, None
    for path, node in _paths(root):
        depth = _shared(path, keys)
        if depth > best_depth and depth == len(path):
            best_depth, best_row = depth, node.start_point[0]
    return None if best_row is None else best_row + 1


def _shared(path: Keys, keys: Keys) -> int:
    """How many parts the two have in common from the start."""
    return next(
        (n for n, (one, other) in enumerate(zip(path, keys, strict=False)) if one != other), min(len(path), len(keys))
    )


def _paths(root: Node) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    """Every path in the document with the node it begins at, without recursion: depth is the writer's."""
    counts: dict[tuple[str | int, ...], int] = {}
    waiting: deque[tuple[tuple[str | int, ...], Node]] = deque([((), root)])
    while waiting:
        base, node = waiting.popleft()
        if node.type in ("table", "table_array_element"):
            base = _names(node.named_children[0])
            base = _in_arrays(base, counts, begins=node.type == "table_array_element")
            yield base, node
        elif node.type == "pair":
            base = (*base, *_names(node.named_children[0]))
            yield base, node
            waiting.append((base, node.named_children[-1]))
            continue
        elif node.type == "array":
            values = [child for child in node.named_children if child.type != "comment"]
            for number, value in enumerate(values):
                yield (*base, number), value
                waiting.append(((*base, number), value))
            continue
        waiting += [(base, child) for child in node.named_children]


def _in_arrays(
    names: tuple[str | int, ...], counts: dict[tuple[str | int, ...], int], *, begins: bool
) -> tuple[str | int, ...]:
    """A table's path with the number of each array element it lies in."""
    path: tuple[str | int, ...] = ()
    for depth, name in enumerate(names):
        path = (*path, name)
        if begins and depth == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _names(key: Node) -> tuple[str | int, ...]:
    """The parts of a bare, quoted or dotted key."""
    if key.type == "dotted_key":
        return tuple(name for child in key.named_children for name in _names(child))
    text = (key.text or b"").decode()
    return (next(iter(tomllib.loads(f"{text} = 0"))) if key.type == "quoted_key" else text,)


def problems(
    error: ValidationError, model: type[BaseModel], path: Path, text: str, prefix: Keys = ()
) -> tuple[FileProblem, ...]:
    """What pydantic found, in our words; what was written is never repeated, for it may be a secret."""
    found = []
    for one in error.errors(include_url=False, include_input=True):
        keys = (*prefix, *one["loc"])
        line, key = line_of(text, keys), ".".join(str(part) for part in keys)
        told, expected, hint = _words(one, model)
        found.append(FileProblem(file=path, line=line, key=key, found=told, expected=expected, hint=hint))
    return tuple(found)


_KINDS: Final = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a table",
}
_DUE: Final = {
    "string_type": "a text",
    "path_type": "a path",
    "date_type": "a date",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


def _words(one: ErrorDetails, model: type[BaseModel]) -> tuple[str, str, str]:
    """What was found, what was expected and what to do for one of pydantic's errors."""
    kind, context, last = one["type"], one.get("ctx", {}), str(one["loc"][-1]) if one["loc"] else ""
    if kind == "extra_forbidden":
        known = sorted(_fields(model, one["loc"][:-1]))
        return f"unknown key '{last}'", f"one of {', '.join(known)}", nearest(last, known)
    if kind == "missing":
        return f"no '{last}'", "it is required", ""
    if kind in _DUE:
        return (
            next((f"{word}" for type_, word in _KINDS.items() if type(one["input"]) is type_), "something else"),
            _DUE[kind],
            "",
        )
    if kind in ("literal_error", "enum"):
        shown = f"'{one['input']}'" if isinstance(one["input"], str) and len(one["input"]) < _SHOWN else "another value"
        return shown, str(context.get("expected", "")), ""
    if kind == "string_pattern_mismatch":
        return "a text that does not fit", f"the pattern {context['pattern']}", ""
    told = one["msg"].removeprefix("Value error, ")
    return told[:1].lower() + told[1:], "something valid", ""


_SHOWN: Final = 30  # characters of a word that stands where one of a few is due


def _fields(model: type[BaseModel] | None, keys: Keys) -> frozenset[str]:
    """The keys that the table at this place may have."""
    named = False  # the next part is a name or a number in a container, not a field
    for part in keys:
        if named or model is None or part not in model.model_fields:
            named = False
            continue
        annotation = model.model_fields[str(part)].annotation
        named = get_origin(annotation) in (dict, list, tuple)
        model = next(_models(annotation), None)
    return frozenset(model.model_fields if model else ())


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401  # a type, or what stands for one
    if hasattr(annotation, "model_fields"):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
