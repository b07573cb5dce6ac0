"""The versions that may be served, by the command line, the configuration and the deployments on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from probekit.config.target import Target
from probekit.model.history import History
from probekit.model.plan import Versions
from probekit.model.verdict import Stage
from probekit.probe import ConfiguredKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequest:
    """The release to verify: its version, its stage, and the deployments on record."""

    version: str | None = None  # of the command line, which precedes the mark and the configuration
    stage: Stage = Stage.AFTER
    history: History = field(default_factory=History)

    def versions(self, guards: Sequence[ConfiguredKind]) -> Versions:
        """Return the versions that may be served now.

        Before a deployment, the release on record is expected, if there is one. After a rollback, the previous release
        is expected, and never the rolled back one. While a deployment is under way, the previous release is also
        accepted.
        """
        declared = tuple(dict.fromkeys(chain.from_iterable(guard.versions.expected for guard in guards)))
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
    def subject(self) -> str | None:
        """The release that the run is about, if it is named; None before its deployment."""
        if self.stage is Stage.ROLLED_BACK:
            return self.version or self._previous
        is_known = self._is_under_way or self.stage is not Stage.BEFORE
        return self.version or (self._marked if is_known else None)

    @property
    def _marked(self) -> str | None:
        return self.history.deployment.release if self.history.deployment else None

    @property
    def _is_under_way(self) -> bool:
        return self.history.deployment is not None and self.history.deployment.finished is None

    @property
    def _previous(self) -> str | None:
        return self.history.previous_release

    @property
    def _served_before(self) -> str | None:
        """The release served before a deployment: that of the last finished deployment."""
        return self._previous if self._is_under_way else self._marked


def declared_release(target: Target) -> str | None:
    """Return the one release that the configuration expects; None if it names none or several."""
    guards = [one.source for one in target.probes if target.checklist.probes[one.probe].release_guard]
    expected = set(chain.from_iterable(guard.versions.expected for guard in guards))
    return expected.pop() if len(expected) == 1 else None


def _known(version: str | None) -> tuple[str, ...]:
    return (version,) if version else ()
