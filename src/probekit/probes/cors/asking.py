"""Ask as a page of some origin would: by preflights where a browser sends them, and by the request itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from probekit.probe import Answer, Context, ProbeFailedError, Reason
from probekit.probes.cors.reply import Reply, is_unsafe_header, needs_leave
from probekit.probes.cors.settings import CorsProbe

_UNDECLARED: Final = ("DELETE", "PUT", "PATCH")  # methods to ask for beyond what was declared, the worst first
_REFUSED: Final = (401, 403)
_NOT_FOUND: Final = 404
_NO_SUCH_METHOD: Final = (405, 501)


async def ask_as_allowed(config: CorsProbe, context: Context, origin: str) -> list[Reply]:
    """The preflights that a browser would send, one for what was not declared, and the request.

    A method that an earlier preflight allows is not asked for again, because browsers keep the list. Without any
    preflight that is needed, or where the table is strict, one more tells what is granted beyond the declared.
    """
    replies, left = list[Reply](), _needing_leave(config)
    while left:
        reply = await _preflight(config, context, origin, left[0])
        replies.append(reply)
        left = [method for method in left[1:] if not reply.allows_method(method, credentials=config.credentials)]
    beyond = next((method for method in _UNDECLARED if method not in config.methods), None)
    if beyond and (config.strict or not replies):
        replies.append(await _preflight(config, context, origin, beyond, counts=False))
    return [*replies, await _request(config, context, origin)]


async def ask_as_foreign(config: CorsProbe, context: Context, origin: str) -> list[Reply]:
    """One preflight for what a browser asks leave for, and the request."""
    needed = _needing_leave(config)
    preflight = await _preflight(config, context, origin, [*needed, *_UNDECLARED][0], counts=bool(needed))
    return [preflight, await _request(config, context, origin)]


def _needing_leave(config: CorsProbe) -> list[str]:
    """The methods that a preflight is for: the unsafe ones, or for unsafe headers any other."""
    unsafe: list[str] = [method for method in config.methods if needs_leave(method)]
    return unsafe or ([config.methods[0]] if any(map(is_unsafe_header, config.headers)) else [])


async def _preflight(config: CorsProbe, context: Context, origin: str, method: str, *, counts: bool = True) -> Reply:
    names = sorted({name.lower() for name in config.headers if is_unsafe_header(name)})
    asked = {"Access-Control-Request-Headers": ",".join(names)} if names else {}
    headers = {"Origin": origin, "Access-Control-Request-Method": method, **asked}
    answer = await context.http.get(config.target(context.base_url), method="OPTIONS", headers=headers)
    return Reply(origin=origin, answer=_readable(answer), method=method, counts=counts)


async def _request(config: CorsProbe, context: Context, origin: str) -> Reply:
    """The request itself: HEAD where that is declared and GET is not, for probekit sends nothing that changes data."""
    method = "HEAD" if "HEAD" in config.methods and "GET" not in config.methods else "GET"
    url = config.target(context.base_url)
    answer = _readable(await context.http.get(url, method=method, headers={"Origin": origin}))
    if answer.status == _NOT_FOUND or answer.is_redirect:
        detail = f"{answer.status} for {answer.url} from {answer.address}: name a route that answers itself"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return Reply(origin=origin, answer=answer, method=None)


def _readable(answer: Answer) -> Answer:
    """The answer; 401 and 403 are answers too, as the browser's script would get them, and 501 to an OPTIONS is."""
    if answer.refuses_request:
        raise answer.access_denied()
    if answer.is_server_error and answer.status not in _NO_SUCH_METHOD:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{answer.status} for {answer.url} from {answer.address}")
    return answer


async def require_access(config: CorsProbe, context: Context, replies: Sequence[Reply]) -> None:
    """Go on unless everything was refused without a word on origins, and is refused without an Origin too.

    Raises:
        ProbeFailedError: `turned_away`: it is, so that nothing can be told of origins.
    """
    counted = [reply for reply in replies if reply.counts]
    if any(reply.speaks_of_origins for reply in replies) or any(r.answer.status not in _REFUSED for r in counted):
        return
    answer = await context.http.get(config.target(context.base_url))
    if answer.denies_access:
        raise answer.access_denied()


def require_route(config: CorsProbe, replies: Sequence[Reply]) -> None:
    """Go on unless the route has no GET or HEAD, which alone are sent, and so no answer on origins.

    Where origins are named, a declared GET that the route does not have is a violation; where nobody is to be let in,
    the missing answer must not pass for a refusal of origins.

    Raises:
        ProbeFailedError: `bad_response`: it has none, and none was declared, or nobody is to be let in.
    """
    requests = [reply for reply in replies if reply.method is None]
    has_none = all(reply.answer.status in _NO_SUCH_METHOD for reply in requests)
    is_due = bool({"GET", "HEAD"} & {*config.methods}) and not config.is_closed
    speaking = replies if config.is_closed else requests
    if has_none and not is_due and not any(reply.speaks_of_origins for reply in speaking):
        answer = requests[0].answer
        detail = f"{answer.status} for GET {answer.url}, and no other method is sent: name a route with a GET"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
