"""Which claims say that an answer is well, where kind `http` cannot read that by itself?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from probekit.model.measurement import ProbeFailedError
from probekit.probes._support.health_values import WORDS
from probekit.probes._support.health_words import plain
from probekit.probes._support.json import parse
from probekit.probes._support.sentence import good_phrase
from probekit.probes._support.suggestion import Claim
from probekit.transport.response import Answer

_EMPTY_DOCUMENTS: Final = ("{}", "[]")
_RAILS: Final = "background-color: green"  # the whole page of Rails' /up; red where it is not well
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")  # a key that a JSONPath holds as it is


def strong_claims(answer: Answer) -> tuple[Claim, ...]:
    """Claims that a healthy answer of this dialect keeps; none where it is none that is known."""
    text = answer.text.strip()
    if text.casefold() == "true":
        return ({"equals": text},)
    if _RAILS in text:
        return ({"contains": _RAILS},)
    if phrase := good_phrase(text):
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
