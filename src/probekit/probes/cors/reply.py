"""One answer to one origin, as a browser reads it (the Fetch standard, "CORS protocol")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from probekit.probe import Answer
from probekit.probes._support import headers as grammar

_SAFE_METHODS: Final = ("GET", "HEAD", "POST")  # Fetch, "CORS-safelisted method"
_SAFE_HEADERS: Final = ("accept", "accept-language", "content-language")  # safelisted whatever their usual value is
_HARMLESS: Final = ("OPTIONS",)  # most lists of methods have it, and it changes nothing
ANY: Final = "*"


def needs_preflight(method: str) -> bool:
    """Whether a browser sends a preflight before a request of that method, whatever its headers are."""
    return method not in _SAFE_METHODS


def is_unsafe_header(name: str) -> bool:
    """Whether a browser sends a preflight because of that header; Content-Type counts, as it depends on the value.

    Source: Fetch, "CORS-unsafe request-header names".
    """
    return name.lower() not in _SAFE_HEADERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer to one origin; `method` is the method of a preflight, None for the request itself."""

    origin: str
    answer: Answer
    method: str | None
    counts: bool = True  # False: a preflight that no browser would send for the declared methods

    @property
    def allowed_origin(self) -> str | None:
        """Access-Control-Allow-Origin as browsers read it, with all its lines combined."""
        return grammar.combined(self.answer.headers, "access-control-allow-origin")

    @property
    def takes_credentials(self) -> bool:
        """Whether cookies and logins are allowed: the value is `true`, in lower case."""
        return grammar.combined(self.answer.headers, "access-control-allow-credentials") == "true"

    @property
    def has_cors_headers(self) -> bool:
        """Whether it has any header of the CORS protocol."""
        return any(name.lower().startswith("access-control-") for name, _ in self.answer.headers)

    @property
    def is_ok(self) -> bool:
        """Whether the status allows the request: a preflight needs a 2xx (Fetch), the request itself any."""
        return self.method is None or self.answer.is_success

    def lets_in(self, *, credentials: bool) -> bool:
        """Whether the answer passes the CORS check of the Fetch standard, and the status check of a preflight."""
        if credentials:
            return self.is_ok and self.allowed_origin == self.origin and self.takes_credentials
        return self.is_ok and self.allowed_origin in (ANY, self.origin)

    def allows_method(self, method: str, *, credentials: bool) -> bool:
        """Whether the browser may use that method, in its exact spelling."""
        allowed = grammar.tokens(self.answer.headers, "access-control-allow-methods")
        return allowed is not None and (method in (*_SAFE_METHODS, *allowed) or (ANY in allowed and not credentials))

    def allows_header(self, name: str, *, credentials: bool) -> bool:
        """Whether the browser may send that header; a wildcard does not cover Authorization."""
        known = self._allowed_headers
        return name.lower() in known or (ANY in known and not credentials and name.lower() != "authorization")

    def grants(self, *, credentials: bool) -> tuple[frozenset[str], frozenset[str]]:
        """The methods and the headers (in lower case) that a preflight permits, `*` for every one."""
        if self.method is None or not self.lets_in(credentials=credentials):
            return frozenset(), frozenset()
        nothing = {ANY} if credentials else set()  # with credentials, * is an ordinary name
        methods = grammar.tokens(self.answer.headers, "access-control-allow-methods") or ()
        return (
            frozenset({*methods} - {*_SAFE_METHODS, *_HARMLESS} - nothing),
            frozenset(self._allowed_headers - {*_SAFE_HEADERS} - nothing),
        )

    @property
    def _allowed_headers(self) -> set[str]:
        allowed = grammar.tokens(self.answer.headers, "access-control-allow-headers")
        return {word.lower() for word in allowed or ()}
