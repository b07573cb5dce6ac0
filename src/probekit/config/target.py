"""A configuration that was checked: environments with their items and probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from probekit.checklist import Checklist
from probekit.config.dotenv import Dotenv
from probekit.config.settings import Environment
from probekit.model.checklist import Item
from probekit.probe import ConfiguredKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """One probe instance and the kind that fills it, with its settings."""

    probe: str
    instance: str
    source: ConfiguredKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One environment, with its items and probes in their final form."""

    name: str
    environment: Environment
    items: tuple[Item, ...]  # in scope, with this environment's limits
    not_applicable: Mapping[str, str]  # item id -> reason
    probes: tuple[Configured, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a user wrote, checked."""

    path: Path
    text: str = field(repr=False)
    digest: str  # SHA-256 of the file
    checklist: Checklist
    targets: Mapping[str, Target]
    dotenv: Dotenv
