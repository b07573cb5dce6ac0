"""A checked configuration: environments with their items and probes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from probekit.checklist import Checklist, ProbeRequirement
from probekit.config.dotenv import Dotenv
from probekit.config.origins import Origins
from probekit.config.settings import Environment
from probekit.model.checklist import Item
from probekit.probe import ConfiguredKind
from probekit.toml_file import FileProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """One probe instance and the kind that fills it, with its settings."""

    probe: str
    instance: str
    source: ConfiguredKind


def sources_by_probe(configured: Iterable[Configured]) -> Mapping[str, Sequence[ConfiguredKind]]:
    """The kinds of each configured probe, one for each instance."""
    found: dict[str, list[ConfiguredKind]] = {}
    for one in configured:
        found.setdefault(one.probe, []).append(one.source)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One environment, with its items and probes in their final form."""

    name: str
    environment: Environment
    items: tuple[Item, ...]  # in scope, with this environment's limits
    not_applicable: Mapping[str, str]  # item id -> reason
    probes: tuple[Configured, ...]
    checklist: Checklist  # the file's checklist with the environment's own checks


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A checked configuration."""

    path: Path
    origins: Origins = field(repr=False)  # where each value was written
    written: Mapping[str, Any] = field(
        repr=False
    )  # the document that the models read: merged, with the values of variables
    digest: str  # SHA-256 of that
    checklist: Checklist
    targets: Mapping[str, Target]
    unset: Mapping[str, tuple[FileProblem, ...]]  # environments with a variable that is not set
    dotenv: Dotenv

    @property
    def environments(self) -> tuple[str, ...]:
        """The names of all environments, including those with a variable that is not set."""
        return tuple(name for name in self.origins.document.value["env"])

    @property
    def whole_checklist(self) -> Checklist:
        """The checklist with the own checks of all environments, the first of each name."""
        known = {item.id: item for item in self.checklist.items}
        own: dict[str, Item] = {}
        probes: dict[str, ProbeRequirement] = {}
        for target in self.targets.values():
            own |= {item.id: item for item in target.checklist.items if item.id not in known | own}
            probes |= {name: one for name, one in target.checklist.probes.items() if name not in probes}
        return self.checklist.with_own(
            {name: probes[name] for name in probes.keys() - self.checklist.probes.keys()}, tuple(own.values())
        )
