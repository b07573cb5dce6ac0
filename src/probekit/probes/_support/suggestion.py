"""Which line of a configuration would accept the answer that was seen? A whole one, to copy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any, Final

from probekit.model.measurement import ProbeFailedError
from probekit.probes._support.health_values import WORDS
from probekit.probes._support.health_words import is_page, plain
from probekit.probes._support.json import parse
from probekit.transport.response import Answer

_SHOWN: Final = 80  # characters of a first line
_LOOKED_AT: Final = 1 << 12  # characters of a text
_SHORT: Final = 40  # characters of a text that is claimed as a whole
_LONG: Final = 60  # characters of a claimed part of a text
_DEEPEST: Final = 3  # levels of a document
_MEMBER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_TITLE: Final = re.compile(r"<title[^<>]{0,200}>([^<>]{1,400})</title", re.IGNORECASE)
_IN_TOML: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def seen(answer: Answer) -> str:
    """Return the beginning of the body: its first line, of JSON as much of it as one line holds."""
    text = answer.text.strip()[:_LOOKED_AT]
    is_json = re.match(r"\{|\[(?![-+])", text)  # `[+]ping ok` is no list
    line = " ".join(text.split()) if is_json else (text.splitlines() or [""])[0].strip()
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."


def suggestion(answer: Answer) -> str:
    """Return the assertions that this answer keeps, as the line of a configuration."""
    text = answer.text.strip()
    if not text:
        return 'assertions = [{ equals = "" }]'
    claim = None if is_page(answer) else _of_document(answer)
    return f"assertions = [{claim or _of_text(text)}]"


def _of_document(answer: Answer) -> str | None:
    """A claim about a JSON document; None where the body is none."""
    try:
        document = parse(answer.body)
    except ProbeFailedError:
        return None
    found = list(_scalars("$", document, 1))
    if found:
        path, value = min(found, key=lambda one: _rank(*one))
        return f"{{ path = {_quoted(path)}, equals = {_written(value)} }}"
    if isinstance(document, list):
        return '{ path = "$[0]", exists = true }' if document else '{ path = "$", length = 0 }'
    if not isinstance(document, dict):
        return None
    name = next((key for key in document if _MEMBER.fullmatch(key)), None)
    return f'{{ path = "$.{name}", exists = true }}' if name else '{ path = "$", length = 0 }' if not document else None


def _scalars(path: str, value: Any, level: int) -> Iterator[tuple[str, bool | str]]:  # noqa: ANN401  # any JSON value
    """The flags and short texts of a document, each with its path."""
    if isinstance(value, bool) or (isinstance(value, str) and value.isprintable() and len(value) <= _SHORT):
        yield path, value
    elif isinstance(value, dict) and level <= _DEEPEST:
        for key, part in list(value.items())[:100]:
            if _MEMBER.fullmatch(key):
                yield from _scalars(f"{path}.{key}", part, level + 1)


def _rank(path: str, value: bool | str) -> tuple[int, int]:  # noqa: FBT001  # what is ranked
    """The likeliest word of health first: by its key, then by its depth, then a flag before a text."""
    key = plain(path.rpartition(".")[2])
    return (0 if key in WORDS else 1 if isinstance(value, bool) else 2), path.count(".")


def _of_text(text: str) -> str:
    if len(text) <= _SHORT and text.isprintable():
        return f"{{ equals = {_quoted(text)} }}"
    looked_at = text[:_LOOKED_AT]
    title = _TITLE.search(looked_at)
    lines = [line.strip() for line in ([_literal_part(title[1])] if title else looked_at.splitlines())]
    words = next((cut for line in _in_order(lines) if (cut := _cut(line))), "")
    return f"{{ contains = {_quoted(words)} }}" if words else "{ length = { at_least = 1 } }"


def _literal_part(title: str) -> str:
    """Return the part of a title that stands in the page as it reads: up to its first character reference."""
    return title if unescape(title) == title else title.partition("&")[0]


def _in_order(lines: list[str]) -> list[str]:
    """The lines, the likeliest first: the last one of a list of checks (`[+]ping ok`), else the first one."""
    return [*lines[-1:], *lines] if lines and lines[0].startswith("[") else lines


def _cut(line: str) -> str:
    """Whole words of a line, as many as a claim holds."""
    cut = line if len(line) <= _LONG else line[:_LONG].rpartition(" ")[0]
    return cut if cut.isprintable() and "\ufffd" not in cut else ""


def _written(value: bool | str) -> str:  # noqa: FBT001  # what is written
    return str(value).lower() if isinstance(value, bool) else _quoted(value)


def _quoted(text: str) -> str:
    return f'"{"".join(_IN_TOML.get(character, character) for character in text)}"'
