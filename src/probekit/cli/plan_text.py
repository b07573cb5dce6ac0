"""A plan as text: the steps in their order with their cost, and whether a go is possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from probekit.cli.output import view
from probekit.config.settings import Environment
from probekit.config.target import Config, Target
from probekit.drawing import Block, Column, Line, Style, Table, draw
from probekit.model.checklist import Severity
from probekit.model.numbers import count, span
from probekit.model.plan import Plan, Step, UnknownFact
from probekit.planning.obstacle import Feasibility, Obstacle
from probekit.planning.plan import unasked_note
from probekit.probe import ConfiguredKind
from probekit.text import words

_NAMED: Final = 3  # items of one cause that are left open and named
_MOST: Final = 6  # named items of one obstacle
_SEVERITIES: Final[Mapping[Severity, Style]] = {Severity.CRITICAL: "bad", Severity.HIGH: "warn"}
_TURNS: Final = {
    "background": "background, while the others run",
    "concurrent": "concurrent",
    "exclusive": "exclusive, one after the other",
    "final": "final, after the release guard",
}


def render(config: Config, target: Target, planned: Plan[ConfiguredKind], found: Feasibility, now: datetime) -> str:
    """Return the whole text, in the width and colour of stdout."""
    blocks = [
        *_head(config, target, planned),
        *_run(target, planned, now),
        *_steps(target, planned),
        *_cost(target, planned),
        *_open(planned, found),
        *_verdict(planned, found),
    ]
    here = view()
    return draw(blocks, width=here.width, colour=here.colour)


def _head(config: Config, target: Target, planned: Plan[ConfiguredKind]) -> Iterator[Line]:
    phase = f", phase {planned.phase}" if planned.phase else ""
    yield Line(f"plan for {target.name}{phase} ({target.environment.base_url}), {config.path}", style="strong")
    if planned.partial:
        yield Line(f"partial run ({len(planned.items)} of the {planned.in_scope} items in scope): no release decision")
    else:
        own, known = sum(item.is_own for item in planned.items), len(config.checklist.items)
        of_it = f" of phase {planned.phase}" if planned.phase else ""
        counts = [f"{len(planned.items) - own} of {count(known, 'item')} in scope{of_it}"] if known else []
        counts += [count(own, "own check")] if own else []
        yield Line(" and ".join(counts))
    yield Line("")


def _run(target: Target, planned: Plan[ConfiguredKind], now: datetime) -> Iterator[Table]:
    """Yield what a run does in addition to its steps."""
    environment, guards = target.environment, planned.release_guards
    controls = len(environment.control)
    asked = f"{controls} at the start and at the end" if controls else "none: no rollback can be ordered"
    rows = [("controls", asked), ("settle", f"until {span(environment.settle)} after the deployment")]
    expected = (
        f"expects {planned.versions}" if planned.versions.expected else "version check: off, no version is expected"
    )
    rows += (("release", f"{guard.name} ({guard.kind}), before and after; {expected}") for guard in guards)
    if not guards:
        rows.append(("release", "version check: off, no probe 'release' is configured"))
    rows += _maintenance(target, now)
    yield Table(columns=(Column(title=""), Column(title="", is_wrapped=True)), rows=rows, has_titles=False)


def _maintenance(target: Target, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield the maintenance windows that are open, or begin later on this day (UTC)."""
    for window in sorted((one.period for one in target.environment.maintenance), key=lambda one: one.start):
        if window.covers(now):
            until = f"open until {window.end:%Y-%m-%d %H:%M} UTC"
            yield "maintenance", f"{until} ({window.reason}): no rollback is ordered"
        elif now < window.start and window.start.date() == now.date():
            yield "maintenance", f"today, {window}: no rollback is ordered while it lasts"


def _steps(target: Target, planned: Plan[ConfiguredKind]) -> Iterator[Block]:
    """Yield the steps in their order: a heading and a table for each turn."""
    columns = (
        Column(title="probe"),
        Column(title="kind"),
        Column(title="requests", is_number=True),
        Column(title="at most", is_number=True),
        Column(title="measured", is_wrapped=True, may_go_below=True),
    )
    for turn, heading in _TURNS.items():
        rows = [_step(step, target.environment) for step in planned.steps if step.turn == turn]
        if rows:
            yield from (Line(""), Line(heading, style="strong"), Table(columns=columns, rows=rows, indent=2))


def _step(step: Step[ConfiguredKind], environment: Environment) -> tuple[str, ...]:
    is_counted = not step.window or step.source.requests_per_window
    longest = f"deadline, {span(environment.deadline)}" if step.longest > environment.deadline else span(step.longest)
    return step.name, step.kind, f"{step.cost:,}" if is_counted else "", longest, _measured(step, environment)


def _measured(step: Step[ConfiguredKind], environment: Environment) -> str:
    """Return how a step measures."""
    if step.window:
        sends = f" of {count(step.cost // step.windows, 'request')}" if step.source.requests_per_window else ""
        further = f"; up to {step.windows} windows while an item is undecided" if step.further_windows else ""
        return f"a window of {span(step.window)}{sends}{further}"
    measurements = count(step.repeat, "measurement")
    if step.repeat > 1:
        measurements += f" over {span(step.spread)}" if step.spread else " at once"
    apart = f" {span(step.attempt_interval)} apart" if step.attempt_interval else ""
    attempts = f", up to {step.attempts} attempts{apart}" if step.attempts > 1 else ""
    return f"{measurements}{attempts}{_before_deadline(step.cost, environment)}"


def _before_deadline(requests: int, environment: Environment) -> str:
    """Return how many of the requests the throttle admits before the deadline; empty if all."""
    throttle = environment.throttle
    most = (int(environment.deadline / throttle.per) + 1) * throttle.requests
    return f" (the throttle admits {most:,} to a host before the deadline)" if most < requests else ""


def _cost(target: Target, planned: Plan[ConfiguredKind]) -> Iterator[Line]:
    windows = " besides the windows" if any(step.window for step in planned.steps) else ""
    controls, most = 2 * len(target.environment.control), most_requests(planned)
    sent = f"at most {count(most, 'request')} to each address{windows}{_before_deadline(most, target.environment)}"
    yield from (Line(""), Line(f"{sent}, {controls} to the controls"), Line(""))


def most_requests(planned: Plan[ConfiguredKind]) -> int:
    """Return the most requests to one address, without those of windows."""
    guards = 2 * sum(guard.cost for guard in planned.release_guards)
    return guards + sum(step.cost for step in planned.steps if not step.window)


def _open(planned: Plan[ConfiguredKind], found: Feasibility) -> Iterator[Line]:
    """Yield what is left open without preventing a go."""
    lines = [Line(f"- {_items(one)}: {one.what}", 2) for one in found.follow_ups]
    signed = [item for item in planned.items if item.probe is None and not item.holds_if_pending]
    signed = [item for item in signed if item.id not in planned.not_applicable]
    if signed:
        lines.append(Line(f"- {len(signed)} for people to sign after the go", 2))
    lines += (Line(f"- {text}", 2) for text in (*_not_applicable(planned), *map(_question, planned.unknown_facts)))
    lines += (Line(f"- {unasked_note(probe)}", 2) for probe in planned.unasked)
    pipes = (f"- the secret {one.secret} ({one.place}) is a pipe: read at run time" for one in found.read_at_run_time)
    lines += (Line(pipe, 2) for pipe in pipes)
    if lines:
        yield from (Line("left open, which does not prevent a go", style="strong"), *lines, Line(""))


def _not_applicable(planned: Plan[ConfiguredKind]) -> Iterator[str]:
    """Yield how many items do not apply, by the reason; without the reasons where these are many."""
    shown = {item.id for item in planned.items}
    reasons = Counter(reason for name, reason in planned.not_applicable.items() if name in shown)
    if len(reasons) > _NAMED:
        yield f"{reasons.total()} not applicable; --json has the reasons"
    else:
        yield from (f"{number} not applicable: {reason}" for reason, number in reasons.items())


def _question(fact: UnknownFact) -> str:
    """Return the question of an unknown fact, how many items depend on it, and how to state it."""
    is_one = len(fact.items) == 1
    verbs = "applies" if is_one else "apply"
    return f"{fact.question} {count(len(fact.items), 'item')} {verbs} unless it is false: {fact.remedy}"


def _items(obstacle: Obstacle) -> str:
    """Return the names of the items, or the count of many items."""
    if len(obstacle.items) > _NAMED:
        return f"{len(obstacle.items)} items"
    return ", ".join(item.id for item in obstacle.items)


def _verdict(planned: Plan[ConfiguredKind], found: Feasibility) -> Iterator[Line]:
    """Yield whether a go is possible for a healthy target, else the obstacles."""
    if found.go_possible:
        good = "PARTIAL, without a failure, is possible for a healthy target" if planned.partial else _possible(planned)
        yield Line(good, style="good")
        return
    good = "PARTIAL" if planned.partial else _go(planned)
    yield Line(f"{good} is impossible: {count(len(found.obstacles), 'obstacle')}", style="bad")
    for number, one in enumerate(_most_severe_first(found.obstacles), start=1):
        yield Line(f"{number}. {words(one.cause)}: {one.what}", 2, "bad", hanging=3)
        yield from _named(one)
        yield Line(f"do: {one.remedy}", 5, "strong", hanging=4)
    yield from _without(planned, found)


def _possible(planned: Plan[ConfiguredKind]) -> str:
    return f"{_go(planned)} is possible for a healthy target; probekit probe NAME shows what a probe reads"


def _go(planned: Plan[ConfiguredKind]) -> str:
    return f"GO of phase {planned.phase}" if planned.phase else "GO"


def _without(planned: Plan[ConfiguredKind], found: Feasibility) -> Iterator[Line]:
    """Yield the scope without the items that have obstacles, and the tables of own checks that have to go."""
    own = {item.id for item in planned.items if item.is_own}
    scope = [name for name in found.scope if name not in own]
    stuck = {item.id: item for one in found.obstacles for item in one.items}
    tables = [item.probe or "" for item in stuck.values() if item.is_own]
    # The environment's scope holds items of other phases, too.
    good, these = _go(planned), "these items of it in scope" if planned.phase else "this scope"
    if not (stuck and found.scope):
        return
    if tables:
        yield Line(
            f"{good} is possible without the table of {', '.join(tables)}{f', and with {these}:' if scope else ''}"
        )
    elif scope:
        yield Line(f"{good} is possible with {these}:")
    if scope:
        yield from (Line("scope = [", 2), *(Line(f'"{name}",', 4) for name in scope), Line("]", 2))


def _named(obstacle: Obstacle) -> Iterator[Line]:
    """Yield the items that cannot pass, the most severe first; of many only the first."""
    items = sorted(obstacle.items, key=lambda item: -item.severity.gravity)
    shown = items if len(items) <= _MOST else items[: _MOST - 1]
    yield from (Line(f"{item.id} ({item.severity})", 7, _SEVERITIES.get(item.severity, "")) for item in shown)
    if more := len(items) - len(shown):
        yield Line(f"and {more} more; --json lists them", 7)


def _most_severe_first(obstacles: Sequence[Obstacle]) -> list[Obstacle]:
    """Return the obstacles sorted: first those of the whole run, then by their most severe item."""
    return sorted(obstacles, key=lambda one: -max((item.severity.gravity for item in one.items), default=4))
