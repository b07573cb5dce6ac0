"""`probekit runs compare`: what changed from one run to another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

from probekit.cli.errors import exit_on_error
from probekit.cli.output import view, write_stdout
from probekit.cli.runs.difference import Difference, Pair
from probekit.cli.runs.found import report_of
from probekit.cli.runs.item import outcome_style
from probekit.cli.runs.targets import Choice, chosen, target_options, title
from probekit.cli.state import required_file, state_option
from probekit.drawing import Block, Column, Line, Table, draw
from probekit.history.store import Store
from probekit.reports.json.recorded import RecordedVerdict, read_report
from probekit.text import words


@click.command(name="compare")
@click.argument("before")
@click.argument("after")
@click.option("--json", "as_json", is_flag=True, help="Print the differences as a JSON document.")
@target_options
@state_option
@exit_on_error
def command(
    *,
    before: str,
    after: str,
    as_json: bool,
    choice: Choice,
    state: str | None,
) -> int:
    """Compare two runs: outcomes, values, limits and configuration.

    BEFORE and AFTER are each the beginning of a run's id, or last or previous: the run of the target that --env or
    --url names. The exit code is 0 whether or not they differ.

    \b
    Examples:
      probekit runs compare previous last --env prod
      probekit runs compare 3f2a 81cc
      probekit runs compare 3f2a last --json
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    with Store(required_file(state)) as store:
        target = chosen(store, choice)
        reports = [read_report(report_of(store, run, target)) for run in (before, after)]
    difference = Difference(before=reports[0], after=reports[1])
    if as_json:
        write_stdout(json.dumps(document_of(difference), indent=1) + "\n")
        return 0
    shown = view()
    write_stdout(draw(blocks_of(difference), width=shown.width, colour=shown.colour))
    return 0


def blocks_of(difference: Difference) -> Iterator[Block]:
    """Yield both runs with their differing facts, then outcomes, values, limits, claims and items."""
    one, other = difference.targets
    before, after = difference.before.run.id, difference.after.run.id
    yield Line(f"{title(other)}: {before} to {after}", style="strong")
    if one != other:
        yield Line(f"these are runs of different targets: {before} is a run of {title(one)}")
    yield from _phases(difference)
    columns = [Column(title=""), Column(title=before, is_wrapped=True), Column(title=after, is_wrapped=True)]
    yield Table(columns=columns, rows=[(name, *values) for name, values in difference.facts.items()])
    yield from _outcomes([pair for pair in difference.pairs if pair.is_other_outcome])
    yield from _numbers(difference, [pair for pair in difference.pairs if pair.is_other_number])
    for heading, lines in _configuration(difference):
        if lines:
            yield from _heading(f"{heading}: {len(lines)}")
            yield from (Line(line, 2) for line in lines)
    if not _is_other(difference):
        yield Line("No outcome, value, limit or item differs.")


def _phases(difference: Difference) -> Iterator[Line]:
    """Yield that the runs covered different phases, so that they share few items."""
    one, other = difference.before.run.phase, difference.after.run.phase
    if one != other:
        covered = [f"phase {phase}" if phase else "all phases" for phase in (one, other)]
        yield Line(f"these runs covered different phases: the earlier one {covered[0]}, the later one {covered[1]}")


def _is_other(difference: Difference) -> bool:
    tests: tuple[Callable[[Pair], bool], ...] = (
        lambda pair: pair.is_other_outcome,
        lambda pair: pair.is_other_number,
        lambda pair: pair.is_other_limit or pair.is_other_claim,
    )
    is_other = any(test(pair) for test in tests for pair in difference.pairs)
    return is_other or bool(difference.added or difference.removed)


def _heading(text: str) -> Iterator[Block]:
    yield Line("")
    yield Line(text, style="strong")


def _outcomes(pairs: Sequence[Pair]) -> Iterator[Block]:
    """Yield each item with another outcome, and the reason for the later one."""
    if pairs:
        yield from _heading(f"different outcome: {len(pairs)}")
    for pair in pairs:
        change = f"{_outcome(pair.before)} -> {_outcome(pair.after)}"
        yield Line(f"{pair.item}: {change}", 2, outcome_style(pair.after.outcome))
        yield Line(pair.after.because, 4)


def _outcome(verdict: RecordedVerdict) -> str:
    return f"{words(verdict.outcome)} ({verdict.severity})"


def _numbers(difference: Difference, pairs: Sequence[Pair]) -> Iterator[Block]:
    if pairs:
        yield from _heading(f"different value: {len(pairs)}")
    runs = (difference.before.run.id[:8], difference.after.run.id[:8], "change")
    columns = [Column(title="item"), *(Column(title=name, is_number=True) for name in runs), Column(title="limit")]
    rows = [(one.item, one.before.measured, one.after.measured, one.change, one.after.bound) for one in pairs]
    yield Table(columns=columns, rows=rows)


def _configuration(difference: Difference) -> Iterator[tuple[str, list[str]]]:
    """Yield a heading, and a line for each item below it."""
    pairs = difference.pairs
    limits = [pair for pair in pairs if pair.is_other_limit]
    claims = [pair.item for pair in pairs if pair.is_other_claim and not pair.is_other_limit]
    yield "different limit", [f"{one.item}: {_limits(one.before)} -> {_limits(one.after)}" for one in limits]
    yield "different measurement (what is measured, how it is reached, or what a failure leads to)", claims
    yield "judged only by the later run", list(difference.added)
    yield "judged only by the earlier run", list(difference.removed)


def _limits(verdict: RecordedVerdict) -> str:
    """Return the limits that the environment changed, else the displayed one."""
    changed = " and ".join(verdict.changed.to) if verdict.changed else ""
    return changed or verdict.limit or "none"


def document_of(difference: Difference) -> dict[str, Any]:
    """Return the differences as a JSON document."""
    pairs = difference.pairs
    return {
        "before": difference.before.run.id,
        "after": difference.after.run.id,
        "is_same_target": len(set(difference.targets)) == 1,
        "run": {name: list(values) for name, values in difference.facts.items()},
        "outcomes": [
            {
                "item": pair.item,
                "before": [pair.before.outcome.value, pair.before.severity.value],
                "after": [pair.after.outcome.value, pair.after.severity.value],
                "because": pair.after.because,
            }
            for pair in pairs
            if pair.is_other_outcome
        ],
        "numbers": [
            {
                "item": pair.item,
                "before": pair.before.observed,
                "after": pair.after.observed,
                "unit": pair.after.unit,
                "limit": pair.after.limit,
            }
            for pair in pairs
            if pair.is_other_number
        ],
        "limits": [
            {"item": pair.item, "before": _limits(pair.before), "after": _limits(pair.after)}
            for pair in pairs
            if pair.is_other_limit
        ],
        "claims": [pair.item for pair in pairs if pair.is_other_claim],
        "added": list(difference.added),
        "removed": list(difference.removed),
    }
