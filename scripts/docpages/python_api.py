"""The reference in docs/python.md: every name that `probekit` exports, with its parameters or attributes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any

import probekit
from docpages.markdown import code, table


def reference() -> str:
    """Return the sections of the reference."""
    classes = [name for name in probekit.__all__ if inspect.isclass(getattr(probekit, name))]
    names = ["verify", "averify", *classes]
    parts = {name: getattr(probekit, name) for name in names}
    rows = [(f"[`{name}`](#{_anchor(name, part)})", _summary(part)) for name, part in parts.items()]
    rows.append(("`__version__`", "The version of probekit, a text."))
    return "\n".join([table("name", "what it is", rows=rows), *filter(None, map(_section, parts, parts.values()))])


def _anchor(name: str, part: object) -> str:
    return (name if inspect.isclass(part) else "verify").lower()


def _summary(part: object) -> str:
    return (inspect.getdoc(part) or "").partition("\n\n")[0]


def _section(name: str, part: Any) -> str:  # noqa: ANN401  # a function or a class of any kind
    if not inspect.isclass(part):
        return _of_functions() if name == "verify" else ""
    parts = [f"### `{name}`\n", f"{_summary(part)}\n"]
    if issubclass(part, Enum):
        parts.append(_members(part))
    elif is_dataclass(part):
        parts.append(_attributes(part))
        if properties := list(_properties(part)):
            parts.append(table("property", "type", "what it is", rows=properties))
    return "\n".join(parts)


def _of_functions() -> str:
    """Return the one table of `verify` and `averify`, which take the same parameters."""
    meanings = _arguments(inspect.getdoc(probekit.verify) or "")
    rows = [
        (code(name), code(_annotation(one.annotation)), _default(one), meanings[name])
        for name, one in inspect.signature(probekit.verify).parameters.items()
    ]
    calls = [f"{name}(environment=None, *, ...) -> Report" for name in ("probekit.verify", "await probekit.averify")]
    signatures = "\n".join(["```text", *calls, "```\n"])
    return "\n".join(
        ["### `verify`\n", signatures, table("parameter", "type", "default", "description", rows=rows), _raised()]
    )


def _raised() -> str:
    found = re.search(r"^Raises:\n(.*)\Z", inspect.getdoc(probekit.verify) or "", re.DOTALL | re.MULTILINE)
    rows = [(code(name), _sentence(text)) for name, text in _entries(found[1] if found else "")]
    return table("exception", "raised when", rows=rows)


def _arguments(doc: str) -> Mapping[str, str]:
    found = re.search(r"^Args:\n(.*?)\n\n", doc, re.DOTALL | re.MULTILINE)
    return {name: _sentence(text) for name, text in _entries(found[1] if found else "")}


def _entries(text: str) -> Iterator[tuple[str, str]]:
    for name, meaning in re.findall(r"^    (\w+): (.*(?:\n {8,}.*)*)", text, re.MULTILINE):
        yield name, " ".join(meaning.split())


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _members(part: type[Enum]) -> str:
    if "exit_code" in dir(next(iter(part))):
        codes = [(code(one.name), code(_word(one)), str(one.exit_code)) for one in part]  # type: ignore[attr-defined]  # asked above
        return table("member", "word in reports", "exit code", rows=codes)
    return table("member", "value", rows=[(code(one.name), code(one.value)) for one in part])


def _word(one: Enum) -> str:
    return str(getattr(one, "word", one.value))


def _attributes(part: type) -> str:
    """Return the table of a dataclass; defaults are of use only where a caller makes one."""
    rows = [(code(one.name), code(one.type), code(_value(one.default))) for one in fields(part)]
    if any(one.default is MISSING for one in fields(part)):
        return table("attribute", "type", rows=[row[:2] for row in rows])
    return table("attribute", "type", "default", rows=rows)


def _properties(part: type) -> Iterator[tuple[str, str, str]]:
    for name, one in vars(part).items():
        if isinstance(one, property) and one.fget and not name.startswith("_"):
            yield code(name), code(one.fget.__annotations__["return"]), _summary(one)


def _annotation(annotation: object) -> str:
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", text)


def _default(one: inspect.Parameter) -> str:
    return "required" if one.default is inspect.Parameter.empty else code(_value(one.default))


def _value(default: object) -> str:
    if isinstance(default, Enum):
        return f"{type(default).__name__}.{default.name}"
    return repr(default)
