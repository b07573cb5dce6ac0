"""Write the documents that restate code: pages, tables of other pages, probes.schema.json; --check compares them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from docpages import exit_codes, faults, keys, kinds, python_api
from docpages.markdown import table

from probekit import checklist, reports
from probekit.config.schema import schema
from probekit.model.checklist import Item
from probekit.planning.coverage import kinds_for_item

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES_WITH_TABLES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))  # between <!-- NAME --> and <!-- end -->


def documents() -> Mapping[Path, str]:
    """Return each document as the code has it now."""
    known = checklist.load("softfactory")
    generated = {
        DOCS / "keys.md": keys.page(),
        DOCS / "kinds.md": kinds.page(known),
        DOCS / "faults.md": faults.page(),
        DOCS / "exit-codes.md": exit_codes.page(),
        ROOT / "probes.schema.json": json.dumps(schema(), indent=1) + "\n",
    }
    tables = {
        "codes": exit_codes.codes(),
        "coverage": coverage(known),
        "formats": formats(),
        "api": python_api.reference(),
    }
    others = [page for page in PAGES_WITH_TABLES if page not in generated]
    return {**filled({page: page.read_text("utf-8") for page in others}, tables), **generated}


def filled(pages: Mapping[Path, str], tables: Mapping[str, str]) -> Mapping[Path, str]:
    """Return the pages with each table as the code has it now.

    Raises:
        ValueError: no page has a mark for a table, or the mark of its end is missing.
    """
    found = dict(pages)
    for name, rows in tables.items():
        marked = [page for page, text in found.items() if f"<!-- {name} -->\n" in text]
        if not marked:
            raise ValueError(f"no page has <!-- {name} -->")
        for page in marked:
            before, mark, rest = found[page].partition(f"<!-- {name} -->\n")
            _, end, after = rest.partition("<!-- end -->")
            if not end:
                raise ValueError(f"{page.name} has no <!-- end --> after <!-- {name} -->")
            found[page] = f"{before}{mark}{rows}{end}{after}"
    return found


def coverage(known: checklist.Checklist) -> str:
    """Return what answers the items of the built-in checklist: one sentence, and one row for each phase."""
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
    return summary + table("phase", "a kind", "a person", "not built", rows=lines)


def formats() -> str:
    """Return what each report format is for."""
    known = map(reports.load_format, reports.format_names())
    return table("format", "for", rows=[(f"`{one.name}`", one.help) for one in known])


_ANSWERS = ("kind", "person", "none")


def _answered_by(item: Item, known: checklist.Checklist) -> str:
    if item.probe is None:
        return "person"
    return "kind" if kinds_for_item(item, known) else "none"


if __name__ == "__main__":
    stale = {path: text for path, text in documents().items() if not path.exists() or path.read_text("utf-8") != text}
    if "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(path.name for path in stale)}: make docs" if stale else 0)
    for path, text in stale.items():
        path.write_text(text, "utf-8")
