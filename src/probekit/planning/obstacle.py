"""What keeps a plan from a go, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from probekit.model.checklist import Item
from probekit.model.numbers import count
from probekit.model.quantity import duration_text
from probekit.planning.samples import LONGEST, ShortSample
from probekit.planning.unset import Reference

Cause = Literal[
    "not_configured", "not_allowed", "unsigned", "missing_secret", "missing_file", "untrusted_program",
    "no_expected_version", "setting", "record", "sample", "deadline", "nothing_read",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One cause that keeps items from a pass, and what to do about it."""

    cause: Cause
    what: str
    remedy: str
    items: tuple[Item, ...] = ()  # none: the whole run

    @property
    def blocks(self) -> bool:
        """Whether it keeps the run from a go: it concerns all of it, or an item that a go requires."""
        return not self.items or any(map(is_required, self.items))


@dataclass(frozen=True, slots=True, kw_only=True)
class Feasibility:
    """What is known of a plan before its run."""

    obstacles: tuple[Obstacle, ...]  # each of them keeps every run from a go
    follow_ups: tuple[Obstacle, ...]  # these leave items open that a go does not require
    shortages: tuple[ShortSample, ...]
    scope: tuple[str, ...]  # ids of the items that a run can verify
    read_at_run_time: tuple[Reference, ...]  # secrets from pipes

    @property
    def go_possible(self) -> bool:
        """Whether a healthy target gets its go (or, of a part of the scope, its good end)."""
        return not self.obstacles


def is_required(item: Item) -> bool:
    """Whether a go requires the item: any other can be followed up after it."""
    return item.severity.is_grave or bool(item.criteria)


def of_sample(short: ShortSample) -> Obstacle:
    """Return the obstacle that a sample is which is too small for its limit."""
    if short.longer:
        window = duration_text(min(-(-short.longer // 60) * 60, LONGEST))
        way = f'allow = ["load"] and window = "{window}"'
    else:
        way = 'allow = ["load"] and a higher rate'
    if short.runs:
        way += f"; or about {count(short.runs, 'run')} of one release, which add up after `probekit deployment start`"
    else:
        way += "; runs do not add up here, " + (
            "for they would be too many" if short.is_versioned else "for no release probe reads the version"
        )
    return Obstacle(cause="sample", what=str(short), remedy=way, items=(short.item,))
