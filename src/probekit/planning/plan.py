"""From configuration and checklist to what will run, what will not and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256

from probekit import probes
from probekit.checklist import BaselineRow, Checklist, ProbeRequirement
from probekit.config.target import Configured, Target
from probekit.model.checklist import Item, Severity
from probekit.model.limit import Limit
from probekit.model.plan import RECHECKS, Plan, Step
from probekit.planning.capacity import budget_of_each, sampled_for
from probekit.planning.selection import Selection
from probekit.probe import Kind, ProbeConfig

GUARD = "release"
BASELINE_METRICS = frozenset({"outside_tolerance"})  # what the judge takes from the rows of the baseline
GUARD_REPEAT = 4  # at each address, before and after: one address may stand for several replicas


def plan(
    target: Target, checklist: Checklist, *, selection: Selection | None = None, release: str | None = None
) -> Plan:
    """What will run for this target; nothing is touched."""
    selection = selection or Selection()
    items = tuple(item for item in target.items if selection.holds(item))
    asked = [item for item in items if item.probe and item.id not in target.not_applicable]
    rows = baseline_items(checklist) if any(item.metrics & BASELINE_METRICS for item in asked) else ()
    asked += rows
    configured = {
        name: _instances(name, target, checklist) for name in dict.fromkeys([*(i.probe for i in asked), GUARD]) if name
    }
    uncovered = {item.id: why for item in asked if (why := _why_not(item, configured[item.probe or ""], checklist))}
    covered = [item for item in asked if item.id not in uncovered]
    steps = [
        _step(one, mine, target, checklist.probes[name])
        for name in checklist.probes
        if name != GUARD
        for one in configured.get(name, ())
        if (mine := [item for item in covered if item.probe == name and not _missing(item, one)])
    ]
    if selection.quick:
        long = {step.probe for step in steps if step.window or step.turn == "final"}
        steps = [replace(step, spread=0.0) for step in steps if step.probe not in long]
        items = tuple(item for item in items if item.probe not in long)
    guards = configured.get(GUARD, [])
    guard = (
        _step(guards[0], [i for i in covered if i.probe == GUARD], target, checklist.probes[GUARD]) if guards else None
    )
    expects = probes.load(guards[0].kind).expected_version if guards else None
    return Plan(
        items=items,
        steps=tuple(steps),
        release_guard=replace(guard, repeat=GUARD_REPEAT, wanted=frozenset({"other_versions"})) if guard else None,
        release=release or (expects(guards[0].config) if expects else None),
        uncovered=uncovered,
        not_applicable=target.not_applicable,
        targets=frozenset(name for name, promise in checklist.probes.items() if promise.reads == "target") - {GUARD},
        claimed=_vouched(steps),
        baseline_items=rows,
        fingerprints={step.key: _fingerprint(step) for step in steps},
        vantage=target.environment.vantage,
        partial=bool(selection),
    )


def _vouched(steps: Sequence[Step]) -> dict[str, frozenset[str]]:
    """Which probes tell of the state of others, so that a claim can be held against a direct measurement."""
    known = [(step, probes.load(step.kind).reports_on) for step in steps]
    return {step.probe: others for step, tells in known if tells and (others := tells(step.config))}


def _instances(name: str, target: Target, checklist: Checklist) -> list[Configured]:
    """The probe's configured instances, else the one of a kind that needs no settings."""
    if found := [one for one in target.probes if one.probe == name]:
        return found
    for kind_name in checklist.probes[name].kinds if name in checklist.probes else ():
        kind = probes.load(kind_name) if probes.is_installed(kind_name) else None
        if kind and kind.enabled_by_default and kind.enabled_by_default(target.environment.base_url):
            config = kind.config.model_validate({"kind": kind_name})
            return [Configured(probe=name, instance="", kind=kind_name, config=config)]
    return []


def _why_not(item: Item, instances: Sequence[Configured], checklist: Checklist) -> str | None:
    """Why no probe can answer for the item, None where one can."""
    if not instances:
        kinds, needed = checklist.probes[item.probe or ""].kinds, {limit.metric for limit in item.expect}
        able = [kind for kind in kinds if probes.is_installed(kind) and _can_give(probes.load(kind), needed)]
        fill = (
            f"kind {' or '.join(able)} can fill it"
            if able
            else f"no kind is installed that can fill it ({', '.join(kinds)})"
        )
        return f"no probe named '{item.probe}' is configured; {fill}"
    lacking = [(one, missing) for one in instances if (missing := _missing(item, one))]
    parts = checklist.probes[item.probe or ""].parts  # each instance answers for a part: one that can is enough
    if lacking and not (parts and len(lacking) < len(instances)):
        one, missing = lacking[0]
        return f"kind {one.kind} of probe '{item.probe}' does not give {', '.join(missing)}"
    return None


def _can_give(kind: Kind, metrics: set[str]) -> bool:
    return kind.metrics_for is not None or metrics <= kind.metric_names


def _missing(item: Item, one: Configured) -> list[str]:
    """The metrics of the item's limits that this instance's kind does not promise."""
    given = probes.load(one.kind).provided(one.config) | BASELINE_METRICS
    return [limit.metric for limit in item.expect if limit.metric not in given]


def baseline_items(checklist: Checklist) -> tuple[Item, ...]:
    """The rows of the baseline as items: at most so much over the baseline, or below a number."""
    return tuple(
        Item(
            id=f"baseline.rows.{row.id}",
            text=row.text,
            title=row.id,
            severity=Severity.HIGH,
            owner="",
            probe=row.probe,
            expect=(row.limit or _over(row, checklist.probes[row.probe].metrics[row.metric]),),
        )
        for row in checklist.baseline
    )


def _over(row: BaselineRow, unit: str) -> Limit:
    value, floor = row.tolerance or 0.0, row.floor.value if row.floor else 0.0
    return Limit(metric=row.metric, op="<=", value=value, unit=unit, of="baseline", floor=floor)


def _fingerprint(step: Step) -> str:
    """Of all that makes one window's number comparable with another's."""
    settings = step.config.model_dump_json() if isinstance(step.config, ProbeConfig) else ""
    sent = step.cost if probes.load(step.kind).requests_per_window else 0  # another rate is another load
    return sha256(f"{step.kind} {settings} {step.window:g} {sent}".encode()).hexdigest()[:16]


def _step(one: Configured, items: Sequence[Item], target: Target, promise: ProbeRequirement) -> Step:
    """One instance: how often and how far apart is data of the plan."""
    kind = probes.load(one.kind)
    environment = target.environment
    samples = kind.sample is not None and (promise.background or kind.measure is None)
    reach = promise.claims_reachability and not samples
    attempts = 1 if samples else max((item.confirm for item in items), default=1)
    measurements = one.config.repeat if reach else 1
    window = sampled_for(environment) if samples else 0.0
    budget = budget_of_each(target)
    requests = (
        kind.requests_per_window(one.config, window, budget)
        if samples and kind.requests_per_window
        else kind.cost(one.config)
    )
    return Step(
        probe=one.probe,
        instance=one.instance,
        kind=one.kind,
        config=one.config,
        repeat=measurements,
        attempts=attempts,
        spread=environment.spread if reach else 0.0,
        attempt_interval=environment.attempt_interval,
        timeout=(kind.timeout_for(one.config) if kind.timeout_for else None) or environment.timeout,
        in_flight=kind.in_flight,
        turn="background" if samples and promise.background else kind.turn,
        window=window,
        budget=budget,
        cost=_cost(requests, measurements, attempts),
        timed=frozenset(metric.name for metric in kind.metrics if metric.timed),
        passive=kind.passive,
        wanted=_metrics(items) & kind.provided(one.config),
        reachability_metrics=_metrics(item for item in items if item.claims_reachability) & kind.provided(one.config),
    )


def _metrics(items: Iterable[Item]) -> frozenset[str]:
    return frozenset().union(*(item.metrics for item in items))


def _cost(requests: int, measurements: int, attempts: int) -> int:
    """Requests at the worst, for one address: every attempt, and one stray measurement asked again."""
    return requests * (attempts if measurements == 1 else measurements + RECHECKS + (attempts - 1) * 2)


def obstacles(plan: Plan) -> tuple[Item, ...]:
    """The items that keep this plan from ever being go: grave or a success criterion, and nothing can prove them."""
    open_ = [item for item in plan.items if item.id not in plan.not_applicable]
    uncovered = [item for item in open_ if item.id in plan.uncovered and (item.severity.is_grave or item.criteria)]
    return (*uncovered, *(item for item in open_ if item.probe is None and item.holds_if_pending))


def possible_scope(plan: Plan) -> tuple[str, ...]:
    """The scope that could be go: what a configured probe can prove."""
    return tuple(
        item.id
        for item in plan.items
        if item.probe and item.id not in plan.uncovered and item.id not in plan.not_applicable
    )
