"""Assertions for health answers that kind `http` cannot interpret by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from probekit.model.measurement import ProbeFailedError
from probekit.probes._support.health_values import WORDS
from probekit.probes._support.health_words import plain
from probekit.probes._support.json import parse, shown
from probekit.probes._support.sentence import good_phrase
from probekit.probes._support.suggestion import Claim
from probekit.transport.response import Answer

_EMPTY_DOCUMENTS: Final = ("{}", "[]")
_RAILS: Final = "background-color: green"  # the whole page of Rails' /up; red if unhealthy
_VAULT: Final = {"initialized": True, "sealed": False}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")  # a key that a JSONPath holds as it is
_Flag = tuple[str, bool | str, bool | str]  # key, expected value, observed value


def strong_claims(answer: Answer) -> tuple[Claim, ...]:
    """Return assertions that a healthy answer of this dialect passes; none for an unknown dialect."""
    text = answer.text.strip()
    if text.casefold() == "true":
        return ({"equals": text},)
    if _RAILS in text:
        return ({"contains": _RAILS},)
    if phrase := _passed_checks(text) or good_phrase(text):
        return ({"contains": phrase},)
    return tuple({"path": f"$.{key}", "equals": due} for key, due, _ in _flags(_document(answer)))


def broken_by(answer: Answer) -> str:
    """Return which strong assertion an answer fails, in words; empty if none."""
    broken = (f"{key} is {shown(seen)}" for key, due, seen in _flags(_document(answer)) if seen != due)
    return next(broken, "")


def weak_claims(answer: Answer) -> tuple[Claim, ...]:
    """Return assertions on an answer without content, which any running process could give."""
    text = answer.text.strip()
    if not text:
        return ({"status": answer.status}, {"equals": ""})
    return ({"equals": text},) if text in _EMPTY_DOCUMENTS or text.casefold() == "pong" else ()


def _document(answer: Answer) -> Any:  # noqa: ANN401  # any JSON value
    """Return the JSON document of the body; None if it is not JSON."""
    try:
        return parse(answer.body)
    except ProbeFailedError:
        return None


def _passed_checks(text: str) -> str:
    """Return the last line of a list of passed checks: `livez check passed` after lines such as `[+]ping ok`."""
    *checks, last = text.splitlines() or [""]
    is_list = bool(checks) and all(line.startswith("[+]") for line in checks)
    return last if is_list and good_phrase(last) else ""


def _flags(document: Any) -> tuple[_Flag, ...]:  # noqa: ANN401  # any JSON value
    """Return the flags of a dialect that kind http does not read: {"health":"true"} of etcd, those of Vault."""
    table = document if isinstance(document, Mapping) else {}
    if all(isinstance(table.get(key), bool) for key in _VAULT):
        return tuple((key, due, table[key]) for key, due in _VAULT.items())
    flags = ((key, value) for key, value in table.items() if value in ("true", "false") and _NAME.fullmatch(key))
    return tuple((key, "true", value) for key, value in flags if plain(key) in WORDS)[:1]
