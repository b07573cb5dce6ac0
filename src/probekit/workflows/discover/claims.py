"""Which claims say that an answer is well, where kind `http` cannot read that by itself?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from probekit.model.measurement import ProbeFailedError
from probekit.probes._support.health_values import WORDS
from probekit.probes._support.health_words import Health, health_of, plain
from probekit.probes._support.json import parse
from probekit.transport.response import Answer
from probekit.workflows.discover.found import Claim

_EMPTY_DOCUMENTS: Final = ("{}", "[]")
_RAILS: Final = "background-color: green"  # the whole page of Rails' /up; red where it is not well
_LONGEST_SENTENCE: Final = 100  # characters
_LONGEST_PHRASE: Final = 40
_MOST_WORDS: Final = 10
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z-]*")  # without an apostrophe: "isn't" is none
_NEGATIONS: Final = frozenset((
    "not", "no", "never", "cannot", "neither", "nor", "none", "nothing", "without", "was", "were", "will", "should",
    "if", "when", "until", "unless", "hardly", "un",
))  # fmt: skip
_LOOKED_AT: Final = 2000  # characters of a text that is not understood
_TAG: Final = re.compile(r"<[^<>]*>")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")  # a key that a JSONPath holds as it is
UNKNOWN: Final[Claim] = {"path": "$....", "equals": "..."}


def strong_claims(answer: Answer) -> tuple[Claim, ...]:
    """Claims that a healthy answer of this dialect keeps; none where it is none that is known."""
    text = answer.text.strip()
    if text.casefold() == "true":
        return ({"equals": text},)
    if _RAILS in text:
        return ({"contains": _RAILS},)
    if phrase := _phrase(text):
        return ({"contains": phrase},)
    flag = _text_flag(_document(answer))
    return ({"path": f"$.{flag[0]}", "equals": "true"},) if flag else ()


def broken_by(answer: Answer) -> str:
    """What in an answer breaks its strong claims, in words; empty where they hold."""
    flag = _text_flag(_document(answer))
    return f'{flag[0]} is "false"' if flag and flag[1] == "false" else ""


def weak_claims(answer: Answer) -> tuple[Claim, ...]:
    """Claims about an answer that says nothing, which any process could give."""
    text = answer.text.strip()
    if not text:
        return ({"status": answer.status}, {"equals": ""})
    return ({"equals": text},) if text in _EMPTY_DOCUMENTS or text.casefold() == "pong" else ()


def suggestion(answer: Answer) -> Claim:
    """A claim that holds of the answer, for a person who knows whether it says something of health."""
    if not answer.text.strip():
        return {"status": 200}
    document = _document(answer)
    if isinstance(document, dict):
        texts = ((key, value) for key, value in document.items() if isinstance(value, str) and _NAME.fullmatch(key))
        return next(({"path": f"$.{key}", "equals": value} for key, value in texts if _is_short(value)), UNKNOWN)
    if document is not None:
        return UNKNOWN
    lines = [line.strip() for line in _TAG.sub("", answer.text[:_LOOKED_AT]).splitlines() if line.strip()]
    first = lines[0] if lines else ""
    choices = (*map(_phrase, lines), first, " ".join(re.findall(r"[\w-]+", first)[:3]))
    return {"contains": next(filter(_is_short, choices), "...")}


def _is_short(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_PHRASE and text.isprintable()


def _document(answer: Answer) -> Any:  # noqa: ANN401  # any JSON value
    """The JSON document of the body; None where it is none."""
    try:
        return parse(answer.body)
    except ProbeFailedError:
        return None


def _text_flag(document: Any) -> tuple[str, str] | None:  # noqa: ANN401  # any JSON value
    """The first key of health whose value is the text "true" or "false", and that text: {"health":"true"} of etcd."""
    table = document if isinstance(document, Mapping) else {}
    flags = ((key, value) for key, value in table.items() if value in ("true", "false") and _NAME.fullmatch(key))
    return next((flag for flag in flags if plain(flag[0]) in WORDS), None)


def _phrase(text: str) -> str:
    """The last two words of a sentence that ends well: "is Healthy" of "Prometheus Server is Healthy."."""
    words = text.rstrip(".!").split()
    is_sentence = len(text) <= _LONGEST_SENTENCE and len(text.splitlines()) == 1 and 1 < len(words) <= _MOST_WORDS
    if not is_sentence or not all(map(_WORD.fullmatch, words)):
        return ""
    is_said = health_of(words[-1]) is Health.GOOD and not _NEGATIONS & {word.casefold() for word in words}
    if not is_said or any(health_of(word) in (Health.BAD, Health.UNCLEAR) for word in words):
        return ""
    phrase = " ".join(words[-2:])
    return phrase if phrase in text and len(phrase) <= _LONGEST_PHRASE else ""
