"""Explanations of an item, probe or kind: headings, facts, tables, and TOML to copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from probekit import probes
from probekit.checklist import Checklist, ProbeRequirement
from probekit.cli.kind_facts import cost, default_limits, settings, speaks_of, table
from probekit.drawing import Block, Cell, Column, Line, Style, Table, Verbatim
from probekit.model.checklist import Band, Item, Severity
from probekit.model.limit import Limit
from probekit.model.numbers import count, span
from probekit.planning.coverage import kinds_for, kinds_for_any, kinds_for_item
from probekit.probes import AnyKind

_FOLLOWS: Final = {
    "rollback": "roll back, if it is confirmed, new and soon after a deployment",
    "investigate": "investigate until its deadline",
    "hotfix": "fix it by a hotfix or in the next release",
    "document": "note it for the next release",
}
_SEVERITIES: Final[dict[Severity, Style]] = {Severity.CRITICAL: "bad", Severity.HIGH: "warn"}
_Facts = Iterator[tuple[str, str]]


def of_item(item: Item, checklist: Checklist) -> Iterator[Block]:
    """Yield what an item requires, what follows from a failure, and how to configure its probe."""
    yield _heading(f"{item.id}: {item.title}")
    if item.is_own:
        yield Line(
            f"a check of your own, measured by probe '{item.probe}'; it is not counted among the checklist's items"
        )
    else:
        yield Line(f'the checklist says: "{item.text}" ({checklist.sections[item.section]})')
    yield Line("")
    yield _facts(_of_item(item, checklist))
    if item.bands:
        yield from (Line(""), _heading("severity by value"), _bands(item.bands))
    if item.probe and not item.is_own:
        yield Line("")
        yield from of_probe(item.probe, checklist)


def _of_item(item: Item, checklist: Checklist) -> _Facts:
    yield "severity", f"{item.severity}; owner: {item.owner}"
    for number, limit in enumerate(item.expect):
        is_last = number == len(item.expect) - 1
        source = "; chosen by this checklist: its document states no number" if item.not_in_document and is_last else ""
        yield ("" if number else "limits"), f"{limit}{source}"
    if item.confirm > 1:
        yield "confirmation", f"a failure counts only if {count(item.confirm, 'attempt')} failed"
    if item.probe and not item.is_own and not kinds_for_item(item, checklist):
        yield (
            "not built",
            (f"no kind provides {', '.join(sorted(item.metrics))}; a program of your own can (see below)"),
        )
    if item.matrix_row:
        yield "if it fails", f"{_FOLLOWS[item.matrix_row.action]} (row '{item.matrix_row.text}')"
    if item.criteria:
        yield "success criterion", ", ".join(item.criteria)
    if item.applies_if:
        stated = f"facts = {{ {item.applies_if} = false }} in the environment, or --fact {item.applies_if}=no"
        yield "applies if", f"{checklist.facts[item.applies_if]} If not: {stated}"
    if item.bound_to:
        yield "record", _binding(item)
    if item.signoff_rule:
        need = "required" if item.signoff_rule == "required" else "accepted where no probe is configured"
        held = "; without it the release is held" if item.holds_if_pending else ""
        yield "signature", f"a signature is {need}{held}"
    for number, source in enumerate(item.sources):
        yield ("" if number else "source"), source


_BOUND: Final = {
    "release": "must be of the release (its version, commit or image digest)",
    "moment": "must say when it was made",
    "nothing": "may be of any release",
}


def _binding(item: Item) -> str:
    """Return what the records that answer an item must be of, and when they must be made."""
    parts = [_BOUND[item.bound_to or "nothing"]]
    parts += [f"made before the {item.before}"] if item.before else []
    parts += [f"at most {span(item.max_age)} old at the deployment"] if item.max_age is not None else []
    return ", ".join(parts)


def _bands(bands: Sequence[Band]) -> Table:
    columns = (Column(title="severity"), Column(title="when"), Column(title="then", is_wrapped=True))
    rows = [
        (Cell(band.severity, _SEVERITIES.get(band.severity, "")), str(band.when), _deadline(band)) for band in bands
    ]
    return Table(columns=columns, rows=rows, indent=2)


def _deadline(band: Band) -> str:
    if band.deadline is None:
        return ""
    then = band.deadline.then
    return f"{span(band.deadline.minutes * 60)}, then {f'rollback if {then}' if isinstance(then, Limit) else then}"


_BINDING: Final = (
    '# it also prints "release", "commit" or "digest", and "made": what its\n'
    "# numbers are of and when they were made; else they do not count\n"
)


def of_probe(name: str, checklist: Checklist) -> Iterator[Block]:
    """Yield what a probe reads, and every kind that can fill it."""
    promise = checklist.probes[name]
    yield _heading(f"probe {name}: {promise.help}")
    if own := next((item.id for item in checklist.items if item.is_own and item.probe == name), None):
        yield _facts(_metrics(promise))
        yield Line(
            f"it is configured; see probekit explain {own} for its limits, and probekit probe {name} for its readings"
        )
        return
    made = kinds_for(name, checklist)
    yield _facts(_of_probe(name, promise, made))
    for kind in made:
        yield Line("")
        yield from of_kind(kind, probes.load_kind(kind), checklist, probe=name)
    for kind in kinds_for_any():
        example = probes.load_kind(kind).example_for
        if example:
            yield Line("")
            yield _heading(f"by a program of your own (probekit explain kind:{kind} lists all settings):")
            metrics = _all_of_one_item(name, checklist)
            bound = any(item.probe == name and item.bound_to == "release" for item in checklist.items)
            table = example(name, metrics, frozenset(promise.samples)) + (_BINDING if bound else "")
            yield Verbatim(f"[env.prod.probes.{name}]\n{table}", 4)


def _metrics(promise: ProbeRequirement) -> _Facts:
    yield "metrics", ", ".join(f"{metric} ({unit})" if unit else metric for metric, unit in promise.metrics.items())


def _of_probe(name: str, promise: ProbeRequirement, made: Sequence[str]) -> _Facts:
    yield from _metrics(promise)
    generic = ", ".join(kinds_for_any())
    can = f"{generic} can, with a program of your own"
    yield "filled by", f"{', '.join(made) or 'no kind yet'}; {can}"
    if promise.parts:
        yield "parts", f"several instances, also of different kinds, may each provide some of its metrics: {name}.PART"


def _all_of_one_item(probe: str, checklist: Checklist) -> tuple[str, ...]:
    """Return the metrics that the first item of a probe needs, else the first metric of the probe."""
    items = (item for item in checklist.items if item.probe == probe)
    first = next(items, None)
    asked = dict.fromkeys(limit.metric for limit in first.expect) if first else {}
    return tuple(asked) or tuple(checklist.probes[probe].metrics)[:1]


def of_kind(name: str, kind: AnyKind, checklist: Checklist, *, probe: str = "") -> Iterator[Block]:
    """Yield what a kind measures, costs, changes and needs, an example, its settings and its metrics."""
    yield _heading(f"kind {name}: {speaks_of(kind)}")
    yield _facts(_of_kind(kind, is_of_a_probe=bool(probe)))
    if kind.privileges.endswith("\n"):
        yield from (Line("least privileges:", 2), Verbatim(kind.privileges, 4))
    yield from (Line(""), _heading("in probes.toml:"), Verbatim(table(kind, checklist, probe=probe), 4))
    yield from (Line(""), _heading("settings"), _settings(kind))
    yield from (Line(""), _heading("metrics"), _kind_metrics(kind))


def _of_kind(kind: AnyKind, *, is_of_a_probe: bool) -> _Facts:
    yield "cost", cost(kind)
    yield "safety", kind.safety
    if not is_of_a_probe:
        yield "default limits", f"of a check of your own: {default_limits(kind)}"
    if not kind.privileges.endswith("\n"):
        yield "least privileges", kind.privileges


def _settings(kind: AnyKind) -> Table:
    columns = (Column(title="setting"), Column(title="default"), Column(title="meaning", **_MEANING))
    return Table(columns=columns, rows=[(Cell(key, "strong"), *rest) for key, *rest in settings(kind)], indent=2)


def _kind_metrics(kind: AnyKind) -> Table:
    columns = (Column(title="metric"), Column(title="unit"), Column(title="meaning", **_MEANING))
    rows = [(Cell(metric.name, "strong"), metric.unit, metric.help) for metric in kind.metrics]
    return Table(columns=columns, rows=rows, indent=2)


_MEANING: Final[dict[str, bool]] = {"is_wrapped": True, "may_go_below": True}


def _heading(text: str) -> Line:
    return Line(text, style="strong")


def _facts(facts: _Facts) -> Table:
    columns = (Column(title=""), Column(title="", is_wrapped=True))
    return Table(
        columns=columns, rows=[(Cell(name, "faint"), text) for name, text in facts], indent=2, has_titles=False
    )
