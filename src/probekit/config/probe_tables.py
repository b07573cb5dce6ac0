"""Read the tables of probes: probes of the checklist, and the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from probekit import probes
from probekit.checklist import Checklist
from probekit.config.complaints import Complaints
from probekit.config.own_checks import OWN_KEYS, OwnChecks, split
from probekit.config.target import Configured
from probekit.probes import AnyKind
from probekit.toml_file import nearest

Table = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ProbeTables:
    """Reads tables by their keys; each has `kind`, or is a table of instances."""

    checklist: Checklist
    complain: Complaints

    def read(self, tables: Mapping[tuple[str, ...], Table]) -> tuple[tuple[Configured, ...], Checklist]:
        """Return all instances, and the checklist extended by the own checks."""
        own = [split(keys, table, self.complain) for keys, table in tables.items() if self._is_own(keys)]
        settings = {**tables, **{table.keys: table.settings for table in own}}
        found = tuple(one for keys, table in settings.items() for one in self._instances(keys, table))
        checks = OwnChecks(checklist=self.checklist, configured=found, complain=self.complain)
        return found, checks.extended(own)

    def _is_own(self, keys: tuple[str, ...]) -> bool:
        return keys[-1] not in self.checklist.probes

    def _instances(self, keys: tuple[str, ...], table: Table) -> list[Configured]:
        """Return one instance where the table has `kind`, else one for each of its tables."""
        probe = keys[-1]
        if "kind" in table:
            return self._configured(probe, "", keys, self._without_second(keys, table))
        if not table or not all(isinstance(value, dict) for value in table.values()):
            hint = self._kinds_hint(probe)
            self.complain(keys, "missing 'kind'", 'kind = "...", or only tables of instances', hint)
            return []
        return [one for name, part in table.items() for one in self._configured(probe, name, (*keys, name), part)]

    def _without_second(self, keys: tuple[str, ...], table: Table) -> Table:
        """Report an instance inside a table that has a kind itself; return the table without it."""
        second = {name for name, part in table.items() if isinstance(part, dict) and "kind" in part}
        for name in second:
            here = self.complain.written(keys)
            self.complain(
                (*keys, name),
                f"an instance inside [{here}], which has a kind itself",
                f"both as instances, [{here}.NAME]",
            )
        return {name: part for name, part in table.items() if name not in second}

    def _without_check(self, probe: str, keys: tuple[str, ...], table: Table, kind: AnyKind) -> Table:
        """Report keys of an own check in the table of a checklist's probe; return the table without them."""
        is_known = probe in self.checklist.probes
        stray = [key for key in OWN_KEYS if is_known and key in table and key not in kind.config.model_fields]
        for key in stray:
            found = f"'{key}' is for your own probes only, and '{probe}' is a probe of the checklist"
            self.complain((*keys, key), found, "another name for the probe, or limits of an item in 'limits'")
        return {key: value for key, value in table.items() if key not in stray}

    def _configured(self, probe: str, instance: str, keys: tuple[str, ...], table: Table) -> list[Configured]:
        name = table.get("kind")
        if not probes.is_kind_installed(name):
            expected = f"an installed kind: {', '.join(probes.kind_names())}"
            close = nearest(name, probes.kind_names()) if isinstance(name, str) else ""
            found = f"unknown kind '{name}'" if isinstance(name, str) else "not the name of a kind"
            self.complain((*keys, "kind"), found, expected, close or self._kinds_hint(probe))
            return []
        kind = probes.load_kind(name)
        try:
            source = kind.configure(self._without_check(probe, keys, table, kind))
        except ValidationError as error:
            self.complain.of_model(error, kind.config, keys)
            return []
        requirement = self.checklist.probes.get(probe)
        for metric in requirement.samples if requirement else ():
            if metric in source.unsized:
                expected = f'{metric} = {{ at = "...", n = "..." }}'
                self.complain((*keys, "metrics", metric), f"the sample size of '{metric}' is missing", expected)
        return [Configured(probe=probe, instance=instance, source=source)]

    def _kinds_hint(self, probe: str) -> str:
        """Return the kinds that can fill a probe; for an unknown probe, the most similar known name."""
        if probe not in self.checklist.probes:
            return nearest(probe, self.checklist.probes) or f"kinds: {', '.join(probes.kind_names())}"
        able = [name for name in probes.kind_names() if probes.load_kind(name).fills_probe(probe)]
        return f"kinds that can fill it: {', '.join(able)}"
