"""The plan of a run: what will be measured, what will not, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from probekit.checklist import Checklist
from probekit.config.target import Configured, Target
from probekit.model.checklist import Item
from probekit.model.plan import Plan, Step
from probekit.planning.baseline import baseline_items
from probekit.planning.claims import claims_of
from probekit.planning.coverage import instances, missing_metrics, why_uncovered
from probekit.planning.facts import exempt_by_facts, unknown_facts
from probekit.planning.release import ReleaseRequest
from probekit.planning.samples import within_deadline
from probekit.planning.selection import Selection
from probekit.planning.steps import fingerprint, step_of
from probekit.probe import ConfiguredKind

GUARD_REPEAT = 4  # measurements at each address, before and after: one address may stand for several replicas
GUARD_REPEAT_FOR_ITEMS = 10  # for an item about every answer: 20 in total, as its source says

ROLLBACK = "rollback"  # the phase of a checklist that applies after a rollback only
NO_ROLLBACK = "no rollback is on record; probekit deployment rolled-back records one"

Steps = tuple[Step[ConfiguredKind], ...]


def plan(
    target: Target,
    *,
    selection: Selection | None = None,
    release: ReleaseRequest | None = None,
    settles: bool = True,
    facts: Mapping[str, bool] | None = None,
) -> Plan[ConfiguredKind]:
    """Return the plan for this target; nothing is sent.

    Args:
        target: the environment, with its items and probes.
        selection: the part of the scope to verify; default: all of it.
        release: the version, stage and history of the release.
        settles: whether the run waits until the release has settled.
        facts: facts of the checklist that the caller states, in addition to those of the environment.
    """
    selection, checklist, release = selection or Selection(), target.checklist, release or ReleaseRequest()
    items = tuple(item for item in target.items if selection.holds(item))
    not_applicable = {
        **({} if release.is_rolled_back else _of_rollback(items)),
        **exempt_by_facts(items, target, facts or {}),
        **target.not_applicable,
        **({} if settles else _of_settling(items, target)),
    }
    asked = [item for item in items if item.probe and item.id not in not_applicable]
    rows = baseline_items(checklist) if any(item.compares_baseline for item in asked) else ()
    asked += rows
    guards = {name for name, requirement in checklist.probes.items() if requirement.release_guard}
    names = dict.fromkeys([*(item.probe for item in asked if item.probe), *guards])
    configured = {name: instances(name, target) for name in names}
    uncovered = {
        item.id: why for item in asked if (why := why_uncovered(item, configured[item.probe or ""], checklist))
    }
    covered = [item for item in asked if item.id not in uncovered]
    steps = _steps(configured, covered, target, checklist, guards)
    if selection.quick:
        items, steps = _quick(items, steps)
    guarding = [one for name in guards for one in configured[name]]
    release_guards = tuple(_guard(one, covered, target, checklist) for one in guarding)
    steps = within_deadline(steps, release_guards, target.environment)
    versions = release.versions([one.source for one in guarding])
    return Plan(
        items=items,
        steps=steps,
        release_guards=release_guards,
        versions=versions,
        identity=release.identity,
        release_notes=release.notes,
        contradictions=tuple(release.contradictions([one.source for one in guarding])),
        uncovered=uncovered,
        not_applicable=not_applicable,
        layers={name: requirement.layer for name, requirement in checklist.probes.items()},
        claimed={step.probe: step.source.reports_on for step in steps if step.source.reports_on},
        baseline_items=rows,
        fingerprints={step.key: fingerprint(step, target.environment) for step in steps},
        claims=claims_of(items, configured, target, rows, dict.fromkeys(guards, versions)),
        vantage=target.environment.vantage,
        in_scope=sum(map(selection.is_in_phase, target.items)),
        partial=selection.is_partial,
        phase=selection.phase,
        unknown_facts=unknown_facts(items, target, facts or {}, not_applicable),
        unasked=_unasked(target, {*guards, *(row.probe or "" for row in rows)}),
        trusted=frozenset(target.environment.trust),
    )


def _of_rollback(items: Sequence[Item]) -> dict[str, str]:
    """Return the items of the rollback phase, with the reason why they do not apply before a rollback."""
    return {item.id: NO_ROLLBACK for item in items if item.phase == ROLLBACK}


def _of_settling(items: Sequence[Item], target: Target) -> dict[str, str]:
    """Return the items that need the run to wait for settling, with the reason why they do not apply without it."""
    reason = "this run does not wait for the release to settle"
    found = {}
    for item in items:
        metrics = (
            [metric for one in instances(item.probe, target) for metric in one.source.metrics] if item.probe else []
        )
        if item.expect and item.metrics <= {metric.name for metric in metrics if metric.by_settling}:
            found[item.id] = reason
    return found


def _unasked(target: Target, needed: Collection[str]) -> tuple[str, ...]:
    """Return the configured probes that no item in the whole scope needs, also for a partial run."""
    asked = {item.probe for item in target.items}
    return tuple(dict.fromkeys(one.probe for one in target.probes if one.probe not in asked | set(needed)))


def unasked_note(probe: str) -> str:
    """Return a note on a configured probe that is never measured."""
    why = "it belongs to the checklist, but none of its items is in scope"
    return f"probe '{probe}' is not measured: {why}; rename it to make it a check of your own"


def _steps(
    configured: Mapping[str, Sequence[Configured]],
    covered: Sequence[Item],
    target: Target,
    checklist: Checklist,
    guards: set[str],
) -> Steps:
    """Return a step for each instance that an item needs, in the checklist's order; release guards are separate."""
    return tuple(
        step_of(one, mine, target, checklist.probes[name])
        for name in checklist.probes
        if name not in guards
        for one in configured.get(name, ())
        if (mine := [item for item in covered if item.probe == name and not missing_metrics(item, one)])
    )


def _quick(items: Sequence[Item], steps: Steps) -> tuple[tuple[Item, ...], Steps]:
    """Return items and steps without windows and bursts, and measurements without spread."""
    long = {step.probe for step in steps if step.window or step.turn == "final"}
    kept = tuple(replace(step, spread=0.0) for step in steps if step.probe not in long)
    return tuple(item for item in items if item.probe not in long), kept


def _guard(one: Configured, covered: Sequence[Item], target: Target, checklist: Checklist) -> Step[ConfiguredKind]:
    """Return the step that reads which release is served, with all metrics of the kind."""
    mine = [item for item in covered if item.probe == one.probe]
    step = step_of(one, mine, target, checklist.probes[one.probe])
    repeat = GUARD_REPEAT_FOR_ITEMS if mine else GUARD_REPEAT
    return replace(step, repeat=repeat, cost=repeat * one.source.requests, wanted=one.source.provided)
