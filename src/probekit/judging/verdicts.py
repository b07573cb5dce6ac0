"""Make the verdict on one instance from its assessed attempts: the outcome and its reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from probekit.judging.assessed import (
    GRAVER,
    AssessedAttempt,
    AssessedMeasurement,
    State,
    outcome_of,
    risks_of,
)
from probekit.judging.retries import outweighs
from probekit.judging.statistics import Risks
from probekit.judging.wording import against, all_of, metric_value, number
from probekit.model.checklist import Band, Item
from probekit.model.limit import Limit
from probekit.model.measurement import Reason
from probekit.model.phrases import plain_failure
from probekit.model.readings import Exact
from probekit.model.verdict import Flag, Outcome, Verdict
from probekit.text import words


def passed(item: Item, tried: AssessedAttempt) -> Verdict:
    """Return the pass of a good attempt, with the value of a good measurement."""
    shown = next((limit for limit in item.expect if limit.is_duration), item.expect[0])
    good = next(one for one in tried.measurements if one.state is State.GOOD)
    because = ", ".join(_metric(limit, tried, good) for limit in item.expect)
    if summary := good.measurement.summary:
        because += f"; {summary}"
    if tried.is_cleared:
        because += f"; {_oddities(item, [tried])}"
    return Verdict(
        item=item,
        outcome=Outcome.PASS,
        because=because,
        observed=tried.value(good, shown),
        limit=shown,
        flags=frozenset({Flag.FLAKY} if tried.is_cleared else ()),
    )


def failed(item: Item, bad: Sequence[AssessedAttempt], among: str = "") -> Verdict:
    """Return a failure at the lowest severity that any of its measurements gives.

    `among` is the number of bad measurements, where not all are bad.
    """
    pairs = [(tried, one, _band(item, tried, one)) for tried in bad for one in tried.measurements]
    band = min((band for _, _, band in pairs), key=lambda band: item.severity_of(band).gravity)
    tried, shown = next((tried, one) for tried, one, of_it in reversed(pairs) if of_it == band)
    limit = tried.slow or shown.failed_limit or item.expect[0]
    observed, summary = tried.value(shown, limit), shown.measurement.summary
    phrase = plain_failure(limit, observed, summary)
    because = f"{phrase or _claim(limit, tried, shown)}; {among or all_of([len(tried.measurements) for tried in bad])}"
    if summary and not phrase:
        because = f"{because}; {summary}"
    verdict = Verdict(
        item=item, outcome=Outcome.FAIL, because=because, band=band, observed=observed, limit=limit, summary=summary
    )
    then, sure = verdict.deadline.then, Risks(false_fail=0.001)
    worse = isinstance(then, Limit) and all(tried.holds(one, then, sure) for tried, one, _ in pairs)
    return replace(verdict, worse=worse)


def _band(item: Item, tried: AssessedAttempt, measurement: AssessedMeasurement) -> Band | None:
    """Return the most severe band that holds for this measurement; none holds for a missing metric."""
    return next((band for band in item.bands if tried.holds(measurement, band.when, risks_of(item, band))), None)


def disagreeing(item: Item, tried: Sequence[AssessedAttempt]) -> Verdict:
    """Return an inconclusive verdict, or a flaky pass where the last attempt outweighs the earlier ones."""
    *bad, last = tried
    if outweighs(last, bad):
        pass_ = passed(item, last)
        because = f"{pass_.because}; {_oddities(item, tried)}"
        return replace(pass_, because=because, flags=frozenset({Flag.FLAKY}))
    because = f"{_oddities(item, tried)}: measurements disagree, so the result is inconclusive"
    return Verdict(item=item, outcome=Outcome.INCONCLUSIVE, because=because, flags=frozenset({Flag.FLAKY}))


def _oddities(item: Item, tried: Sequence[AssessedAttempt]) -> str:
    """Return why attempts disagree: bad measurements, some slow ones, or a slow attempt."""
    count = sum(len(attempt.measurements) for attempt in tried)
    if odd := [one for attempt in tried for one in attempt.not_good]:
        was = "measurement was" if count == 1 else f"measurements {'was' if len(odd) == 1 else 'were'}"
        return f"{len(odd)} of {count} {was} not good: {_summary(item, odd[0])}"
    last = tried[-1]
    if some := last.some_slow:
        slowest = number(some.slowest, some.limit)
        return (
            f"{some.count} of {len(last.measurements)} measurements took too long, up to {slowest}, "
            f"with {_claim(some.limit, last, last.measurements[0])}"
        )
    slow = tried[0]
    return f"one attempt was slow, the next was not ({_claim(slow.slow or item.expect[0], slow, slow.measurements[0])})"


def undetermined(item: Item, tried: AssessedAttempt) -> Verdict:
    """Return the error of an undetermined attempt, or its inconclusive verdict where it has no error."""
    doubts = [(one, one.undecided) for one in tried.measurements if one.undecided]
    if tried.undecided:
        doubts = [(tried.measurements[0], tried.undecided)]
    if not doubts:
        return cut_off(item)
    measurement, doubt = max(doubts, key=lambda pair: GRAVER[pair[1].outcome])
    observed = tried.value(measurement, doubt.limit)
    limit = doubt.limit if observed is not None else None
    found = Verdict(item=item, outcome=doubt.outcome, because=doubt.detail, observed=observed, limit=limit)
    return replace(found, reason=doubt.reason)


def cut_off(item: Item) -> Verdict:
    """Return the error of an item that the run ended too early to measure."""
    because = f"{Reason.CUT_OFF}: the run ended before this was measured"
    return Verdict(item=item, outcome=outcome_of(Reason.CUT_OFF), because=because, reason=Reason.CUT_OFF)


def _metric(limit: Limit, tried: AssessedAttempt, measurement: AssessedMeasurement) -> str:
    return metric_value(limit, tried.value(measurement, limit), tried.detail(measurement, limit))


def _claim(limit: Limit, tried: AssessedAttempt, measurement: AssessedMeasurement) -> str:
    """Return the number and the limit in one sentence."""
    many = "median " if limit.metric in tried.medians and len(tried.measurements) > 1 else ""
    return f"{many}{_metric(limit, tried, measurement)}, {against(limit)}"


def _summary(item: Item, measurement: AssessedMeasurement) -> str:
    if measurement.undecided:
        return measurement.undecided.detail
    limit = measurement.failed_limit or item.expect[0]
    reading = measurement.reading(limit.metric)
    value = number(reading.value if isinstance(reading, Exact) else None, limit)
    return measurement.measurement.summary or f"{words(limit.metric)} {value}"
