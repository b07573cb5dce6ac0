"""Translate pydantic errors into messages for operators, without the written value: it may be a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args, get_origin

from probekit.toml_file.lines import Keys
from probekit.toml_file.words import Wrong, finding

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One error of a document: its keys, what was found, what was expected, what to do."""

    keys: tuple[str | int, ...]
    found: str
    expected: str
    hint: str = ""


def mistakes(error: ValidationError, model: type[BaseModel], prefix: Keys = ()) -> Iterator[Mistake]:
    """The errors that pydantic found in the table at `prefix`, described by the model."""
    for one in error.errors(include_url=False):
        keys = tuple(part for part in one["loc"] if part != "[key]")
        wrong = Wrong(
            type=one["type"],
            written=one["input"],
            context=one.get("ctx", {}),
            name=str(keys[-1]) if keys else "",
            description=_described(model, keys),
            known=sorted(_known(_inside(model, keys[:-1]))),
        )
        found, expected, hint = finding(wrong)
        yield Mistake(keys=(*prefix, *keys), found=found, expected=expected, hint=hint)


def _described(model: type[BaseModel], keys: Keys) -> str:
    """The description of the field at these keys."""
    fields = getattr(_inside(model, keys[:-1]), "model_fields", {}) if keys else {}
    return next((field.description or "" for name, field in fields.items() if keys[-1] in (name, field.alias)), "")


def _known(annotation: Any) -> Iterator[str]:  # noqa: ANN401  # a type, or what stands for one
    """The keys that a table of this type may have."""
    for name, field in getattr(annotation, "model_fields", {}).items():
        yield field.alias or name


def _inside(annotation: Any, keys: Keys) -> Any:  # noqa: ANN401  # see above
    """The model at these keys of a table of that type; None where there is no model."""
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
    """The type without `| None` and annotations: the part that can have entries."""
    origin = get_origin(annotation)
    if origin is None or (isinstance(origin, type) and issubclass(origin, Mapping | Sequence)):
        return annotation
    return next((bare for part in get_args(annotation) if (bare := _bare(part)) not in (None, type(None))), None)
