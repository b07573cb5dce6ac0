"""The part of the scope that a run verifies."""

from __future__ import annotations

from dataclasses import dataclass

from probekit.model.checklist import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The part of the scope that a run verifies; empty: all of it."""

    phase: str | None = None  # a phase of the checklist, of which the run verifies everything
    sections: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    quick: bool = False  # without windows and bursts, and measurements without spread
    machine_only: bool = False  # without items that only a person can answer

    @property
    def is_partial(self) -> bool:
        """Whether measurable items are left out."""
        return bool(self.sections or self.items or self.probes or self.quick)

    def is_in_phase(self, item: Item) -> bool:
        """Return whether the item belongs to the phase; an own check belongs to every phase."""
        return self.phase is None or item.is_own or item.phase == self.phase

    def holds(self, item: Item) -> bool:
        """Return whether the item is selected."""
        if not self.is_in_phase(item) or (self.machine_only and item.probe is None):
            return False
        prefixes = (*self.sections, *self.items)
        if not prefixes and not self.probes:
            return True
        return any(_is_under(item.id, prefix) for prefix in prefixes) or item.probe in self.probes


def _is_under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")
