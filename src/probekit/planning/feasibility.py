"""Whether a plan makes a go possible for a healthy target, or the obstacles; nothing is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from probekit.config.target import Config, Target
from probekit.model.checklist import Item, Severity
from probekit.model.history import History
from probekit.model.numbers import number, span
from probekit.model.plan import Plan, Step
from probekit.model.quantity import duration_text
from probekit.planning.coverage import lacks_https
from probekit.planning.obstacle import Cause, Feasibility, Obstacle, of_contradictions, of_sample
from probekit.planning.record import Record
from probekit.planning.run_time import shortest
from probekit.planning.samples import short_samples
from probekit.planning.unset import Reference, is_piped, references, unset, unusable_trust
from probekit.probe import ConfiguredKind
from probekit.transport.urls import endpoint_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The environment of a run, in addition to its files."""

    variables: Mapping[str, str]
    now: datetime
    history: History


def feasibility(
    config: Config, target: Target, planned: Plan[ConfiguredKind], surroundings: Surroundings
) -> Feasibility:
    """Return the obstacles to a go, and what is left open in addition."""
    run = _Facts(config, target, planned, surroundings)
    of_the_run = [*of_contradictions(planned.contradictions), *run.of_the_run()]
    found = [*run.of_items(), *of_the_run]
    stuck = {item.id for obstacle in found for item in obstacle.items}
    scope = [item for item in run.asked if item.probe and item.id not in stuck]
    unread = run.nothing_read(scope)
    if unread and not any(obstacle.blocks for obstacle in found):  # otherwise it follows from those
        found.append(unread)
    return Feasibility(
        obstacles=tuple(obstacle for obstacle in found if obstacle.blocks),
        follow_ups=tuple(obstacle for obstacle in found if not obstacle.blocks),
        shortages=tuple(run.short),
        scope=tuple(item.id for item in scope) if run.reads_target(scope) and not of_the_run else (),
        read_at_run_time=tuple(one for one in run.references if is_piped(one.secret, config.path.absolute().parent)),
    )


class _Facts:
    """Finds the obstacles, cause by cause."""

    def __init__(
        self, config: Config, target: Target, planned: Plan[ConfiguredKind], surroundings: Surroundings
    ) -> None:
        self.config = config
        self.target = target
        self.planned = planned
        self.surroundings = surroundings
        self.asked = [item for item in planned.items if item.id not in planned.not_applicable]
        self.covered = [item for item in self.asked if item.probe and item.id not in planned.uncovered]
        self.short = list(short_samples(planned, target.environment.block))
        guards = {guard.probe for guard in planned.release_guards}
        self.references = list(references(target, {item.probe for item in self.asked if item.probe} | guards))

    def of_items(self) -> Iterator[Obstacle]:
        """Yield the obstacles of single items."""
        yield from self._uncovered()
        if unsigned := tuple(item for item in self.asked if item.probe is None and item.holds_if_pending):
            what, remedy = "a run cannot sign them", "sign them by hand, or leave them out of scope"
            yield Obstacle(cause="unsigned", what=what, remedy=remedy, items=unsigned)
        yield from self._unread()
        yield from self._secrets()
        yield from self._untrusted()
        yield from self._unexpected()
        yield from self._unbound()
        yield from self._recorded()
        yield from map(of_sample, self.short)

    def of_the_run(self) -> Iterator[Obstacle]:
        """Yield the obstacles of the whole run."""
        environment = self.target.environment
        if why := unusable_trust(self.config, self.target, (*self.planned.steps, *self.planned.release_guards)):
            yield Obstacle(cause="missing_file", what=why, remedy="name a file that this user can read")
        seconds = shortest(self.planned, environment)
        if seconds > environment.deadline:
            throttle = f"{environment.throttle.requests} in {duration_text(environment.throttle.per)}"
            cut = f"is cut off after {span(environment.deadline)} (deadline)"
            what = f"the run takes at least {_longer_span(seconds, environment.deadline)}, but {cut}"
            remedy = f"set a longer deadline, a faster throttle (now {throttle}), shorter windows, or fewer routes"
            yield Obstacle(cause="deadline", what=what, remedy=remedy)

    def reads_target(self, items: Sequence[Item]) -> bool:
        """Return whether at least one of the items measures the target and not only the record."""
        return any(self.planned.layers.get(item.probe or "", "record") != "record" for item in items)

    def nothing_read(self, scope: Sequence[Item]) -> Obstacle | None:
        """Return the obstacle that no item of the target (or of its application, if in scope) can pass, else None."""
        layers = self.planned.layers
        asked = {layers.get(item.probe or "", "record") for item in self.asked} - {"record"}
        trusted = [item for item in scope if not self._reported(item) or item.probe in self.planned.trusted]
        read = {layers.get(item.probe or "", "record") for item in trusted} - {"record"}
        if "application" in asked and "application" not in read:
            what = "no item of the application can pass, so nothing of the target would be read"
        elif asked and not read:
            what = f"no item of its {', '.join(sorted(asked))} can pass, so nothing of the target would be read"
        elif not scope:
            what = "no item can pass"
        else:
            return None
        return Obstacle(cause="nothing_read", what=what, remedy="configure a probe that reads the target")

    def _uncovered(self) -> Iterator[Obstacle]:
        by_reason: dict[str, list[Item]] = defaultdict(list)
        for item in self.asked:
            if item.id in self.planned.uncovered:
                by_reason[self.planned.uncovered[item.id]].append(item)
        for reason, items in by_reason.items():
            remedy = https_only(items[0].probe or "", self.target) or (
                "configure it, leave the items out of scope, or list them under not_applicable"
            )
            yield Obstacle(cause="not_configured", what=reason, remedy=remedy, items=tuple(items))

    def _unread(self) -> Iterator[Obstacle]:
        """Yield metrics that no run can read: due to the kind's settings and base_url, or a missing allowance."""
        environment = self.target.environment
        for step in self.planned.steps:
            source = step.source
            unread = source.unread(environment.base_url) if source.unread else {}
            lacking = {
                name: f'needs allow = ["{allowance}"]'
                for name, allowance in source.allowed_by.items()
                if allowance not in environment.allow
            }
            remedy = "correct the probe's table or the files that it names"
            yield from self._of_metrics(step, "setting", unread, remedy)
            remedy = "add it to the environment, if the target may be written to or put under load"
            yield from self._of_metrics(step, "not_allowed", lacking, remedy)

    def _of_metrics(
        self, step: Step[ConfiguredKind], cause: Cause, unread: Mapping[str, str], remedy: str
    ) -> Iterator[Obstacle]:
        """Yield the items that need one of these metrics of a step, by the reason why it is not read."""
        reasons: dict[str, list[Item]] = defaultdict(list)
        for item in self.covered:
            asked = (limit.metric for limit in item.expect if limit.metric in unread.keys() & step.wanted)
            metric = next(asked, None)
            if item.probe == step.probe and metric:
                reasons[f"{metric} of probe '{step.name}' {unread[metric]}"].append(item)
        for reason, items in reasons.items():
            without = "remove the table" if items[0].is_own else "leave the items out of scope"
            yield Obstacle(cause=cause, what=reason, remedy=f"{remedy}; else {without}", items=tuple(items))

    def _secrets(self) -> Iterator[Obstacle]:
        for one in unset(self.config, self.references, self.surroundings.variables):
            probe = one.reference.probe
            if probe:
                items = [item for item in self.asked if item.probe == probe]
            else:
                users = self._users_of(one.reference)
                rows = {row.probe for row in self.planned.baseline_items}
                items = [
                    item for item in self.covered if item.probe in users or (item.compares_baseline and rows & users)
                ]
            if items:  # a release guard alone is not required for a go
                yield Obstacle(
                    cause="missing_secret",
                    what=f"{one.why} ({one.reference.place})",
                    remedy="set the variable, or write it into .env" if one.reference.secret.env else "write the file",
                    items=tuple(items),
                )

    def _users_of(self, reference: Reference) -> set[str]:
        """Return the probes whose measurements use a secret of the environment's connections."""
        base_url = self.target.environment.base_url
        steps = [step for step in (*self.planned.steps, *self.planned.release_guards) if step.source.requests]
        if reference.place.startswith("connect.headers."):
            origin = endpoint_of(base_url)
            steps = [
                step
                for step in steps
                if step.source.is_http and step.source.endpoint and step.source.endpoint(base_url) == origin
            ]
        return {step.probe for step in steps}

    def _untrusted(self) -> Iterator[Obstacle]:
        items = [item for item in self.covered if item.severity is Severity.CRITICAL and self._reported(item)]
        for probe in dict.fromkeys(item.probe for item in items if item.probe not in self.planned.trusted):
            what = f"probe '{probe}' is reported by a program, and only a trusted program can pass a critical item"
            mine = tuple(item for item in items if item.probe == probe)
            remedy = f'set trust = ["{probe}"] in the environment, or use a kind that measures'
            yield Obstacle(cause="untrusted_program", what=what, remedy=remedy, items=mine)

    def _unexpected(self) -> Iterator[Obstacle]:
        own = (step for step in self.planned.steps if step.source.reads_version and not step.versions)
        readers = {step.probe for step in (*self.planned.release_guards, *own)}
        items = tuple(item for item in self.covered if item.probe in readers)
        if items and not self.planned.versions.expected:
            what = "no version is expected, so the served version cannot be verified"
            remedy = "set 'expect' in the probe's table, use --release, or mark the deployment with its release"
            yield Obstacle(cause="no_expected_version", what=what, remedy=remedy, items=items)

    def _unbound(self) -> Iterator[Obstacle]:
        """Yield the items whose records must be of a release, where no fact of it is known."""
        own = {step.probe for step in self.planned.steps if step.source.of_record}
        items = tuple(item for item in self.covered if item.bound_to == "release" and item.probe not in own)
        if items and not str(self.planned.identity):
            what = "the release is not known, so no record can be of it"
            remedy = "name it with --release, with probekit deployment start, or in [env.NAME.release]"
            yield Obstacle(cause="unknown_release", what=what, remedy=remedy, items=items)

    def _recorded(self) -> Iterator[Obstacle]:
        environment = self.target.environment
        record = Record(
            history=self.surroundings.history,
            now=self.surroundings.now,
            settle=environment.settle,
            base_url=environment.base_url,
        )
        for item in self.covered:
            rows = self.planned.baseline_items if item.compares_baseline else (item,)
            for row in rows:
                if row.id in self.planned.uncovered:
                    what = f"{row.title}: {self.planned.uncovered[row.id]}"
                    yield Obstacle(cause="not_configured", what=what, remedy="configure it", items=(item,))
                for one in record.foretold(row, self.planned):
                    cause: Cause = "setting" if one.is_setting else "record"
                    yield Obstacle(cause=cause, what=one.why, remedy=one.remedy, items=(item,))

    def _reported(self, item: Item) -> bool:
        steps = (*self.planned.steps, *self.planned.release_guards)
        return any(step.reported for step in steps if step.probe == item.probe)


def https_only(probe: str, target: Target) -> str | None:
    """Return what to do if the probe's default kind needs https to run without a table; None otherwise."""
    if not lacks_https(probe, target):
        return None
    kind = target.checklist.probes[probe].default_kind
    return f"base_url is http://: use https://, where kind {kind} needs no table, or leave the items out of scope"


def _longer_span(seconds: float, than: float) -> str:
    """Return a duration as text, with enough digits to differ from the shorter one."""
    return span(seconds) if span(seconds) != span(than) else number(seconds, "s", apart_from=than)
