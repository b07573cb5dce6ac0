"""The report of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from probekit.model.checklist import Severity
from probekit.model.history import FailureKey, PooledEvidence
from probekit.model.maintenance import Maintenance, Period
from probekit.model.measurement import Attempt, InstanceKey, Measurement
from probekit.model.people import Contact, Paging
from probekit.model.success import CriterionResult, SuccessCriterion, results
from probekit.model.verdict import Decision, Outcome, Situation, Stage, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Which run this was."""

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
    is_of_url: bool = False  # whether a URL was verified, without a file
    ended_by: str | None = None  # SIGHUP, SIGINT, SIGTERM, deadline
    notes: tuple[str, ...] = ()  # what a reader must know: the .env that was read, what is not remembered


_MOST_QUESTIONS: Final = 1000  # a configuration that changes must not make reports grow for ever
_SIGNALS: Final = {"SIGHUP": 129, "SIGINT": 130, "SIGTERM": 143}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # it would be pages, and asyncio writes it twice
class Report:
    """The whole of one run; made once, rendered by every format."""

    run: Run
    situation: Situation
    checklist: str
    items: int
    measurements: tuple[Measurement, ...]
    verdicts: tuple[Verdict, ...]
    decision: Decision
    attempts: Mapping[InstanceKey, tuple[Attempt, ...]] = field(default_factory=dict)  # by probe and instance
    evidence: Mapping[InstanceKey, PooledEvidence] = field(default_factory=dict)  # for the next run
    answered: frozenset[str] = frozenset()  # questions that this run saw answered as they should be
    sections: Mapping[str, str] = field(default_factory=dict)
    criteria: tuple[SuccessCriterion, ...] = ()  # of the checklist's document

    @property
    def exit_code(self) -> int:
        """The process's own: the signal's where one ended the run, else the action's."""
        return _SIGNALS.get(self.run.ended_by or "", self.decision.action.exit_code)

    @property
    def since(self) -> dict[FailureKey, datetime]:
        """Since when each item fails at each severity, for the next run; a partial run leaves the record as it was.

        Of one item and severity the time of this run's claim is kept, and of all other claims the earliest.
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
        """Questions that were once answered as they should be, for the next run; this run's first, and so many."""
        earlier = sorted(self.situation.history.answered - self.answered)
        return (*sorted(self.answered), *earlier)[:_MOST_QUESTIONS]

    @property
    def maintenance(self) -> tuple[Maintenance, ...]:
        """The maintenance windows in which some of the run's time lies."""
        return self.situation.maintenance

    @property
    def to_call(self) -> tuple[Contact, ...]:
        """Who is called now because of the decision; none where no contacts are configured."""
        return self.run.paging.to_call(self.decision, self.verdicts, strict=self.situation.strict)

    @property
    def own_checks(self) -> tuple[Verdict, ...]:
        """The verdicts on the user's own checks, which are no items of the checklist."""
        return tuple(verdict for verdict in self.verdicts if verdict.item.is_own)

    @property
    def success(self) -> tuple[CriterionResult, ...]:
        """How each of the document's success criteria stands."""
        return results(self.criteria, self.verdicts)

    @property
    def account(self) -> dict[str, int]:
        """Every outcome of the checklist's items with its count and what is out of scope; they add up to `items`."""
        counts = Counter(verdict.outcome for verdict in self.verdicts if not verdict.item.is_own)
        outcomes = {outcome.value: counts[outcome] for outcome in Outcome}
        return {"items": self.items, **outcomes, "out_of_scope": self.items - counts.total()}
