"""Parse `${NAME}` and `${NAME:-default}` in a text and find their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from probekit.redaction import Redactor

Lookup = Callable[[str], str | None]  # the value of a variable; None where it is not set
_BEGINNING: Final = re.compile(r"\$\$\{|\$\{")
_VARIABLE: Final = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}", re.ASCII)
FORM: Final = "${NAME} or ${NAME:-default}"
_WHOLE: Final = 4  # characters; a value at least that long is also hidden inside words


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One reference to a variable."""

    name: str
    default: str | None

    def value(self, lookup: Lookup) -> str | None:
        """The value or the default, which also replaces an empty value; None: not set and no default."""
        value = lookup(self.name)
        return value if value or self.default is None else self.default


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitution:
    """A text of a configuration that contained variables."""

    written: str
    variables: tuple[str, ...]
    values: tuple[str, ...] = field(repr=False)  # of the variables, in their order
    text: str = field(repr=False)  # with these values


def has_variable(text: str) -> bool:
    """Whether a text contains a variable or an escaped one."""
    return "${" in text


def parts_of(text: str) -> list[str | Variable]:
    """The literal parts of a text and the variables between them.

    Raises:
        ValueError: an invalid variable after `${`; the message does not repeat the text.
    """
    parts: list[str | Variable] = []
    at = 0
    while found := _BEGINNING.search(text, at):
        parts.append(text[at : found.start()])
        if found[0] == "$${":
            parts.append("${")
            at = found.end()
            continue
        variable = _VARIABLE.match(text, found.start())
        if variable is None:
            raise ValueError("'${' without a variable's name and }")
        if "${" in (variable["default"] or ""):
            raise ValueError("a variable inside another one")
        parts.append(Variable(name=variable["name"], default=variable["default"]))
        at = variable.end()
    return [part for part in (*parts, text[at:]) if part]


class HiddenValues:
    """Replaces the values of variables in messages by their names."""

    def __init__(self, substitutions: Iterable[Substitution]) -> None:
        pairs: dict[str, str] = {}  # the name by the value
        for one in substitutions:
            pairs.setdefault(one.text, one.variables[0])
            for name, value in zip(one.variables, one.values, strict=True):
                pairs.setdefault(value, name)
        pairs.pop("", None)
        self._pairs = sorted(pairs.items(), key=lambda pair: -len(pair[0]))
        self._redactor = Redactor()
        for value in pairs:
            self._redactor.learn(value)

    def clean(self, text: str) -> str:
        """The text without the values and without any eight consecutive characters of one."""
        for value, name in self._pairs:
            if value in text:  # a file with a thousand mistakes may have as many variables
                pattern = re.escape(value) if len(value) >= _WHOLE else rf"(?<!\w){re.escape(value)}(?!\w)"
                text = re.sub(pattern, f"${{{name}}}", text)  # a name contains no escapes of a replacement
        return self._redactor.clean(text)
