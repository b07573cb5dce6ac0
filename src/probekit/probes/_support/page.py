"""Detect HTML pages that are errors or sign-in forms: servers, gateways and frameworks send them with 200."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from http import HTTPStatus
from typing import Final

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probes._support.comparing import quoted
from probekit.transport.response import Answer

_LOOKED_AT: Final = 1 << 16  # characters read of a page
_HTML: Final = re.compile(r"\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_HIDDEN: Final = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|template)\b.*?(?:</\1|\Z)", re.IGNORECASE | re.DOTALL)
_NAMES: Final = re.compile(r"<(title|h1)(?=[\s>])[^<>]{0,500}>(.{1,600}?)</\1\s{0,20}>", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<[^<>]*>")
_PARTS: Final = re.compile(
    r"\s+[-\u2013\u2014|\u00b7\u2022:]+\s+|[|\u00b7\u2022]|:\s+"
)  # "Log in - Shop", "Shop | Error"
_PASSWORD: Final = re.compile(r"""<input\b[^<>]{0,500}\btype\s*=\s*["']?password\b""", re.IGNORECASE)
_PHRASES: Final = "|".join(
    re.escape(status.phrase) for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST and " " in status.phrase
)
_MARK: Final = r"(?:(?:http|status|error|code)[\W_]+)"
_ERROR: Final = re.compile(
    rf"{_MARK}*[45]\d\d(?:\W+(?:{_PHRASES}|forbidden|unauthorized|gone))?(?:\W+error)?"  # "502", "502 Bad Gateway"
    rf"|{_MARK}+[45]\d\d\b.*"  # "Error 503 Backend fetch failed"
    rf"|(?:{_PHRASES}|forbidden|unauthorized)"
    r"|(?:\w+\s+){0,3}(?:error|exception)(?:\s+(?:page|occurred|encountered|has occurred))?"
    r"|\w*(?:error|exception) (?:at|in|on) .*"  # Django's "OperationalError at /"
    r"|error establishing .*|(?:fatal|parse|syntax) error\b.*"
    r"|(?:page|file|site|host|resource) not found|access (?:is )?denied|(?:oops|whoops|sorry)\b.*"
    r"|.*\b(?:went wrong|(?:temporarily|currently|is) unavailable|(?:under|down for|in) maintenance)\b.*"
    r"|.*\bbe (?:right )?back\b.*"
    r"|(?:scheduled |site )?maintenance(?: mode| page)?",
    re.IGNORECASE,
)
_SIGN_IN: Final = re.compile(
    r"(?:please )?(?:log|sign)[ -]?(?:in|on)(?: (?:to|with|required)\b.*)?|(?:user |admin )?login(?: page| required)?"
    r"|authentication required|single sign-?on",
    re.IGNORECASE,
)


def is_html(answer: Answer) -> bool:
    """Return whether the body is a page of HTML."""
    is_marked = "html" in answer.media_type and answer.text.lstrip()[:1] == "<"
    return is_marked or _HTML.match(_visible(answer)) is not None


def require_no_error_page(answer: Answer) -> None:
    """Go on unless the body is an HTML page of an error.

    Raises:
        ProbeFailedError: `bad_response`: its title or a heading of the first level names an error.
    """
    if is_html(answer):
        _require_none(answer, _ERROR, "an error page")


def require_content(answer: Answer) -> None:
    """Go on with a page that is neither an error nor a sign-in form.

    Raises:
        ProbeFailedError: `bad_response`: it is one of them.
    """
    require_no_error_page(answer)
    _require_none(answer, _SIGN_IN, "a sign-in page")
    if _PASSWORD.search(_visible(answer)):
        raise _refused(answer, "a sign-in page: it asks for a password")


def _require_none(answer: Answer, words: re.Pattern[str], what: str) -> None:
    for name in _names_of(answer):
        if any(words.fullmatch(part.strip(" .!?\u2026")) for part in (name, *_PARTS.split(name))):
            raise _refused(answer, f"{what}: its title or heading is {quoted(name)}")


def _refused(answer: Answer, what: str) -> ProbeFailedError:
    detail = f"the body of the {answer.status} is {what}"
    hint = "set a path that reports health, or assert words of the page (assertions, contains)"
    return ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}; {hint}")


def _visible(answer: Answer) -> str:
    """Return the page's beginning, without comments, scripts and styles."""
    return _HIDDEN.sub(" ", answer.text[:_LOOKED_AT])


def _names_of(answer: Answer) -> Iterator[str]:
    """Yield the title and the headings of the first level, as a person reads them."""
    for found in _NAMES.finditer(_visible(answer)):
        if name := " ".join(unescape(_TAG.sub(" ", found[2])).split()):
            yield name
