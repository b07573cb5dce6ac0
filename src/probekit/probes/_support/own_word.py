"""Judge a body by its own words: all must be good, or declared assertions hold and no word is bad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probes._support.health_document import HealthDocument, Names
from probekit.probes._support.health_reader import read_health
from probekit.probes._support.health_words import Health, said_by, said_leniently
from probekit.probes._support.json import keys, shown
from probekit.probes._support.suggestion import as_setting, seen, suggestion
from probekit.transport.response import Answer

SUGGESTED: Final = "to accept it: "  # before the setting that accepts a body which is not understood
IGNORABLE: Final = "to ignore this: "  # before the setting that ignores an unhealthy part
TOLD: Final = 6  # words that a line of evidence names


@dataclass(frozen=True, slots=True)
class OwnWord:
    """The health that a body states about its target."""

    failed: Sequence[str] = ()  # why it is unhealthy, in words
    neutral: Sequence[str] = ()  # values that say nothing about health, as text


def implied(answer: Answer, ignore: Sequence[str] = ()) -> OwnWord:
    """Return the health that a body states, without assertions: all its words must be good.

    Raises:
        ProbeFailedError: `bad_response`: it says nothing about health, or its words disagree.
    """
    if not answer.text.strip():
        hint = f"{as_setting(suggestion(answer))}, or any_body = true to accept any 2xx"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"the body is empty; {SUGGESTED}{hint}")
    try:
        document = said_by(answer)
        said = read_health(document, ignored=Names(ignore))
    except ProbeFailedError as error:
        raise _unread(error.detail, answer) from error
    if said.overall is None and said.is_silent:
        raise _unread(f"the body has no status; {keys(document)}", answer)
    if said.overall is not None and said.overall.is_doubtful:
        what = "neither good nor bad" if said.overall is Health.UNCLEAR else "not a recognised word of health"
        raise _unread(f"its status {shown(said.word)} is {what}", answer)
    if said.overall is Health.BAD and said.best is not Health.GOOD:
        return OwnWord([f"its status is {shown(said.word)}"], said.neutral)
    if doubts := _doubts(_unwell(said)):
        raise ProbeFailedError(Reason.BAD_RESPONSE, doubts)
    return OwnWord(neutral=said.neutral)


def _unread(why: str, answer: Answer) -> ProbeFailedError:
    """Return the error of a body that says nothing about health, with the setting that would accept it."""
    line = f"first line: {seen(answer)}; {SUGGESTED}{as_setting(suggestion(answer))}"
    return ProbeFailedError(Reason.BAD_RESPONSE, f"{why}; {line}")


def doubted(answer: Answer) -> tuple[str, ...]:
    """Return the names of parts that are not clearly healthy: those that `ignore` would have to name."""
    try:
        return tuple(dict.fromkeys(name for name, _ in _unwell(read_health(said_by(answer)))))
    except ProbeFailedError:
        return ()


def beside_assertions(answer: Answer, ignore: Sequence[str] = ()) -> OwnWord:
    """Return the health that a body states where the declared assertions hold: only a bad word counts.

    Raises:
        ProbeFailedError: `bad_response`: the body has a bad word, or too many components.
    """
    document = said_leniently(answer)
    if document is None:  # only the assertions judge it
        return OwnWord()
    said = read_health(document, ignored=Names(ignore))
    if doubts := _doubts(_bad(said)):
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"the declared assertions hold, but {doubts}")
    return OwnWord(neutral=said.neutral)


def _bad(said: HealthDocument) -> list[tuple[str, str]]:
    """Return each bad word, with its key or component."""
    words = [(key, shown(says)) for key, says, health in said.words if health is Health.BAD]
    return [*words, *((one.name, shown(one.says)) for one in said.listed if one.health is Health.BAD)]


def _unwell(said: HealthDocument) -> list[tuple[str, str]]:
    """Return each word that is not good: bad, unclear, or, in a map of components, not recognised.

    "UNKNOWN" is accepted there: Spring Boot's word for what it does not judge.
    """
    unclear = [
        (one.name, shown(one.says))
        for one in said.listed
        if one.health is Health.UNCLEAR
        or (one.health is Health.UNKNOWN and one.is_mapped and isinstance(one.says, str) and one.says != "UNKNOWN")
    ]
    return [*_bad(said), *unclear]


def _doubts(unwell: Sequence[tuple[str, str]]) -> str:
    """Return the words that contradict a good answer, with the setting that ignores them; empty: none."""
    unwell = list(dict.fromkeys(unwell))
    if not unwell:
        return ""
    told = ", ".join(f"{shown(name)} is {says}" for name, says in unwell[:TOLD])
    more = f" and {len(unwell) - TOLD} more" if len(unwell) > TOLD else ""
    names = ", ".join(dict.fromkeys(shown(name) for name, _ in unwell[:TOLD]))
    return f"{told}{more}; {IGNORABLE}ignore = [{names}]"
