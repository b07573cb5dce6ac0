"""Send the requests that a page of an origin would cause: preflights where a browser sends them, and the request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from probekit.probe import Answer, Context, ProbeFailedError, Reason
from probekit.probes.cors.reply import Reply, is_unsafe_header, needs_preflight
from probekit.probes.cors.settings import CorsProbe

_UNDECLARED: Final = ("DELETE", "PUT", "PATCH")  # methods to ask for though they are not declared, the worst first
_REFUSED: Final = (401, 403)
_NOT_FOUND: Final = 404
_NO_SUCH_METHOD: Final = (405, 501)


async def ask_as_allowed(config: CorsProbe, context: Context, origin: str) -> list[Reply]:
    """Send the preflights that a browser would send, one for an undeclared method, and the request.

    A method that an earlier preflight allows is not asked for again, because browsers keep the list. The preflight for
    an undeclared method is sent if no other is needed, or with `strict`, to read undeclared permissions.
    """
    replies, left = list[Reply](), _methods_with_preflight(config)
    while left:
        reply = await _preflight(config, context, origin, left[0])
        replies.append(reply)
        left = [method for method in left[1:] if not reply.allows_method(method, credentials=config.credentials)]
    beyond = next((method for method in _UNDECLARED if method not in config.methods), None)
    if beyond and (config.strict or not replies):
        replies.append(await _preflight(config, context, origin, beyond, counts=False))
    return [*replies, await _request(config, context, origin)]


async def ask_as_foreign(config: CorsProbe, context: Context, origin: str) -> list[Reply]:
    """Send one preflight, for a method that needs one, and the request."""
    needed = _methods_with_preflight(config)
    preflight = await _preflight(config, context, origin, [*needed, *_UNDECLARED][0], counts=bool(needed))
    return [preflight, await _request(config, context, origin)]


def _methods_with_preflight(config: CorsProbe) -> list[str]:
    """The methods that need a preflight: the unsafe ones, or with unsafe headers the first one."""
    unsafe: list[str] = [method for method in config.methods if needs_preflight(method)]
    return unsafe or ([config.methods[0]] if any(map(is_unsafe_header, config.headers)) else [])


async def _preflight(config: CorsProbe, context: Context, origin: str, method: str, *, counts: bool = True) -> Reply:
    names = sorted({name.lower() for name in config.headers if is_unsafe_header(name)})
    asked = {"Access-Control-Request-Headers": ",".join(names)} if names else {}
    headers = {"Origin": origin, "Access-Control-Request-Method": method, **asked}
    answer = await context.http.get(config.target(context.base_url), method="OPTIONS", headers=headers)
    return Reply(origin=origin, answer=_readable(answer), method=method, counts=counts)


async def _request(config: CorsProbe, context: Context, origin: str) -> Reply:
    """Send the request itself: HEAD if it is declared and GET is not, because probekit must not change data."""
    method = "HEAD" if "HEAD" in config.methods and "GET" not in config.methods else "GET"
    url = config.target(context.base_url)
    answer = _readable(await context.http.get(url, method=method, headers={"Origin": origin}))
    if answer.status == _NOT_FOUND or answer.is_redirect:
        detail = f"{answer.status} for {answer.url} from {answer.address}: set path to a route that answers directly"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return Reply(origin=origin, answer=answer, method=None)


def _readable(answer: Answer) -> Answer:
    """Return an answer that can be judged; a 401, a 403 and a 501 can, because a browser's script would get them."""
    if answer.refuses_request:
        raise answer.access_denied()
    if answer.is_server_error and answer.status not in _NO_SUCH_METHOD:
        detail = f"server error {answer.status} for {answer.url} from {answer.address}"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return answer


async def require_access(config: CorsProbe, context: Context, replies: Sequence[Reply]) -> None:
    """Require an answer that depends on origins.

    Raises:
        ProbeFailedError: `access_denied`: all answers are 401 or 403 without a CORS header, and so is the answer to a
            request without an Origin, so the refusal is not about origins.
    """
    counted = [reply for reply in replies if reply.counts]
    if any(reply.has_cors_headers for reply in replies) or any(r.answer.status not in _REFUSED for r in counted):
        return
    answer = await context.http.get(config.target(context.base_url))
    if answer.denies_access:
        raise answer.access_denied()


def require_route(config: CorsProbe, replies: Sequence[Reply]) -> None:
    """Require a route with a GET or a HEAD, the only methods that are sent.

    Where origins are named, a declared GET that the route does not have is a violation; where no origin is allowed,
    the missing answer must not pass for a refusal of origins.

    Raises:
        ProbeFailedError: `bad_response`: it has neither, and neither was declared, or no origin is allowed.
    """
    requests = [reply for reply in replies if reply.method is None]
    has_none = all(reply.answer.status in _NO_SUCH_METHOD for reply in requests)
    is_due = bool({"GET", "HEAD"} & {*config.methods}) and not config.is_closed
    relevant = replies if config.is_closed else requests
    if has_none and not is_due and not any(reply.has_cors_headers for reply in relevant):
        answer = requests[0].answer
        detail = f"{answer.status} for GET {answer.url}: set path to a route with a GET, the only method that is sent"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
