"""Read the user's own probes: each adds an item with limits of its own to the checklist."""

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

_CONFIRM: Final = 3  # attempts that must all fail, for a probe that reports whether the target was reached
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class OwnCheck(Settings):
    """The check of a user's own probe; its keys are in the same table as those of the kind."""

    expect: tuple[str, ...] = Field(
        (),
        description="Limits on the metrics of the probe. The kind's default limits on other metrics stay. "
        "Where the kind itself has a setting 'expect', the limits are called 'limits'.",
    )
    severity: Severity = Field(Severity.HIGH, description="Severity of a failure.")
    confirm: StrictInt | None = Field(
        None,
        ge=1,
        le=5,
        description="Attempts that must all fail before a failure counts. Default: 3 where the probe reports "
        "whether its target was reached, else 1.",
    )
    rollback: StrictBool = Field(
        default=False,
        description="Whether a confirmed failure may order a rollback: critical at once, high after 10 minutes.",
    )
    title: str = Field("", max_length=80, description="Title in reports. Default: the name of the probe.")


OWN_KEYS: Final = tuple(OwnCheck.model_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTable:
    """The table of a user's own probe, split into check and settings."""

    name: str
    keys: tuple[str, ...]  # its place
    check: OwnCheck
    limits_key: str  # the name of its limits there
    settings: Mapping[str, Any]  # of its kind, or tables of instances


def limits_key(kind: object) -> str:
    """Return the key of the limits of a probe of that kind: "expect", unless the kind has such a setting."""
    if probes.is_kind_installed(kind) and "expect" in probes.load_kind(kind).config.model_fields:
        return "limits"
    return "expect"


def split(keys: tuple[str, ...], table: Mapping[str, Any], complain: Complaints) -> OwnTable:
    """Split a probe's table into the check and the settings of its kind; mistakes are reported."""
    name, key = keys[-1], limits_key(table.get("kind"))
    names = {key if name == "expect" else name: name for name in OWN_KEYS}
    written = {names[name]: value for name, value in table.items() if name in names}
    if not _NAME.fullmatch(name):
        complain(keys, "invalid probe name", "a name of letters, digits, - and _")
    try:
        check = OwnCheck.model_validate(written)
    except ValidationError as error:
        for mistake in mistakes(error, OwnCheck):
            _complain_of(mistake, keys, key, complain)
        check = OwnCheck()
    if check.rollback and not check.severity.is_grave:
        complain((*keys, "rollback"), f"true with severity {check.severity}", "severity critical or high")
    settings = {name: value for name, value in table.items() if name not in names}
    return OwnTable(name=name, keys=keys, check=check, limits_key=key, settings=settings)


def _complain_of(mistake: Mistake, keys: Keys, limits: str, complain: Complaints) -> None:
    place = [limits if part == "expect" else part for part in mistake.keys]
    complain((*keys, *place), mistake.found, mistake.expected, mistake.hint)


@dataclass(frozen=True, kw_only=True)
class OwnChecks:
    """Makes items from the user's own probes."""

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
    """A user's own probe with its item and requirement."""

    table: OwnTable
    sources: Sequence[ConfiguredKind]

    @property
    def key(self) -> tuple[str, ...]:
        """The place of its limits."""
        return (*self.table.keys, self.table.limits_key)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Its limits, and the kind's default limits on other metrics.

        A default limit is dropped where its metric is not measured in the same way, in a window or not, as the others.
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
        """The requirement of its item, as in a checklist."""
        first = self.sources[0]
        units = {metric.name: metric.unit for source in self.sources for metric in source.metrics}
        units = {limit.metric: limit.unit for limit in self.limits if limit.metric in first.provided} | {
            name: unit for name, unit in units.items() if name in first.provided
        }
        asked = {limit.metric for limit in self.limits}
        return ProbeRequirement.model_construct(
            help=self.table.check.title or "a user's own probe",
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
        """The mistakes in its limits."""
        asked, name = {limit.metric for limit in self.limits}, self.sources[0].name
        if len({source.default_limits for source in self.sources}) > 1:
            found = "instances whose kinds have different default limits"
            yield Mistake(keys=self.table.keys, found=found, expected="a separate probe for each of these kinds")
        if not asked and not self.table.check.expect:
            yield Mistake(
                keys=self.key, found="missing limits", expected=f"at least one: kind {name} has no default limits"
            )
        if asked & self._windowed and asked - self._windowed:
            found = (
                f"{', '.join(sorted(asked & self._windowed))} is measured over a window, and the other metrics are not"
            )
            yield Mistake(keys=self.key, found=found, expected="a separate probe for each")
        sampled = any(source.measure is None for source in self.sources) or bool(asked & self._windowed)
        if sampled and (confirm := self.table.check.confirm or 1) > 1:
            keys = (*self.table.keys, "confirm")
            yield Mistake(keys=keys, found=f"{confirm} attempts", expected="1: a window is measured once")

    def item(self, escalate_after: Deadline) -> Item:
        """Return the item that it answers."""
        table, check = self.table, self.table.check
        title = check.title or f"Own check {table.name}"
        return Item(
            id=f"{OWN_SECTION}.{table.name}",
            text=title,
            title=title,
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
    """Return the valid limits; mistakes in the others are reported by the limit reader."""
    found = []
    for text in texts:
        with suppress(ValueError):
            found.append(parse_limit(text))
    return found


def _row(check: OwnCheck) -> Row:
    """Return the row of the resolution matrix for the check."""
    is_high = check.rollback and check.severity is Severity.HIGH
    return Row(
        id="own-check",
        text="Own check",
        severity=check.severity,
        action="rollback" if check.rollback else "investigate",
        deadline=Deadline(minutes=10, then="rollback") if is_high else None,
    )
