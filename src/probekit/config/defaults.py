"""The defaults of settings, in the form of a configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from probekit.model.quantity import duration_text
from probekit.probe import is_duration

Defaults = Mapping[str, object]  # None: no value; a model: a table of settings


def defaults_of(model: type[BaseModel]) -> Defaults:
    """The default of each setting that is not required."""
    fields = {field.alias or name: field for name, field in model.model_fields.items() if not field.is_required()}
    return {key: _written(field, field.get_default(call_default_factory=False)) for key, field in fields.items()}


def values_of(settings: BaseModel) -> Defaults:
    """The value of each setting of a table that is itself a default."""
    fields = type(settings).model_fields
    return {field.alias or name: _written(field, getattr(settings, name)) for name, field in fields.items()}


def _written(field: FieldInfo, value: object) -> object:
    return duration_text(value) if is_duration(field) and isinstance(value, int | float) else _plain(value)


def _plain(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case PurePath():
            return str(value)
        case list() | tuple():
            return [_plain(part) for part in value]
        case set() | frozenset():
            return sorted(map(_plain, value), key=str)
        case Mapping():
            return {name: _plain(part) for name, part in value.items()}
    return value
