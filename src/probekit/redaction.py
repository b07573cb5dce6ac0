"""Keep revealed secrets, in all their forms, out of every text."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from html import escape
from typing import Final
from urllib.parse import quote, quote_plus, unquote

HIDDEN: Final = "[secret]"
_ESCAPE: Final = re.compile("%[0-9A-F]{2}")
SHORT: Final = 8  # characters: a shorter secret also hides ordinary words, so whoever reveals one is warned


class Redactor:
    """Knows the secrets revealed in this run and takes them out of texts."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._whole: set[str] = set()  # hidden only where they stand whole: they begin like ordinary words

    def learn(self, secret: str) -> None:
        """Remember a secret and its encodings; of a URL above all the password in it."""
        scheme, separator, rest = secret.partition("://")
        if separator and scheme.isalnum():
            self._whole |= _forms(secret) | _forms(rest)
            self._forms |= {form for password in _passwords(rest) for form in _forms(password)}
        elif secret:
            self._forms |= _forms(secret)

    def clean(self, text: str) -> str:
        """The text without any form of any secret, whole or cut short; what two of them share goes with both."""
        parts, end = [], 0
        spans = [span for form in self._forms for span in _spans(text, form, least=SHORT)]
        spans += [span for form in self._whole for span in _spans(text, form, least=len(form))]
        for start, stop in sorted(spans):
            if start >= end:
                parts += [text[end:start], HIDDEN]
            end = max(end, stop)
        return "".join((*parts, text[end:]))


def _passwords(rest: str) -> set[str]:
    """The password in what follows a URL's scheme, as written and decoded."""
    userinfo, at, _ = rest.rpartition("@")
    password = userinfo.partition(":")[2] if at else ""
    return {password, unquote(password)} - {""}


def _spans(text: str, form: str, *, least: int) -> Iterator[tuple[int, int]]:
    """Where the form stands in the text, or so much of its beginning, as it does where somebody cut a text short."""
    beginning = form[:least]
    at = text.find(beginning)
    while at >= 0:
        end = at + len(beginning)
        while end - at < len(form) and text[end : end + 1] == form[end - at]:
            end += 1
        yield at, end
        at = text.find(beginning, at + 1)


def _forms(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogateescape")  # the bytes that os.environ could not decode
    percent = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    plain = {
        secret,
        *percent,
        *(_ESCAPE.sub(lambda found: found[0].lower(), form) for form in percent),  # RFC 3986 section 2.1 allows both
        escape(secret, quote=False),
        escape(secret),
        escape(secret).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),  # as other languages escape
        escape(secret).replace("&#x27;", "&apos;"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(raw)[2:-1],
    }
    encoded = {form for offset in range(3) for form in _base64(raw, offset)} if len(raw) >= SHORT else set()
    return plain | encoded


def _base64(raw: bytes, offset: int) -> set[str]:
    """How the bytes look inside a longer base64 text, by how many bytes stand before them (RFC 4648 section 4)."""
    skipped = -(-offset * 8 // 6)  # the first characters also hold bits of what stands before
    padded = b"\0" * offset + raw
    kept = len(padded) * 8 // 6  # the last character may hold bits of what follows
    return {encode(padded).decode()[skipped:kept] for encode in (b64encode, urlsafe_b64encode)}
