"""One answer, read to its end, and what its status and headers say of who sent it."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.transport.body import text_of
from probekit.transport.urls import Address

_IDENTITY: Final = "configure connect.headers"
_TURNED_AWAY: Final = {  # statuses that refuse our way of asking (RFC 9110 section 15), and what would mend it
    401: _IDENTITY,
    403: _IDENTITY,
    407: "configure connect.proxy",
    408: "the server gave up waiting: verify again",
    421: "it does not serve this name on this connection: see base_url and connect.resolve",
    426: "it wants another protocol",
    429: "see throttle; or, of a standby, claim this status in assertions",
    431: "our headers are too large: see connect.headers",
    451: "the law forbids it here",
    501: "it does not know our method",
    505: "it does not speak HTTP/1.1",
    511: "this network wants a sign-in (RFC 6585 section 6)",
}
_NOT_DENIED: Final = {408: "request timeout", 429: "rate limited"}  # refused, and not by who asks
_OF_ANY_PAGE: Final = (407, 408, 421, 429, 431, 505, 511)  # refused whatever is asked for, and by whomever
_BAD_REQUEST: Final = 400
_REFUSED_CONNECTIONS: Final = {  # pages of nginx and others for a connection that is not as they want it
    b"plain http request was sent to https port": "it speaks https: see base_url",
    b"no required ssl certificate was sent": "configure connect.client_cert",
    b"ssl certificate error": "see connect.client_cert",
}
_BUSY: Final = 503
_CHALLENGES: Final = (b"cf-chl", b"challenge-platform", b"captcha", b"_incapsula_", b"ddos-guard")
_SIGN_IN: Final = frozenset(
    {"login", "signin", "logon", "sso", "oauth", "oauth2", "authorize", "saml", "saml2", "adfs"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """How long the parts of an exchange took, in seconds; first byte and response count from the request sent.

    Answers count from when they arrived at this machine, where its kernel tells, not from when we came to read them.
    """

    connect: float
    tls: float | None
    first_byte: float
    response: float  # the whole answer
    total: float
    arrived: float  # when the last byte did, by the monotonic clock
    local_delay: float  # until the request was written, connecting left out: nobody's but our own


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The final answer of one request, read to its end."""

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
        """Whether a guard in front of the target asks if we are a robot, by its header or by its page."""
        is_marked = self.header("cf-mitigated") == "challenge" or self.header("x-amzn-waf-action") is not None
        is_page = self.status == _BUSY and self.media_type == "text/html"
        return is_marked or (is_page and any(mark in self.body.lower() for mark in _CHALLENGES))

    @property
    def is_sign_in(self) -> bool:
        """Whether it sends us to where people sign in (RFC 6749 section 4.1.1; SAML 2.0 bindings, section 3.4)."""
        location = (self.header("location") or "") if self.redirect is not None else ""
        path, _, query = location.partition("?")
        parts = path.lower().split("?")[0].split("/")
        words = {re.sub(r"[_-]|\.\w+$", "", part) for part in parts} | set(parts)
        return bool(words & _SIGN_IN) or any(word in query for word in ("SAMLRequest=", "response_type="))

    @property
    def denies_access(self) -> bool:
        """Whether it is no answer of the target but a refusal to talk to us."""
        return self.status in _TURNED_AWAY or bool(self._refused_connection) or self.is_challenge or self.is_sign_in

    @property
    def refuses_request(self) -> bool:
        """Whether it refuses the way of asking, for a kind to which a 401 or a 403 is an answer like others."""
        return self.status in _OF_ANY_PAGE or bool(self._refused_connection) or self.is_challenge

    @property
    def _refused_connection(self) -> str:
        """What would mend the connection that a 400 refuses; empty where it does not."""
        if self.status != _BAD_REQUEST:
            return ""
        body = self.body.lower()
        return next((hint for mark, hint in _REFUSED_CONNECTIONS.items() if mark in body), "")

    def access_denied(self, hint: str = "") -> ProbeFailedError:
        """The error that says so: `turned_away`, with what would mend it."""
        hint = hint or self._refused_connection or _TURNED_AWAY.get(self.status, _IDENTITY)
        what = _NOT_DENIED.get(self.status, "access denied")
        return ProbeFailedError(Reason.TURNED_AWAY, f"{what} ({self.status} from {self.address}); {hint}")

    def require_answer(self, expected: Container[int] = ()) -> None:
        """Go on only with an answer of the target itself, or with a refusal that is expected.

        Raises:
            ProbeFailedError: `turned_away`: it refuses access, or a guard in front of the target answers instead.
        """
        if self.is_challenge or (self.denies_access and self.status not in expected):
            raise self.access_denied()

    @property
    def age(self) -> float:
        """Seconds since a cache had it of the target (RFC 9111 section 5.1); 0 where no cache says so."""
        first = (self.header("age") or "").partition(",")[0].strip()
        return float(first) if first.isascii() and first.isdigit() else 0.0

    def require_age(self, seconds: float) -> None:
        """Go on only with an answer that is not older.

        Raises:
            ProbeFailedError: `bad_response`: a cache gave it, and it tells nothing of now.
        """
        if self.age > seconds:
            detail = f"a cache gave an answer of {self.age:.0f} s ago ({self.status} from {self.address})"
            hint = f'it tells nothing of now; max_age = "{self.age:.0f}s" would accept it'
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}: {hint}")

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx (RFC 9110 section 15.3)."""
        return self.status // 100 == 2  # noqa: PLR2004  # the class of the status

    @property
    def is_redirect(self) -> bool:
        """Whether the status is 3xx (RFC 9110 section 15.4), which no browser shows."""
        return self.status // 100 == 3  # noqa: PLR2004  # see above

    @property
    def is_server_error(self) -> bool:
        """Whether the status is 5xx (RFC 9110 section 15.6)."""
        return self.status // 100 == 5  # noqa: PLR2004  # see above

    @property
    def redirect(self) -> str | None:
        """Where a 3xx points to, without its query."""
        location = self.header("location") if self.is_redirect else None
        return location.partition("?")[0] if location else None
