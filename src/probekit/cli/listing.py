"""A list as JSON entries and as table rows, and the checklist that commands list and explain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probekit import checklist as checklists
from probekit.checklist import Checklist
from probekit.drawing import Cell, Column
from probekit.files import is_there
from probekit.workflows.assembly import load_config


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One list: its entries for JSON, and the rows that show them."""

    documents: Sequence[Mapping[str, Any]]
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell | str]]
    heading: str = ""  # on a terminal only
    groups: Sequence[str] = ()  # of each row: on a terminal, the rows of a group stand below its name


def checklist_at(path: Path) -> Checklist:
    """Return the checklist of the configuration with its own checks, or the built-in one if there is no file."""
    return load_config(path).whole_checklist if is_there(path) else checklists.load("softfactory")
