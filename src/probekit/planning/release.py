"""The versions that may be served, by the command line, the configuration and the deployments on record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from probekit.config.target import Target
from probekit.model.history import History
from probekit.model.plan import Versions
from probekit.model.record import Identity
from probekit.model.verdict import Stage
from probekit.probe import ConfiguredKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequest:
    """The release to verify: its version, its stage, what the configuration states, and the deployments on record."""

    version: str | None = None  # of the command line, which precedes the mark and the configuration
    stage: Stage = Stage.AFTER
    configured: Identity = field(default_factory=Identity)
    history: History = field(default_factory=History)
    notes: tuple[str, ...] = ()  # on facts of the configuration that are missing

    def versions(self, guards: Sequence[ConfiguredKind]) -> Versions:
        """Return the versions that may be served now.

        Before a deployment, the release on record is expected, if there is one. After a rollback, the previous release
        is expected, and never the rolled back one. While a deployment is under way, the previous release is also
        accepted.
        """
        declared = _known(self.configured.release) or _expected(guards)
        if self.stage is Stage.BEFORE:
            return Versions(expected=_known(self._served_before))
        if self.stage is Stage.ROLLED_BACK:
            expected = _known(self.version or self._previous)
            gone = tuple(one for one in (self._marked, self.history.declared) if one and one not in expected)
            others = tuple(version for version in declared if version not in gone)
            return Versions(expected=expected or others, rolled_back=gone)
        expected = _known(self.version) or (declared if self._marked in (None, *declared) else _known(self._marked))
        previous = _known(self._previous) if self._is_under_way else ()
        allowed = dict.fromkeys([*chain.from_iterable(guard.versions.allowed for guard in guards), *previous])
        return Versions(expected=expected, allowed=tuple(one for one in allowed if one not in expected))

    @property
    def is_rolled_back(self) -> bool:
        """Whether the run takes place after a rollback."""
        deployment = self.history.deployment
        return self.stage is Stage.ROLLED_BACK or (deployment is not None and deployment.rolled_back is not None)

    @property
    def subject(self) -> str | None:
        """The release that the run is about, if it is named."""
        if self.stage is Stage.ROLLED_BACK:
            return self.version or self._previous
        return self.version or (self._marked if self._has_mark else None) or self.configured.release

    @property
    def identity(self) -> Identity:
        """What is known of that release; facts of another release are left out."""
        if self.stage is Stage.ROLLED_BACK:
            sources = [self.history.previous]
        else:
            marked = [self.history.deployment.identity] if self.history.deployment and self._has_mark else []
            sources = [*marked, self.configured]
        found = Identity(release=self.subject)
        for source in sources:
            if not any(name != "previous release" for name, _, _ in found.differences(source)):
                found = found.completed(source)
        return found

    def contradictions(self, guards: Sequence[ConfiguredKind]) -> Iterator[str]:
        """Yield each fact of the release that command line, deployment mark and configuration state differently."""
        deployment, given = self.history.deployment, Identity(release=self.version)
        if deployment and self.stage is Stage.ROLLED_BACK:
            stated = Identity(release=deployment.previous)
            yield from _differ("the command line", given, "the release before the deployment on record", stated)
            return
        if deployment and self._has_mark:
            yield from _differ("the command line", given, _MARK, deployment.identity)
            yield from _differ("the configuration", self.configured, _MARK, deployment.identity)
        expected = _expected(guards)
        if self.configured.release and expected and self.configured.release not in expected:
            named = " or ".join(expected)
            yield f"release.version is {self.configured.release}, probe 'release' expects {named}"

    @property
    def _marked(self) -> str | None:
        return self.history.deployment.release if self.history.deployment else None

    @property
    def _has_mark(self) -> bool:
        """Whether the deployment on record is the one that the run is about."""
        return self._is_under_way or self.stage is not Stage.BEFORE

    @property
    def _is_under_way(self) -> bool:
        return self.history.deployment is not None and self.history.deployment.is_under_way

    @property
    def _previous(self) -> str | None:
        return self.history.previous_release or self.configured.previous

    @property
    def _served_before(self) -> str | None:
        """The release served before a deployment: that of the last finished deployment, unless it was rolled back."""
        is_gone = self.history.deployment is not None and self.history.deployment.rolled_back is not None
        return self._previous if self._is_under_way or is_gone else self._marked


_MARK: Final = "the deployment on record"


def _differ(one: str, known: Identity, other: str, marked: Identity) -> Iterator[str]:
    for name, here, there in known.differences(marked):
        yield f"{one} names {name} {here}, {other} has {there}"


def _expected(guards: Sequence[ConfiguredKind]) -> tuple[str, ...]:
    """Return the versions that the release probes expect."""
    return tuple(dict.fromkeys(chain.from_iterable(guard.versions.expected for guard in guards)))


def declared_release(target: Target) -> str | None:
    """Return the one release that the configuration expects; None if it names none or several."""
    guards = [one.source for one in target.probes if target.checklist.probes[one.probe].release_guard]
    expected = _expected(guards)
    return expected[0] if len(expected) == 1 else None


def _known(version: str | None) -> tuple[str, ...]:
    return (version,) if version else ()
