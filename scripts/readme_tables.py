"""Write the README's tables that restate code; with --check, only say whether they are up to date."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from probekit import probes
from probekit.cli.codes import MEANINGS
from probekit.demo.target import FAULTS

README = Path(__file__).parents[1] / "README.md"


def filled(text: str) -> str:
    """The README with each table as the code has it now."""
    tables = {"faults": _faults(), "codes": _codes(), "kinds": _kinds()}
    for name, rows in tables.items():
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m, r=rows: m[1] + r + m[2], text, flags=re.DOTALL
        )
    return text


def _faults() -> str:
    return _table("fault", "what is broken", rows=[(f"`{name}`", sentence) for name, sentence in FAULTS.items()])


def _codes() -> str:
    return _table("code", "decision", "when", rows=[(str(code), *told) for code, told in MEANINGS.items()])


def _kinds() -> str:
    rows = [
        (f"`{name}`", f"`{metric.name}`", metric.unit, metric.help)
        for name in probes.names()
        for metric in probes.load(name).metrics
    ]
    return _table("kind", "metric", "unit", "what it is", rows=rows)


def _table(*head: str, rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    before = README.read_text("utf-8")
    if "--check" in sys.argv:
        sys.exit(0 if filled(before) == before else "README.md is out of date: make docs")
    README.write_text(filled(before), "utf-8")
