"""Parse metrics in Prometheus' text format, strictly and in linear time."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probes._support.json import shown

MOST_SAMPLES: Final = 50_000
MOST_LINES: Final = 4 * MOST_SAMPLES  # HELP, TYPE and an empty line for each
MOST_BYTES: Final = 16 << 20  # a bucket of a Kubernetes API server takes 186 bytes: 50,000 of them are 9.3 MB

_SHOWN: Final = 100  # characters of a line, before they are escaped and cut
# https://prometheus.io/docs/instrumenting/exposition_formats/; possessive quantifiers keep the time linear; they are
# only on characters, because on groups they lose matches in Python 3.11.2
_BLANK: Final = r"[ \t]*+"
_METRIC: Final = r"[a-zA-Z_:][a-zA-Z0-9_:]*+"
_LABEL: Final = r"[a-zA-Z_][a-zA-Z0-9_]*+"
_TEXT: Final = r'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*'
_PAIR: Final = rf'(?:(?:{_LABEL}|"{_TEXT}"){_BLANK}={_BLANK})?"{_TEXT}"{_BLANK}'  # without "=": the metric's name
_LABELS: Final = rf"\{{{_BLANK}(?:{_PAIR}(?:,{_BLANK}{_PAIR})*(?:,{_BLANK})?)?\}}"
_NUMBER: Final = r"(?:[+-]?+(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?+[0-9]++)?|(?i:[+-]?+inf(?:inity)?|nan))"
_EXEMPLAR: Final = rf"[ \t]++#[ \t]++{_LABELS}[ \t]++{_NUMBER}(?:[ \t]++{_NUMBER})?"  # of OpenMetrics
_SAMPLE: Final = re.compile(
    rf"{_BLANK}(?P<name>{_METRIC})?(?:{_BLANK}(?P<labels>{_LABELS}){_BLANK}|[ \t]++)(?P<value>{_NUMBER})"
    rf"(?:[ \t]++{_NUMBER})?(?:{_EXEMPLAR})?{_BLANK}"
)
_SPLIT: Final = re.compile(rf'(?:(?:({_LABEL})|"({_TEXT})"){_BLANK}={_BLANK})?"({_TEXT})"')
_COMMENT: Final = re.compile(rf"{_BLANK}(?:#.*+)?")
_IS_TYPE: Final = re.compile(rf"{_BLANK}#[ \t]++TYPE(?![^ \t])")
_TYPE: Final = re.compile(
    rf'{_BLANK}#[ \t]++TYPE[ \t]++(?:"(?P<quoted>{_TEXT})"|(?P<name>{_METRIC}))[ \t]++'
    rf"(?P<type>counter|gauge|histogram|summary|untyped|unknown|info|stateset|gaugehistogram){_BLANK}"
)
_ESCAPED: Final = re.compile(r'\\([\\"n])')


class Sample(NamedTuple):
    """One line of a page: a series and its value."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Exposition:
    """The content of a page: its samples in order, and the type of each family with a TYPE line."""

    samples: tuple[Sample, ...]
    types: Mapping[str, str]


def parse(body: bytes, names: Container[str] | None = None) -> Exposition:
    """Return the samples of these names (None: all) and all types; every line of the page is checked.

    A page of OpenMetrics is accepted too; its exemplars and timestamps are checked and dropped.

    Raises:
        ProbeFailedError: `bad_response`: a line is not of the format, or the page holds more than `MOST_SAMPLES` or
            `MOST_LINES`.
    """
    if body.count(b"\n") > MOST_LINES:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"more than {MOST_LINES} lines of metrics")
    try:
        lines = body.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise _malformed(body.count(b"\n", 0, error.start) + 1, "it is not UTF-8") from None
    samples: list[Sample] = []
    types: dict[str, str] = {}
    count = 0
    for number, line in enumerate(lines, start=1):
        text = line.removesuffix("\r")
        if found := _SAMPLE.fullmatch(text):
            count += 1
            if count > MOST_SAMPLES:
                raise ProbeFailedError(Reason.BAD_RESPONSE, f"more than {MOST_SAMPLES} samples of metrics")
            if names is None or found["name"] is None or found["name"] in names:
                sample = _sample(found, number)
                samples += [sample] if names is None or sample.name in names else []
        elif kind := _TYPE.fullmatch(text):
            types[_unescaped(kind["quoted"] or kind["name"])] = kind["type"]
        elif _IS_TYPE.match(text) or not _COMMENT.fullmatch(text):
            raise _malformed(number, _begin(text))
    return Exposition(tuple(samples), types)


def _sample(found: re.Match[str], number: int) -> Sample:
    """Split the labels of a line that matches the format; missing and repeated names are errors."""
    pairs = _SPLIT.findall(found["labels"]) if found["labels"] else []
    labels = {label or _unescaped(quoted): _unescaped(value) for label, quoted, value in pairs}
    nameless = labels.pop("", None)  # the metric's name may be among the labels, in quotes
    name = found["name"] or nameless
    if not name or (found["name"] and nameless is not None) or len(labels) + (nameless is not None) != len(pairs):
        raise _malformed(number, f"a name is missing or listed twice: {_begin(found[0])}")
    return Sample(name, labels, float(found["value"]))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], text) if "\\" in text else text


def _begin(line: str) -> str:
    return shown(line[:_SHOWN])


def _malformed(number: int, what: str) -> ProbeFailedError:
    return ProbeFailedError(Reason.BAD_RESPONSE, f"line {number} is not in Prometheus' text format: {what}")
