"""Notes of a report, in addition to its verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from probekit.config.dotenv import Dotenv
from probekit.engine.context import Observations
from probekit.judging.baseline import drifts
from probekit.model.history import History
from probekit.model.measurement import Failure, Reason
from probekit.model.plan import Plan
from probekit.model.verdict import Action, Decision
from probekit.planning.plan import unasked_note
from probekit.probe import ConfiguredKind
from probekit.transport.resolver import Resolver


def of_the_past(dotenv: Dotenv, history: History, planned: Plan[ConfiguredKind]) -> tuple[str, ...]:
    """Return notes on the .env that was read, a drifting baseline, and a missing earlier run."""
    notes = [f"{dotenv.file} was read"] if dotenv.file else []
    notes += drifts(planned.baseline_items, history.baseline)
    if not (history.since or history.known):
        notes.append("no earlier run is known: deadlines start now, and every failure counts as new")
    return tuple(notes)


def unused_addresses(resolver: Resolver, planned: Plan[ConfiguredKind], observations: Observations) -> Iterator[str]:
    """Yield a note for each fixed address that no probe used, such as after a typing error."""
    if planned.partial or planned.phase or not observations.complete:  # a probe of another item may connect to it
        return
    for name in sorted(resolver.fixed.keys() - resolver.asked):
        address = resolver.fixed[name]
        yield f"connect.resolve '{name}': no probe connects to it, so {address} was not used; correct the name"


def left_out(observations: Observations) -> Iterator[str]:
    """Yield a note if a confirmed failure fixed the decision and measurements were skipped."""
    values = (value for measurement in observations.measurements for value in measurement.values.values())
    if any(isinstance(value, Failure) and value.reason is Reason.NOT_MEASURED for value in values):
        yield "a confirmed failure fixed the decision, so windows and bursts were skipped; --all measures everything"


def weak_passes(observations: Observations) -> list[str]:
    """Return a note for each weak pass, without repetition."""
    found = [f"{one.probe}: {one.notes['weak']}" for one in observations.measurements if "weak" in one.notes]
    return list(dict.fromkeys(found))


def with_caveats(decision: Decision, planned: Plan[ConfiguredKind], weak: Sequence[str]) -> Decision:
    """Return a go or a partial decision with its caveats; other decisions have them as notes.

    Caveats are weak passes and, of a go, configured probes that were not measured.
    """
    unasked = map(unasked_note, planned.unasked) if decision.action is Action.GO else ()
    if decision.action not in (Action.GO, Action.PARTIAL):
        return decision
    return replace(decision, because=(*decision.because, *weak, *unasked))
