"""`probekit explain`: what one item, probe or kind is about, and what it takes to have it measured."""

from __future__ import annotations

import inspect
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from probekit import probes
from probekit.checklist import Checklist
from probekit.cli import complete
from probekit.cli.config_file import default_config
from probekit.cli.listing import checklist_at
from probekit.cli.output import write_stdout
from probekit.cli.trouble import exit_on_error
from probekit.model.checklist import Band, Item
from probekit.model.limit import Limit
from probekit.model.quantity import duration_text
from probekit.planning.coverage import kinds_for, kinds_for_any, kinds_for_item
from probekit.probe import is_duration
from probekit.probes import AnyKind
from probekit.text import paragraph
from probekit.toml_file import nearest
from probekit.workflows.options import RequestError

_FOLLOWS = {
    "rollback": "roll back, if it is confirmed, new and soon after a deployment",
    "investigate": "investigate until its deadline",
    "hotfix": "a hotfix, or the next release",
    "document": "note it for the next release",
}


@click.command(name="explain")
@click.argument("name", shell_complete=complete.items)
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Whose checklist; else the built-in one."
)
@exit_on_error
def command(name: str, config: Path | None) -> int:
    """Explain an item, a probe of the checklist, or a kind.

    \b
    Examples:
      probekit explain deploy.services.health-endpoint
      probekit explain database
      probekit explain kind:postgres
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    path = default_config(config)
    checklist = checklist_at(path)
    write_stdout("".join(f"{line}\n" for text in _explained(name, checklist) for line in _shown(text)))
    return 0


def _shown(text: str) -> list[str]:
    """A sentence wrapped by words; lines to be copied as they stand, indented."""
    if text.endswith("\n"):
        return [f"    {line}" for line in text.splitlines()]
    return paragraph(text, width=80, hanging="      " if text.startswith("  ") else "  ") or [""]


def _explained(name: str, checklist: Checklist) -> Iterator[str]:
    kind_name = name.removeprefix("kind:")
    items = [item for item in checklist.items if item.id == name]
    if items:
        return _item(items[0], checklist)
    if name in checklist.probes:
        return _probe(name, checklist)
    if probes.is_kind_installed(kind_name):
        return _kind(kind_name, probes.load_kind(kind_name), checklist)
    known = [*(item.id for item in checklist.items), *checklist.probes, *probes.kind_names()]
    raise RequestError(f"no item, probe or kind '{name}'{nearest(name, known)}; see: probekit list items|probes|kinds")


def _item(item: Item, checklist: Checklist) -> Iterator[str]:
    yield f"{item.id}: {item.title}"
    if item.is_own:
        yield f"a check of your own, by probe '{item.probe}'; it stands outside the account of the checklist"
    else:
        yield f'the checklist says: "{item.text}" ({checklist.sections[item.section]})'
    yield f"severity: {item.severity}; {item.owner} answers for it"
    if item.expect:
        yield f"limits: {_limits(item.expect)}" + (
            " (set by this checklist: the document names no number)" if item.not_in_document else ""
        )
    for band in item.bands:
        yield f"  {band.severity} when {band.when}{_deadline(band)}"
    if item.confirm > 1:
        yield f"a failure counts when {item.confirm} attempts were all bad"
    if item.probe and not item.is_own and not kinds_for_item(item, checklist):
        yield f"not built yet: no kind gives {', '.join(sorted(item.metrics))}; a program of your own can (see below)"
    if item.matrix_row:
        yield f"if it fails: {_FOLLOWS[item.matrix_row.action]} (row '{item.matrix_row.text}')"
    if item.criteria:
        yield f"success criterion: {', '.join(item.criteria)}"
    if item.applies_if:
        yield f"it applies when: {checklist.facts[item.applies_if]}"
    if item.signoff_rule:
        need = "required" if item.signoff_rule == "required" else "accepted where no probe is configured"
        yield f"a signature is {need}" + ("; without it the release is held" if item.holds_if_pending else "")
    for source in item.sources:
        yield f"source: {source}"
    if item.probe and not item.is_own:
        yield ""
        yield from _probe(item.probe, checklist)


def _limits(limits: tuple[Limit, ...]) -> str:
    return " and ".join(str(limit) for limit in limits)


def _deadline(band: Band) -> str:
    if band.deadline is None:
        return ""
    then = band.deadline.then if isinstance(band.deadline.then, str) else f"rollback if {band.deadline.then}"
    return f", {band.deadline.minutes:g} min, then {then}"


def _probe(name: str, checklist: Checklist) -> Iterator[str]:
    promise = checklist.probes[name]
    yield f"probe {name}: {promise.help}"
    yield f"metrics: {', '.join(f'{metric} ({unit})' if unit else metric for metric, unit in promise.metrics.items())}"
    if own := next((item.id for item in checklist.items if item.is_own and item.probe == name), None):
        yield f"it is configured: probekit explain {own} shows its limits, probekit probe {name} what it reads"
        return
    made = kinds_for(name, checklist)
    generic = ", ".join(kinds_for_any())
    yield f"kinds that fill it: {', '.join(made) or 'not built yet'}; {generic} can, with a program of your own"
    if promise.parts:
        yield f"several instances, also of different kinds, may each give a part of its metrics: {name}.PART"
    for kind in made:
        yield ""
        yield from _kind(kind, probes.load_kind(kind), checklist, probe=name)
    for kind in kinds_for_any():
        example = probes.load_kind(kind).example_for
        if example:
            yield ""
            yield f"by a program of your own (probekit explain kind:{kind} tells all settings):"
            metrics = _all_of_one_item(name, checklist)
            yield f"[env.prod.probes.{name}]\n{example(name, metrics, frozenset(promise.samples))}"


def _all_of_one_item(probe: str, checklist: Checklist) -> tuple[str, ...]:
    """Return the metrics that the first item of a probe asks for, else the first metric of the probe."""
    items = (item for item in checklist.items if item.probe == probe)
    first = next(items, None)
    asked = dict.fromkeys(limit.metric for limit in first.expect) if first else {}
    return tuple(asked) or tuple(checklist.probes[probe].metrics)[:1]


def _kind(name: str, kind: AnyKind, checklist: Checklist, *, probe: str = "") -> Iterator[str]:
    yield f"kind {name}: {speaks_of(kind)}"
    yield f"cost: {cost(kind)}; safety: {kind.safety}"
    if not probe:
        yield f"default limits of a probe of your own: {default_limits(kind)}"
    yield "least privileges: " + ("" if kind.privileges.endswith("\n") else kind.privileges)
    if kind.privileges.endswith("\n"):
        yield kind.privileges
    yield "in probes.toml:"
    yield table(kind, checklist, probe=probe)
    for key, default, meaning in settings(kind):
        yield f"  {key} ({default if default == 'required' else f'default {default}'}): {meaning}"


def speaks_of(kind: AnyKind) -> str:
    """The question that the kind answers: the first line of its file."""
    return (inspect.getdoc(inspect.getmodule(kind.measure or kind.sample)) or "").partition("\n")[0]


def cost(kind: AnyKind) -> str:
    """Requests of one measurement, by the example's settings where they tell, and what it may send as load."""
    example = kind.configure(tomllib.loads(kind.example))
    by_settings = ", by its settings (here: the example's)"
    most = f"at most {example.requests} request{'s' * (example.requests != 1)} a measurement"
    load = f"; where load is allowed, at most {example.load.requests}{by_settings}" if example.load else ""
    return most + (by_settings if callable(kind.requests) else "") + load


def default_limits(kind: AnyKind) -> str:
    """Return what a probe of a user's own of this kind expects, by the example's settings."""
    example = kind.configure(tomllib.loads(kind.example))
    return " and ".join(example.default_limits) or "none: state them in 'expect'"


def table(kind: AnyKind, checklist: Checklist, *, probe: str = "") -> str:
    """The kind's example as it stands in probes.toml: under that probe, else under the one that it fills best."""
    known = [one for one in kind.fills if one in checklist.probes]
    return f"[env.prod.probes.{probe or next(iter(known), 'NAME')}]\n{kind.example}"


def settings(kind: AnyKind) -> Iterator[tuple[str, str, str]]:
    """Every setting of the kind's own: its key, "required" or its default as probes.toml says it, and its meaning."""
    for key, default, meaning in _settings(kind.config):
        if key != "kind":
            yield key, default, meaning


def _settings(table: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    """The settings of one table, each with those of its entries where it is a list of tables."""
    for key, field in table.model_fields.items():
        name = field.alias or key
        yield name, "required" if field.is_required() else _written(field), field.description or ""
        for inner in get_args(field.annotation):
            if isinstance(inner, type) and issubclass(inner, BaseModel) and get_origin(field.annotation) in _LISTS:
                yield from ((f"{name}[].{key}", default, meaning) for key, default, meaning in _settings(inner))


_LISTS = (list, tuple)


def _written(field: FieldInfo) -> str:
    if field.default is None:
        return "none"
    if is_duration(field):
        return f'"{duration_text(field.default)}"'
    return json.dumps(field.default, default=str)
