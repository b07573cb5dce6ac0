"""The request of a probe: its method, headers and body, as configured."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlencode

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from probekit.probe import Context, ProbeFailedError, Reason, SecretRef, Settings

HEADER_NAME: Final = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"  # a token of RFC 9110 section 5.6.2
READING: Final = ("GET", "HEAD", "OPTIONS")  # safe methods (RFC 9110 section 9.2.1)
ALLOWANCE: Final = "canary-write"
_ALLOW: Final = 'add allow = ["canary-write"] to the environment'
_REFERENCE: Final = '{ env = "NAME" } or { file = "PATH" }'
_MOST: Final = 1 << 16  # bytes of a body
_MOST_HEADERS: Final = 50
_LONGEST_HEADER: Final = 8192  # characters of a value
_OWN: Final = frozenset((  # headers of the connection, of the measurement and of the answer's freshness
    "host", "content-length", "connection", "transfer-encoding", "te", "trailer", "upgrade", "expect", "keep-alive",
    "proxy-connection", "accept-encoding", "cache-control", "pragma", "x-probekit-run",
))  # fmt: skip
_CREDENTIALS: Final = frozenset(("authorization", "proxy-authorization", "cookie"))
_SECRET_WORDS: Final = ("key", "token", "secret", "password")
_SECRET_NAME: Final = re.compile(r"(?:password|passwd|passphrase|secret|token|api[ _-]?key)\Z", re.IGNORECASE)


def text_or_reference(written: object) -> object:
    """Return a text unchanged, or a table as a reference to a secret.

    Raises:
        ValueError: it is neither; the message quotes none of it.
    """
    if isinstance(written, str | SecretRef):
        return written
    try:
        return SecretRef.model_validate(written)
    except ValidationError as error:
        message = f"must be a text or a reference: {_REFERENCE}"
        raise ValueError(message) from error


TextOrReference = Annotated[str | SecretRef, BeforeValidator(text_or_reference, json_schema_input_type=str | SecretRef)]


def _document(written: object) -> object:
    """Check a JSON document: a table, a list, or its text.

    Raises:
        ValueError: it is none of those, or has a value that JSON cannot represent.
    """
    value = written
    try:
        if isinstance(written, str):
            value = json.loads(written)
        elif not isinstance(written, Mapping | list):
            raise ValueError("json must be a table, a list, or the text of a document")  # noqa: TRY004  # pydantic's
        elif _has_reference(written):
            raise ValueError(f"json cannot hold references: keep the whole document as a secret, body = {_REFERENCE}")
        problem = _problem_of_document(value)
    except json.JSONDecodeError:
        problem = "json as a text must be a JSON document; use body for any other text"
    except RecursionError:
        problem = "the document is nested too deeply"
    if problem:
        raise ValueError(problem)
    return written


def _has_reference(value: object) -> bool:
    """Return whether a document holds a table that has the form of a reference."""
    if isinstance(value, Mapping):
        return set(value) in ({"env"}, {"file"}) or any(map(_has_reference, value.values()))
    return isinstance(value, list) and any(map(_has_reference, value))


def _problem_of_document(value: object, name: str = "") -> str:
    """Return why a document cannot be sent; empty: it can."""
    if isinstance(value, Mapping):
        return next(filter(None, (_problem_of_document(part, str(key)) for key, part in value.items())), "")
    if isinstance(value, list):
        return next(filter(None, (_problem_of_document(part, name) for part in value)), "")
    if isinstance(value, str):
        is_secret = value and _SECRET_NAME.search(name)
        return f"'{name}' is a secret: keep the whole document as a secret, body = {_REFERENCE}" if is_secret else ""
    if isinstance(value, float) and not isfinite(value):
        return "json accepts only finite numbers"
    is_value = value is None or isinstance(value, bool | int | float)
    return "" if is_value else "json cannot hold dates or times: write them as texts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The request of one measurement apart from its URL, with its secrets revealed."""

    method: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None


class RequestConfig(Settings):
    """The request that is sent to a URL."""

    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = Field(
        "GET",
        description="Method of the request; any other than GET, HEAD and OPTIONS changes the target, "
        'so it needs allow = ["canary-write"].',
    )
    headers: dict[str, TextOrReference] = Field(
        {},
        description="Headers that are sent to this URL's origin in addition to those of connect.headers, which they "
        f"replace by name: texts, credentials as {_REFERENCE}.",
    )
    body: TextOrReference | None = Field(None, description=f"Body of the request: a text, or {_REFERENCE}.")
    document: Annotated[
        dict[str, Any] | list[Any] | str | None,
        BeforeValidator(_document, json_schema_input_type=dict[str, Any] | list[Any] | str | None),
    ] = Field(None, alias="json", description="Body of the request as JSON: a table, a list, or the document's text.")
    form: dict[str, TextOrReference] = Field(
        {}, description=f"Body of the request as fields of a form: texts, secrets as {_REFERENCE}."
    )

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, str | SecretRef]) -> dict[str, str | SecretRef]:
        if len(headers) > _MOST_HEADERS:
            message = f"{len(headers)} headers, at most {_MOST_HEADERS} are allowed"
            raise ValueError(message)
        for name, value in headers.items():
            if problem := _problem_of_header(name, value):
                raise ValueError(problem)
        if len({name.lower() for name in headers}) < len(headers):
            message = "one header is listed twice: names are not case-sensitive"
            raise ValueError(message)
        return headers

    @field_validator("form")
    @classmethod
    def _has_secrets_by_reference(cls, form: dict[str, str | SecretRef]) -> dict[str, str | SecretRef]:
        for name, value in form.items():
            if isinstance(value, str) and value and _SECRET_NAME.search(name):
                message = f"'{name}' is a secret: use a reference, {_REFERENCE}"
                raise ValueError(message)
        return form

    @model_validator(mode="after")
    def _has_one_body(self) -> Self:
        given = {"body": self.body, "json": self.document, "form": self.form or None}
        named = [name for name, value in given.items() if value is not None]
        if len(named) > 1:
            message = f"{' and '.join(named)}: a request has only one body"
            raise ValueError(message)
        if named and self.method in READING:
            message = f'{self.method} sends no body: {named[0]} needs method = "POST", "PUT", "PATCH" or "DELETE"'
            raise ValueError(message)
        if len(self._written() or b"") > _MOST:
            message = f"the request's body is larger than {_MOST >> 10} KiB"
            raise ValueError(message)
        return self

    @property
    def writes(self) -> bool:
        """Whether the request changes the target, judged by its method."""
        return self.method not in READING

    def _written(self) -> bytes | None:
        """Return the body as written, with references instead of secrets."""
        return self._content(str)

    def _content(self, reveal: Callable[[SecretRef], str]) -> bytes | None:
        def text(value: str | SecretRef) -> str:
            return value if isinstance(value, str) else reveal(value)

        if self.body is not None:
            return text(self.body).encode()
        if self.document is not None:
            is_text = isinstance(self.document, str)
            return (str(self.document) if is_text else json.dumps(self.document, ensure_ascii=False)).encode()
        return urlencode({name: text(value) for name, value in self.form.items()}).encode() if self.form else None

    def asks_beside(self) -> str:
        """Return the rest of the request without secrets: names of headers, and the body as written."""
        names, content = sorted(name.lower() for name in self.headers), self._written()
        return "" if not names and content is None else repr((names, content))

    def request(self, context: Context, place: str) -> Request:
        """Return the request with its secrets revealed.

        Raises:
            ProbeFailedError: `missing_setting`: it changes the target, which is not allowed, or its body is too
                large; `missing_secret`: a secret is missing, or is not valid in a header.
        """
        if self.writes and ALLOWANCE not in context.allow:
            detail = f"{self.method} {place} is not sent because it changes the target: {_ALLOW}"
            raise ProbeFailedError(Reason.MISSING_SETTING, detail)
        headers = {name: _revealed(name, value, context.reveal) for name, value in self.headers.items()}
        content = self._content(context.reveal)
        if content is not None and len(content) > _MOST:
            raise ProbeFailedError(Reason.MISSING_SETTING, f"the request's body is larger than {_MOST >> 10} KiB")
        media_type = "application/json" if self.document is not None else "application/x-www-form-urlencoded"
        if (self.document is not None or self.form) and "content-type" not in map(str.lower, headers):
            headers["Content-Type"] = media_type
        return Request(method=self.method, headers=headers, content=content)


def _problem_of_header(name: str, value: str | SecretRef) -> str:
    """Return why a header cannot be sent; empty: it can. The message quotes none of its value."""
    if not re.fullmatch(HEADER_NAME[1:-1], name):
        return "a header's name may have only letters, digits and !#$%&'*+.^_`|~-"
    lower = name.lower()
    if lower in _OWN:
        return f"probekit sets the header {name} itself"
    if isinstance(value, SecretRef):
        return ""
    if lower in _CREDENTIALS or any(word in lower for word in _SECRET_WORDS):
        return f"the header {name} carries a credential: use a reference, {_REFERENCE}"
    return f"the value of header {name} {problem}" if (problem := _problem_of_value(value)) else ""


def _problem_of_value(value: str) -> str:
    """Return why a text is not valid in a header (RFC 9110 section 5.5)."""
    if not (value.isascii() and value.isprintable()):
        return "contains a character that is not allowed in headers, such as a line break"
    return f"is longer than {_LONGEST_HEADER} characters" if len(value) > _LONGEST_HEADER else ""


def _revealed(name: str, value: str | SecretRef, reveal: Callable[[SecretRef], str]) -> str:
    text = value if isinstance(value, str) else reveal(value)
    if problem := _problem_of_value(text):
        raise ProbeFailedError(Reason.MISSING_SECRET, f"the secret of header {name} {problem}")
    return text.strip(" ")
