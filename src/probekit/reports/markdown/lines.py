"""Write one verdict in words: its outcome with marks, its value and limit, and its evidence."""

from __future__ import annotations

from typing import Final

from probekit.model.report import Report
from probekit.model.verdict import Flag, Outcome, Verdict
from probekit.reports._support.remedies import why
from probekit.reports._support.values import changed_limit, measured, unstated_value
from probekit.reports.markdown.inline import NAME, code, joined, prose
from probekit.text import words

VERIFIED: Final = (Outcome.PASS, Outcome.ATTESTED)  # waived and not applicable are settled without a measurement
_FLAGS: Final = {Flag.CHANGED: "changed limit", Flag.REPORTED: "reported by a program"}


def outcome(verdict: Verdict, report: Report) -> str:
    """Return the outcome with the severity of what is open, and the flags: `**fail** (high, flaky)`."""
    is_open = not verdict.outcome.is_settled
    is_later = is_open and not report.bars_go(verdict)
    marks = [verdict.severity.value] if is_open else []
    marks += [_FLAGS.get(flag, words(flag)) for flag in sorted(verdict.flags)]
    marks += ["follow-up"] if is_later else []
    return f"**{words(verdict.outcome)}**" + (f" ({', '.join(marks)})" if marks else "")


def evidence(verdict: Verdict, report: Report, most: int) -> str:
    """Return the value and the limit, the changed limit, and the reason as code, which may be a text of the target."""
    value = unstated_value(verdict)
    reason = why(verdict, report).removeprefix(f"{measured(verdict)}; " if value else "")
    changed = changed_limit(verdict)
    return joined((prose(value, NAME), prose(f"limit {changed}" if changed else "", most), code(reason, most)), "; ")
