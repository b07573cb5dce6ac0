"""What must be true of a deployment? From a checklist in TOML, built in or a user's own, to items that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from probekit import quantity
from probekit.model import Band, Deadline, Item, Limit, Row, Severity
from probekit.probe import Settings
from probekit.toml_file import ConfigError, FileProblem, line_of, nearest, parse, problems, text_of


class ProbePromise(Settings):
    """What a checklist wants of a probe, whichever kind fills it."""

    help: str
    reads: Literal["target", "record"]
    kinds: tuple[str, ...] = Field(min_length=1)
    metrics: dict[str, str] = Field(min_length=1)
    reach: bool = False
    watch: bool = False
    parts: bool = False
    max_age: str | None = None


class _Band(Settings):
    when: str
    severity: Severity
    deadline: str | None = None
    at_deadline: str | None = None


class _Row(Settings):
    id: str
    text: str
    severity: Severity
    response: str
    asks: str
    action: Literal["rollback", "investigate", "hotfix", "document"]
    minutes: float | None = Field(None, gt=0, allow_inf_nan=False)
    at_deadline: str | None = None


class Criterion(Settings):
    """One line of what makes a deployment a success."""

    id: str
    group: int
    text: str


class BaselineRow(Settings):
    """One metric that is compared with what it was before the deployment."""

    id: str
    text: str
    target: str
    probe: str
    metric: str
    statistic: str
    tolerance: str | None = None
    floor: str | None = None
    limit: str | None = None


class Role(Settings):
    """Who answers for what."""

    name: str
    text: str


class SignOff(Settings):
    """A signature at the end of the document."""

    item: str
    signer: str
    asks: tuple[str, ...]


class Blank(Settings):
    """A blank of the document, and who fills it."""

    id: str
    filled_by: str
    item: str | None = None
    text: str | None = None
    unit: str | None = None


class Success(Settings):
    """How the document introduces its criteria."""

    text: str
    groups: tuple[str, ...]


class _Item(Settings):
    id: str = Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+\.[a-z0-9-]+$")
    text: str
    title: str
    severity: Severity
    owner: str
    probe: str | None = None
    expect: tuple[str, ...] = ()
    bands: tuple[_Band, ...] = ()
    confirm: int = Field(1, ge=1, le=5)
    when: str | None = None
    criteria: tuple[str, ...] = ()
    row: str | None = None
    sign: Literal["required", "fallback"] | None = None
    holds: bool = False
    ours: bool = False
    sources: tuple[str, ...] = ()


class _Document(Settings):
    schema_: Literal[1] = Field(alias="schema")
    name: str
    title: str
    version: str
    updated: date | None = None
    estimated_time: str | None = None
    count: int = Field(gt=0)
    escalate_after: str = "10 min"
    phases: dict[str, str] = Field(min_length=1)
    sections: dict[str, str] = Field(min_length=1)
    facts: dict[str, str] = Field({})
    probes: dict[str, ProbePromise] = Field({})
    success: Success | None = None
    criterion: tuple[Criterion, ...] = ()
    row: tuple[_Row, ...] = ()
    baseline: tuple[BaselineRow, ...] = ()
    role: tuple[Role, ...] = ()
    signoff: tuple[SignOff, ...] = ()
    field: tuple[Blank, ...] = ()
    item: tuple[_Item, ...] = Field(min_length=1)


@dataclass(frozen=True, kw_only=True)
class Checklist:
    """The items, and what they refer to."""

    name: str
    title: str
    version: str
    items: tuple[Item, ...]
    probes: Mapping[str, ProbePromise]
    phases: Mapping[str, str]
    sections: Mapping[str, str]
    facts: Mapping[str, str]
    criteria: tuple[Criterion, ...]
    baseline: tuple[BaselineRow, ...]
    roles: tuple[Role, ...]
    signoffs: tuple[SignOff, ...]
    blanks: tuple[Blank, ...]
    success: Success | None

    def select(self, prefix: str) -> tuple[Item, ...]:
        """The item of that id, or all whose id begins with those whole words."""
        return tuple(item for item in self.items if item.id == prefix or item.id.startswith(f"{prefix}."))

    @cached_property
    def by_id(self) -> Mapping[str, Item]:
        """Each item by its id."""
        return {item.id: item for item in self.items}


def load(name: str, *, relative_to: Path | None = None) -> Checklist:
    """The built-in checklist of that name, or the one in a user's own file.

    Raises:
        ConfigError: there is none, or it does not add up: every mistake with file and line.
    """
    path = _path(name, relative_to or Path())
    text = text_of(path)
    try:
        document = _Document.model_validate(parse(text, path))
    except ValidationError as error:
        raise ConfigError(problems(error, _Document, path, text)) from None
    reader = _Reader(path=path, text=text, document=document)
    checklist = reader.checklist()
    if reader.found:
        raise ConfigError(reader.found)
    return checklist


def built_in() -> tuple[str, ...]:
    """The names of the checklists that come with the package."""
    return tuple(
        sorted(
            folder.name for folder in files("probekit.data").iterdir() if folder.is_dir() and "__" not in folder.name
        )
    )


def _path(name: str, folder: Path) -> Path:
    if name in built_in():
        return Path(str(files("probekit.data").joinpath(name, "checklist.toml")))
    if "/" not in name and not name.endswith(".toml"):
        found, expected = f"no checklist '{name}'", f"one of {', '.join(built_in())}, or the path of a .toml file"
        hint = nearest(name, built_in())
        raise ConfigError(
            [FileProblem(file=folder, line=None, key="checklist", found=found, expected=expected, hint=hint)]
        )
    return folder / name


@dataclass(kw_only=True)
class _Reader:
    """Turns what was written into items, and keeps what does not add up."""

    path: Path
    text: str
    document: _Document
    found: list[FileProblem] = field(default_factory=list)

    def checklist(self) -> Checklist:
        document = self.document
        self._complain_of_twins("criterion", [one.id for one in document.criterion])
        self._complain_of_twins("row", [one.id for one in document.row])
        self._complain_of_twins("item", [one.id for one in document.item])
        if len(document.item) != document.count:
            self._complain(("count",), f"{len(document.item)} items", f"{document.count}, as 'count' says")
        self._complain_of_units()
        rows = {row.id: self._row(number, row) for number, row in enumerate(document.row)}
        escalate = Deadline(minutes=self._minutes(document.escalate_after, ("escalate_after",)))
        items = tuple(self._item(number, item, rows, escalate) for number, item in enumerate(document.item))
        self._complain_of_strangers()
        return Checklist(
            name=document.name,
            title=document.title,
            version=document.version,
            items=items,
            probes=document.probes,
            phases=document.phases,
            sections=document.sections,
            facts=document.facts,
            criteria=document.criterion,
            baseline=document.baseline,
            roles=document.role,
            signoffs=document.signoff,
            blanks=document.field,
            success=document.success,
        )

    def _complain(self, keys: Sequence[str | int], found: str, expected: str, hint: str = "") -> None:
        line, key = line_of(self.text, keys), ".".join(str(part) for part in keys)
        if keys[0] == "item":
            key = f"{self.document.item[int(keys[1])].id}: {'.'.join(str(part) for part in keys[2:])}"
        self.found.append(FileProblem(file=self.path, line=line, key=key, found=found, expected=expected, hint=hint))

    def _known(self, word: str, known: Sequence[str] | Mapping[str, Any], keys: Sequence[str | int], what: str) -> bool:
        if word in known:
            return True
        self._complain(keys, f"unknown {what} '{word}'", f"a {what} of this checklist", nearest(word, known))
        return False

    def _complain_of_twins(self, table: str, ids: Sequence[str]) -> None:
        twins = {name for name, count in Counter(ids).items() if count > 1}
        for number, name in enumerate(ids):
            if name in twins and name in ids[:number]:
                self._complain((table, number, "id"), f"a second '{name}'", "each id once")

    def _complain_of_units(self) -> None:
        for name, promise in self.document.probes.items():
            for metric, unit in promise.metrics.items():
                if unit not in quantity.UNITS:
                    units = ", ".join(word or '""' for word in quantity.UNITS)
                    self._complain(("probes", name, "metrics", metric), f"unknown unit '{unit}'", f"one of {units}")
            if promise.max_age is not None:
                self._minutes(promise.max_age, ("probes", name, "max_age"))

    def _complain_of_strangers(self) -> None:
        """What baseline rows, signatures and blanks refer to must exist."""
        ids = [item.id for item in self.document.item]
        for number, row in enumerate(self.document.baseline):
            if self._known(row.probe, self.document.probes, ("baseline", number, "probe"), "probe"):
                self._known(
                    row.metric, self.document.probes[row.probe].metrics, ("baseline", number, "metric"), "metric"
                )
        for number, one in enumerate(self.document.signoff):
            self._known(one.item, ids, ("signoff", number, "item"), "item")
        for number, blank in enumerate(self.document.field):
            if blank.item is not None:
                self._known(blank.item, ids, ("field", number, "item"), "item")

    def _item(self, number: int, raw: _Item, rows: Mapping[str, Row], escalate: Deadline) -> Item:
        here = ("item", number)
        phase, section, _ = raw.id.split(".")
        self._known(phase, self.document.phases, (*here, "id"), "phase")
        self._known(f"{phase}.{section}", self.document.sections, (*here, "id"), "section")
        self._known(raw.owner, [role.name for role in self.document.role], (*here, "owner"), "role")
        for at, name in enumerate(raw.criteria):
            self._known(name, [one.id for one in self.document.criterion], (*here, "criteria", at), "criterion")
        if raw.when is not None:
            self._known(raw.when, self.document.facts, (*here, "when"), "fact")
        if raw.row is not None:
            self._known(raw.row, rows, (*here, "row"), "row")
        self._complain_of_what_answers(raw, here)
        return Item(
            **raw.model_dump(exclude={"expect", "bands", "row"}),
            expect=tuple(self._limits(raw, here)),
            bands=tuple(self._bands(raw, here)),
            row=rows.get(raw.row or ""),
            escalate_after=escalate,
        )

    def _complain_of_what_answers(self, raw: _Item, here: Sequence[str | int]) -> None:
        """An item is answered by a probe with a limit, or by a person."""
        if raw.probe is None and raw.sign != "required":
            self._complain(here, "nothing answers it", 'a probe with limits, or sign = "required"')
        elif raw.probe is None and (raw.expect or raw.bands):
            self._complain(
                (*here, "expect" if raw.expect else "bands"), "a limit without a probe", "a probe that gives its metric"
            )
        elif raw.probe is not None and not raw.expect:
            self._complain(here, "no limit", 'at least one, such as expect = ["up == 1"]')

    def _limits(self, raw: _Item, here: tuple[str | int, ...]) -> Iterator[Limit]:
        if raw.probe is None or not self._known(raw.probe, self.document.probes, (*here, "probe"), "probe"):
            return
        for at, text in enumerate(raw.expect):
            limit = self._limit(text, raw.probe, (*here, "expect", at))
            if limit:
                yield limit

    def _bands(self, raw: _Item, here: tuple[str | int, ...]) -> Iterator[Band]:
        gravest = [band.severity.gravity for band in raw.bands]
        if gravest != sorted(gravest, reverse=True):
            self._complain((*here, "bands"), "a milder band before a graver one", "the gravest first")
        for at, band in enumerate(raw.bands):
            place = (*here, "bands", at)
            limit = self._limit(band.when, raw.probe, (*place, "when")) if raw.probe in self.document.probes else None
            if band.at_deadline and not band.deadline:
                self._complain(place, "'at_deadline' without a 'deadline'", "both, or neither")
            deadline = None
            if band.deadline:
                minutes = self._minutes(band.deadline, (*place, "deadline"))
                deadline = self._deadline(minutes, band.at_deadline, raw.probe, (*place, "at_deadline"))
            if limit:
                yield Band(when=limit, severity=band.severity, deadline=deadline)

    def _row(self, number: int, raw: _Row) -> Row:
        place = ("row", number, "at_deadline")
        if raw.at_deadline and raw.minutes is None:
            self._complain(place, "'at_deadline' without 'minutes'", "both, or neither")
        deadline = self._deadline(raw.minutes, raw.at_deadline, None, place) if raw.minutes is not None else None
        return Row(id=raw.id, text=raw.text, severity=raw.severity, action=raw.action, deadline=deadline)

    def _deadline(self, minutes: float, at: str | None, probe: str | None, keys: Sequence[str | int]) -> Deadline:
        """What happens when the time is up: `rollback`, `rollback if LIMIT`, else somebody is called."""
        if at is None or at == "rollback":
            return Deadline(minutes=minutes, then="rollback" if at else "escalate")
        if not at.startswith("rollback if "):
            self._complain(keys, f"'{at}'", '"rollback" or "rollback if LIMIT"')
            return Deadline(minutes=minutes)
        limit = self._limit(at.removeprefix("rollback if "), probe, keys)
        return Deadline(minutes=minutes, then=limit or "escalate")

    def _limit(self, text: str, probe: str | None, keys: Sequence[str | int]) -> Limit | None:
        """A limit on a metric of that probe; of any probe where None is named, as in a row of the matrix."""
        try:
            limit = quantity.limit(text)
        except ValueError as error:
            self._complain(keys, str(error), "a limit")
            return None
        if probe is None:
            return limit
        metrics = self.document.probes[probe].metrics
        if limit.metric not in metrics:
            owner = next((name for name, other in self.document.probes.items() if limit.metric in other.metrics), None)
            hint = f"it is a metric of probe '{owner}'" if owner else nearest(limit.metric, metrics)
            self._complain(
                keys, f"unknown metric '{limit.metric}'", f"one of probe '{probe}': {', '.join(metrics)}", hint
            )
            return None
        if limit.of == "baseline" and limit.value == 0:
            self._complain(keys, "a tolerance of 0 %", "more: noise alone is more")
        elif limit.of == "value" and limit.unit != metrics[limit.metric]:
            due = f"'{metrics[limit.metric]}'" if metrics[limit.metric] else "no unit"
            self._complain(keys, f"unit '{limit.unit}'", f"{due}, in which {limit.metric} is measured")
        return limit

    def _minutes(self, text: str, keys: Sequence[str | int]) -> float:
        try:
            return quantity.duration(text) / 60
        except ValueError as error:
            self._complain(keys, str(error), "a duration")
            return 0.0
