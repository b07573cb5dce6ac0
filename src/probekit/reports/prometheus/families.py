"""Make metrics of the decision, the run, the account and the outcome of each item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from probekit.model.report import Report
from probekit.model.verdict import Action, Flag, Outcome, Verdict
from probekit.reports._support.labels import distinct, label
from probekit.reports.prometheus.family import Family, Named, Row, Rows

_MINUTE: Final = 60.0  # seconds
_ITEM: Final = ("item", "section", "severity")


def _of_run(number: Callable[[Report], float | None]) -> Rows:
    """Return the row of a metric that a run has once, or not at all."""

    def rows(report: Report, _named: Named) -> Iterator[Row]:
        if (value := number(report)) is not None:
            yield (), value

    return rows


def _of_items(number: Callable[[Report, Verdict], float | None]) -> Rows:
    """Return the rows of a metric of items; an item may have no number."""

    def rows(report: Report, named: Named) -> Iterator[Row]:
        for name, one in named:
            if (value := number(report, one)) is not None:
                yield (name, label(one.item.section), one.severity), value

    return rows


def _decision(report: Report, _named: Named) -> Iterator[Row]:
    yield from (((action.word,), action is report.decision.action) for action in Action)


def _decision_deadline(report: Report) -> float | None:
    decision = report.decision
    if decision.action is not Action.INVESTIGATE or decision.minutes is None:
        return None
    return report.situation.now.timestamp() + decision.minutes * _MINUTE


def _images(report: Report, _named: Named) -> Iterator[Row]:
    images = sorted(report.situation.identity.images.items())
    for name, (_, digest) in zip(distinct(label(name) for name, _ in images), images, strict=True):
        yield (name, label(digest)), 1


def _account(report: Report, _named: Named) -> Iterator[Row]:
    yield from (((outcome,), some) for outcome, some in report.account.items() if outcome != "items")


def _own_checks(report: Report, _named: Named) -> Iterator[Row]:
    counts = Counter(one.outcome for one in report.own_checks)
    yield from (((outcome,), counts[outcome]) for outcome in Outcome if counts)


def _outcomes(_report: Report, named: Named) -> Iterator[Row]:
    yield from (((name, label(one.item.section), one.severity, one.outcome), 1) for name, one in named)


def _since(_report: Report, one: Verdict) -> float | None:
    return one.since.timestamp() if one.since is not None and one.outcome is Outcome.FAIL else None


def _due(_report: Report, one: Verdict) -> float | None:
    return one.due.timestamp() if one.due is not None else None


FAMILIES: Final = (
    Family(
        name="probekit_decision",
        help="1 for the action that the run decided on, 0 for each other action; go and partial are good.",
        labels=("action",),
        rows=_decision,
    ),
    Family(
        name="probekit_exit_code",
        help="The exit code of the run: 0 for go and partial.",
        rows=_of_run(lambda report: report.exit_code),
    ),
    Family(
        name="probekit_decision_deadline_timestamp_seconds",
        help="Unix time by which an investigation must find the cause; absent for every other decision.",
        rows=_of_run(_decision_deadline),
    ),
    Family(
        name="probekit_run_timestamp_seconds",
        help="Unix time of the end of the run.",
        rows=_of_run(lambda report: report.run.started.timestamp() + report.run.seconds),
    ),
    Family(
        name="probekit_run_duration_seconds",
        help="The duration of the run.",
        rows=_of_run(lambda report: report.run.seconds),
    ),
    Family(
        name="probekit_release_image_info",
        help="An image of the release that the run is about.",
        labels=("image", "digest"),
        rows=_images,
    ),
    Family(
        name="probekit_items",
        help="The number of the checklist's items with each outcome; out_of_scope are those that the run leaves out.",
        labels=("outcome",),
        rows=_account,
    ),
    Family(
        name="probekit_own_checks",
        help="The number of the user's own checks with each outcome; they are not items of the checklist.",
        labels=("outcome",),
        rows=_own_checks,
    ),
    Family(
        name="probekit_item_outcome",
        help="1 for the outcome of each item in scope and of each own check.",
        labels=(*_ITEM, "outcome"),
        rows=_outcomes,
    ),
    Family(
        name="probekit_item_bars_go",
        help="1 if the outcome of the item rules out a go, else 0.",
        labels=_ITEM,
        rows=_of_items(lambda report, one: report.bars_go(one)),
    ),
    Family(
        name="probekit_item_reported",
        help="1 if the verdict on the item rests on what a program reported, else 0.",
        labels=_ITEM,
        rows=_of_items(lambda _report, one: Flag.REPORTED in one.flags),
    ),
    Family(
        name="probekit_item_failing_since_timestamp_seconds",
        help="Unix time of the first failure on record of an item that fails.",
        labels=_ITEM,
        rows=_of_items(_since),
    ),
    Family(
        name="probekit_item_deadline_timestamp_seconds",
        help="Unix time at which the time limit of a failure of high severity ends.",
        labels=_ITEM,
        rows=_of_items(_due),
    ),
)
