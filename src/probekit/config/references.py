"""Check the references of a configuration: items, probes, kinds, metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probekit.checklist import Checklist
from probekit.config.complaints import Complaints
from probekit.config.limits import LimitReader
from probekit.config.people import check_page
from probekit.config.probe_tables import ProbeTables
from probekit.config.settings import Change, Environment
from probekit.config.target import Configured, Target
from probekit.model.checklist import Item
from probekit.toml_file import nearest


def target_of(name: str, environment: Environment, *, checklist: Checklist, complain: Complaints) -> Target:
    """Return the environment with its items and probes in their final form; mistakes are reported."""
    here = ("env", name)
    tables: dict[tuple[str, ...], dict[str, Any]]
    tables = {(*here, "probes", probe): table for probe, table in environment.probes.items()}
    configured, whole = ProbeTables(checklist=checklist, complain=complain).read(tables)
    reader = _ScopeReader(checklist=whole, configured=configured, complain=complain)
    has_own = any(keys[-1] not in checklist.probes for keys in tables)
    if not (environment.scope or has_own):  # else only the mistakes in those are reported
        hint = "name items in 'scope', or add a probe of your own"
        complain((*here, "scope"), "nothing is in scope", "at least one item", hint)
    return reader.target(name, environment)


@dataclass(frozen=True, kw_only=True)
class _ScopeReader:
    """Checks an environment against its checklist and its configured probes."""

    checklist: Checklist
    configured: tuple[Configured, ...]
    complain: Complaints

    def target(self, name: str, environment: Environment) -> Target:
        """Return the environment, checked."""
        here = ("env", name)
        scope = self._chosen(environment.scope, (*here, "scope"))
        applies_not = self._exempt(environment.not_applicable, scope, (*here, "not_applicable"))
        self._check_trust(environment.trust, (*here, "trust"))
        self._check_facts(environment.facts, (*here, "facts"))
        check_page(environment.contacts, environment.page, (*here, "page"), self.complain)
        return Target(
            name=name,
            environment=environment,
            items=tuple(self._with_limits(environment, scope, (*here, "limits"))),
            not_applicable=applies_not,
            probes=self.configured,
            checklist=self.checklist,
        )

    def _with_limits(self, environment: Environment, scope: set[str], keys: tuple[str, ...]) -> Iterator[Item]:
        """The items in scope, with the environment's limits."""
        reader = LimitReader(checklist=self.checklist, configured=self.configured, complain=self.complain)
        changes = {item.id: change for item, change in self._changes(environment.limits, scope, keys)}
        for item in self.checklist.items:
            if item.id in scope:
                if not item.is_own:
                    reader.check(item)
                change = changes.get(item.id)
                here = (*keys, item.id)
                yield reader.changed(item, change, here) if change else reader.as_claimed(item, here)

    def _check_trust(self, trust: Sequence[str], keys: tuple[str, ...]) -> None:
        """Check that each name is a probe whose values a program reports."""
        programs = dict.fromkeys(one.probe for one in self.configured if one.source.reported)
        for number, probe in enumerate(trust):
            if probe not in programs:
                expected = f"one of these: {', '.join(programs)}" if programs else "a configured one"
                self.complain(
                    (*keys, number), f"'{probe}' is not a probe of kind command", expected, nearest(probe, programs)
                )

    def _check_facts(self, facts: Mapping[str, bool], keys: tuple[str, ...]) -> None:
        """Check that each name is a fact of the checklist."""
        for name in (name for name in facts if name not in self.checklist.facts):
            expected = f"a fact of the checklist: {', '.join(self.checklist.facts) or 'it has none'}"
            self.complain((*keys, name), f"unknown fact '{name}'", expected, nearest(name, self.checklist.facts))

    def _chosen(self, prefixes: Sequence[str], keys: tuple[str, ...]) -> set[str]:
        """The ids of all items that one of the prefixes names, and those of own checks."""
        chosen = {item.id for item in self.checklist.items if item.is_own}
        for number, prefix in enumerate(prefixes):
            items = self._select(prefix, (*keys, number))
            chosen |= {item.id for item in items}
        return chosen

    def _select(self, prefix: str, keys: Sequence[str | int]) -> tuple[Item, ...]:
        items = self.checklist.select(prefix)
        if not items:
            known = [*(item.id for item in self.checklist.items), *self.checklist.sections, *self.checklist.phases]
            self.complain(
                keys, f"unknown item '{prefix}'", "the id of an item or its beginning", nearest(prefix, known)
            )
        return items

    def _exempt(self, reasons: Mapping[str, str], scope: set[str], keys: tuple[str, ...]) -> dict[str, str]:
        exempt: dict[str, str] = {}
        for prefix, reason in reasons.items():
            items = self._select(prefix, (*keys, prefix))
            if items and not scope & {item.id for item in items}:
                self.complain((*keys, prefix), "none of these items is in scope", "", "remove this line")
            for item in items:
                if item.id in exempt and exempt[item.id] != reason:
                    self.complain((*keys, prefix), f"second reason for {item.id}", "one reason for each item")
                exempt[item.id] = reason
        return exempt

    def _changes(
        self, limits: Mapping[str, Change], scope: set[str], keys: tuple[str, ...]
    ) -> Iterator[tuple[Item, Change]]:
        """The items whose limits are changed, each with its change."""
        items = {item.id: item for item in self.checklist.items}
        for name, change in limits.items():
            here = (*keys, name)
            if name not in items:
                self.complain(here, f"unknown item '{name}'", "the id of one item", nearest(name, items))
            elif name not in scope:
                self.complain(here, "this item is not in scope", "", "remove its limits, or add it to 'scope'")
            elif items[name].probe is None:
                self.complain(here, "limits on an item that a person signs off", "an item that a probe measures")
            else:
                yield items[name], change
