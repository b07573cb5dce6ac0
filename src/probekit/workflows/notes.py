"""What a reader of a report must know beside its verdicts."""

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
    """The .env that was read, a baseline that crept away, and that no earlier run is known."""
    notes = [f"{dotenv.file} was read"] if dotenv.file else []
    notes += drifts(planned.baseline_items, history.baseline)
    if not (history.since or history.known):
        notes.append("no earlier run is known: deadlines start now, and every failure counts as new")
    return tuple(notes)


def unused_addresses(resolver: Resolver, planned: Plan[ConfiguredKind], observations: Observations) -> Iterator[str]:
    """Addresses that the configuration fixes and no probe went to: a typing error would verify another instance."""
    if planned.partial or not observations.complete:
        return
    for name in sorted(resolver.fixed.keys() - resolver.asked):
        yield f"connect.resolve '{name}': no probe asked for this host and port, so none went to {resolver.fixed[name]}"


def left_out(observations: Observations) -> Iterator[str]:
    """What a reader misses where a confirmed failure fixed the decision."""
    values = (value for measurement in observations.measurements for value in measurement.values.values())
    if any(isinstance(value, Failure) and value.reason is Reason.NOT_MEASURED for value in values):
        yield "the decision was fixed before the windows and bursts, which were left out; --all measures everything"


def weak_passes(observations: Observations) -> list[str]:
    """What counted although it says little, each once."""
    found = [f"{one.probe}: {one.notes['weak']}" for one in observations.measurements if "weak" in one.notes]
    return list(dict.fromkeys(found))


def with_caveats(decision: Decision, planned: Plan[ConfiguredKind], weak: Sequence[str]) -> Decision:
    """Good news with what its reader may rest on and must not; other decisions note it.

    That is what counted although it says little, and for a go what was configured and not measured.
    """
    unasked = map(unasked_note, planned.unasked) if decision.action is Action.GO else ()
    if decision.action not in (Action.GO, Action.PARTIAL):
        return decision
    return replace(decision, because=(*decision.because, *weak, *unasked))
