"""The kinds: the package's own, one file each, and those that other packages bring."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import Any, TypeGuard

from probekit.probe import Kind

GROUP = "probekit.probes"
AnyKind = Kind[Any]  # whatever its settings are


def kind_names() -> tuple[str, ...]:
    """Every kind that is installed, sorted; none is imported."""
    return tuple(sorted({*_own(), *_foreign()}))


def is_kind_installed(name: object) -> TypeGuard[str]:
    """Whether there is a kind of that name; other packages' are looked up only where it is not our own."""
    return isinstance(name, str) and (name in _own() or name in _foreign())


def load_kind(name: str) -> AnyKind:
    """The kind of that name, imported now.

    Raises:
        KeyError: no such kind is installed.
        TypeError: a package offers something that is no kind.
    """
    kind = import_module(f"{__name__}.{name}").KIND if name in _own() else _foreign()[name].load()
    if not isinstance(kind, Kind):
        message = f"what is installed as kind '{name}' is a {type(kind).__name__}, not a probekit.probe.Kind"
        raise TypeError(message)
    return kind


@cache
def _own() -> frozenset[str]:
    return frozenset(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


@cache
def _foreign() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in _own()}
