"""The facts of a checklist that decide which items apply; they are stated, never guessed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from probekit.config.target import Target
from probekit.model.checklist import Item
from probekit.model.plan import UnknownFact


def exempt_by_facts(items: Sequence[Item], target: Target, given: Mapping[str, bool]) -> dict[str, str]:
    """Return the items whose fact is false, each with the reason.

    Args:
        items: those in scope.
        target: states facts in its environment.
        given: facts of the command line, which precede those.
    """
    stated = {**target.environment.facts, **given}
    found = {}
    for item in items:
        name = item.applies_if
        if name is not None and stated.get(name) is False:
            is_written = target.environment.facts.get(name) is False
            source = f"in {_table(target)}" if is_written else "by --fact"
            found[item.id] = f"'{name}' is false {source} ({target.checklist.facts[name]})"
    return found


def unknown_facts(
    items: Sequence[Item], target: Target, given: Mapping[str, bool], exempt: Collection[str]
) -> tuple[UnknownFact, ...]:
    """Return the facts that are not stated and concern an item in scope, in the checklist's order."""
    stated = {**target.environment.facts, **given}
    asked: dict[str, list[str]] = {}
    for item in items:
        if item.applies_if is not None and item.applies_if not in stated and item.id not in exempt:
            asked.setdefault(item.applies_if, []).append(item.id)
    return tuple(
        UnknownFact(name=name, question=question, items=tuple(asked[name]), remedy=_remedy(name, target))
        for name, question in target.checklist.facts.items()
        if name in asked
    )


def _remedy(name: str, target: Target) -> str:
    """Return how to state a fact."""
    return f"write {name} = true, or false, in {_table(target)}, or add --fact {name}=yes|no"


def _table(target: Target) -> str:
    return f"[env.{target.name}.facts]"
