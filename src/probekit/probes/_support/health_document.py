"""What does a health answer say? The whole, and each component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from probekit.probes._support.health_words import Health


@dataclass(frozen=True, slots=True)
class Names:
    """Components that a configuration names; a name stands for its parts, too."""

    known: Sequence[str] = ()

    def owners(self, name: str) -> list[str]:
        """The names that this component has or is a part of, the innermost last."""
        around = [known for known in self.known if f"{name}.".startswith(tuple(known + mark for mark in ".:/"))]
        return sorted(around, key=len)

    def owner(self, name: str) -> str | None:
        """The innermost of its owners."""
        return next(reversed(self.owners(name)), None)


NO_NAMES: Final = Names()


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One component as an answer lists it."""

    name: str
    says: Any  # any JSON value
    health: Health
    is_mapped: bool = False  # it stands in a map of components, where every text is a word of health

    @property
    def is_known(self) -> bool:
        """Whether it says a word of health."""
        return self.health is not Health.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthDocument:
    """What an answer says of the whole and of each component."""

    word: Any = None  # any JSON value
    words: Sequence[tuple[str, Any, Health]] = ()  # all that speak of the whole: key, value, what it says
    overall: Health | None = None  # None: it says nothing of the whole
    best: Health | None = None  # of several words about the whole, where they disagree
    listed: Sequence[Component] = ()
    neutral: Sequence[str] = ()  # claims that say nothing of health, as text

    @property
    def is_known(self) -> bool:
        """Whether it says a word of health of the whole."""
        return self.overall not in (None, Health.UNKNOWN)

    @property
    def is_silent(self) -> bool:
        """Whether it says nothing clear, neither of the whole nor of a component."""
        is_clear = self.overall in (Health.GOOD, Health.BAD)
        return not is_clear and not any(component.is_known for component in self.listed)


def explains(components: Sequence[Component], health: Health | None) -> bool:
    """Whether the health of a whole needs no more words than those of its components."""
    if health is None or health is Health.GOOD or any(component.health is Health.BAD for component in components):
        return True
    return health is not Health.BAD and any(component.health.is_doubtful for component in components)


def worse(one: HealthDocument, other: HealthDocument) -> HealthDocument:
    """The first, with the second's word where that is worse."""
    if other.overall is None:
        return one
    if one.overall is None:
        return replace(other, listed=one.listed)
    best = min(one.overall if one.best is None else one.best, other.overall if other.best is None else other.best)
    worst = one if one.overall >= other.overall else other
    words = (*one.words, *other.words)
    return replace(one, word=worst.word, words=words, overall=worst.overall, best=best)
