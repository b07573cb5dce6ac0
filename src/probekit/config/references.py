"""Check what a configuration refers to: items, probes, kinds, metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from probekit import probes
from probekit.checklist import Checklist
from probekit.config.limits import LimitReader
from probekit.config.settings import Change, Environment
from probekit.config.target import Configured, Target
from probekit.model.checklist import Item
from probekit.toml_file import FileProblem, line_of, nearest, problems


@dataclass(kw_only=True)
class TargetReader:
    """Holds a file against its checklist and the installed kinds, and keeps what does not fit."""

    path: Path
    text: str
    checklist: Checklist
    found: list[FileProblem] = field(default_factory=list)

    def target(self, name: str, environment: Environment, shared: Mapping[str, dict[str, Any]]) -> Target:
        """The environment with its items and probes in their final form; what does not fit is kept in `found`."""
        here = ("env", name)
        scope = self._chosen(environment.scope, (*here, "scope"))
        applies_not = self._exempt(environment.not_applicable, scope, (*here, "not_applicable"))
        tables: list[tuple[tuple[str, ...], dict[str, Any]]]
        tables = [(("probes", probe), table) for probe, table in shared.items() if probe not in environment.probes]
        tables += [((*here, "probes", probe), table) for probe, table in environment.probes.items()]
        configured = tuple(one for keys, table in tables for one in self._instances(keys, table))
        self._check_trust(environment.trust, configured, (*here, "trust"))
        return Target(
            name=name,
            environment=environment,
            items=tuple(self._with_limits(environment, scope, configured, (*here, "limits"))),
            not_applicable=applies_not,
            probes=configured,
        )

    def _with_limits(
        self,
        environment: Environment,
        scope: set[str],
        configured: Sequence[Configured],
        keys: tuple[str, ...],
    ) -> Iterator[Item]:
        """The items in scope, with the environment's limits."""
        reader = LimitReader(checklist=self.checklist, configured=configured, complain=self._complain)
        changes = {item.id: change for item, change in self._changes(environment.limits, scope, keys)}
        for item in self.checklist.items:
            if item.id in scope:
                reader.check(item)
                change = changes.get(item.id)
                yield reader.changed(item, change, (*keys, item.id)) if change else item

    def _check_trust(self, trust: Sequence[str], configured: Sequence[Configured], keys: tuple[str, ...]) -> None:
        """Only what a program reports needs trust."""
        programs = dict.fromkeys(one.probe for one in configured if one.source.reported)
        for number, probe in enumerate(trust):
            if probe not in programs:
                expected = f"a probe of kind command: {', '.join(programs) or 'none is configured'}"
                self._complain((*keys, number), f"'{probe}'", expected, nearest(probe, programs))

    def _complain(self, keys: Sequence[str | int], found: str, expected: str, hint: str = "") -> None:
        line = line_of(self.text, keys)
        key = ".".join(str(part) for part in keys)
        self.found.append(FileProblem(file=self.path, line=line, key=key, found=found, expected=expected, hint=hint))

    def _chosen(self, prefixes: Sequence[str], keys: tuple[str, ...]) -> set[str]:
        """The ids of all items that one of the prefixes names."""
        chosen: set[str] = set()
        for number, prefix in enumerate(prefixes):
            items = self._select(prefix, (*keys, number))
            chosen |= {item.id for item in items}
        return chosen

    def _select(self, prefix: str, keys: Sequence[str | int]) -> tuple[Item, ...]:
        items = self.checklist.select(prefix)
        if not items:
            known = [*(item.id for item in self.checklist.items), *self.checklist.sections, *self.checklist.phases]
            self._complain(keys, f"no item '{prefix}'", "an item's id or its beginning", nearest(prefix, known))
        return items

    def _exempt(self, reasons: Mapping[str, str], scope: set[str], keys: tuple[str, ...]) -> dict[str, str]:
        exempt: dict[str, str] = {}
        for prefix, reason in reasons.items():
            items = self._select(prefix, (*keys, prefix))
            if items and not scope & {item.id for item in items}:
                self._complain((*keys, prefix), "nothing of it is in scope", "items that are", "leave the line out")
            for item in items:
                if item.id in exempt and exempt[item.id] != reason:
                    self._complain((*keys, prefix), f"a second reason for {item.id}", "one reason for each item")
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
                self._complain(here, f"no item '{name}'", "the id of one item", nearest(name, items))
            elif name not in scope:
                hint = "; leave them out, or add it to the scope"
                self._complain(here, "it is not in scope", "limits of an item that is", hint)
            elif items[name].probe is None:
                self._complain(here, "limits for what a person answers", "an item that a probe answers")
            else:
                yield items[name], change

    def _instances(self, keys: tuple[str, ...], table: Mapping[str, Any]) -> list[Configured]:
        """One instance where the table holds `kind`, else one for each of its tables."""
        probe = keys[-1]
        if probe not in self.checklist.probes:
            self._complain(
                keys, f"no probe '{probe}'", "a probe of the checklist", nearest(probe, self.checklist.probes)
            )
            return []
        if "kind" in table:
            return self._configured(probe, "", keys, table)
        if not table or not all(isinstance(value, dict) for value in table.values()):
            self._complain(keys, "no 'kind'", 'kind = "...", or only tables of instances', _kinds_hint(probe))
            return []
        return [one for name, part in table.items() for one in self._configured(probe, name, (*keys, name), part)]

    def _configured(
        self, probe: str, instance: str, keys: tuple[str, ...], table: Mapping[str, Any]
    ) -> list[Configured]:
        name = table.get("kind")
        if not probes.is_kind_installed(name):
            expected = f"an installed kind: {', '.join(probes.kind_names())}"
            close = nearest(name, probes.kind_names()) if isinstance(name, str) else ""
            found = f"unknown kind '{name}'" if isinstance(name, str) else "no kind"
            self._complain((*keys, "kind"), found, expected, close or _kinds_hint(probe))
            return []
        kind = probes.load_kind(name)
        try:
            source = kind.configure(table)
        except ValidationError as error:
            self.found += problems(error, kind.config, self.path, self.text, keys)
            return []
        for metric in self.checklist.probes[probe].samples:
            if metric in source.unsized:
                expected = f'where its size stands, too: {metric} = {{ at = "...", n = "..." }}'
                self._complain((*keys, "metrics", metric), f"'{metric}' is of a sample", expected)
        return [Configured(probe=probe, instance=instance, source=source)]


def _kinds_hint(probe: str) -> str:
    """The kinds that fill a probe, for a message about a wrong one."""
    able = [name for name in probes.kind_names() if probes.load_kind(name).fills_probe(probe)]
    return f"kinds that can fill it: {', '.join(able)}"
