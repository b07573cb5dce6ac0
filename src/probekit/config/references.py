"""Check what a configuration refers to: items, probes, kinds, metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from probekit import probes
from probekit.checklist import Checklist
from probekit.config.settings import Change, Environment
from probekit.config.target import Configured, Target
from probekit.model.checklist import Item
from probekit.model.limit import Limit, parse_limit
from probekit.probe import Metric
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
        changes = self._changes(environment.limits, scope, (*here, "limits"))
        tables: list[tuple[tuple[str, ...], dict[str, Any]]]
        tables = [(("probes", probe), table) for probe, table in shared.items() if probe not in environment.probes]
        tables += [((*here, "probes", probe), table) for probe, table in environment.probes.items()]
        target = Target(
            name=name,
            environment=environment,
            items=tuple(changes.get(item.id, item) for item in self.checklist.items if item.id in scope),
            not_applicable=applies_not,
            probes=tuple(one for keys, table in tables for one in self._instances(keys, table)),
        )
        self._misfits(target, (*here, "limits"))
        return target

    def _misfits(self, target: Target, keys: tuple[str, ...]) -> None:
        """A changed limit must be one that the kinds of its probe can prove or refute."""
        metrics_of = {one.probe: one.source.metrics for one in target.probes}
        for item in target.items:
            metrics = metrics_of.get(item.probe or "", ()) if item.changed_reason else ()
            for number, limit in enumerate(item.expect):
                misfits = (_misfit(metric, limit) for metric in metrics if metric.name == limit.metric)
                for found, expected in filter(None, misfits):
                    self._complain((*keys, item.id, "expect", number), found, expected)

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

    def _changes(self, limits: Mapping[str, Change], scope: set[str], keys: tuple[str, ...]) -> dict[str, Item]:
        items = {item.id: item for item in self.checklist.items}
        changed = {}
        for name, change in limits.items():
            here = (*keys, name)
            if name not in items:
                self._complain(here, f"no item '{name}'", "the id of one item", nearest(name, items))
                continue
            item = items[name]
            if name not in scope:
                self._complain(
                    here, "it is not in scope", "limits of an item that is", "; leave them out, or add it to the scope"
                )
                continue
            if item.probe is None:
                self._complain(here, "limits for what a person answers", "an item that a probe answers")
                continue
            parsed = [self._limit(item, text, (*here, "expect", number)) for number, text in enumerate(change.expect)]
            expect = tuple(limit for limit in parsed if limit)
            changed[name] = replace(item, expect=expect, changed_from=item.expect, changed_reason=change.reason)
        return changed

    def _limit(self, item: Item, text: str, keys: Sequence[str | int]) -> Limit | None:
        try:
            limit = parse_limit(text)
        except ValueError as error:
            self._complain(keys, str(error), "")
            return None
        promises = self.checklist.probes
        metrics = promises[item.probe].metrics if item.probe else {}
        if limit.metric not in metrics:
            owners = [f"'{name}'" for name, promise in promises.items() if limit.metric in promise.metrics]
            hint = f"it is a metric of probe {', '.join(owners)}" if owners else nearest(limit.metric, metrics)
            expected = f"one of probe '{item.probe}': {', '.join(metrics)}"
            self._complain(keys, f"unknown metric '{limit.metric}'", expected, hint)
        elif limit.of == "baseline" and limit.value == 0:
            self._complain(keys, "a tolerance of 0 % allows nothing", "more than 0 %")
        elif limit.of == "value" and limit.unit != metrics[limit.metric]:
            due = metrics[limit.metric]
            expected = f"'{due}', in which {limit.metric} is measured" if due else f"none: {limit.metric} is a count"
            self._complain(keys, f"unit '{limit.unit}'" if limit.unit else "no unit", expected)
        return limit

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
            return [Configured(probe=probe, instance=instance, source=kind.configure(table))]
        except ValidationError as error:
            self.found += problems(error, kind.config, self.path, self.text, keys)
            return []


def _kinds_hint(probe: str) -> str:
    """The kinds that fill a probe, for a message about a wrong one."""
    able = [name for name in probes.kind_names() if probes.load_kind(name).fills_probe(probe)]
    return f"kinds that can fill it: {', '.join(able)}"


def _misfit(metric: Metric, limit: Limit) -> tuple[str, str] | None:
    """What is wrong with that limit on the metric, and what is expected; None where nothing is."""
    if not (metric.quantile or metric.is_share):
        return None
    if limit.of == "baseline":
        summary = f"{limit.metric} may be zero, and a percentage of zero allows nothing", "a limit in %"
        return summary if metric.is_share else None
    if limit.op not in ("<", "<=", ">", ">="):
        return f"'{limit}' can never be decided by a sample", "one of <, <=, >, >="
    if metric.is_share and not 0 < limit.value < 100:  # noqa: PLR2004  # percent
        return f"'{limit}' can never be decided by a sample", "more than 0 % and less than 100 %"
    return None
