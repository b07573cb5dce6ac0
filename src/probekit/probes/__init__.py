"""The kinds: the built-in ones, one file or folder each, and those that other packages install."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import Any, TypeGuard

from probekit.probe import Kind

GROUP = "probekit.probes"
AnyKind = Kind[Any]


def kind_names() -> tuple[str, ...]:
    """The names of all installed kinds, sorted; none is imported."""
    return tuple(sorted({*_own(), *_foreign()}))


def is_kind_installed(name: object) -> TypeGuard[str]:
    """Whether a kind of that name is installed; other packages are searched only if it is not built in."""
    return isinstance(name, str) and (name in _own() or name in _foreign())


def load_kind(name: str) -> AnyKind:
    """Import and return the kind of that name.

    Raises:
        KeyError: no such kind is installed.
        TypeError: a package installs something else under that name.
    """
    kind = import_module(f"{__name__}.{name}").KIND if name in _own() else _foreign()[name].load()
    if not isinstance(kind, Kind):
        message = (
            f"kind '{name}' cannot be used: its package installs a {type(kind).__name__}, not a probekit.probe.Kind"
        )
        raise TypeError(message)
    return kind


@cache
def _own() -> frozenset[str]:
    return frozenset(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


@cache
def _foreign() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in _own()}
