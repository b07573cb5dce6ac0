"""One answer to one origin, as a browser reads it (the Fetch standard, "CORS protocol")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from probekit.probe import Answer
from probekit.probes._support import headers as grammar

_SAFE_METHODS: Final = ("GET", "HEAD", "POST")  # Fetch, "CORS-safelisted method"
_SAFE_HEADERS: Final = ("accept", "accept-language", "content-language")  # safelisted whatever their usual value is
_HARMLESS: Final = ("OPTIONS",)  # that lists of methods mostly name, and that changes nothing
ANY: Final = "*"


def needs_leave(method: str) -> bool:
    """Whether a browser asks before it sends a request of that method, whatever its headers are."""
    return method not in _SAFE_METHODS


def is_unsafe_header(name: str) -> bool:
    """Whether a browser asks before it sends that header; of Content-Type the value decides, so it counts.

    Source: Fetch, "CORS-unsafe request-header names".
    """
    return name.lower() not in _SAFE_HEADERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer to one origin; `method` is what a preflight asked leave for, None for the request itself."""

    origin: str
    answer: Answer
    method: str | None
    counts: bool = True  # False: a preflight that no browser would send for what was declared

    @property
    def allowed_origin(self) -> str | None:
        """Access-Control-Allow-Origin as browsers read it, all lines as one."""
        return grammar.combined(self.answer.headers, "access-control-allow-origin")

    @property
    def takes_credentials(self) -> bool:
        """Whether cookies and logins are let in: the one word, in lower case."""
        return grammar.combined(self.answer.headers, "access-control-allow-credentials") == "true"

    @property
    def speaks_of_origins(self) -> bool:
        """Whether it has any header of the CORS protocol."""
        return any(name.lower().startswith("access-control-") for name, _ in self.answer.headers)

    @property
    def is_ok(self) -> bool:
        """A preflight needs an ok status (Fetch); the request itself may answer anything."""
        return self.method is None or self.answer.is_success

    def lets_in(self, *, credentials: bool) -> bool:
        """The CORS check of the Fetch standard, and the status of a preflight."""
        if credentials:
            return self.is_ok and self.allowed_origin == self.origin and self.takes_credentials
        return self.is_ok and self.allowed_origin in (ANY, self.origin)

    def allows_method(self, method: str, *, credentials: bool) -> bool:
        """Whether the browser may go on with that method, in its exact spelling."""
        allowed = grammar.tokens(self.answer.headers, "access-control-allow-methods")
        return allowed is not None and (method in (*_SAFE_METHODS, *allowed) or (ANY in allowed and not credentials))

    def allows_header(self, name: str, *, credentials: bool) -> bool:
        """Whether the browser may send that header; a wildcard speaks of no Authorization."""
        known = self._allowed_headers
        return name.lower() in known or (ANY in known and not credentials and name.lower() != "authorization")

    def grants(self, *, credentials: bool) -> tuple[frozenset[str], frozenset[str]]:
        """The methods and the headers (in lower case) that a preflight gives leave for, `*` for every one."""
        if self.method is None or not self.lets_in(credentials=credentials):
            return frozenset(), frozenset()
        nothing = {ANY} if credentials else set()  # with credentials a * is no wildcard
        methods = grammar.tokens(self.answer.headers, "access-control-allow-methods") or ()
        return (
            frozenset({*methods} - {*_SAFE_METHODS, *_HARMLESS} - nothing),
            frozenset(self._allowed_headers - {*_SAFE_HEADERS} - nothing),
        )

    @property
    def _allowed_headers(self) -> set[str]:
        allowed = grammar.tokens(self.answer.headers, "access-control-allow-headers")
        return {word.lower() for word in allowed or ()}
