"""What a role without the rights to see others' sessions leaves open."""

from __future__ import annotations

from typing import Final

from probekit.model.readings import Reading
from probekit.probe import Exact, Failure, Reason
from probekit.probes.postgres.session import Session

Found = tuple[dict[str, Reading | Failure], str]  # readings, and what a reader should know of them
BLIND: Final = "the role does not see others' sessions: GRANT pg_monitor, inherited"


def visible(session: Session, count: int) -> Reading | Failure:
    """What was found counts; having found nothing only counts where everything could be seen."""
    if not count and not session.server["full_visibility"]:
        return Failure(reason=Reason.NOT_PERMITTED, detail=BLIND)
    return Exact(count)
