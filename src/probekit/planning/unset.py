"""Secrets and files that a configuration names and that are missing; their contents are never shown."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from pydantic import BaseModel

from probekit.config.secrets import SecretResolver
from probekit.config.target import Config, Target
from probekit.model.measurement import ProbeFailedError
from probekit.model.plan import Step
from probekit.probe import ConfiguredKind, SecretRef
from probekit.redaction import Redactor
from probekit.transport.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One reference to a secret in the configuration."""

    secret: SecretRef
    place: str  # the key in probes.toml, below the environment
    probe: str | None  # the probe that uses it; None: all probes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unset:
    """A reference whose secret is missing, and why."""

    reference: Reference
    why: str


def references(target: Target, probes: Container[str]) -> Iterator[Reference]:
    """Yield every reference to a secret in the environment's connections and in the named probes."""
    connect = target.environment.connect
    for place, secret in _places(connect, "connect"):
        yield Reference(secret=secret, place=place, probe=None)
    for one in target.probes:
        if one.probe in probes:
            name = f"{one.probe}.{one.instance}" if one.instance else one.probe
            for place, secret in _places(one.source.config, f"probes.{name}"):
                yield Reference(secret=secret, place=place, probe=one.probe)


def _places(settings: object, place: str) -> Iterator[tuple[str, SecretRef]]:
    """Yield every reference in settings, with its key."""
    match settings:
        case SecretRef():
            yield place, settings
        case BaseModel():
            for name, value in settings:
                yield from _places(value, f"{place}.{name}")
        case Mapping():
            for name, value in settings.items():
                yield from _places(value, f"{place}.{name}")
        case list() | tuple():
            for part in settings:
                yield from _places(part, place)


def unset(config: Config, found: Iterable[Reference], variables: Mapping[str, str]) -> Iterator[Unset]:
    """Yield the references whose variable or file is missing, empty or unreadable; a pipe is left to the run."""
    folder = config.path.absolute().parent
    resolver = SecretResolver(folder=folder, variables=variables, dotenv=config.dotenv, redactor=Redactor())
    for reference in found:
        if is_piped(reference.secret, folder):
            continue
        try:
            resolver.reveal(reference.secret)
        except ProbeFailedError as error:
            yield Unset(reference=reference, why=error.detail)


def is_piped(secret: SecretRef, folder: Path) -> bool:
    """Return whether a secret comes from a pipe, which can be read only once, by the run."""
    if secret.file is None:
        return False
    try:
        mode = (folder / secret.file).stat().st_mode
    except (OSError, ValueError):
        return False
    return not (S_ISREG(mode) or S_ISDIR(mode))


def unusable_trust(config: Config, target: Target, steps: Iterable[Step[ConfiguredKind]]) -> str | None:
    """Return why `connect.ca` or `connect.client_cert` cannot be used; None if they can, or are not needed."""
    connect, folder = target.environment.connect, config.path.absolute().parent
    urls = [target.environment.base_url, *(getattr(step.source.config, "url", None) for step in steps)]
    is_needed = any(isinstance(url, str) and url.startswith("https://") for url in urls)
    if not (is_needed and (connect.ca or connect.client_cert)):
        return None
    try:
        _ = Trust(
            ca=folder / connect.ca if connect.ca else None,
            client_cert=folder / connect.client_cert if connect.client_cert else None,
        ).context
    except ProbeFailedError as error:
        return error.detail
    return None
