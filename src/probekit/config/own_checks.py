"""Read the probes of a user's own: each fills no item of the checklist and brings one, held to limits of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import Field, StrictBool, StrictInt, ValidationError

from probekit import probes
from probekit.checklist import OWN_SECTION, Checklist, ProbeRequirement
from probekit.config.complaints import Complaints, Keys
from probekit.config.limits import LimitReader
from probekit.config.target import Configured, sources_by_probe
from probekit.model.checklist import Deadline, Item, Row, Severity
from probekit.model.limit import Limit, parse_limit
from probekit.probe import ConfiguredKind, Settings
from probekit.toml_file import Mistake, mistakes

_CONFIRM: Final = 3  # attempts that must all be bad, of a probe that says whether its target is reached
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class OwnCheck(Settings):
    """What a probe of a user's own is held to; these keys stand beside those of its kind."""

    expect: tuple[str, ...] = Field(
        (),
        description="Limits on its metrics; the kind's default limits on metrics that it does not name stay. "
        "A kind that has a setting 'expect' itself reads that one, and the limits are called 'limits'.",
    )
    severity: Severity = Field(Severity.HIGH, description="How grave a failure is.")
    confirm: StrictInt | None = Field(
        None,
        ge=1,
        le=5,
        description="Attempts that must all be bad before a failure counts; the default is 3 where the probe tells "
        "whether its target is reached, else 1.",
    )
    rollback: StrictBool = Field(
        default=False,
        description="Whether a confirmed failure may order a rollback: critical at once, high after 10 minutes.",
    )
    title: str = Field("", max_length=80, description="What reports call it; the default is the probe's name.")


OWN_KEYS: Final = tuple(OwnCheck.model_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTable:
    """The table of a probe of a user's own, taken apart."""

    name: str
    keys: tuple[str, ...]  # where it stands
    check: OwnCheck
    limits_key: str  # what its limits are called there
    settings: Mapping[str, Any]  # of its kind, or tables of instances


def limits_key(kind: object) -> str:
    """Return what the limits of a probe of that kind are called: "expect", unless the kind has such a setting."""
    if probes.is_kind_installed(kind) and "expect" in probes.load_kind(kind).config.model_fields:
        return "limits"
    return "expect"


def split(keys: tuple[str, ...], table: Mapping[str, Any], complain: Complaints) -> OwnTable:
    """Take the keys of the check out of a probe's table; what is wrong with them is complained of."""
    name, key = keys[-1], limits_key(table.get("kind"))
    names = {key if name == "expect" else name: name for name in OWN_KEYS}
    written = {names[name]: value for name, value in table.items() if name in names}
    if not _NAME.fullmatch(name):
        complain(keys, "this name", "a name of letters, digits, - and _")
    try:
        check = OwnCheck.model_validate(written)
    except ValidationError as error:
        for mistake in mistakes(error, OwnCheck):
            _complain_of(mistake, keys, key, complain)
        check = OwnCheck()
    if check.rollback and not check.severity.is_grave:
        complain((*keys, "rollback"), f"true beside severity {check.severity}", "it with severity critical or high")
    settings = {name: value for name, value in table.items() if name not in names}
    return OwnTable(name=name, keys=keys, check=check, limits_key=key, settings=settings)


def _complain_of(mistake: Mistake, keys: Keys, limits: str, complain: Complaints) -> None:
    place = [limits if part == "expect" else part for part in mistake.keys]
    complain((*keys, *place), mistake.found, mistake.expected, mistake.hint)


@dataclass(frozen=True, kw_only=True)
class OwnChecks:
    """Makes items of the probes of a user's own."""

    checklist: Checklist
    configured: Sequence[Configured]
    complain: Complaints

    def extended(self, tables: Sequence[OwnTable]) -> Checklist:
        """Return the checklist with a requirement and an item for each table that has a probe."""
        sources = sources_by_probe(self.configured)
        made = [_OwnProbe(table=table, sources=sources[table.name]) for table in tables if table.name in sources]
        wanted = {one.table.name: one.requirement for one in made}
        known = replace(self.checklist, probes={**self.checklist.probes, **wanted})
        reader = LimitReader(checklist=known, configured=self.configured, complain=self.complain)
        items = []
        for one in made:
            reader.limits(one.table.name, one.table.check.expect, one.key)
            for mistake in one.mistakes():
                self.complain(mistake.keys, mistake.found, mistake.expected)
            items.append(one.item(self.checklist.escalate_after))
        return self.checklist.with_own(wanted, items)


@dataclass(frozen=True, kw_only=True)
class _OwnProbe:
    """A probe of a user's own, and what it asks for."""

    table: OwnTable
    sources: Sequence[ConfiguredKind]

    @property
    def key(self) -> tuple[str, ...]:
        """Where its limits stand."""
        return (*self.table.keys, self.table.limits_key)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Its limits, and the kind's default ones on metrics that it does not name.

        A default limit goes where a window reads what is named, and the default metric takes none, or the reverse.
        """
        named = _readable(self.table.check.expect)
        windows = {limit.metric in self._windowed for limit in named}
        kept = [
            limit
            for limit in _readable(self.sources[0].default_limits)
            if limit.metric not in {one.metric for one in named}
            and (not windows or (limit.metric in self._windowed) in windows)
        ]
        return (*kept, *named)

    @property
    def requirement(self) -> ProbeRequirement:
        """What its item asks of it, as a checklist would say it."""
        first = self.sources[0]
        units = {metric.name: metric.unit for source in self.sources for metric in source.metrics}
        units = {limit.metric: limit.unit for limit in self.limits if limit.metric in first.provided} | {
            name: unit for name, unit in units.items() if name in first.provided
        }
        asked = {limit.metric for limit in self.limits}
        return ProbeRequirement.model_construct(
            help=self.table.check.title or "a probe of your own",
            layer=first.layer,
            metrics=units,
            unbounded=tuple(first.provided - {metric.name for metric in first.metrics}),
            claims_reachability=bool(first.of_role("reached", "answered") & asked),
            background=bool(asked & self._windowed),
        )

    @property
    def _windowed(self) -> frozenset[str]:
        return frozenset(metric.name for metric in self.sources[0].metrics if metric.in_window)

    def mistakes(self) -> Iterator[Mistake]:
        """Whatever keeps its limits from being read."""
        asked, name = {limit.metric for limit in self.limits}, self.sources[0].name
        if len({source.default_limits for source in self.sources}) > 1:
            found = "instances whose kinds have different default limits"
            yield Mistake(keys=self.table.keys, found=found, expected="a probe of its own for each of them")
        if not asked and not self.table.check.expect:
            yield Mistake(keys=self.key, found="no limit", expected=f"one at least: kind {name} has no default limits")
        if asked & self._windowed and asked - self._windowed:
            found = f"{', '.join(sorted(asked & self._windowed))} is read over a window, and the others are not"
            yield Mistake(keys=self.key, found=found, expected="a probe for each of the two")
        sampled = any(source.measure is None for source in self.sources) or bool(asked & self._windowed)
        if sampled and (confirm := self.table.check.confirm or 1) > 1:
            keys = (*self.table.keys, "confirm")
            yield Mistake(keys=keys, found=f"{confirm} attempts", expected="1: its window is taken once")

    def item(self, escalate_after: Deadline) -> Item:
        """Return the item that it answers."""
        table, check = self.table, self.table.check
        return Item(
            id=f"{OWN_SECTION}.{table.name}",
            text=check.title or f"Probe {table.name}",
            title=check.title or f"Own check {table.name}",
            severity=check.severity,
            owner=f"the owner of {table.name}",
            probe=table.name,
            expect=self.limits,
            confirm=check.confirm or (_CONFIRM if self.requirement.claims_reachability else 1),
            matrix_row=_row(check),
            is_own=True,
            escalate_after=escalate_after,
        )


def _readable(texts: Sequence[str]) -> list[Limit]:
    """Return those that are limits; what is wrong with the others is complained of where they are read."""
    found = []
    for text in texts:
        with suppress(ValueError):
            found.append(parse_limit(text))
    return found


def _row(check: OwnCheck) -> Row:
    """Return the row of the resolution matrix that the check itself stands for."""
    is_high = check.rollback and check.severity is Severity.HIGH
    return Row(
        id="own-check",
        text="Own check",
        severity=check.severity,
        action="rollback" if check.rollback else "investigate",
        deadline=Deadline(minutes=10, then="rollback") if is_high else None,
    )
