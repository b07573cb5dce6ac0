"""Keep revealed secrets, in all their forms, out of every text."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from typing import Final
from urllib.parse import quote, quote_plus

HIDDEN: Final = "[secret]"
SHORT: Final = 8  # characters: a shorter secret also hides ordinary words, so whoever reveals one is warned


class Redactor:
    """Knows the secrets revealed in this run and takes them out of texts."""

    def __init__(self) -> None:
        self._forms: list[str] = []  # longest first, so that a form is gone before a part of it is looked for
        self._starts: list[str] = []

    def learn(self, secret: str) -> None:
        """Remember a secret, its encodings and its beginning."""
        if not secret:
            return
        self._forms = sorted({*self._forms, *_forms(secret)}, key=len, reverse=True)
        if len(secret) > SHORT:
            self._starts.append(secret)

    def clean(self, text: str) -> str:
        """The text without any form of any secret."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        for secret in self._starts:
            text = _without_beginning(text, secret)
        return text


def _forms(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogateescape")
    plain = {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    }
    encoded = {form for offset in range(3) for form in _base64(raw, offset)} if len(raw) >= SHORT else set()
    return {form for form in plain | encoded if form}


def _base64(raw: bytes, offset: int) -> set[str]:
    """How the bytes look inside a longer base64 text, by how many bytes stand before them (RFC 4648 section 4)."""
    skipped = -(-offset * 8 // 6)  # the first characters also hold bits of what stands before
    padded = b"\0" * offset + raw
    kept = len(padded) * 8 // 6  # the last character may hold bits of what follows
    return {encode(padded).decode()[skipped:kept] for encode in (b64encode, urlsafe_b64encode)}


def _without_beginning(text: str, secret: str) -> str:
    """The text without the secret's beginning, as it stands where somebody cut a text short."""
    at = text.find(secret[:SHORT])
    while at >= 0:
        end = at + SHORT
        while end < len(text) and end - at < len(secret) and text[end] == secret[end - at]:
            end += 1
        text = text[:at] + HIDDEN + text[end:]
        at = text.find(secret[:SHORT], at + len(HIDDEN))
    return text
