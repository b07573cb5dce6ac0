"""Write what restates code: tables of two pages, docs/kinds.md, probes.schema.json; --check says whether it holds."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from probekit import checklist, probes
from probekit.cli.codes import MEANINGS
from probekit.cli.kind_facts import cost, default_limits, settings, speaks_of, table
from probekit.config.schema import schema
from probekit.demo.target import FAULTS
from probekit.model.checklist import Item
from probekit.planning.coverage import kinds_for, kinds_for_item

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DEMO = ROOT / "docs" / "demo.md"
KINDS = ROOT / "docs" / "kinds.md"
SCHEMA = ROOT / "probes.schema.json"


def documents() -> Mapping[Path, str]:
    """Each document as the code has it now."""
    return {
        **{page: _filled(page.read_text("utf-8")) for page in (README, DEMO)},
        KINDS: "\n".join(_kinds()),
        SCHEMA: json.dumps(schema(), indent=1) + "\n",
    }


def _filled(text: str) -> str:
    """A page with each of its tables as the code has it now."""
    faults = _table("fault", "what is broken", rows=[(f"`{name}`", sentence) for name, sentence in FAULTS.items()])
    codes = _table("code", "decision", "when", rows=[(str(code), *told) for code, told in MEANINGS.items()])
    for name, rows in {"faults": faults, "codes": codes, "coverage": _coverage()}.items():
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m, r=rows: m[1] + r + m[2], text, flags=re.DOTALL
        )
    return text


def _coverage() -> str:
    """What answers the items of the built-in checklist, in one sentence and one line for each phase."""
    known = checklist.load("softfactory")
    lines, total = [], Counter[str]()
    for phase, title in known.phases.items():
        counts = Counter(_answered_by(item, known) for item in known.select(phase))
        total += counts
        lines.append((title, *(str(counts[word]) for word in _ANSWERS)))
    lines.append(("all", *(str(total[word]) for word in _ANSWERS)))
    summary = (
        f"Kinds of probekit measure {total['kind']} of the {total.total()} items, people answer {total['person']}, "
        f"and {total['none']} have no kind yet: a program of your own can fill those (kind `command`).\n\n"
    )
    return summary + _table("phase", "a kind", "a person", "not built", rows=lines)


_ANSWERS = ("kind", "person", "none")


def _answered_by(item: Item, known: checklist.Checklist) -> str:
    if item.probe is None:
        return "person"
    return "kind" if kinds_for_item(item, known) else "none"


def _kinds() -> Iterator[str]:
    """One section for each kind that comes with probekit."""
    known = checklist.load("softfactory")
    kinds_of = {probe: kinds_for(probe, known) for probe in known.probes}
    yield "# Kinds\n"
    yield (
        "A kind is the plugin that fills a probe of the checklist. `make docs` writes this page from their code; "
        "`probekit explain kind:NAME` shows the same.\n"
    )
    for name in probes.kind_names():
        kind = probes.load_kind(name)
        yield f"## `{name}`\n"
        yield f"{speaks_of(kind)}\n"
        filled = [probe for probe, kinds in kinds_of.items() if name in kinds]
        yield f"- fills: {', '.join(f'`{probe}`' for probe in filled) or 'any probe'}"
        yield f"- default limits of a probe of your own: {default_limits(kind)}"
        yield f"- cost: {cost(kind)}"
        yield f"- safety: {kind.safety}"
        if "\n" in kind.privileges:
            yield f"- least privileges:\n\n```sql\n{kind.privileges}```\n"
        else:
            yield f"- least privileges: {kind.privileges}\n"
        yield f"```toml\n{table(kind, known)}```\n"
        metrics = [(f"`{metric.name}`", metric.unit, metric.help) for metric in kind.metrics]
        yield _table("metric", "unit", "what it is", rows=metrics)
        rows = [(f"`{key}`", default, told.replace("|", "\\|")) for key, default, told in settings(kind)]
        yield _table("setting", "default", "what it says", rows=rows)


def _table(*head: str, rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    stale = {path: text for path, text in documents().items() if not path.exists() or path.read_text("utf-8") != text}
    if "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(path.name for path in stale)}: make docs" if stale else 0)
    for path, text in stale.items():
        path.write_text(text, "utf-8")
