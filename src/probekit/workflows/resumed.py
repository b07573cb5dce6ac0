"""Whether a start that is marked again resumes the deployment on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from probekit.model.history import POST_DEPLOYMENT, Deployment
from probekit.model.record import Identity
from probekit.workflows.options import RequestError


def resumed(found: Deployment, identity: Identity, at: datetime) -> Deployment | None:
    """Return the latest deployment under way again, with the facts that it lacked; None for a new deployment.

    A deployment that was rolled back is not resumed. One that was finished more than two hours ago is not either:
    failures since then would be attributed to a start that lies before them.

    Raises:
        RequestError: facts of the same release contradict those on record.
    """
    if found.release != identity.release or found.rolled_back is not None:
        return None
    if found.finished is not None and (found.release is None or at - found.finished > POST_DEPLOYMENT):
        return None
    for name, here, there in identity.differences(found.identity):
        raise RequestError(
            f"the deployment of {found.release or 'a release'} is on record with {name} {there}, not {here}: "
            "correct it, or finish that deployment first"
        )
    facts = found.identity.completed(identity)
    return replace(
        found, finished=None, failed=False, commit=facts.commit, images=facts.images, previous=facts.previous
    )
