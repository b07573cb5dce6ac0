"""The differences between two runs: outcomes, values, limits and configuration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from probekit.model.history import TargetKey
from probekit.model.numbers import number
from probekit.reports.json.recorded import RecordedReport, RecordedVerdict
from probekit.text import moment, words

_HASH: Final = 12  # displayed digits of a file's digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One item that both runs judged."""

    before: RecordedVerdict
    after: RecordedVerdict

    @property
    def item(self) -> str:
        """The item's id."""
        return self.after.item

    @property
    def is_other_outcome(self) -> bool:
        """Whether the outcome or the severity changed."""
        one, other = self.before, self.after
        return (one.outcome, one.severity) != (other.outcome, other.severity)

    @property
    def is_other_number(self) -> bool:
        """Whether both have a value of the same metric, and the values differ."""
        one, other = self.before, self.after
        is_same = (one.metric, one.unit) == (other.metric, other.unit) and None not in (one.observed, other.observed)
        return is_same and one.observed != other.observed

    @property
    def is_other_limit(self) -> bool:
        """Whether the limit of the metric changed, or what the environment changes in the checklist."""
        one, other = self.before, self.after
        is_other = one.metric == other.metric and one.limit != other.limit
        return is_other or (one.changed and one.changed.to) != (other.changed and other.changed.to)

    @property
    def is_other_claim(self) -> bool:
        """Whether limits, configuration or consequences changed, by the claims; False for reports without claims."""
        one, other = self.before.claim, self.after.claim
        return one is not None and other is not None and one != other

    @property
    def change(self) -> str:
        """The ratio of both values; their difference if one is not above zero or they are percentages."""
        before, after = self.before.observed or 0.0, self.after.observed or 0.0
        if self.after.unit not in ("%", "") and before > 0 and after > 0:
            return f"x {number(float(f'{after / before:.3g}'))}"
        difference = float(f"{after - before:.4g}")
        return f"{'+' if difference > 0 else ''}{number(difference, self.after.unit or '')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two reports and their differences."""

    before: RecordedReport
    after: RecordedReport

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Every item that both runs judged, in the order of the later run."""
        earlier = {verdict.item: verdict for verdict in self.before.verdicts}
        found = [(earlier.get(verdict.item), verdict) for verdict in self.after.verdicts]
        return tuple(Pair(before=one, after=other) for one, other in found if one)

    @property
    def added(self) -> tuple[str, ...]:
        """Items that only the later run judged."""
        return _without(self.after, self.before)

    @property
    def removed(self) -> tuple[str, ...]:
        """Items that only the earlier run judged."""
        return _without(self.before, self.after)

    @property
    def facts(self) -> dict[str, tuple[str, str]]:
        """Facts of the runs themselves that differ, by name; the target is included only if there are two."""
        before, after = dict(_facts(self.before)), dict(_facts(self.after))
        return {name: (before[name], after[name]) for name in before if before[name] != after[name]}

    @property
    def targets(self) -> tuple[TargetKey, TargetKey]:
        """Both targets."""
        one, other = self.before.run, self.after.run
        return (
            TargetKey(environment=one.environment, base_url=one.base_url),
            TargetKey(environment=other.environment, base_url=other.base_url),
        )


def _without(report: RecordedReport, other: RecordedReport) -> tuple[str, ...]:
    known = {verdict.item for verdict in other.verdicts}
    return tuple(verdict.item for verdict in report.verdicts if verdict.item not in known)


def _facts(report: RecordedReport) -> Iterator[tuple[str, str]]:
    run, decision, situation = report.run, report.decision, report.situation
    yield "started", moment(run.started)
    yield "decision", words(decision.action)
    yield "exit code", str(decision.exit_code)
    yield "environment", run.environment
    yield "base_url", run.base_url
    yield "served release", ", ".join(sorted(situation.release.answers)) or "unknown"
    yield "expected release", " or ".join(situation.release.expected) or "none"
    yield "stage", run.stage.value
    yield "phase", run.phase or "all"
    yield "seen from", run.vantage or "-"
    yield "run", "partial" if situation.partial else "whole"
    yield "items in scope", number(situation.in_scope)
    yield "items judged", number(len(report.verdicts))
    yield "configuration", run.config_file
    yield "configuration digest", run.config_hash[:_HASH]
    yield "checklist", run.checklist
    yield "probekit", run.version
