"""Does a body call itself well? All its words must be good, or a declared assertion holds and none is bad."""

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

SUGGESTED: Final = "if that is good: "  # begins the setting that would accept a body which is not understood
IGNORABLE: Final = "what does not count: "  # begins the setting by which a part that is not well is left out
TOLD: Final = 6  # words that a line of evidence names


@dataclass(frozen=True, slots=True)
class OwnWord:
    """What a body says of its health."""

    failed: Sequence[str] = ()  # why it is not well, in words
    neutral: Sequence[str] = ()  # what says nothing of health, as text


def implied(answer: Answer, ignore: Sequence[str] = ()) -> OwnWord:
    """What a body says of itself, where nothing is declared: all its words must be good.

    Raises:
        ProbeFailedError: `bad_response`: it says nothing of health, or its words disagree.
    """
    if not answer.text.strip():
        hint = f"{as_setting(suggestion(answer))}, or any_body = true where any 2xx is"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"the body is empty; {SUGGESTED}{hint}")
    try:
        document = said_by(answer)
        said = read_health(document, ignored=Names(ignore))
    except ProbeFailedError as error:
        raise _unread(error.detail, answer) from error
    if said.overall is None and said.is_silent:
        raise _unread(f"no status in it; {keys(document)}", answer)
    if said.overall is not None and said.overall.is_doubtful:
        what = "neither good nor bad" if said.overall is Health.UNCLEAR else "not a recognised word of health"
        raise _unread(f"its status {shown(said.word)} is {what}", answer)
    if said.overall is Health.BAD and said.best is not Health.GOOD:
        return OwnWord([f"its status is {shown(said.word)}"], said.neutral)
    if doubts := _doubts(_unwell(said)):
        raise ProbeFailedError(Reason.BAD_RESPONSE, doubts)
    return OwnWord(neutral=said.neutral)


def _unread(why: str, answer: Answer) -> ProbeFailedError:
    """The refusal of a body that says nothing of health, with its first line and the setting that would accept it."""
    line = f"first line: {seen(answer)}; {SUGGESTED}{as_setting(suggestion(answer))}"
    return ProbeFailedError(Reason.BAD_RESPONSE, f"{why}; {line}")


def doubted(answer: Answer) -> tuple[str, ...]:
    """What of a body is not plainly well beside a good word: what `ignore` would have to name."""
    try:
        return tuple(dict.fromkeys(name for name, _ in _unwell(read_health(said_by(answer)))))
    except ProbeFailedError:
        return ()


def beside_assertions(answer: Answer, ignore: Sequence[str] = ()) -> OwnWord:
    """What it says beside declared assertions that hold: only an explicit bad word counts.

    Raises:
        ProbeFailedError: `bad_response`: the body says one, or more than is read.
    """
    document = said_leniently(answer)
    if document is None:  # it says nothing of health; the assertions do
        return OwnWord()
    said = read_health(document, ignored=Names(ignore))
    if doubts := _doubts(_bad(said)):
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"the declared assertions hold, but {doubts}")
    return OwnWord(neutral=said.neutral)


def _bad(said: HealthDocument) -> list[tuple[str, str]]:
    """Each word that is bad, with its key or component."""
    words = [(key, shown(says)) for key, says, health in said.words if health is Health.BAD]
    return [*words, *((one.name, shown(one.says)) for one in said.listed if one.health is Health.BAD)]


def _unwell(said: HealthDocument) -> list[tuple[str, str]]:
    """Each word that is not good: bad, unclear, or in a map of components none that is known.

    "UNKNOWN" is a word of Spring Boot's there, for what it does not judge.
    """
    unclear = [
        (one.name, shown(one.says))
        for one in said.listed
        if one.health is Health.UNCLEAR
        or (one.health is Health.UNKNOWN and one.is_mapped and isinstance(one.says, str) and one.says != "UNKNOWN")
    ]
    return [*_bad(said), *unclear]


def _doubts(unwell: Sequence[tuple[str, str]]) -> str:
    """The words that contradict a good answer, with the line that lets them pass; nothing where there is none."""
    unwell = list(dict.fromkeys(unwell))
    if not unwell:
        return ""
    told = ", ".join(f"{shown(name)} says {says}" for name, says in unwell[:TOLD])
    more = f" and {len(unwell) - TOLD} more" if len(unwell) > TOLD else ""
    names = ", ".join(dict.fromkeys(shown(name) for name, _ in unwell[:TOLD]))
    return f"{told}{more}; {IGNORABLE}ignore = [{names}]"
