"""Facts of a kind for `explain` and docs/kinds.md: its summary, cost, limits and settings."""

from __future__ import annotations

import inspect
import json
import tomllib
from collections.abc import Iterator
from typing import get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from probekit.checklist import Checklist
from probekit.model.numbers import count
from probekit.model.quantity import duration_text
from probekit.probe import is_duration
from probekit.probes import AnyKind


def speaks_of(kind: AnyKind) -> str:
    """Return the kind's summary: the first line of its module's docstring."""
    return (inspect.getdoc(inspect.getmodule(kind.measure or kind.sample)) or "").partition("\n")[0]


def cost(kind: AnyKind) -> str:
    """Return the most requests of one measurement with the example's settings, and the most that it sends as load."""
    example = kind.configure(tomllib.loads(kind.example))
    by_settings = ", depending on its settings (here: the example's)"
    most = f"at most {count(example.requests, 'request')} per measurement"
    load = f"; if load is allowed, at most {example.load.requests:,}{by_settings}" if example.load else ""
    return most + (by_settings if callable(kind.requests) else "") + load


def default_limits(kind: AnyKind) -> str:
    """Return the default limits of a user's own check of this kind, with the example's settings."""
    example = kind.configure(tomllib.loads(kind.example))
    return " and ".join(example.default_limits) or "none: write them in 'expect'"


def table(kind: AnyKind, checklist: Checklist, *, probe: str = "") -> str:
    """Return the kind's example as a table of probes.toml, for that probe, else for the first that it fills."""
    known = [one for one in kind.fills if one in checklist.probes]
    return f"[env.prod.probes.{probe or next(iter(known), 'NAME')}]\n{kind.example}"


def settings(kind: AnyKind) -> Iterator[tuple[str, str, str]]:
    """Yield every setting of the kind: its key, "required" or its default in TOML, and its description."""
    for key, default, meaning in _settings(kind.config):
        if key != "kind":
            yield key, default, meaning


def _settings(table: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    """Yield the settings of one table, and after a list of tables the settings of its entries."""
    for key, field in table.model_fields.items():
        name = field.alias or key
        yield name, "required" if field.is_required() else _written(field), field.description or ""
        for inner in get_args(field.annotation):
            if isinstance(inner, type) and issubclass(inner, BaseModel) and get_origin(field.annotation) in _LISTS:
                yield from ((f"{name}[].{key}", default, meaning) for key, default, meaning in _settings(inner))


_LISTS = (list, tuple)


def _written(field: FieldInfo) -> str:
    if field.default is None:
        return "none"
    if is_duration(field):
        return f'"{duration_text(field.default)}"'
    return json.dumps(field.default, default=str)
