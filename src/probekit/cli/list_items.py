"""The items of a checklist or of an environment, by section and by outcome in the latest run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from probekit.checklist import Checklist
from probekit.cli.listing import Listing, checklist_at
from probekit.cli.state import required_file
from probekit.config.target import Target
from probekit.drawing import Cell, Column, Style
from probekit.files import is_file
from probekit.model.checklist import Item, Severity
from probekit.model.history import TargetKey
from probekit.model.numbers import ago, count
from probekit.model.verdict import Outcome
from probekit.planning.coverage import NOT_BUILT, kinds_for_item
from probekit.text import words
from probekit.workflows.assembly import load_config, target_of, unknown
from probekit.workflows.options import RequestError, RunOptions

_SEVERITIES: Final[Mapping[Severity, Style]] = {Severity.CRITICAL: "bad", Severity.HIGH: "warn"}
_OUTCOMES: Final[Mapping[str, Style]] = {
    Outcome.PASS: "good",
    Outcome.FAIL: "bad",
    Outcome.ERROR: "warn",
    Outcome.INCONCLUSIVE: "warn",
}
_ANSWERS: Final = {"person": "a person", "own_probe": "your own probe", "none": NOT_BUILT}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenItems:
    """The options that choose the listed items."""

    sections: Sequence[str] = ()
    outcomes: Sequence[str] = ()
    environment: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _LatestRun:
    """The latest run on record: the outcomes by the ids of the items."""

    summary: str
    outcomes: Mapping[str, str]


def list_items(path: Path, chosen: ChosenItems) -> Listing:
    """Return the chosen items: those of an environment if it is named or an outcome is given, else the checklist's.

    Raises:
        ConfigError: a file is wrong.
        RequestError: the environment or section is unknown, or no run is on record.
        StoreError: the record cannot be read.
    """
    target = _target(path, chosen)
    checklist = target.checklist if target else checklist_at(path)
    run = _latest_run(target, chosen.state) if target and chosen.outcomes else None
    items = list(_in_sections(target.items if target else checklist.items, checklist, chosen.sections))
    if run:
        items = [item for item in items if run.outcomes.get(item.id) in chosen.outcomes]
    documents = [_document(item, checklist, run.outcomes if run else {}) for item in items]
    columns = [Column(title="item"), Column(title="severity"), Column(title="answered by")]
    columns += [Column(title="outcome")] if run else []
    columns += [Column(title="title", is_wrapped=True, may_go_below=True)]
    return Listing(
        documents=documents,
        columns=columns,
        rows=[_row(one, has_outcome=run is not None) for one in documents],
        heading=f"{run.summary}: {count(len(items), 'item')} with outcome {_either(chosen.outcomes)}" if run else "",
        groups=[f"{item.section}: {checklist.sections[item.section]}" for item in items],
    )


def _either(names: Sequence[str]) -> str:
    return " or ".join(map(words, names))


def _target(path: Path, chosen: ChosenItems) -> Target | None:
    """Return the environment whose items are listed; None: list the items of the checklist."""
    if chosen.environment is None and not chosen.outcomes:
        return None
    return target_of(RunOptions(environment=chosen.environment, config=path), load_config(path))


def _in_sections(items: Sequence[Item], checklist: Checklist, sections: Sequence[str]) -> Iterator[Item]:
    """Yield the items of the named sections, or all if none is named."""
    for name in sections:
        if not checklist.select(name):
            raise unknown("section", name, checklist.sections, "see: probekit list items")
    for item in items:
        if not sections or any(item.id == name or item.id.startswith(f"{name}.") for name in sections):
            yield item


def _latest_run(target: Target, state: str | None) -> _LatestRun:
    from probekit.history.store import Store  # noqa: PLC0415  # sqlite3, for --outcome only

    file, key = required_file(state), TargetKey(environment=target.name, base_url=target.environment.base_url)
    if is_file(file):
        with Store(file) as store:
            for run in store.runs(key, most=1):
                verdicts = (store.report(run.id) or {}).get("verdicts", ())
                when = ago((datetime.now(UTC) - run.started).total_seconds())
                part = ", partial" if run.partial else ""
                return _LatestRun(
                    summary=f"run {run.id} of {target.name}, {when} ({words(run.action)}{part})",
                    outcomes={str(verdict["item"]): str(verdict["outcome"]) for verdict in verdicts},
                )
    verify = f"probekit verify --env {target.name}"
    raise RequestError(f"no run of '{target.name}' is on record in {file}; --outcome needs one, so run {verify} first")


def _document(item: Item, checklist: Checklist, outcomes: Mapping[str, str]) -> dict[str, Any]:
    kinds = () if item.is_own else kinds_for_item(item, checklist)
    by = "person" if item.probe is None else "own_probe" if item.is_own else "kind" if kinds else "none"
    return {
        "id": item.id,
        "title": item.title,
        "section": item.section,
        "severity": item.severity.value,
        "probe": item.probe,
        "answered_by": by,
        "kinds": kinds,
        "outcome": outcomes.get(item.id),
    }


def _row(one: Mapping[str, Any], *, has_outcome: bool) -> list[Cell]:
    by, outcome = one["answered_by"], one["outcome"] or ""
    return [
        Cell(one["id"]),
        Cell(one["severity"], _SEVERITIES.get(one["severity"], "")),
        Cell(_ANSWERS.get(by) or ", ".join(one["kinds"]), "faint" if by == "none" else ""),
        *([Cell(words(outcome), _OUTCOMES.get(outcome, ""))] if has_outcome else ()),
        Cell(one["title"]),
    ]
