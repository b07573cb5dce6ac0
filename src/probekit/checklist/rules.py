"""Check that the parts of a checklist fit together: references, limits, and what answers each item."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from probekit.checklist.shape import BaselineRow, Document, WrittenItem
from probekit.model.limit import Limit
from probekit.toml_file import Mistake, nearest

Place = tuple[str | int, ...]
_FEW: Final = 12  # names that a message lists at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules for a document; its items are given by their number."""

    document: Document
    items: Mapping[int, WrittenItem]

    def mistakes(self) -> Iterator[Mistake]:
        """Every violation of a rule."""
        yield from self._of_twins()
        yield from self._of_head()
        for number, row in enumerate(self.document.baseline):
            yield from self._of_baseline(row, ("baseline", number))
        yield from self._of_people()
        for number, item in self.items.items():
            here: Place = ("item", number)
            yield from self._of_names(item, here)
            yield from self._of_answers(item, here)
            yield from self._of_limits(item, here)

    def _ids(self) -> dict[int, str]:
        """The ids of all items by number, including items with mistakes."""
        tables = enumerate(self.document.item)
        return {at: one["id"] for at, one in tables if isinstance(one, dict) and isinstance(one.get("id"), str)}

    def _of_twins(self) -> Iterator[Mistake]:
        document = self.document
        tables = {
            ("criterion", "id"): dict(enumerate(one.id for one in document.criterion)),
            ("row", "id"): dict(enumerate(one.id for one in document.row)),
            ("baseline", "id"): dict(enumerate(one.id for one in document.baseline)),
            ("role", "name"): dict(enumerate(one.name for one in document.role)),
            ("signoff", "item"): dict(enumerate(one.item for one in document.signoff)),
            ("field", "id"): dict(enumerate(one.id for one in document.field)),
            ("item", "id"): self._ids(),
        }
        for (table, key), names in tables.items():
            seen: set[str] = set()
            for number, name in names.items():
                if name in seen:
                    yield Mistake(keys=(table, number, key), found=f"duplicate '{name}'", expected="a unique name")
                seen.add(name)

    def _of_head(self) -> Iterator[Mistake]:
        document = self.document
        if len(document.item) != document.count:
            yield Mistake(
                keys=("count",),
                found=str(document.count),
                expected=f"{len(document.item)}, the number of items in this checklist",
            )
        for section in document.sections:
            yield from _known(section.partition(".")[0], document.phases, "[phases]", ("sections", section))
        groups = len(document.success.groups) if document.success else 0
        for number, one in enumerate(document.criterion):
            if one.group > groups:
                expected = f"one of the {groups} groups under [success]"
                yield Mistake(keys=("criterion", number, "group"), found=str(one.group), expected=expected)
        for number, row in enumerate(document.row):
            if isinstance(row.at_deadline, Limit):
                yield from self._of_row(row.at_deadline, ("row", number, "at_deadline"))

    def _of_baseline(self, row: BaselineRow, here: Place) -> Iterator[Mistake]:
        unknown = list(_known(row.probe, self.document.probes, "[probes]", (*here, "probe")))
        yield from unknown
        if unknown:
            return
        metric = Limit(metric=row.metric, op="within", value=1, of="baseline")
        strange = list(self._of_limit(metric, row.probe, (*here, "metric")))
        yield from strange
        if strange:
            return
        unit = self.document.probes[row.probe].metrics[row.metric]
        if row.floor and row.floor.unit != unit:
            yield _wrong_unit(row.floor.unit, unit, row.metric, (*here, "floor"))
        if row.limit and row.limit.metric != row.metric:
            found, expected = f"a limit on '{row.limit.metric}'", f"a limit on '{row.metric}', this row's metric"
            yield Mistake(keys=(*here, "limit"), found=found, expected=expected)
        elif row.limit:
            yield from self._of_limit(row.limit, row.probe, (*here, "limit"))

    def _of_people(self) -> Iterator[Mistake]:
        ids = self._ids().values()
        for number, one in enumerate(self.document.signoff):
            yield from _known(one.item, ids, "[[item]]", ("signoff", number, "item"))
        for number, blank in enumerate(self.document.field):
            if blank.item is not None:
                yield from _known(blank.item, ids, "[[item]]", ("field", number, "item"))

    def _of_names(self, item: WrittenItem, here: Place) -> Iterator[Mistake]:
        """Check the references of an item, except its probe."""
        document = self.document
        phase, section, _ = item.id.split(".")
        yield from (
            list(_known(phase, document.phases, "[phases]", (*here, "id")))
            or _known(f"{phase}.{section}", document.sections, "[sections]", (*here, "id"))
        )
        yield from _known(item.owner, [role.name for role in document.role], "[[role]]", (*here, "owner"))
        for at, name in enumerate(item.criteria):
            criteria = [one.id for one in document.criterion]
            yield from _known(name, criteria, "[[criterion]]", (*here, "criteria", at))
        if item.applies_if is not None:
            yield from _known(item.applies_if, document.facts, "[facts]", (*here, "applies_if"))
        if item.matrix_row is not None:
            yield from _known(item.matrix_row, [row.id for row in document.row], "[[row]]", (*here, "matrix_row"))

    def _of_answers(self, item: WrittenItem, here: Place) -> Iterator[Mistake]:
        """Check that an item is answered by a probe with a limit, or by a person."""
        person = 'signoff_rule = "required"'
        if item.probe is None:
            for key in ("bound_to", "before"):
                if getattr(item, key):
                    yield Mistake(
                        keys=(*here, key), found=f"'{key}' without a probe", expected="a 'probe' that reads records"
                    )
            if item.signoff_rule != "required":
                yield Mistake(
                    keys=here,
                    found="neither a probe nor a person answers this item",
                    expected=f"a 'probe' with 'expect', or {person}",
                )
            for key in ("expect", "bands"):
                if getattr(item, key):
                    yield Mistake(
                        keys=(*here, key), found="limits without a probe", expected="a 'probe' that measures them"
                    )
        else:
            yield from self._of_records(item, here)
            if not item.expect:
                yield Mistake(keys=here, found="missing limits", expected="an 'expect' with at least one limit")
            if item.signoff_rule == "required":
                yield Mistake(
                    keys=(*here, "signoff_rule"), found="'required' in an item with a probe", expected="one of the two"
                )
        if item.holds_if_pending and item.signoff_rule != "required":
            yield Mistake(
                keys=(*here, "holds_if_pending"),
                found="no signature is pending here",
                expected=f"it in an item with {person}",
            )

    def _of_records(self, item: WrittenItem, here: Place) -> Iterator[Mistake]:
        """Check that an item of a probe that reads records says what they must be of."""
        requirement = self.document.probes.get(item.probe or "")
        if requirement and requirement.layer == "record" and item.bound_to is None:
            expected = '"release", "moment" or "nothing": what the records of this item must be of'
            yield Mistake(keys=here, found="missing 'bound_to'", expected=expected)
        if item.before and item.bound_to is None:
            yield Mistake(keys=(*here, "before"), found="'before' without 'bound_to'", expected="both")

    def _of_limits(self, item: WrittenItem, here: Place) -> Iterator[Mistake]:
        if item.probe is None:
            return
        unknown = list(_known(item.probe, self.document.probes, "[probes]", (*here, "probe")))
        yield from unknown
        if unknown:
            return
        gravity = [band.severity.gravity for band in item.bands]
        if gravity != sorted(gravity, reverse=True):
            yield Mistake(
                keys=(*here, "bands"),
                found="a more severe band after a less severe one",
                expected="the most severe first",
            )
        limits: list[tuple[Limit, Place]] = [(limit, ("expect", at)) for at, limit in enumerate(item.expect)]
        for at, band in enumerate(item.bands):
            limits.append((band.when, ("bands", at, "when")))
            if isinstance(band.at_deadline, Limit):
                limits.append((band.at_deadline, ("bands", at, "at_deadline")))
        limits += [
            (row.at_deadline, ("matrix_row",))
            for row in self.document.row
            if row.id == item.matrix_row
            and isinstance(row.at_deadline, Limit)
            and not list(self._of_row(row.at_deadline, ()))
        ]
        for limit, keys in limits:
            yield from self._of_limit(limit, item.probe, (*here, *keys))

    def _of_limit(self, limit: Limit, probe: str, keys: Place) -> Iterator[Mistake]:
        """Check that a limit is on a metric of its probe, in that metric's unit."""
        metrics = self.document.probes[probe].metrics
        if limit.metric not in metrics:
            owners = [f"'{name}'" for name, other in self.document.probes.items() if limit.metric in other.metrics]
            hint = f"; it is a metric of probe {', '.join(owners)}" if owners else nearest(limit.metric, metrics)
            found, expected = f"unknown metric '{limit.metric}'", f"a metric of probe '{probe}': {', '.join(metrics)}"
            yield Mistake(keys=keys, found=found, expected=expected, hint=hint)
        elif limit.of == "value" and limit.unit != metrics[limit.metric]:
            yield _wrong_unit(limit.unit, metrics[limit.metric], limit.metric, keys)

    def _of_row(self, limit: Limit, keys: Place) -> Iterator[Mistake]:
        """Check the limit of a row, which has no probe of its own, against the metrics of all probes."""
        probes = self.document.probes.values()
        units = {promise.metrics[limit.metric] for promise in probes if limit.metric in promise.metrics}
        if not units:
            hint = nearest(limit.metric, {metric for promise in probes for metric in promise.metrics})
            found, expected = f"unknown metric '{limit.metric}'", "a metric of a probe of this checklist"
            yield Mistake(keys=keys, found=found, expected=expected, hint=hint)
        elif limit.unit not in units:
            yield _wrong_unit(limit.unit, min(units), limit.metric, keys)


def _known(name: str, names: Collection[str], where: str, keys: Place) -> Iterator[Mistake]:
    if name not in names:
        what = where.strip("[]").removesuffix("s")
        expected = f"one of {where}" + (f": {', '.join(dict.fromkeys(names))}" if len(names) <= _FEW else "")
        yield Mistake(keys=keys, found=f"unknown {what} '{name}'", expected=expected, hint=nearest(name, names))


def _wrong_unit(found: str, unit: str, metric: str, keys: Place) -> Mistake:
    summary = f"wrong unit '{found}'" if found else "missing unit"
    due = f"'{unit}', the unit of {metric}" if unit else f"no unit: {metric} is a count"
    return Mistake(keys=keys, found=summary, expected=due)
