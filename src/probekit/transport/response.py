"""One complete answer, and whether the target or an intermediary sent it."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.transport.body import text_of
from probekit.transport.urls import Address

_IDENTITY: Final = "configure connect.headers"
_ACCESS_DENIED: Final = {  # statuses that deny the request (RFC 9110 section 15), and what to do
    401: _IDENTITY,
    403: _IDENTITY,
    407: "configure connect.proxy",
    408: "the server did not wait for the request; verify again",
    421: "the server does not serve this host name; check base_url and connect.resolve",
    426: "the server requires another protocol",
    429: "check throttle; for a standby, add this status to assertions",
    431: "the request headers are too large; check connect.headers",
    451: "unavailable for legal reasons",
    501: "the server does not support the request method",
    505: "the server does not support HTTP/1.1",
    511: "the runner's network requires a sign-in (RFC 6585 section 6)",
}
_NOT_DENIED: Final = {408: "request timeout", 429: "rate limited"}  # refused for another reason than access
_OF_ANY_PAGE: Final = (407, 408, 421, 429, 431, 505, 511)  # refused for every path and every client
_BAD_REQUEST: Final = 400
_REFUSED_CONNECTIONS: Final = {  # pages of nginx and others for an unsuitable connection
    b"plain http request was sent to https port": "the port requires https; check base_url",
    b"no required ssl certificate was sent": "configure connect.client_cert",
    b"ssl certificate error": "check connect.client_cert",
}
_BUSY: Final = 503
_CHALLENGES: Final = (b"cf-chl", b"challenge-platform", b"captcha", b"_incapsula_", b"ddos-guard")
_SIGN_IN: Final = frozenset(
    {"login", "signin", "logon", "sso", "oauth", "oauth2", "authorize", "saml", "saml2", "adfs"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """The durations of the parts of an exchange, in seconds; first byte and response count from the sent request.

    An answer counts from its arrival at this machine, where the kernel reports it, not from when it was read.
    """

    connect: float
    tls: float | None
    first_byte: float
    response: float  # the whole answer
    total: float
    arrived: float  # when the last byte did, by the monotonic clock
    local_delay: float  # until the request was written, without connecting: delay of this process


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The complete final answer to one request."""

    url: str  # without its query
    address: Address
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    phases: Phases

    def header(self, name: str) -> str | None:
        """The first value of a header, None if it was not sent."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text, without a byte order mark."""
        return text_of(self.body)

    @property
    def is_challenge(self) -> bool:
        """Whether a bot protection in front of the target answered with a challenge, by its header or its page."""
        is_marked = self.header("cf-mitigated") == "challenge" or self.header("x-amzn-waf-action") is not None
        is_page = self.status == _BUSY and self.media_type == "text/html"
        return is_marked or (is_page and any(mark in self.body.lower() for mark in _CHALLENGES))

    @property
    def is_sign_in(self) -> bool:
        """Whether it redirects to a sign-in page (RFC 6749 section 4.1.1; SAML 2.0 bindings, section 3.4)."""
        location = (self.header("location") or "") if self.redirect is not None else ""
        path, _, query = location.partition("?")
        parts = path.lower().split("?")[0].split("/")
        words = {re.sub(r"[_-]|\.\w+$", "", part) for part in parts} | set(parts)
        return bool(words & _SIGN_IN) or any(word in query for word in ("SAMLRequest=", "response_type="))

    @property
    def denies_access(self) -> bool:
        """Whether it denies access to probekit instead of answering the request."""
        return self.status in _ACCESS_DENIED or bool(self._refused_connection) or self.is_challenge or self.is_sign_in

    @property
    def refuses_request(self) -> bool:
        """Whether it refuses the request itself, for a kind that treats 401 and 403 as ordinary answers."""
        return self.status in _OF_ANY_PAGE or bool(self._refused_connection) or self.is_challenge

    @property
    def _refused_connection(self) -> str:
        """The fix for a connection that a 400 refuses; empty where it does not."""
        if self.status != _BAD_REQUEST:
            return ""
        body = self.body.lower()
        return next((hint for mark, hint in _REFUSED_CONNECTIONS.items() if mark in body), "")

    def access_denied(self, hint: str = "") -> ProbeFailedError:
        """The error `access_denied`, with the fix."""
        hint = hint or self._refused_connection or _ACCESS_DENIED.get(self.status, _IDENTITY)
        what = _NOT_DENIED.get(self.status, "access denied")
        return ProbeFailedError(Reason.ACCESS_DENIED, f"{what} ({self.status} from {self.address}); {hint}")

    def require_answer(self, expected: Container[int] = ()) -> None:
        """Require an answer of the target itself, or an expected refusal.

        Raises:
            ProbeFailedError: `access_denied`: access denied, or a bot protection in front of the target answered.
        """
        if self.is_challenge or (self.denies_access and self.status not in expected):
            raise self.access_denied()

    @property
    def age(self) -> float:
        """Seconds since a cache received it from the target (RFC 9111 section 5.1); 0 without such a header."""
        first = (self.header("age") or "").partition(",")[0].strip()
        return float(first) if first.isascii() and first.isdigit() else 0.0

    def require_age(self, seconds: float) -> None:
        """Require an answer that is not older.

        Raises:
            ProbeFailedError: `bad_response`: an older answer from a cache.
        """
        if self.age > seconds:
            detail = f"a cache returned a response that is {self.age:.0f} s old ({self.status} from {self.address})"
            hint = f'bypass the cache, or accept it with max_age = "{self.age:.0f}s"'
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}; {hint}")

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx (RFC 9110 section 15.3)."""
        return self.status // 100 == 2  # noqa: PLR2004  # the class of the status

    @property
    def is_redirect(self) -> bool:
        """Whether the status is 3xx (RFC 9110 section 15.4), which browsers do not show."""
        return self.status // 100 == 3  # noqa: PLR2004  # see above

    @property
    def is_server_error(self) -> bool:
        """Whether the status is 5xx (RFC 9110 section 15.6)."""
        return self.status // 100 == 5  # noqa: PLR2004  # see above

    @property
    def redirect(self) -> str | None:
        """The target of a 3xx, without its query."""
        location = self.header("location") if self.is_redirect else None
        return location.partition("?")[0] if location else None
