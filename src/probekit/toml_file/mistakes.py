"""What does a pydantic error say, in an operator's words? Never what was written: it may be a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args, get_origin

from probekit.toml_file.lines import Keys, line_of
from probekit.toml_file.problem import FileProblem, nearest

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One error of a document, without the file: where in it, what was found, what was expected, what to do."""

    keys: tuple[str | int, ...]
    found: str
    expected: str
    hint: str = ""


def problems(
    error: ValidationError, model: type[BaseModel], path: Path, text: str, prefix: Keys = ()
) -> tuple[FileProblem, ...]:
    """What pydantic found in the table at `prefix`, in our words and in the order of the file."""
    found = []
    for one in mistakes(error, model, prefix):
        line, key = line_of(text, one.keys), ".".join(str(part) for part in one.keys)
        summary = FileProblem(file=path, line=line, key=key, found=one.found, expected=one.expected, hint=one.hint)
        found.append(summary)
    return tuple(sorted(found, key=lambda problem: problem.line or 0))


def mistakes(error: ValidationError, model: type[BaseModel], prefix: Keys = ()) -> Iterator[Mistake]:
    """What pydantic found in the table at `prefix`, which the model describes."""
    for one in error.errors(include_url=False):
        keys = tuple(part for part in one["loc"] if part != "[key]")
        summary = _summary(one, _described(model, keys), sorted(_known(_inside(model, keys[:-1]))))
        yield Mistake(keys=(*prefix, *keys), found=summary.found, expected=summary.expected, hint=summary.hint)


class _Finding(NamedTuple):
    found: str
    expected: str
    hint: str = ""


_DUE: Final = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "string": "a text",
    "path": "a path",
    "date": "a date",
    "list": "a list",
    "tuple": "a list",
    "dict": "a table",
    "model": "a table",
}
_OF_TYPES: Final = ("_type", "_parsing", "_from_float", "_number")
_BOUNDS: Final = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_READABLE: Final = 60  # characters of a pattern that its description need not stand for
_SHOWN: Final = 30  # characters of a word that stands where one of a few is due


def _summary(one: ErrorDetails, description: str, known: Sequence[str]) -> _Finding:
    """One of pydantic's errors in our words."""
    kind, written = one["type"], one["input"]
    if kind == "extra_forbidden":
        return _Finding("unknown key", f"one of {', '.join(known)}", nearest(str(one["loc"][-1]), known))
    if kind == "missing":
        return _Finding("missing", description, "" if description else "it is required")
    meant = f" ({description})" if description else ""
    due = _DUE.get(kind.partition("_")[0]) if kind.endswith(_OF_TYPES) else None
    if due:
        return _Finding(_shown(written) if "number" in due else _kind_of(written), due + meant)
    if kind == "string_pattern_mismatch":
        pattern = f"one that fits {one['ctx']['pattern']}"
        long = description and len(pattern) > _READABLE
        return _Finding("a text of another form", description if long else pattern + meant)
    return _value_finding(one, meant)


def _value_finding(one: ErrorDetails, meant: str) -> _Finding:
    """An error of a value that is of the right type."""
    kind, written, context = one["type"], one["input"], one.get("ctx", {})
    if kind in ("literal_error", "enum"):
        few = re.findall(r"'([^']*)'", context["expected"])
        is_word = isinstance(written, str) and len(written) <= _SHOWN
        return _Finding(_shown(written, is_word=is_word), context["expected"], nearest(written, few) if is_word else "")
    if kind in _BOUNDS:
        word, name = _BOUNDS[kind]
        return _Finding(_shown(written), f"{word} {context[name]:g}{meant}")
    if kind in ("too_short", "string_too_short"):
        least = context["min_length"]
        things = ("character", "characters") if kind.startswith("string") else ("entry", "entries")
        return _Finding(f"{_kind_of(written)} too short", f"at least {least} {things[least != 1]}{meant}")
    if kind in ("too_long", "string_too_long"):
        return _too_long(written, context["max_length"], context.get("actual_length"), meant)
    if kind == "value_error":
        return _Finding(str(context["error"]), "")
    return _Finding(_kind_of(written), one["msg"].removeprefix("Input should be "))


def _too_long(written: object, most: int, length: int | None, meant: str) -> _Finding:
    """More entries or characters than there may be."""
    things = ("character", "characters") if isinstance(written, str) else ("entry", "entries")
    length = len(written) if isinstance(written, str) else length
    of = f" of {length} {things[1]}" if length else " too long"
    return _Finding(f"{_kind_of(written)}{of}", f"at most {most} {things[most != 1]}{meant}")


def _kind_of(value: object) -> str:
    """What TOML calls it."""
    kinds: Iterable[tuple[type | tuple[type, ...], str]] = (
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "a text"),
        (list, "a list"),
        (dict, "a table"),
        ((date, time), "a date or time"),
    )
    return next((word for type_, word in kinds if isinstance(value, type_)), "something else")


def _shown(value: object, *, is_word: bool = False) -> str:
    """The value itself where it can be no secret: a number where a number is due, one word for another."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.15g}"
    return f"'{value}'" if is_word else _kind_of(value)


def _described(model: type[BaseModel], keys: Keys) -> str:
    """What the model says of the field at this place."""
    fields = getattr(_inside(model, keys[:-1]), "model_fields", {}) if keys else {}
    return next((field.description or "" for name, field in fields.items() if keys[-1] in (name, field.alias)), "")


def _known(annotation: Any) -> Iterator[str]:  # noqa: ANN401  # a type, or what stands for one
    """The keys that a table of this type may have."""
    for name, field in getattr(annotation, "model_fields", {}).items():
        yield field.alias or name


def _inside(annotation: Any, keys: Keys) -> Any:  # noqa: ANN401  # see above
    """The model of what stands at these keys of a table of that type; None where there is no model."""
    for part in keys:
        annotation = _entry(_bare(annotation), part)
    return _bare(annotation)


def _entry(annotation: Any, part: str | int) -> Any:  # noqa: ANN401  # see above
    """The type of one entry of a model, a table or a list."""
    if fields := getattr(annotation, "model_fields", None):
        return next((field.annotation for name, field in fields.items() if part in (name, field.alias)), None)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not arguments or not isinstance(origin, type):
        return None
    return arguments[1] if issubclass(origin, Mapping) else arguments[0]


def _bare(annotation: Any) -> Any:  # noqa: ANN401  # see above
    """The type without `| None` and what annotates it: the part that can have entries."""
    origin = get_origin(annotation)
    if origin is None or (isinstance(origin, type) and issubclass(origin, Mapping | Sequence)):
        return annotation
    return next((bare for part in get_args(annotation) if (bare := _bare(part)) not in (None, type(None))), None)
