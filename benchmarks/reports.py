"""How long do reports of 203 items take, and the files to be read?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import process_time

from measure import side_by_side, table, timed

from probekit import checklist, reports
from probekit.config.loader import load
from probekit.model.report import Report
from probekit.workflows.options import RunOptions
from probekit.workflows.verify import execute_run

MANY = 10_000
FILE = Path(__file__).parents[1] / "probes.toml"
EMPTY = """
[env.all]
base_url = "http://127.0.0.1:1"
scope = ["pre", "deploy", "post", "rollback", "signoff"]
settle = "0s"
"""


def main() -> None:
    file = Path("/tmp/probekit-benchmark.toml")
    file.write_text(EMPTY)
    report = asyncio.run(execute_run(RunOptions(environment="all", config=file, settle=False)))
    file.unlink()
    cold = [(name, *_first(name, report)) for name in sorted(reports.format_names(), key="json".__ne__)]
    beyond = sum(seconds for name, seconds, _ in cold if name not in {"json", "console"})
    rows = [(name, f"{1000 * seconds:.1f} ms", f"{size / 1000:.0f} kB") for name, seconds, size in cold]
    total = ("all but json and console", f"{1000 * beyond:.1f} ms", "")
    table(f"{len(report.verdicts)} items, first report of a process", [("", "CPU", "size"), *rows, total])
    many = _many(report)
    large = [(name, *_first(name, many)) for name in reports.format_names()]
    rows = [(name, f"{seconds:.2f} s", f"{size / 1e6:.1f} MB") for name, seconds, size in large]
    table(f"{MANY:,} items", [("", "CPU", "size"), *rows])
    works = {
        **{name: partial(_written, name, report) for name in reports.format_names()},
        "checklist": lambda: timed(lambda: checklist.load("softfactory")),
        "checklist and configuration": lambda: timed(lambda: load(FILE)),
    }
    least = side_by_side(works, rounds=9)
    rows = [(name, f"{1000 * seconds:.1f} ms") for name, seconds in least.items()]
    table(f"{len(report.verdicts)} items", [("", "wall"), *rows])


def _many(report: Report) -> Report:
    """The report with 10,000 verdicts."""
    found = report.verdicts
    items = [replace(found[at % len(found)].item, id=f"deploy.section-{at % 40}.item-{at}") for at in range(MANY)]
    verdicts = tuple(replace(found[at % len(found)], item=item) for at, item in enumerate(items))
    lines = {item.id: item.text for item in items}
    return replace(report, verdicts=verdicts, items=MANY, document=replace(report.document, lines=lines))


def _first(name: str, report: Report) -> tuple[float, int]:
    """CPU seconds of the first report in a format, its imports included, and its bytes."""
    start = process_time()
    form = reports.load_format(name)
    texts = [form.text(report), *(render(report, reports.PLAIN) for render in form.appended.values())]
    return process_time() - start, sum(len(text.encode()) for text in texts)


def _written(name: str, report: Report) -> float:
    return timed(lambda: reports.load_format(name).text(report))


if __name__ == "__main__":
    main()
