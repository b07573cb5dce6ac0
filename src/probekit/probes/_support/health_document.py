"""The health that an answer states, of the whole and of each component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from probekit.probes._support.health_words import Health


@dataclass(frozen=True, slots=True)
class Names:
    """Components that a configuration names; a name includes its parts."""

    known: Sequence[str] = ()

    def owners(self, name: str) -> list[str]:
        """Return the names that are this component or contain it, the innermost last."""
        around = [known for known in self.known if f"{name}.".startswith(tuple(known + mark for mark in ".:/"))]
        return sorted(around, key=len)

    def owner(self, name: str) -> str | None:
        """Return the innermost of its owners."""
        return next(reversed(self.owners(name)), None)


NO_NAMES: Final = Names()


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A component as an answer lists it."""

    name: str
    says: Any  # any JSON value
    health: Health
    is_mapped: bool = False  # it is in a map of components, where every text is a word of health

    @property
    def is_known(self) -> bool:
        """Whether its value is a word of health."""
        return self.health is not Health.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthDocument:
    """The health of the whole and of each component in an answer."""

    word: Any = None  # any JSON value
    words: Sequence[tuple[str, Any, Health]] = ()  # all words about the whole: key, value, health
    overall: Health | None = None  # None: the whole has no word
    best: Health | None = None  # best of several words about the whole, where they disagree
    listed: Sequence[Component] = ()
    neutral: Sequence[str] = ()  # values that say nothing about health, as text

    @property
    def is_known(self) -> bool:
        """Whether it has a word of health about the whole."""
        return self.overall not in (None, Health.UNKNOWN)

    @property
    def is_silent(self) -> bool:
        """Whether neither the whole nor a component has a clear health."""
        is_clear = self.overall in (Health.GOOD, Health.BAD)
        return not is_clear and not any(component.is_known for component in self.listed)


def explains(components: Sequence[Component], health: Health | None) -> bool:
    """Return whether the components explain the health of the whole."""
    if health is None or health is Health.GOOD or any(component.health is Health.BAD for component in components):
        return True
    return health is not Health.BAD and any(component.health.is_doubtful for component in components)


def worse(one: HealthDocument, other: HealthDocument) -> HealthDocument:
    """Return the first document, with the second's word about the whole where that is worse."""
    if other.overall is None:
        return one
    if one.overall is None:
        return replace(other, listed=one.listed)
    best = min(one.overall if one.best is None else one.best, other.overall if other.best is None else other.best)
    worst = one if one.overall >= other.overall else other
    words = (*one.words, *other.words)
    return replace(one, word=worst.word, words=words, overall=worst.overall, best=best)
