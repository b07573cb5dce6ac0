"""What a run is narrowed to."""

from __future__ import annotations

from dataclasses import dataclass

from probekit.model.checklist import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a run is narrowed to; empty: everything in scope."""

    sections: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    quick: bool = False  # without windows and bursts, and measurements without spread
    machine_only: bool = False  # without what only a person answers

    @property
    def is_partial(self) -> bool:
        """Whether something is left out that could be measured."""
        return bool(self.sections or self.items or self.probes or self.quick)

    def holds(self, item: Item) -> bool:
        """Whether the item is among what was asked for."""
        if self.machine_only and item.probe is None:
            return False
        prefixes = (*self.sections, *self.items)
        if not prefixes and not self.probes:
            return True
        return any(_is_under(item.id, prefix) for prefix in prefixes) or item.probe in self.probes


def _is_under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")
