"""Write the report as the one line of a monitoring plugin, with the readings as performance data.

The form is that of the Monitoring Plugins Development Guidelines: "Plugin Output for Nagios", "Threshold and Ranges",
"Performance data".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import Final

from probekit.model.limit import Limit
from probekit.model.report import Report
from probekit.model.verdict import Verdict
from probekit.reports import PLAIN, Format, View
from probekit.reports._support.decision import decision_words, main_reason
from probekit.reports._support.facts import facts
from probekit.reports._support.labels import distinct, label
from probekit.reports._support.nagios_status import nagios_status
from probekit.text import escape

_LONGEST: Final = 4000  # bytes of the line with its end: Nagios 3 reads 4 KiB
_REASON: Final = 500  # bytes of the decision with its reason
_FACT: Final = 120  # bytes of each fact
_STATED: Final = ("decision", "reason")  # facts that the line begins with
_CUT: Final = "..."
_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])")  # Nagios may show the line as HTML (cgi.cfg: escape_html_tags)
_UNITS: Final[Mapping[str, tuple[str, Decimal]]] = {  # unit of a limit -> unit of the guidelines, and the factor
    "min": ("s", Decimal(60)),
    "h": ("s", Decimal(3600)),
    "d": ("s", Decimal(86_400)),
}
_ALERTS: Final = {  # a limit's operator -> the range that alerts where the limit does not hold; {} is the limit
    "<": "@{}:",
    "<=": "~:{}",
    "==": "{}:{}",
    ">=": "{}:",
    ">": "@~:{}",
}


def render(report: Report, _view: View = PLAIN) -> str:
    """Return one line of at most 4,000 bytes; readings of items that bar a go and of severe items come first."""
    text = _text(report)
    known = list(_performance(report))
    kept = _fitting(known, _LONGEST - _size(f"{text}; {_share(known, known)} | \n"))
    if len(kept) < len(known):
        text += f"; {_share(kept, known)}"
    return f"{text} | {' '.join(kept)}\n" if kept else f"{text}\n"


def _share(kept: Sequence[str], known: Sequence[str]) -> str:
    return f"{len(kept)} of {len(known)} readings follow"


def _text(report: Report) -> str:
    """Return the state, the decision with its reason, and the facts, each cut to its share of the line."""
    reason = _cut(_plain(f"{decision_words(report)}: {main_reason(report)}"), _REASON)
    parts = [f"{name} {_cut(_plain(text), _FACT)}" for name, text in facts(report) if name not in _STATED]
    return f"PROBEKIT {nagios_status(report).name} - {'; '.join([reason, *parts])}"


def _plain(text: str) -> str:
    """Return the text on one line, without the bar that ends the text of a plugin and without HTML."""
    return _TAG.sub("< ", escape(text)).replace("|", "/")


def _size(text: str) -> int:
    """Return the bytes of the text in the encoding that needs most: ASCII, with escapes for other characters."""
    return len(text) if text.isascii() else len(text.encode("ascii", "backslashreplace"))


def _cut(text: str, most: int) -> str:
    """Return the text, cut in its middle to that many bytes: a digest at its end stays."""
    if _size(text) <= most:
        return text
    end = _last(text, most * 2 // 3)
    return _last(text[::-1], most - len(_CUT) - _size(end))[::-1] + _CUT + end


def _last(text: str, most: int) -> str:
    """Return the last characters of the text that have at most that many bytes."""
    text = text[-most:]
    while _size(text) > most:
        text = text[1:]
    return text


def _performance(report: Report) -> Iterator[str]:
    """Yield `'label'=value[UOM];[warn];[crit]` of each verdict with a reading, the most important first."""
    read = [one for one in report.verdicts if one.observed is not None and one.limit is not None]
    read.sort(key=lambda one: (not report.bars_go(one), -one.severity.gravity))
    for name, one in zip(distinct(map(_label, read)), read, strict=True):
        yield f"'{name}'={_value(one)}".rstrip(";")


def _label(verdict: Verdict) -> str:
    """Return the item and the metric, without the characters that a label must not have; a quote is doubled."""
    metric = verdict.limit.metric if verdict.limit else ""
    return _plain(f"{label(verdict.item.id)}/{label(metric)}").replace("=", "_").replace("'", "''")


def _value(verdict: Verdict) -> str:
    """Return the number with its unit and the range of its limit: critical for a severe item, else a warning."""
    limit, observed = verdict.limit, verdict.observed
    if limit is None or observed is None or not isfinite(observed):
        return "U"  # not determined
    known = limit.metric_unit or ""  # a tolerance does not state the unit of its metric
    unit, factor = _UNITS.get(known, (known, Decimal(1)))
    alerts = _range(limit, factor)
    return f"{_number(observed, factor)}{unit};" + (f";{alerts}" if verdict.severity.is_grave else alerts)


def _range(limit: Limit, factor: Decimal) -> str:
    """Return the range in which Nagios alerts; empty for a tolerance, since the baseline is not in the report."""
    return "" if limit.of == "baseline" else _ALERTS[limit.op].replace("{}", _number(limit.value, factor))


def _number(value: float, factor: Decimal) -> str:
    """Return the product with all of its digits and without an exponent, which the guidelines do not allow."""
    text = f"{Decimal(repr(float(value))) * factor:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _fitting(words: Sequence[str], most: int) -> list[str]:
    """Return those that fit into so many bytes with a blank between two; one that is too long is left out."""
    kept: list[str] = []
    for word in words:
        size = _size(word) + bool(kept)
        if size <= most:
            most -= size
            kept.append(word)
    return kept


FORMAT = Format(name="nagios", help="Nagios, Icinga and what else runs monitoring plugins", render=render)
