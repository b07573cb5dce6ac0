"""`probekit runs list`: the runs on record by target, or the history of one item."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from probekit.cli import complete
from probekit.cli.errors import exit_on_error
from probekit.cli.output import view, write_stdout
from probekit.cli.runs.item import document_of, table_of, verdicts_of
from probekit.cli.runs.targets import Choice, chosen, no_run, only, target_options, title
from probekit.cli.state import required_file, state_option
from probekit.cli.usage import Count
from probekit.drawing import Block, Cell, Column, Line, Style, Table, draw
from probekit.history.store import RunSummary, Store
from probekit.text import escape, minute, shortened, words

STYLES: Final[dict[str, Style]] = {
    "go": "good",
    "partial": "good",
    "hold": "warn",
    "investigate": "warn",
    "no_go": "bad",
    "rollback": "bad",
    "undecided": "odd",
}
_COLUMNS: Final = ("run", "started (UTC)", "decision", "exit", "scope", "release")
_OTHERS: Final = 12 + 16 + 11 + 4 + 5 * 2  # width of the other columns but the scope, and the gaps
_LEAST: Final = 16  # width of a release; if it does not fit next to the other columns, each value has its own line


@click.command(name="list")
@target_options
@click.option(
    "--item",
    metavar="ITEM",
    help="Show the outcome, value and limit of this item in each run of one target.",
    shell_complete=complete.items,
)
@click.option(
    "--last", type=Count(1, 10_000), default=20, show_default=True, help="Number of runs to list for each target."
)
@click.option("--json", "as_json", is_flag=True, help="Print the list as a JSON document.")
@state_option
@exit_on_error
def command(
    *,
    item: str | None,
    last: int,
    as_json: bool,
    choice: Choice,
    state: str | None,
) -> int:
    """List runs by target, or the history of one item.

    The newest run comes first.

    \b
    Examples:
      probekit runs list
      probekit runs list --env prod --last 5
      probekit runs list --url https://app.example.com/health
      probekit runs list --env prod --item deploy.performance.p95-latency
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    with Store(required_file(state)) as store:
        target = chosen(store, choice)
        if item:
            target = only(store, target)
            runs = verdicts_of(store, target, item, last)
            document: dict[str, Any] = document_of(target, item, runs)
            blocks = [Line(f"{item}: {title(target)}", style="strong"), *table_of(runs, is_drawn=sys.stdout.isatty())]
        else:
            known = store.targets()
            groups = {one: store.runs(one, most=last) for one in ([target] if target else known)}
            if not any(groups.values()):
                raise no_run(known, target)
            document = {"runs": [_document(run) for runs in groups.values() for run in runs]}
            blocks = [block for one, runs in groups.items() for block in _group(title(one), runs)][1:]
    shown = view()
    text = json.dumps(document, indent=1) + "\n" if as_json else draw(blocks, width=shown.width, colour=shown.colour)
    write_stdout(text)
    return 0


def _group(heading: str, runs: Sequence[RunSummary]) -> Iterator[Block]:
    """Yield an empty line, the heading and the runs below it."""
    yield Line("")
    yield Line(heading, style="strong")
    columns = [Column(title=name, is_number=name == "exit") for name in _COLUMNS]
    left = view().width - _OTHERS - max(len("partial"), *(len(_extent(run)) for run in runs))
    yield Table(columns=columns, rows=[_row(run, max(left, _LEAST)) for run in runs])


def _row(run: RunSummary, width: int) -> list[Cell | str]:
    """Return the cells of a run, its release in at most this width."""
    release = shortened(escape(run.release or "-"), width)
    decision = Cell(words(run.action), STYLES.get(run.action, ""))
    return [run.id, minute(run.started), decision, str(run.exit_code), _extent(run), release]


def _extent(run: RunSummary) -> str:
    """Return what a run covered: its phase, a part of the scope, or all of it."""
    phase = run.ledger.phase if run.ledger else None
    if phase is None:
        return "partial" if run.partial else "whole"
    return f"part of {phase}" if run.partial else phase


def _document(run: RunSummary) -> dict[str, Any]:
    return {
        "id": run.id,
        "environment": run.target.environment,
        "base_url": run.target.base_url,
        "started": run.started.isoformat(),
        "decision": run.action,
        "exit_code": run.exit_code,
        "release": run.release,
        "partial": run.partial,
        "phase": run.ledger and run.ledger.phase,
    }
