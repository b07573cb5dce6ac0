"""Read the policies in the `<meta>` elements of a page, as browsers apply them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from probekit.probe import Answer
from probekit.probes._support import headers as grammar
from probekit.transport.body import text_of

_LOOKED_AT: Final = 1 << 18  # bytes read of a page
_NAMED: Final = re.compile(r"content-security-policy|referrer", re.IGNORECASE)
_WHITESPACE: Final = " \t\n\f\r"  # HTML section 13.2.6.4, "before head" and others
_IN_HEAD: Final = ("base", "basefont", "bgsound", "link", "meta", "noframes", "script", "style", "template", "title")
_RAW: Final = (
    "title",
    "textarea",
    "style",
    "script",
    "noscript",
    "iframe",
    "noembed",
    "noframes",
    "xmp",
    "plaintext",
    "template",
)
_ENDS_HEAD: Final = ("body", "html", "br")  # their end tags begin the body; others without a start tag are ignored
_NOT_IN_META: Final = ("report-uri", "frame-ancestors", "sandbox")  # HTML section 4.2.5.3
_EXECUTED: Final = re.compile(r"|module|(?:text|application)/(?:x-)?(?:java|ecma|j|live)script[\d.]*", re.IGNORECASE)
_LEGACY: Final = {  # HTML section 4.2.5.1
    "never": "no-referrer",
    "default": "strict-origin-when-cross-origin",
    "always": "unsafe-url",
    "origin-when-crossorigin": "origin-when-cross-origin",
}


@dataclass(slots=True, kw_only=True)
class Document:
    """The policies that a page sets in addition to its headers."""

    policies: list[grammar.Policy] = field(default_factory=list)  # enforced, without the directives of headers only
    first: list[grammar.Policy] = field(default_factory=list)  # those before the first script
    ignored: dict[str, None] = field(default_factory=dict)  # why browsers ignore a policy or a directive
    referrer: str | None = None  # the last known policy


def document(answer: Answer) -> Document:
    """Return the policies in the page's first 256 KiB; none where it is not HTML."""
    is_html = answer.media_type in ("text/html", "application/xhtml+xml")
    text = text_of(answer.body[:_LOOKED_AT]) if is_html else ""
    if not _NAMED.search(text):
        return Document()
    reader = _MetaReader()
    try:
        reader.feed(text)  # never closed: at the end html.parser takes quadratic time
    except AssertionError:  # raised by html.parser at a marked section such as <![x[
        reader.found.ignored["the page cannot be read beyond a marked section"] = None
    return reader.found


class _MetaReader(HTMLParser):
    """Follow HTML's tree construction as far as needed to know the parent of a `<meta>`.

    Raw text is skipped up to its end tag, because older versions of html.parser find tags in it.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found = Document()
        self._is_head = True
        self._allowed = {"html", "head", "noscript", *_IN_HEAD}
        self._has_script = False
        self._skipping: str | None = None
        self._depth = 0  # of nested templates

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if self._skipping:
            self._depth += tag == self._skipping == "template"
            return
        said: dict[str, str] = {}
        for name, value in attrs:
            said.setdefault(name, value or "")  # the first of equal attributes counts
        self._is_head = self._is_head and tag in self._allowed
        if tag == "meta":
            self._read(said)
        elif tag == "script" and _EXECUTED.fullmatch(said.get("type", "").strip(_WHITESPACE)):
            self._has_script = True
        if tag in _RAW:
            self._skipping, self._depth = tag, 1

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # HTML has no self-closing tags of these

    def handle_endtag(self, tag: str) -> None:
        if tag == self._skipping:
            self._depth -= 1
            if not self._depth:
                self._skipping = None
        elif not self._skipping and tag == "head":
            self._allowed.discard("noscript")  # other elements of the head may also follow it
        elif not self._skipping and tag in _ENDS_HEAD:
            self._is_head = False

    def handle_data(self, data: str) -> None:
        if not self._skipping and data.strip(_WHITESPACE):
            self._is_head = False

    def _read(self, said: dict[str, str]) -> None:
        content = said.get("content", "")
        if said.get("http-equiv", "").lower() == "content-security-policy" and content:
            self._read_policy(grammar.policy_of(content))
        if said.get("name", "").lower() == "referrer":
            word = content.lower()
            word = _LEGACY.get(word, word)
            self.found.referrer = word if grammar.is_referrer_policy(word) else self.found.referrer

    def _read_policy(self, policy: grammar.Policy) -> None:
        if not self._is_head:
            self.found.ignored["browsers ignore a <meta> outside of <head>"] = None
            return
        for name in filter(policy.__contains__, _NOT_IN_META):
            self.found.ignored[f"browsers ignore {name} in a <meta>"] = None
        kept = {name: values for name, values in policy.items() if name not in _NOT_IN_META}
        if kept:
            self.found.policies.append(kept)
            self.found.first += [] if self._has_script else [kept]
