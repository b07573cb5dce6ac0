"""What a kind says of itself: its question, cost, limits and settings; for `explain` and for docs/kinds.md."""

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
    """The question that the kind answers: the first line of its file."""
    return (inspect.getdoc(inspect.getmodule(kind.measure or kind.sample)) or "").partition("\n")[0]


def cost(kind: AnyKind) -> str:
    """Requests of one measurement, by the example's settings where they tell, and what it may send as load."""
    example = kind.configure(tomllib.loads(kind.example))
    by_settings = ", by its settings (here: the example's)"
    most = f"at most {count(example.requests, 'request')} a measurement"
    load = f"; where load is allowed, at most {example.load.requests:,}{by_settings}" if example.load else ""
    return most + (by_settings if callable(kind.requests) else "") + load


def default_limits(kind: AnyKind) -> str:
    """Return what a probe of a user's own of this kind expects, by the example's settings."""
    example = kind.configure(tomllib.loads(kind.example))
    return " and ".join(example.default_limits) or "none: state them in 'expect'"


def table(kind: AnyKind, checklist: Checklist, *, probe: str = "") -> str:
    """The kind's example as it stands in probes.toml: under that probe, else under the one that it fills best."""
    known = [one for one in kind.fills if one in checklist.probes]
    return f"[env.prod.probes.{probe or next(iter(known), 'NAME')}]\n{kind.example}"


def settings(kind: AnyKind) -> Iterator[tuple[str, str, str]]:
    """Every setting of the kind's own: its key, "required" or its default as probes.toml says it, and its meaning."""
    for key, default, meaning in _settings(kind.config):
        if key != "kind":
            yield key, default, meaning


def _settings(table: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    """The settings of one table, each with those of its entries where it is a list of tables."""
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
