"""docs/kinds.md: one section for each kind that comes with probekit."""

from __future__ import annotations

from collections.abc import Iterator

from docpages.markdown import GENERATED, code, table
from docpages.settings import Model
from probekit import probes
from probekit.checklist import Checklist
from probekit.cli.kind_facts import cost, default_limits, speaks_of, table as example_of
from probekit.planning.coverage import kinds_for
from probekit.probes import AnyKind

_INTRODUCTION = """\
# Kinds

A kind is the plugin that fills a probe of the checklist. `probekit explain kind:NAME` prints the section of one kind,
`probekit explain PROBE` the kinds that fill a probe.
"""


def page(known: Checklist) -> str:
    """Return the page."""
    kinds = {name: probes.load_kind(name) for name in probes.kind_names()}
    filled = {
        name: [probe for probe in known.probes if name in kinds_for(probe, known)] or ["any probe"] for name in kinds
    }
    rows = [(f"[`{name}`](#{name})", speaks_of(kind), _probes(filled[name])) for name, kind in kinds.items()]
    parts = [GENERATED, _INTRODUCTION, table("kind", "what it measures", "fills", rows=rows)]
    for name, kind in kinds.items():
        parts += _section(name, kind, filled[name], known)
    return "\n".join(parts)


def _probes(names: list[str]) -> str:
    return ", ".join(name if " " in name else code(name) for name in names)


def _section(name: str, kind: AnyKind, filled: list[str], known: Checklist) -> Iterator[str]:
    yield f"## `{name}`\n"
    yield f"{speaks_of(kind)}\n"
    yield f"```toml\n{example_of(kind, known)}```\n"
    is_block = "\n" in kind.privileges
    facts = [
        ("fills", _probes(filled)),
        ("default limits of a probe of your own", default_limits(kind)),
        ("cost", cost(kind)),
        ("safety", kind.safety),
        ("least privileges", "see below" if is_block else kind.privileges),
    ]
    yield table("property", "value", rows=facts)
    if is_block:
        yield f"Least privileges:\n\n```sql\n{kind.privileges}```\n"
    metrics = [(code(metric.name), metric.unit, metric.help) for metric in kind.metrics]
    yield table("metric", "unit", "description", rows=metrics)
    settings = [one.row for one in Model(kind.config).flat() if one.key != "kind"]
    yield table("setting", "type", "default", "description", rows=settings)
