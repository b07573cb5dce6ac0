"""Suggest an assertion that accepts an answer, to copy or to complete."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from itertools import chain
from typing import Any, Final

from probekit.model.measurement import ProbeFailedError
from probekit.probes._support.comparing import number_in, time_in
from probekit.probes._support.health_values import WORDS, is_passing
from probekit.probes._support.health_words import Health, health_of, is_page, plain, said_leniently
from probekit.probes._support.json import parse
from probekit.probes._support.sentence import good_phrase
from probekit.toml_file.write import inline
from probekit.transport.response import Answer

Claim = Mapping[str, Any]  # an entry of `assertions`: its settings

_SHOWN: Final = 80  # characters of a first line
_LOOKED_AT: Final = 1 << 12  # characters of a text
_SHORT: Final = 40  # characters of a text that is asserted as a whole
_LONG: Final = 55  # characters of an asserted part of a text
_LONGEST_CLAIM: Final = 73  # characters, to fit a line of a file
_DEEPEST: Final = 3  # levels of a document
_MEMBER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_TITLE: Final = re.compile(r"<title[^<>]{0,200}>([^<>]{1,400})</title", re.IGNORECASE)
_ELEMENT: Final = re.compile(r"<([A-Za-z][\w:.-]{0,30})>([^<>\n]{1,40})</\1>")
_UNSEEN: Final = re.compile(r"<(script|style)\b.*?</\1>", re.IGNORECASE | re.DOTALL)
_BETWEEN_TAGS: Final = re.compile(r"<[^<>]*>|\n")
_UNREADABLE: Final = "\ufffd"
_ANYTHING: Final[Claim] = {"length": {"at_least": 1}}


def seen(answer: Answer) -> str:
    """Return the beginning of the body: its first line, of JSON as much of it as one line holds."""
    text = answer.text.strip()[:_LOOKED_AT]
    is_json = re.match(r"\{|\[(?![-+])", text)  # `[+]ping ok` is not a list
    line = " ".join(text.split()) if is_json else (text.splitlines() or [""])[0].strip()
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."


def as_setting(claim: Claim) -> str:
    """Return an assertion as a line of the configuration."""
    return f"assertions = [{inline(claim)}]"


def suggestion(answer: Answer) -> Claim:
    """Return an assertion that this answer meets, the likeliest one about its health."""
    text = answer.text.strip()
    if not text:
        return {"equals": ""}
    if health_of(said_leniently(answer)) is Health.UNCLEAR:  # such as "Degraded" of ASP.NET
        return _ANYTHING
    claims = chain(_of_document(answer), _of_text(text, is_page=is_page(answer)))
    return next((claim for claim in claims if len(inline(claim)) <= _LONGEST_CLAIM), _ANYTHING)


def _of_document(answer: Answer) -> Iterator[Claim]:
    """Yield assertions about a JSON document; none where the body is not JSON."""
    try:
        document = parse(answer.body)
    except ProbeFailedError:
        return
    found = sorted(_scalars("$", document, 1), key=lambda one: _rank(*one))
    yield from ({"path": path, **_kept_by(path, value)} for path, value in found)
    if document in ({}, []):
        yield {"path": "$", "length": 0}
    elif isinstance(document, list):
        yield {"path": "$[0]", "exists": True}
    elif isinstance(document, dict):
        yield from ({"path": f"$.{key}", "exists": True} for key in document if _MEMBER.fullmatch(key))


def _kept_by(path: str, value: bool | str) -> Claim:  # noqa: FBT001  # the asserted value
    """Return the condition for a value: only existence for an unclear word such as "yellow" at a key of health."""
    is_read = path.count(".") == 1 and plain(path.removeprefix("$.")) in WORDS
    return {"exists": True} if is_read and health_of(value) is Health.UNCLEAR else {"equals": value}


def _scalars(path: str, value: Any, level: int) -> Iterator[tuple[str, bool | str]]:  # noqa: ANN401  # any JSON value
    """Yield the flags and short texts of a document that the next answer may have too, each with its path."""
    if isinstance(value, bool) or (isinstance(value, str) and value.isprintable() and len(value) <= _SHORT):
        if not _changes(path.rpartition(".")[2], value):
            yield path, value
    elif isinstance(value, dict) and level <= _DEEPEST:
        for key, part in list(value.items())[:100]:
            if _MEMBER.fullmatch(key):
                yield from _scalars(f"{path}.{key}", part, level + 1)


def _changes(key: str, value: bool | str) -> bool:  # noqa: FBT001  # the value of a document
    """Return whether the value differs between moments, processes or releases, so that the next answer has another."""
    if not isinstance(value, str) or plain(key) in WORDS:
        return False
    return is_passing(key) or (number_in(value) is None and time_in(value) is not None)


def _rank(path: str, value: bool | str) -> tuple[int, int]:  # noqa: FBT001  # the value of a document
    """Return the order of suggestions: words of health by their key first, then flags, then texts; each by depth."""
    key = plain(path.rpartition(".")[2])
    return (0 if key in WORDS else 1 if isinstance(value, bool) else 2), path.count(".")


def _of_text(text: str, *, is_page: bool) -> Iterator[Claim]:
    """Yield assertions about a text: the whole of a short one, else its most significant parts."""
    if len(text) <= _SHORT and text.isprintable() and _UNREADABLE not in text:
        yield {"equals": text}
    looked_at = text[:_LOOKED_AT]
    parts = _of_page(looked_at) if is_page else _in_order(looked_at.splitlines())
    yield from ({"contains": cut} for part in parts if (cut := _cut(part.strip())))


def _of_page(text: str) -> Iterator[str]:
    """Yield the parts of a page or of XML to assert, the likeliest first: a good word, its title, any text."""
    yield from (found[0] for found in _ELEMENT.finditer(text) if health_of(found[2]) is Health.GOOD)
    parts = [part.strip() for part in _BETWEEN_TAGS.split(_UNSEEN.sub("", text))]
    yield from filter(None, map(good_phrase, parts))
    if title := _TITLE.search(text):
        yield _literal_part(title[1])
    yield from parts


def _literal_part(title: str) -> str:
    """Return the part of a title that reads the same in the page's source: up to its first character reference."""
    return title if unescape(title) == title else title.partition("&")[0]


def _in_order(lines: list[str]) -> list[str]:
    """Return the lines, the likeliest first: the last one of a list of checks (`[+]ping ok`), else the first one."""
    return [*lines[-1:], *lines] if lines and lines[0].startswith("[") else lines


def _cut(line: str) -> str:
    """Return the beginning of a line in whole words, at most `_LONG` characters."""
    cut = line if len(line) <= _LONG else line[:_LONG].rpartition(" ")[0]
    return cut if cut.isprintable() and _UNREADABLE not in cut else ""
