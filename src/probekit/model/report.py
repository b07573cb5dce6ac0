"""The report of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from probekit.model.checklist import Severity
from probekit.model.document import BaselineComparison, Document, Place
from probekit.model.history import FailureKey, PooledEvidence
from probekit.model.maintenance import Maintenance, Period
from probekit.model.measurement import Attempt, InstanceKey, Measurement
from probekit.model.people import Contact, Paging
from probekit.model.percentile import Percentile
from probekit.model.success import CriterionResult, SuccessCriterion, results
from probekit.model.verdict import Decision, Flag, Outcome, Situation, Stage, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The identity and circumstances of a run."""

    id: str
    environment: str
    base_url: str
    stage: Stage
    started: datetime
    seconds: float
    version: str
    config_file: str
    config_hash: str
    vantage: str
    deployed_by: str | None = None
    reviewed_by: str | None = None
    deployment_window: Period | None = None  # in which the deployment was planned
    paging: Paging = field(default_factory=Paging)
    is_of_url: bool = False  # whether a URL was verified without a file
    phase: str | None = None  # of the checklist, if the run was limited to one
    facts: Mapping[str, bool] = field(default_factory=dict)  # of the checklist, as stated
    subject: str | None = None  # the release that it is about
    ended_by: str | None = None  # SIGHUP, SIGINT, SIGTERM, deadline
    notes: tuple[str, ...] = ()  # notes for the reader: the .env that was read, what is not recorded


_MOST_QUESTIONS: Final = 1000  # limits the size of reports when a configuration changes often
_SIGNALS: Final = {"SIGHUP": 129, "SIGINT": 130, "SIGTERM": 143}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # it would be pages long, and asyncio writes it twice
class Report:
    """The report of one run; made once, rendered by every format."""

    run: Run
    situation: Situation
    checklist: str
    items: int
    measurements: tuple[Measurement, ...]
    verdicts: tuple[Verdict, ...]
    decision: Decision
    attempts: Mapping[InstanceKey, tuple[Attempt, ...]] = field(default_factory=dict)  # by probe and instance
    evidence: Mapping[InstanceKey, PooledEvidence] = field(default_factory=dict)  # for the next run
    answered: frozenset[str] = frozenset()  # questions with a correct answer in this run
    document: Document = field(default_factory=Document)
    criteria: tuple[SuccessCriterion, ...] = ()  # of the checklist's document
    baseline: tuple[BaselineComparison, ...] = ()  # of the checklist's document
    percentiles: tuple[Percentile, ...] = ()  # of the durations that were sampled
    places: Mapping[str, Place] = field(default_factory=dict)  # probe -> its table; "" -> that of the environment

    @property
    def exit_code(self) -> int:
        """The exit code of the process: that of the signal that ended the run, else of the action."""
        return _SIGNALS.get(self.run.ended_by or "", self.decision.action.exit_code)

    @property
    def since(self) -> dict[FailureKey, datetime]:
        """Since when each item fails at each severity, for the next run; a partial run does not change the record.

        For each item and severity, the time of this run's claim is kept, and the earliest of all other claims.
        """
        known = dict(self.situation.history.since)
        if self.situation.partial:
            return known
        for verdict in self.verdicts:
            of_it = [key for key in known if key.item == verdict.item.id]
            for key in of_it:
                if verdict.ends(key.severity):
                    del known[key]
            if verdict.outcome is Outcome.FAIL and verdict.since:
                known.setdefault(FailureKey(verdict.item.id, verdict.severity, verdict.claim), verdict.since)
            for severity in Severity:
                others = [key for key in of_it if key in known and key.severity is severity]
                others = sorted((key for key in others if key.claim != verdict.claim), key=known.__getitem__)
                for key in others[1:]:
                    del known[key]
        return known

    @property
    def answered_ever(self) -> tuple[str, ...]:
        """Questions that once had a correct answer, for the next run: those of this run first, up to a limit."""
        earlier = sorted(self.situation.history.answered - self.answered)
        return (*sorted(self.answered), *earlier)[:_MOST_QUESTIONS]

    @property
    def maintenance(self) -> tuple[Maintenance, ...]:
        """The maintenance windows that overlap the run."""
        return self.situation.maintenance

    @property
    def to_call(self) -> tuple[Contact, ...]:
        """The contacts to call for the decision; empty without configured contacts."""
        return self.run.paging.to_call(self.decision, self.verdicts, strict=self.situation.strict)

    @property
    def reported(self) -> tuple[Verdict, ...]:
        """The verdicts by values that a program reported, and probekit did not measure."""
        return tuple(verdict for verdict in self.verdicts if Flag.REPORTED in verdict.flags)

    def bars_go(self, verdict: Verdict) -> bool:
        """Whether that verdict of the report rules out a go."""
        return not verdict.outcome.is_settled and (self.situation.strict or not verdict.is_follow_up)

    @property
    def own_checks(self) -> tuple[Verdict, ...]:
        """The verdicts on the user's own checks, which are not items of the checklist."""
        return tuple(verdict for verdict in self.verdicts if verdict.item.is_own)

    @property
    def success(self) -> tuple[CriterionResult, ...]:
        """The state of each of the document's success criteria."""
        return results(self.criteria, self.verdicts)

    @property
    def account(self) -> dict[str, int]:
        """The count of each outcome of the checklist's items and of those out of scope; they add up to `items`."""
        counts = Counter(verdict.outcome for verdict in self.verdicts if not verdict.item.is_own)
        outcomes = {outcome.value: counts[outcome] for outcome in Outcome}
        return {"items": self.items, **outcomes, "out_of_scope": self.items - counts.total()}
