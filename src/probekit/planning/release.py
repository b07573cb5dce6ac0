"""Which versions may be served: by the command line, the configuration and the deployments on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from probekit.model.history import History
from probekit.model.plan import Versions
from probekit.model.verdict import Stage
from probekit.probe import ConfiguredKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequest:
    """What is said of the release: its version, where it stands, and the deployments on record."""

    version: str | None = None  # instead of those that a release guard expects
    stage: Stage = Stage.AFTER
    history: History = field(default_factory=History)

    def versions(self, guards: Sequence[ConfiguredKind]) -> Versions:
        """The versions that may be served now.

        Before a deployment the previous release is expected, and none where none is on record. While a deployment is
        under way the previous release may be served beside the new one.
        """
        deployment = self.history.deployment
        previous = (self.history.previous_release,) if self.history.previous_release else ()
        if self.stage is Stage.BEFORE:
            return Versions(expected=previous)
        declared = chain.from_iterable(guard.versions.expected for guard in guards)
        expected = (self.version,) if self.version else tuple(dict.fromkeys(declared))
        beside = previous if deployment is not None and deployment.finished is None else ()
        allowed = dict.fromkeys([*chain.from_iterable(guard.versions.allowed for guard in guards), *beside])
        return Versions(expected=expected, allowed=tuple(one for one in allowed if one not in expected))
