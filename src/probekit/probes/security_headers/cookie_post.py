"""Send the declared POST to read the cookies of its answer; it changes the target, so only where this is allowed."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from probekit.probe import Answer, Context, Failure, ProbeFailedError, Reason, SecretRef, Settings, UrlPath
from probekit.probes.security_headers.rules import cookies_set

_REFUSED: Final = (401, 403)


class CookiePost(Settings):
    """A POST that sets cookies, such as the log-in of a canary user."""

    path: UrlPath = Field(description="Path below the environment's base_url.")
    body: SecretRef | None = Field(None, description="Reference to the body; default: an empty body.")
    content_type: Literal["application/x-www-form-urlencoded", "application/json"] = Field(
        "application/x-www-form-urlencoded", description="Media type of the body."
    )

    @property
    def name(self) -> str:
        """Its name in messages, without the query, which may be a secret."""
        return f"POST {self.path.partition('?')[0]}"


async def send(post: CookiePost, context: Context) -> Answer | Failure:
    """Return the answer, which sets at least one cookie, or why there is none; sent once, redirects not followed."""
    if "canary-write" not in context.allow:
        detail = (
            f'{post.name} is not sent because it changes the target: add allow = ["canary-write"] to the environment'
        )
        return Failure(reason=Reason.MISSING_SETTING, detail=detail)
    url = context.base_url.rstrip("/") + post.path
    try:
        body = context.reveal(post.body).encode() if post.body else b""
        answer = await context.http.post(url, body, {"Content-Type": post.content_type})
    except ProbeFailedError as error:
        return Failure(reason=error.reason, detail=f"{post.name}: {error.detail}")
    if answer.refuses_request:
        return Failure(reason=Reason.ACCESS_DENIED, detail=f"{post.name}: {answer.access_denied().detail}")
    if not (answer.is_success or answer.is_redirect):
        reason = Reason.REFUSED_CREDENTIALS if answer.status in _REFUSED else Reason.BAD_RESPONSE
        return Failure(reason=reason, detail=f"{post.name} answers {answer.status}: check its body")
    if not cookies_set(answer, context.now()):
        detail = f"{post.name} answers {answer.status} and sets no cookie: check its body"
        return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
    return answer
