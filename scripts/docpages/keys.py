"""docs/keys.md: every key of probes.toml, one section for each table, and the variables of the process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from docpages.markdown import GENERATED, table
from docpages.settings import Model, Setting
from probekit.config.inheritance import NEVER_INHERITED
from probekit.config.own_checks import OwnCheck
from probekit.config.settings import File, Variables
from probekit.probe import SecretRef

_SECRET: Final = "reference to a secret"  # noqa: S105  # words of a table, no secret
_SECRETS_ANCHOR: Final = "references-to-secrets"
_PROBES_ANCHOR: Final = "envnameprobesprobe"
_HEAD: Final = ("key", "type", "default", "description")
_INTRODUCTION: Final = """\
# Keys of probes.toml

Every key, table by table. [configuration.md](configuration.md) has a complete example and the rules of inheritance, and
[kinds.md](kinds.md) the settings of each kind. `probekit schema` prints the same as a JSON Schema, with which an editor
completes and checks the file.

- A duration is a text with a unit: `"500ms"`, `"30s"`, `"5min"` or `"5m"`, `"2h"`, `"1d"`.
- A time has a zone and no quotes: `2026-12-01T22:00:00Z`.
- A path counts from the folder of the main file.
- `list (text)` is a list of texts, `table (text)` a table whose values are texts.
- "none" means that the key has no default value.
"""
_SECRETS: Final = """\
## References to secrets

A secret is not written in the file. The value is a table with one of these keys, such as `{ env = "PROBE_KEY" }`:
"""
_OWN: Final = """\
## `[env.NAME.probes.PROBE]`

A probe has a `kind` and the settings of that kind ([kinds.md](kinds.md)). Where it has several instances, each has them
in a table `[env.NAME.probes.PROBE.INSTANCE]`. A probe under a name that the checklist does not know is a check of your
own, which also takes these keys:
"""
_VARIABLES: Final[Mapping[str, str]] = {
    "config": "The configuration file, which `--config` overrides; the default is `probes.toml` in the current folder.",
    "deployed": "When the release was put in place, as `--deployed`, which overrides it.",
    "release": "The version that must be served, as `--release`, which overrides it.",
    "deployed_by": "Who deployed, as `--deployed-by`, which overrides it.",
    "reviewed_by": "Who reviewed the release, as `--reviewed-by`, which overrides it.",
}
_STATE: Final = ("`PROBEKIT_STATE`", "no", "The file of the record, or `none`; `--state` overrides it.")


@dataclass(frozen=True)
class _Place:
    """Where a table stands in the file."""

    path: str
    is_list: bool

    @property
    def heading(self) -> str:
        """Its header in the file."""
        return f"[[{self.path}]]" if self.is_list else f"[{self.path}]"

    @property
    def anchor(self) -> str:
        """The anchor of its section."""
        return self.path.lower().replace(".", "")


def page() -> str:
    """Return the page."""
    file = Model(File)
    places = {"Environment": _Place("env.NAME", is_list=False)}
    places |= _places_below(file, "Environment", "env.NAME", places)
    parts = [GENERATED, _INTRODUCTION, "## Top level\n", _rows(file.settings(), places)]
    for model, place in places.items():
        parts.append(f"## `{place.heading}`\n")
        if model == "Environment":
            parts.append(_environment(file, places))
        else:
            parts.append(_rows(file.settings(model), places))
    parts += [_OWN, _rows(Model(OwnCheck).settings(), places), _SECRETS, _rows(Model(SecretRef).settings(), places)]
    return "\n".join([*parts, *_variables()])


def _places_below(file: Model, model: str, path: str, known: Mapping[str, _Place]) -> Mapping[str, _Place]:
    """Return the place of each table below one; a model that stands in several has the first of them."""
    found: dict[str, _Place] = {}
    for one in file.settings(model):
        for inner in one.tables:
            if inner not in known and inner not in found:
                found[inner] = _Place(f"{path}.{one.key}" + (".ITEM" if one.is_named else ""), is_list=one.is_list)
                found |= _places_below(file, inner, found[inner].path, {**known, **found})
    return found


def _environment(file: Model, places: Mapping[str, _Place]) -> str:
    rows = [(*_row(one, places), "no" if one.key in NEVER_INHERITED else "yes") for one in file.settings("Environment")]
    about = "`[defaults]` takes the same keys, but for those that are never inherited.\n\n"
    return about + table(*_HEAD, "inherited", rows=rows)


def _variables() -> Iterator[str]:
    yield "## Variables of the process\n"
    yield "Those that may stand in `.env` are read from the file `.env` in the folder of probes.toml, too.\n"
    rows = [
        (f"`PROBEKIT_{name.upper()}`", "no" if name == "config" else "yes", _VARIABLES[name])
        for name in Variables.model_fields
    ]
    yield table("variable", "in `.env`", "description", rows=[*rows, _STATE])


def _rows(settings: Iterable[Setting], places: Mapping[str, _Place]) -> str:
    return table(*_HEAD, rows=[_row(one, places) for one in settings])


def _row(one: Setting, places: Mapping[str, _Place]) -> Sequence[str]:
    """Return the row of a setting; the word "table" leads to the section of its table."""
    key, kind, *rest = one.row
    anchors = {places[inner].anchor for inner in one.tables if inner in places}
    anchors |= {_PROBES_ANCHOR} if one.key == "probes" else {_SECRETS_ANCHOR} if _SECRET in kind else set()
    word = _SECRET if _SECRET in kind else "table"
    for anchor in anchors:
        kind = f"[{word}](#{anchor})".join(kind.rsplit(word, 1))
    return (key, kind, *rest)
