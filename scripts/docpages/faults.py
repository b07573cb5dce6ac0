"""docs/faults.md: every fault of the embedded target, and what probekit must answer for it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from docpages.markdown import GENERATED, code, table
from probekit.demo.target import FAULTS
from probekit.model.verdict import Action

ROWS = Path(__file__).parents[2] / "tests" / "data" / "faults.toml"
_OUTCOMES = ("fail", "error", "inconclusive")
_INTRODUCTION = """\
# Faults

`probekit demo --fault NAME --deployed now` starts the [embedded target](demo.md), breaks one thing and verifies the
target. This page says for each fault what is broken, which verdicts are not a pass, and the decision with its exit
code. `make faults` runs every row.

Without `--deployed now` no deployment is on record, and probekit orders no rollback: the decision is `investigate` (10)
where a row has `rollback` (20). A row names the last word of an item's id. Items that are not measured, because a
confirmed failure has already fixed the decision, are left out.
"""
_REFUSAL = """\
## A target that refuses every connection

The decision depends on what else is known. A control is a URL outside the target that answers while the runner's
network works.
"""


def page() -> str:
    """Return the page."""
    rows = tomllib.loads(ROWS.read_text("utf-8"))
    known = {row["name"]: row for row in rows["fault"]}
    faults = [(code(name), sentence, *_answer(known[name])) for name, sentence in FAULTS.items()]
    refusals = [(_yes(row["control"]), _yes(row["deployed"]), _decision(row["code"])) for row in rows["refusal"]]
    return "\n".join(
        [
            GENERATED,
            _INTRODUCTION,
            table("fault", "what is broken", "verdicts", "decision", rows=faults),
            _REFUSAL,
            table("the control answers", "a deployment is on record", "decision", rows=refusals),
        ]
    )


def _answer(row: Mapping[str, Any]) -> Sequence[str]:
    return ("; ".join(_verdicts(row)) or "all pass", _decision(row["code"]))


def _verdicts(row: Mapping[str, Any]) -> Iterator[str]:
    for outcome in _OUTCOMES:
        if items := row.get(outcome):
            names = ", ".join(code(item.rpartition(".")[2]) for item in items)
            yield f"**{outcome}** {names}"


def _decision(exit_code: int) -> str:
    action = next(action for action in Action if action.exit_code == exit_code)
    return f"{action.word.replace('_', ' ')} ({exit_code})"


def _yes(truth: bool) -> str:  # noqa: FBT001  # a cell of a table
    return "yes" if truth else "no"
