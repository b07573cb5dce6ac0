"""Remove revealed secrets, in every encoding, from texts that come from outside.

Two kinds of text pass through `Redactor.clean`: the texts of a kind (a summary, a version, a note, the detail of a
failure) and the values of a log event. A finished report does not: its own words, ids and keys stay unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from probekit.redaction.composite import SHORT, parts_of
from probekit.redaction.views import Span, View, unescaped, views
from probekit.redaction.vocabulary import is_own_word, lies_in_own_word

__all__ = ["HIDDEN", "SHORT", "Redactor", "is_own_word"]

HIDDEN: Final = "[secret]"
_WORD: Final = 4  # bytes: eight consecutive bytes contain a word at an offset divisible by four
# Letters in lower case, and '+' as a space, as in form encoding
_FOLDED: Final = bytes(range(256)).lower().replace(b"+", b" ")
_FOLLOWING: Final = range(0x80, 0xC0)  # continuation bytes of a character (RFC 3629 section 3)


class Redactor:
    """Removes the secrets revealed in this run from texts."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._runs: set[bytes] = set()  # every eight consecutive bytes of a secret, folded
        self._words: set[int] = set()  # every four consecutive bytes, as a machine word
        self._short: set[bytes] = set()  # hidden only as a whole, as written
        self._names: set[bytes] = set()
        self._allowed: list[Iterable[str]] = []  # more names, read when a text contains a run; most contain none

    def learn(self, secret: str) -> frozenset[str]:
        """Register a secret and return its secret parts; of a composite one (a DSN, a header) only they are hidden."""
        parts = parts_of(secret)
        if secret in self._known:
            return parts.secrets
        self._known.add(secret)
        self.allow(parts.hosts)
        for part in parts.secrets:
            for form in _written(part):
                self._learn(form)
        return parts.secrets

    def allow(self, names: Iterable[str]) -> None:
        """Register names that are not secret even where they share characters with one: environments, probes, hosts."""
        self._allowed.append(names)

    def is_secret(self, text: str) -> bool:
        """Return whether a text is a whole secret or a secret part of one."""
        return any(text == secret or text in parts_of(secret).secrets for secret in self._known)

    def clean(self, text: str) -> str:
        """Return the text without any eight consecutive characters of any secret, in any encoding.

        Probekit's own words and registered names stay: `[secret]` in their place would reveal the secret.
        """
        if not self._known:
            return text
        data = text.encode("utf-8", "surrogatepass")
        every = enumerate(views(data))
        found = sorted(span for number, view in every for span in self._spans_of(view, is_decoded=number > 0))
        spans = [span for span in _merged(found) if not self._is_own(data, *span)]
        if not spans:
            return text
        parts, end = [], 0
        for start, stop in spans:
            first, last = _whole_characters(data, start, stop)
            parts += [data[end:first], HIDDEN.encode()]
            end = max(end, last)
        return b"".join((*parts, data[end:])).decode("utf-8", "surrogatepass")

    def _learn(self, form: bytes) -> None:
        folded = form.translate(_FOLDED)
        if len(folded) < SHORT:
            self._short.add(form)
        self._runs |= {folded[at : at + SHORT] for at in range(len(folded) - SHORT + 1)}
        self._words |= {word for at in range(_WORD) for word in _words_of(folded[at:])}

    def _spans_of(self, view: View, *, is_decoded: bool) -> Iterator[Span]:
        """The spans of secrets in a view, as offsets in the original text.

        A single byte is found only as it is written: every 256th byte of a decoded word would match it.
        """
        for start, stop in _merged(self._runs_in(view.data.translate(_FOLDED))):
            yield view.origin(start, stop)
        for short in self._short:
            if is_decoded and len(short) == 1:
                continue
            for match in re.finditer(re.escape(short), view.data):
                yield view.origin(*match.span())

    def _runs_in(self, data: bytes) -> Iterator[Span]:
        """Every run of a secret, in order: first every fourth offset is checked, then the offsets around each match."""
        known, words = self._words, _words_of(data)
        if known.isdisjoint(words):
            return
        for place in [_WORD * number for number, word in enumerate(words) if word in known]:
            for start in range(max(place - _WORD + 1, 0), place + 1):
                if data[start : start + SHORT] in self._runs:
                    yield start, start + SHORT

    def _is_own(self, data: bytes, start: int, stop: int) -> bool:
        """Whether that span is within one of probekit's own words or within a registered name."""
        while self._allowed:
            self._names |= {name.encode("utf-8", "surrogatepass").lower() for name in self._allowed.pop()}
        return lies_in_own_word(data, start, stop) or any(_is_within(name, data, start, stop) for name in self._names)


def _words_of(data: bytes) -> memoryview[int]:
    """The machine words in sequence, without up to three bytes at the end."""
    return memoryview(data[: len(data) // _WORD * _WORD]).cast("I")


def _written(part: str) -> set[bytes]:
    """A part as bytes: unchanged, in either case (of non-ASCII letters), and with its escapes decoded."""
    texts = {part} if part.isascii() else {part, part.lower(), part.upper()}
    forms = {b"".join(map(encode, text)) for text in texts for encode in (_of_text, _of_bytes, _of_repr)}
    for form in tuple(forms):
        layer = unescaped(form)
        while layer is not None and len(layer.data) >= SHORT and layer.data not in forms:
            forms.add(layer.data)
            layer = unescaped(layer.data)
    return forms


def _of_text(character: str) -> bytes:
    return character.encode("utf-8", "surrogatepass")


def _of_bytes(character: str) -> bytes:
    """The character as one byte, where os.environ could not decode it or it is in Latin-1, such as `%E9`."""
    code = ord(character)
    is_undecoded = 0xDC80 <= code <= 0xDCFF  # noqa: PLR2004  # PEP 383
    return bytes([code & 0xFF]) if is_undecoded or code <= 0xFF else _of_text(character)  # noqa: PLR2004  # Latin-1


def _of_repr(character: str) -> bytes:
    """The character as Python escapes it: one byte only where it is not printable."""
    return _of_text(character) if character.isprintable() else _of_bytes(character)


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Overlapping spans merged, in order; adjacent ones stay separate."""
    start, stop = 0, 0
    for first, last in spans:
        if first < stop:
            stop = max(stop, last)
        else:
            if start < stop:
                yield start, stop
            start, stop = first, last
    if start < stop:
        yield start, stop


def _whole_characters(data: bytes, start: int, stop: int) -> Span:
    """The span, extended to whole UTF-8 characters."""
    while start and data[start] in _FOLLOWING:
        start -= 1
    while stop < len(data) and data[stop] in _FOLLOWING:
        stop += 1
    return start, stop


def _is_within(name: bytes, data: bytes, start: int, stop: int) -> bool:
    """Whether the text around that span contains the name as a whole word."""
    if stop - start > len(name):
        return False
    first = max(stop - len(name) - 1, 0)
    around = data[first : start + len(name) + 1].lower()
    if name not in around:  # there may be hundreds of names, and each needs a pattern
        return False
    return re.search(rb"(?<![0-9a-z])%b(?![0-9a-z])" % re.escape(name), around) is not None
