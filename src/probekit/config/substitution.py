"""Replace variables in the texts of an environment, by the types that its models accept at each place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from probekit import probes
from probekit.config.accepted import Types, inside, scalar_of, takes_reference, takes_secret
from probekit.config.complaints import Complaints
from probekit.config.own_checks import OwnCheck
from probekit.config.settings import Environment, File
from probekit.config.variables import FORM, Lookup, Substitution, Variable, has_variable, parts_of
from probekit.toml_file import FileProblem

Keys = tuple[str | int, ...]
_READERS: Final[dict[type, tuple[re.Pattern[str], str]]] = {
    bool: (re.compile(r"true|false"), "true or false"),
    int: (re.compile(r"[+-]?[0-9]{1,18}", re.ASCII), "a whole number"),
    float: (re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII), "a number"),
}


@dataclass(frozen=True, kw_only=True)
class Substituter:
    """Replaces variables by their values and records each replacement; mistakes are reported."""

    lookup: Lookup
    complain: Complaints
    done: dict[Keys, Substitution] = field(default_factory=dict)
    unset: dict[str, list[FileProblem]] = field(default_factory=dict)  # by environment; "" for the file itself

    def environment(self, name: str, table: Any) -> Any:  # noqa: ANN401  # whatever the user wrote
        """The environment with the values of its variables."""
        if not (isinstance(table, dict) and _holds_variable(table)):
            return table
        keys = ("env", name)
        found = {key: self.value(value, inside((Environment,), key), (*keys, key)) for key, value in table.items()}
        written = table.get("probes")
        if isinstance(written, dict):
            here = (*keys, "probes")
            found["probes"] = {probe: self._probe(value, (*here, probe)) for probe, value in written.items()}
        return found

    def of_file(self, key: str, value: Any) -> Any:  # noqa: ANN401  # whatever the user wrote
        """A setting of the file itself with the values of its variables."""
        return self.value(value, inside((File,), key), (key,))

    def _probe(self, table: Any, keys: Keys) -> Any:  # noqa: ANN401  # whatever the user wrote
        """A probe's table, or its instances with the settings of the own check."""
        if not isinstance(table, dict) or "kind" in table:
            return self._of_kind(table, keys)
        return {
            key: self._of_kind(value, (*keys, key))
            if isinstance(value, dict)
            else self.value(value, inside((OwnCheck,), key), (*keys, key))
            for key, value in table.items()
        }

    def _of_kind(self, table: Any, keys: Keys) -> Any:  # noqa: ANN401  # whatever the user wrote
        """The settings of one kind; those of an unknown kind stay as they are."""
        kind = table.get("kind") if isinstance(table, dict) else None
        if isinstance(kind, str) and has_variable(kind):
            self.complain(
                (*keys, "kind"),
                "a variable is not allowed here",
                f"an installed kind: {', '.join(probes.kind_names())}",
            )
        if not probes.is_kind_installed(kind):
            return table
        types: Types = (probes.load_kind(kind).config, OwnCheck)
        return {key: self.value(value, inside(types, key), (*keys, key)) for key, value in table.items()}

    def value(self, value: Any, types: Types, keys: Keys) -> Any:  # noqa: ANN401  # whatever the user wrote
        """A value with its variables replaced, at a place that accepts these types."""
        if isinstance(value, list):
            return [self.value(part, inside(types, at), (*keys, at)) for at, part in enumerate(value)]
        if isinstance(value, dict):
            is_reference = takes_reference(types) and value.keys() <= {"env", "file"}
            if is_reference and _holds_variable(value):
                expected = 'a name without variables, as in { env = "NAME" } or { file = "PATH" }'
                self.complain(keys, "a variable in a reference to a secret", expected)
                return value
            return {key: self.value(part, inside(types, key), (*keys, key)) for key, part in value.items()}
        return self._text(value, types, keys) if isinstance(value, str) and has_variable(value) else value

    def _text(self, written: str, types: Types, keys: Keys) -> object:
        try:
            parts = parts_of(written)
        except ValueError as error:
            self.complain(keys, str(error), FORM, "write $${ for a literal ${")
            return written
        variables = [part for part in parts if isinstance(part, Variable)]
        if not variables:
            return "".join(map(str, parts))
        if takes_secret(types):
            found = f"the variable ${{{variables[0].name}}} in a setting for secrets"
            self.complain(keys, found, f'{{ env = "{variables[0].name}" }}, which is never shown')
            return written
        values = {one: one.value(self.lookup) for one in variables}
        if missing := [one.name for one, value in values.items() if value is None]:
            self._is_unset(missing[0], keys)
            return written
        if broken := [one.name for one, value in values.items() if not _is_text(value or "")]:
            self.complain(keys, f"the value of ${{{broken[0]}}}", "a text in UTF-8")
            return written
        text = "".join(part if isinstance(part, str) else values[part] or "" for part in parts)
        names = tuple(one.name for one in variables)
        shown = tuple(values[one] or "" for one in variables)
        self.done[keys] = Substitution(written=written, variables=names, values=shown, text=text)
        due = scalar_of(types)
        return self._scalar(text, due, variables[0].name, keys) if due and len(parts) == 1 else text

    def _scalar(self, text: str, due: type, name: str, keys: Keys) -> object:
        """The number, or true or false, of a text that is one variable."""
        pattern, words = _READERS[due]
        if not pattern.fullmatch(text):
            self.complain(keys, f"the value of ${{{name}}}", words)
            return text
        return text == "true" if due is bool else due(text)

    def _is_unset(self, name: str, keys: Keys) -> None:
        problem = self.complain.origins.problem(
            keys,
            f"the variable {name} is not set",
            "",
            f"set it in the environment or in .env, or write a default: ${{{name}:-default}}",
        )
        self.unset.setdefault(str(keys[1]) if keys[0] == "env" else "", []).append(problem)


def _is_text(value: str) -> bool:
    """Whether the bytes of a variable are UTF-8; environment variables may contain any bytes but NUL."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _holds_variable(value: object) -> bool:
    """Whether any text in a value may contain a variable."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                if has_variable(text):
                    return True
            case dict(table):
                waiting += table.values()
            case list(parts):
                waiting += parts
            case _:
                pass
    return False
