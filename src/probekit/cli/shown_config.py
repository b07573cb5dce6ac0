"""The resulting configuration of one environment as TOML, with the origin of each value."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from probekit.config.defaults import Defaults, defaults_of, values_of
from probekit.config.own_checks import OwnCheck, limits_key
from probekit.config.secrets import SecretResolver, secret_refs
from probekit.config.settings import Environment
from probekit.config.target import Config, Target
from probekit.config.variables import Substitution
from probekit.model.measurement import ProbeFailedError
from probekit.planning.unset import is_piped
from probekit.redaction import Redactor
from probekit.text import escape, paragraph
from probekit.toml_file.write import basic, key as bare, value as inline

_WIDTH: Final = 80
_RESOLVED: Final = ("inherits", "without_probes", "probes")  # the first two are resolved, the last are tables below
_SECRET_NAME: Final = re.compile(r"pass|pwd|secret|token|key|credential|auth|dsn", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[\w./:, -]*")  # hosts, paths, numbers, times: no user, query or assignment
_FREE: Final = frozenset(("argv", "json"))  # settings that may hold any text
Keys = tuple[str | int, ...]


def render(config: Config, target: Target) -> str:
    """Return one TOML document, which probekit reads as the same configuration."""
    lines = _Shown(config=config, target=target, redactor=_redactor(config, target)).lines()
    return "".join(f"{line}\n" for line in lines)


def _redactor(config: Config, target: Target) -> Redactor:
    """Return a redactor of the secrets that can be read now; a pipe can be read once and is left to the run."""
    folder, redactor = config.path.absolute().parent, Redactor()
    resolver = SecretResolver(folder=folder, variables=os.environ, dotenv=config.dotenv, redactor=redactor)
    for secret in secret_refs([target.environment, *(one.source.config for one in target.probes)]):
        if not is_piped(secret, folder):
            with suppress(ProbeFailedError):
                resolver.reveal(secret)
    return redactor


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """Writes the tables of one environment."""

    config: Config
    target: Target
    redactor: Redactor

    def lines(self) -> Iterator[str]:
        """Yield all lines of the document."""
        title = f"# {self.target.name} of {self.config.path}: each value with its origin; defaults are comments."
        yield from paragraph(title, width=_WIDTH, hanging="# ")
        written = self.config.written
        is_written = "checklist" in written
        name = written.get("checklist", self.config.checklist.name)
        yield from self._entry("checklist", name, ("checklist",)) if is_written else _default("checklist", name)
        keys = ("env", self.target.name)
        table = written["env"][self.target.name]
        defaults, settings = (_without(one, _RESOLVED) for one in (defaults_of(Environment), table))
        yield from self._table(keys, settings, defaults)
        for probe, settings in table.get("probes", {}).items():
            yield from self._probe(probe, settings, (*keys, "probes", probe))

    def _probe(self, probe: str, table: Mapping[str, Any], keys: Keys) -> Iterator[str]:
        """Yield the table of a probe, or those of its instances."""
        found = {one.instance: one for one in self.target.probes if one.probe == probe}
        is_own = any(item.is_own and item.probe == probe for item in self.target.items)
        if "" in found:
            source = found[""].source
            check = _of_check(source.name) if is_own else {}
            yield from self._table(keys, table, {**defaults_of(type(source.config)), **check})
            return
        if is_own:
            yield from self._table(keys, _without(table, found), _of_check(None))
        for instance, one in found.items():
            yield from self._table((*keys, instance), table[instance], defaults_of(type(one.source.config)))

    def _table(self, keys: Keys, table: Mapping[str, Any], defaults: Defaults) -> Iterator[str]:
        """Yield one table: its written settings; its defaults and unset settings as comments; its inner tables."""
        lines: list[str] = []
        inner: list[tuple[str, Mapping[str, Any], Defaults]] = []
        for key in sorted(table, key="kind".__ne__):  # the kind first
            value, default = table[key], defaults.get(key)
            if isinstance(value, dict) and value and not value.keys() <= {"env", "file"}:
                inner.append((key, value, defaults_of(type(default)) if isinstance(default, BaseModel) else {}))
            else:
                lines += self._entry(key, value, (*keys, key))
        for key, default in defaults.items():
            if key not in table and default is not None:
                lines += _default(key, default)
        if without := [key for key, default in defaults.items() if default is None and key not in table]:
            lines += paragraph(f"# not set: {', '.join(without)}", width=_WIDTH, hanging="#   ")
        if lines:
            yield from ("", f"[{'.'.join(bare(str(part)) for part in keys)}]", *lines)
        for key, value, below in inner:
            yield from self._table((*keys, key), value, below)

    def _entry(self, key: str, value: object, keys: Keys) -> Iterator[str]:
        """Yield a setting and its origin on one line if both fit, else on several."""
        origin, line = self._origin(keys), f"{bare(key)} = {self._text(value, keys)}"
        if len(line) + len(origin) + len("  # ") <= _WIDTH:
            yield f"{line}  # {origin}"
            return
        yield from paragraph(f"# {origin}", width=_WIDTH, hanging="# ")
        if len(line) <= _WIDTH or not isinstance(value, list):
            yield line
            return
        yield f"{bare(key)} = ["
        yield from (f"    {self._text(part, (*keys, number))}," for number, part in enumerate(value))
        yield "]"

    def _origin(self, keys: Keys) -> str:
        """Return the file and line of a value, and the variables in it."""
        origin, folder = self.config.origins.of(keys), self.config.path.parent
        file = origin.file.relative_to(folder) if origin.file.is_relative_to(folder) else origin.file
        place = f"{file}:{origin.line}" if origin.line else str(file)
        inside = [one for at, one in self.config.origins.substitutions.items() if at[: len(keys)] == keys]
        names = dict.fromkeys(f"${name}" for one in inside for name in one.variables)
        hidden = [at for at, one in self.config.origins.substitutions.items() if one in inside and self._hides(at, one)]
        return escape(", ".join((place, *names, *(["value not shown"] if hidden else []))))

    def _text(self, value: object, keys: Keys) -> str:
        """Return a value as TOML; the value of a variable only if it cannot be a secret."""
        substitution = self.config.origins.substitutions.get(keys)
        if substitution and self._hides(keys, substitution):
            return basic(substitution.written)
        if isinstance(value, list):
            return f"[{', '.join(self._text(part, (*keys, number)) for number, part in enumerate(value))}]"
        if isinstance(value, dict) and value:
            pairs = (f"{bare(name)} = {self._text(part, (*keys, name))}" for name, part in value.items())
            return f"{{ {', '.join(pairs)} }}"
        return inline(value)

    def _hides(self, keys: Keys, one: Substitution) -> bool:
        is_plain = _PLAIN.fullmatch(one.text) and self.redactor.clean(one.text) == one.text
        is_secret = any(map(_SECRET_NAME.search, one.variables)) or not _FREE.isdisjoint(keys)
        return is_secret or not is_plain


def _default(key: str, value: object) -> list[str]:
    """Return a default as a comment."""
    if isinstance(value, BaseModel):
        value = {name: part for name, part in values_of(value).items() if part is not None}
    return paragraph(f"# {bare(key)} = {inline(value)}  (default)", width=_WIDTH, hanging="#   ")


def _without(table: Mapping[str, Any], keys: Container[str]) -> dict[str, Any]:
    return {key: part for key, part in table.items() if key not in keys}


def _of_check(kind: str | None) -> Defaults:
    """Return the default limits of a user's own check, by the keys of its table."""
    return {limits_key(kind) if key == "expect" else key: one for key, one in defaults_of(OwnCheck).items()}
