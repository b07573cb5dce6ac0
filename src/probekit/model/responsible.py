"""Who deployed a release, and who reviewed it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Responsible:
    """Who deployed a release, and who reviewed it."""

    deployed_by: str | None = None
    reviewed_by: str | None = None

    def completed(self, other: Responsible) -> Responsible:
        """A copy with the names of the other where this one has none."""
        return Responsible(
            deployed_by=self.deployed_by or other.deployed_by, reviewed_by=self.reviewed_by or other.reviewed_by
        )
