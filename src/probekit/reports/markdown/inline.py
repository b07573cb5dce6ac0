"""Write texts of any origin as inline Markdown that gives nothing but their characters.

A code span keeps its characters as they are: no escape, entity, emphasis, link or HTML begins in it (GFM 6.3), and
GitHub finds mentions, references, hashes of commits, emoji and math outside of code only. An escape with a
backslash would not do: GitHub finds mentions in the text that Markdown has already made of it.

So each text is a code span, or a sentence whose words are plain, with code spans around the others. Neither begins a
line, so that no marker of a list, a heading or a table can begin one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Final

from probekit.reports._support.bounded import cut

NAME: Final = 200  # characters of an id, a name or a heading
SENTENCE: Final = 600  # characters

_SHARES: Final = (1, 3, 9)  # a character takes up to 9 in Markdown
_FENCE: Final = 4  # characters of a fence and its spaces, in most texts
_MOST_TICKS: Final = 20
_TICKS: Final = re.compile("`+")
_LONG_TICKS: Final = re.compile(f"`{{{_MOST_TICKS + 1},}}")
# A pipe in a code span ends a table's cell (GFM 4.10), and parsers disagree about one after a backslash. The beginning
# of a tag is safe in a code span, and is left to none of the programs that show Markdown without reading code spans.
_OUTSIDE: Final = re.compile(r"(\||<(?=[A-Za-z/!?]))")
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
_ENTITY: Final = re.compile("[&<>|]")

_PLAIN: Final = re.compile(r"[A-Za-z0-9.,;:()/%+='\"?<>\x80-\U0010ffff-]+")
_SPECIAL: Final = re.compile(  # in a word of these characters, for GitHub, GitLab or a parser that finds links
    r"^-|"  # an option of a command, or a marker
    r"//|www\.|\.[^\W\d_]|"  # an address
    r":(?!\d\d:)[^:]*:|"  # an emoji, but not a time
    r"[0-9a-f]{7}|"  # a commit
    r"[a-z]-\d|"  # GH-1, and the keys of other trackers
    r"%[^,.;)]",  # a milestone
    re.IGNORECASE,
)
_COMMAND: Final = re.compile(  # of probekit, which a reader copies as a whole
    r"(probekit (?:verify|plan|(?:probe|init|deployment|runs|baseline|list|explain) [^\s;,`|<]+)"
    r"(?: --[a-z-]+(?: [A-Za-z0-9./:@_-]*[A-Za-z0-9/_])?)*)(?![^\s;,.])"
)
_ALONE: Final = frozenset("-&")  # plain where nothing is attached to them
_STOPS: Final = ",.;:)"  # that follow a word without a space
_MARKED: Final = re.compile(r"(?:(?<= )|^)(?:`([^`]+)`|\*\*([A-Za-z0-9]+(?: [A-Za-z0-9]+)*)\*\*)(?![^ ,.;:)])")


def code(text: str, most: int = NAME) -> str:
    """Return a text as code spans of at most that many characters in all; empty for a blank text."""
    return _bounded(_code, text, most)


def prose(text: str, most: int = SENTENCE) -> str:
    """Return a text as a sentence of at most that many characters: plain words, and code spans around the others."""
    return _bounded(_prose, text, most)


def marked(text: str, most: int = SENTENCE) -> str:
    """Return a line of a checklist's document, which may have code spans and strong words of its own."""
    return _bounded(_marked, text, most)


def joined(parts: Iterable[str], separator: str = " ") -> str:
    """Return the parts that are not empty, with a separator between them."""
    return separator.join(filter(None, parts))


def _bounded(render: Callable[[str], str], text: str, most: int) -> str:
    """Return the rendered text, cut so that its Markdown is not longer than `most`."""
    written = ""
    for share in _SHARES:
        written = render(cut(text, (most - _FENCE) // share))
        if len(written) <= most:
            break
    return written


def _code(line: str) -> str:
    parts = _OUTSIDE.split(_LONG_TICKS.sub("`" * _MOST_TICKS + "...", line))
    return "".join(_entities(part) if number % 2 else _span(part) for number, part in enumerate(parts))


def _span(text: str) -> str:
    """Return one code span with the spaces around it, and a fence longer than any run of backticks in it (GFM 6.3).

    cmark-gfm, which GitHub uses, takes a fence of more than 80 backticks for a text, so no run is that long.
    """
    kept = text.strip()
    if not kept:
        return text
    fence = "`" * (max(map(len, _TICKS.findall(kept)), default=0) + 1)
    pad = " " if kept.startswith("`") or kept.endswith("`") else ""
    return f"{' ' * text.startswith(' ')}{fence}{pad}{kept}{pad}{fence}{' ' * text.endswith(' ')}"


def _entities(text: str) -> str:
    """Return plain characters, with an entity for each that Markdown or HTML could read (GFM 6.2)."""
    return _ENTITY.sub(lambda found: _ENTITIES[found[0]], text)


def _prose(line: str) -> str:
    parts = _COMMAND.split(line)
    return "".join(_code(part) if number % 2 else _sentence(part) for number, part in enumerate(parts)).strip()


def _sentence(text: str) -> str:
    runs = groupby(text.split(), key=_is_plain)
    written = " ".join((_entities if is_plain else _quoted)(" ".join(words)) for is_plain, words in runs)
    return f"{' ' * text.startswith(' ')}{written}{' ' * text.endswith(' ')}" if written else " " * bool(text)


def _quoted(text: str) -> str:
    """Return words as code, without the stops at their end."""
    kept = text.rstrip(_STOPS)
    return _code(kept) + text[len(kept) :]


def _is_plain(word: str) -> bool:
    """Return whether a word means no more than its characters, in Markdown and to the sites that show it."""
    return word in _ALONE or (bool(_PLAIN.fullmatch(word)) and not _SPECIAL.search(word))


def _marked(line: str) -> str:
    written, end = "", 0
    for found in _MARKED.finditer(line):
        written = _followed(written, line[end : found.start()])
        own = _code(found[1].strip()) if found[1] else f"**{found[2]}**"
        written, end = joined((written, own)), found.end()
    return _followed(written, line[end:])


def _followed(written: str, text: str) -> str:
    """Return Markdown with a sentence after it; a space separates two code spans, which would be one otherwise."""
    sentence = _prose(text)
    return joined((written, sentence), "" if sentence.startswith(tuple(_STOPS)) and text[:1] != " " else " ")
