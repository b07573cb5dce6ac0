"""Read the parts of a JSON report that people ask for: the decision, the verdicts, the configuration."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, ValidationError

from probekit.model.checklist import Severity
from probekit.model.limit import Limit, parse_limit
from probekit.model.numbers import number
from probekit.model.record import Record
from probekit.model.verdict import Outcome, Stage
from probekit.reports.json.noun import Moment
from probekit.reports.json.read import ReportError

MOST_ITEMS: Final = 1_000_000


class _Part(BaseModel, defer_build=True, allow_inf_nan=False):
    """A part of a report, whose numbers are finite."""


class ChangedLimits(_Part):
    """The limits of an item that the environment changes."""

    to: tuple[str, ...]
    reason: str


class RecordedVerdict(_Part):
    """The verdict of a run on one item."""

    item: str
    outcome: Outcome
    severity: Severity
    because: str
    observed: float | None
    unit: str | None
    limit: str | None
    flags: tuple[str, ...]
    since: Moment | None
    claim: str | None = None  # None: an older report without fingerprints
    own: bool = False
    owner: str = ""
    changed: ChangedLimits | None = None
    records: tuple[Record, ...] = ()  # none in an older report

    @property
    def held_to(self) -> Limit | None:
        """The limit, where it compares with a stated number."""
        try:
            return parse_limit(self.limit or "")
        except ValueError:
            return None

    @property
    def metric(self) -> str:
        """The metric of the limit."""
        return (self.limit or "").partition(" ")[0]

    @property
    def measured(self) -> str:
        """The number with its unit; empty where there is none."""
        limit = self.held_to
        limit_value = limit.value if limit and limit.of == "value" else None
        return "" if self.observed is None else number(self.observed, self.unit or "", apart_from=limit_value)

    @property
    def bound(self) -> str:
        """The limit without its metric."""
        return (self.limit or "").partition(" ")[2]


class RecordedDecision(_Part):
    """The decision of a run."""

    action: str
    exit_code: int
    because: tuple[str, ...]


class RecordedFacts(_Part):
    """The identity of a run."""

    id: str
    environment: str
    base_url: str
    stage: Stage
    started: Moment
    seconds: float
    version: str
    config_file: str
    config_hash: str
    vantage: str
    checklist: str
    phase: str | None = None  # as in older reports
    facts: dict[str, bool] = {}
    subject: str | None = None
    ended_by: str | None = None
    notes: tuple[str, ...] = ()


class RecordedRelease(_Part):
    """The expected and the served versions."""

    expected: tuple[str, ...]
    answers: dict[str, int]


class RecordedSituation(_Part):
    """The situation of a run."""

    now: Moment
    partial: bool
    in_scope: Annotated[int, Field(ge=0, le=MOST_ITEMS)]
    release: RecordedRelease


class RecordedReport(_Part):
    """The report of a run, without its measurements."""

    schema_: Literal["probekit.report/1"]
    run: RecordedFacts
    situation: RecordedSituation
    decision: RecordedDecision
    account: dict[str, int]
    verdicts: tuple[RecordedVerdict, ...]

    @property
    def release(self) -> str:
        """The served versions, else the expected ones."""
        release = self.situation.release
        return ", ".join(sorted(release.answers)) or " or ".join(release.expected)


def read_report(document: Any) -> RecordedReport:  # noqa: ANN401  # any JSON
    """Return the report in a JSON document.

    Raises:
        ReportError: it is none, or one of another version.
    """
    try:
        return RecordedReport.model_validate({**document, "schema_": document["schema"]})
    except (ValidationError, TypeError, KeyError, OverflowError):
        raise ReportError(
            "the report was not written by this version of probekit, or is damaged; "
            "runs show RUN --json prints it unchanged"
        ) from None
