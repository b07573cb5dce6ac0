"""Keep revealed secrets, in all their forms, out of what comes from outside.

The border is one place: what a kind gives (a summary, a version, a note, the reason of a failure) and the values of
a log event pass through `Redactor.clean`. A finished report does not: its own words, ids and keys stay as they are.
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
_WORD: Final = 4  # bytes: each run of eight holds a word at a place that four divides
# Letters in lower case, and '+' as the space that it stands for in a form
_FOLDED: Final = bytes(range(256)).lower().replace(b"+", b" ")
_FOLLOWING: Final = range(0x80, 0xC0)  # bytes of a character after its first (RFC 3629 section 3)


class Redactor:
    """Knows the secrets revealed in this run and takes them out of texts."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._runs: set[bytes] = set()  # every eight bytes in a row of a secret, folded
        self._words: set[int] = set()  # every four bytes in a row, as a machine's word
        self._short: set[bytes] = set()  # hidden only where they stand whole, as they are written
        self._names: set[bytes] = set()
        self._allowed: list[Iterable[str]] = []  # more of them, read when a text holds a run: most hold none

    def learn(self, secret: str) -> frozenset[str]:
        """Remember a secret, and return its parts: of a composite one (a DSN, a header) only they are secret."""
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
        """Remember names that are no secret, also where they share a run with one: environments, probes, hosts."""
        self._allowed.append(names)

    def is_secret(self, text: str) -> bool:
        """Return whether a text is a secret as it is written, or a secret part of one."""
        return any(text == secret or text in parts_of(secret).secrets for secret in self._known)

    def clean(self, text: str) -> str:
        """Return the text without any eight characters in a row of any secret, in whatever form.

        What is one of probekit's own words, or part of a name, stays: `[secret]` in its place would tell the secret.
        """
        if not self._known:
            return text
        data = text.encode("utf-8", "surrogatepass")
        found = sorted(span for view in views(data) for span in self._spans_of(view))
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

    def _spans_of(self, view: View) -> Iterator[Span]:
        """Where secrets stand in a view, by their places in the text that it is of."""
        for start, stop in _merged(self._runs_in(view.data.translate(_FOLDED))):
            yield view.origin(start, stop)
        for short in self._short:
            for match in re.finditer(re.escape(short), view.data):
                yield view.origin(*match.span())

    def _runs_in(self, data: bytes) -> Iterator[Span]:
        """Every run of a secret, in order; first each fourth place is looked at, then what is around the few found."""
        known, words = self._words, _words_of(data)
        if known.isdisjoint(words):
            return
        for place in [_WORD * number for number, word in enumerate(words) if word in known]:
            for start in range(max(place - _WORD + 1, 0), place + 1):
                if data[start : start + SHORT] in self._runs:
                    yield start, start + SHORT

    def _is_own(self, data: bytes, start: int, stop: int) -> bool:
        """Whether that place is within one word of probekit's own, or within a name."""
        while self._allowed:
            self._names |= {name.encode("utf-8", "surrogatepass").lower() for name in self._allowed.pop()}
        return lies_in_own_word(data, start, stop) or any(_is_within(name, data, start, stop) for name in self._names)


def _words_of(data: bytes) -> memoryview[int]:
    """The machine's words in a row; up to three bytes at the end are in none."""
    return memoryview(data[: len(data) // _WORD * _WORD]).cast("I")


def _written(part: str) -> set[bytes]:
    """A part as bytes: as it is, in either case (of letters beyond ASCII), and with its own escapes decoded."""
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
    """One byte where there is one: of those that os.environ could not decode, and of Latin-1, such as `%E9`."""
    code = ord(character)
    is_undecoded = 0xDC80 <= code <= 0xDCFF  # noqa: PLR2004  # PEP 383
    return bytes([code & 0xFF]) if is_undecoded or code <= 0xFF else _of_text(character)  # noqa: PLR2004  # Latin-1


def _of_repr(character: str) -> bytes:
    """As Python escapes it: a byte only where there is nothing to see."""
    return _of_text(character) if character.isprintable() else _of_bytes(character)


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans in order as few as they can be; two that only touch stay two."""
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
    """The span, widened to whole characters of UTF-8."""
    while start and data[start] in _FOLLOWING:
        start -= 1
    while stop < len(data) and data[stop] in _FOLLOWING:
        stop += 1
    return start, stop


def _is_within(name: bytes, data: bytes, start: int, stop: int) -> bool:
    """Whether the name stands in the text around that place, and is no part of a longer word there."""
    if stop - start > len(name):
        return False
    first = max(stop - len(name) - 1, 0)
    around = data[first : start + len(name) + 1].lower()
    if name not in around:  # hundreds of names, and each is a pattern of its own
        return False
    return re.search(rb"(?<![0-9a-z])%b(?![0-9a-z])" % re.escape(name), around) is not None
