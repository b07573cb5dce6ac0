"""The types that a model accepts at a place: texts, numbers, references to secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from probekit.config.connect import SecretFile
from probekit.probe import SecretRef

Types = tuple[Any, ...]  # the types of one place, without unions
_REFERENCES: Final = (SecretRef, SecretFile)


def types_of(annotation: Any) -> Types:  # noqa: ANN401  # a type, or what stands for one
    """The types of an annotation, with `str` where a validator reads the written value itself."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _read_as_text(types_of(arguments[0]), arguments[1:])
    if origin in (Union, UnionType):
        return tuple(found for one in arguments for found in types_of(one))
    return (annotation,)


def inside(types: Types, key: str | int) -> Types:
    """The types of one entry."""
    return tuple(found for one in types for found in _entry(one, key))


def takes_secret(types: Types) -> bool:
    """Whether a reference to a secret is accepted here."""
    return SecretRef in types


def takes_reference(types: Types) -> bool:
    """Whether a table that refers to a secret, or to a file that contains one, is accepted here."""
    return any(one in types for one in _REFERENCES)


def scalar_of(types: Types) -> type | None:
    """The number or bool type that is accepted here, where a text is not; else None."""
    due = [one for one in (bool, int, float) if one in types]
    return due[0] if len(due) == 1 and str not in types else None


def _read_as_text(types: Types, marks: Iterable[object]) -> Types:
    return (*types, str) if any(isinstance(mark, BeforeValidator) for mark in marks) else types


def _entry(one: Any, key: str | int) -> Types:  # noqa: ANN401  # see above
    fields: Mapping[str, FieldInfo] | None = getattr(one, "model_fields", None)
    if fields is not None:
        field = next((field for name, field in fields.items() if key in (field.alias or name, name)), None)
        return _read_as_text(types_of(field.annotation), field.metadata) if field else ()
    origin, arguments = get_origin(one), get_args(one)
    if not arguments or not isinstance(origin, type):
        return ()
    if issubclass(origin, Mapping):
        return types_of(arguments[1])
    return types_of(arguments[0]) if issubclass(origin, Sequence | frozenset | set) else ()
