"""Readings of a role that may not be allowed to see other roles' sessions."""

from __future__ import annotations

from typing import Final

from probekit.model.readings import Reading
from probekit.probe import Exact, Failure, Reason
from probekit.probes.postgres.session import Session

Found = tuple[dict[str, Reading | Failure], str]  # readings, and a summary for the report
BLIND: Final = "the role cannot see other roles' sessions: GRANT pg_monitor to it, inherited"


def visible(session: Session, count: int) -> Reading | Failure:
    """Return the count; 0 is a reading only where the role could see everything."""
    if not count and not session.server["full_visibility"]:
        return Failure(reason=Reason.NOT_PERMITTED, detail=BLIND)
    return Exact(count)
