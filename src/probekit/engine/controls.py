"""Controls: URLs outside the target that show whether the runner's network works."""

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
    """Return whether at least one control itself answers; all are requested at once."""
    return any(await asyncio.gather(*(_answers(control, http, timeout) for control in controls)))


async def _answers(control: ControlUrl, http: Http, timeout: float) -> bool:  # noqa: ASYNC109  # of one exchange
    try:
        answer = await http.probe_client(timeout=timeout).get(control.url)
    except ProbeFailedError as error:
        events().warning("control.silent", reason=error.reason.value, detail=error.detail)
        return False
    is_own = _is_its_own(control, answer)
    if not is_own:
        detail = (
            f"status {answer.status} from {answer.address} may come from a gateway; if it is the control's, declare it"
        )
        events().warning("control.silent", reason="bad_response", detail=detail)
    return is_own


def _is_its_own(control: ControlUrl, answer: Answer) -> bool:
    """Return whether the answer comes from the control itself and not from a gateway on the way.

    A gateway answers plain HTTP with an error or a redirect to its own page. Over TLS the answer is the control's, but
    a 5xx may come from a proxy in front of it and does not count.
    """
    if control.status is not None:
        return answer.status == control.status
    if answer.is_challenge or answer.status in _NETWORK or answer.is_server_error:
        return False
    if control.url.startswith("https://") or answer.is_success:
        return True
    return answer.is_redirect and leads_to_its_host(control.url, answer.header("location") or "")
