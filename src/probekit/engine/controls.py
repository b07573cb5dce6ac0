"""Does this machine's own network work? Controls outside the target tell: where all are silent it may not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from probekit.config.settings import ControlUrl
from probekit.log import events
from probekit.model.measurement import ProbeFailedError
from probekit.transport.client import Http
from probekit.transport.response import Answer
from probekit.transport.urls import leads_to_its_host

_NETWORK: Final = (407, 511)  # a proxy's, and a captive portal's (RFC 6585 section 6)


async def answer_of_any(controls: Sequence[ControlUrl], http: Http, timeout: float) -> bool:  # noqa: ASYNC109  # of one exchange
    """Whether one of them answers as only it would; all are asked at once."""
    return any(await asyncio.gather(*(_answers(control, http, timeout) for control in controls)))


async def _answers(control: ControlUrl, http: Http, timeout: float) -> bool:  # noqa: ASYNC109  # of one exchange
    try:
        answer = await http.probe_client(timeout=timeout).get(control.url)
    except ProbeFailedError as error:
        events().warning("control.silent", reason=error.reason.value, detail=error.detail)
        return False
    is_own = _is_its_own(control, answer)
    if not is_own:
        detail = f"{answer.status} from {answer.address} may be a gateway's: declare the status if it is the control's"
        events().warning("control.silent", reason="bad_response", detail=detail)
    return is_own


def _is_its_own(control: ControlUrl, answer: Answer) -> bool:
    """Whether nobody between us and the control would have given this answer.

    A gateway on the way answers plain HTTP in its own name, with an error or a redirect to a page of its own; over TLS
    only the control itself answers, but a 5xx of what stands before it is no good word.
    """
    if control.status is not None:
        return answer.status == control.status
    if answer.is_challenge or answer.status in _NETWORK or answer.is_server_error:
        return False
    if control.url.startswith("https://") or answer.is_success:
        return True
    return answer.is_redirect and leads_to_its_host(control.url, answer.header("location") or "")
