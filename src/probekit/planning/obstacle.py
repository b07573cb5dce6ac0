"""Obstacles that prevent a plan from ending in a go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from probekit.model.checklist import Item
from probekit.model.numbers import count
from probekit.model.quantity import duration_text
from probekit.planning.samples import LONGEST, ShortSample
from probekit.planning.unset import Reference

Cause = Literal[
    "not_configured", "not_allowed", "unsigned", "missing_secret", "missing_file", "untrusted_program",
    "no_expected_version", "unknown_release", "contradiction", "setting", "record", "sample", "deadline",
    "nothing_read",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One cause that prevents items from passing, and its remedy."""

    cause: Cause
    what: str
    remedy: str
    items: tuple[Item, ...] = ()  # empty: the whole run

    @property
    def blocks(self) -> bool:
        """Whether it prevents a go: it concerns the whole run, or an item that a go requires."""
        return not self.items or any(map(is_required, self.items))


@dataclass(frozen=True, slots=True, kw_only=True)
class Feasibility:
    """The prospects of a plan before its run."""

    obstacles: tuple[Obstacle, ...]  # each of them prevents a go
    follow_ups: tuple[Obstacle, ...]  # items that stay open but are not required for a go
    shortages: tuple[ShortSample, ...]
    scope: tuple[str, ...]  # ids of the items that a run can verify; empty where the run as a whole has an obstacle
    read_at_run_time: tuple[Reference, ...]  # secrets from pipes

    @property
    def go_possible(self) -> bool:
        """Whether a go (or PARTIAL, for a part of the scope) is possible for a healthy target."""
        return not self.obstacles


def is_required(item: Item) -> bool:
    """Return whether a go requires the item; any other can be a follow-up."""
    return item.severity.is_grave or bool(item.criteria)


def of_contradictions(stated: Sequence[str]) -> Iterator[Obstacle]:
    """Yield each fact of the release that command line, configuration and deployment mark state differently."""
    for what in stated:
        yield Obstacle(cause="contradiction", what=what, remedy="correct the wrong one, or mark the new deployment")


def of_sample(short: ShortSample) -> Obstacle:
    """Return the obstacle of a sample that is too small for its limit."""
    if short.longer:
        window = duration_text(min(-(-short.longer // 60) * 60, LONGEST))
        way = f'set allow = ["load"] and window = "{window}"'
    else:
        way = 'set allow = ["load"] and a higher rate'
    if short.runs:
        way += f"; or combine about {count(short.runs, 'run')} of one release after `probekit deployment start`"
    else:
        way += "; several runs cannot be combined, because " + (
            "too many would be needed" if short.is_versioned else "no release probe reads the version"
        )
    return Obstacle(cause="sample", what=str(short), remedy=way, items=(short.item,))
