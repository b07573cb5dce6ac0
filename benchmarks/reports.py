"""How long do reports of 203 items take, and the files to be read?"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from time import process_time

from measure import side_by_side, table, timed

from probekit import checklist, reports
from probekit.config.loader import load
from probekit.model.report import Report
from probekit.workflows.options import RunOptions
from probekit.workflows.verify import execute_run

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
    works = {
        **{name: partial(_written, name, report) for name in reports.format_names()},
        "checklist": lambda: timed(lambda: checklist.load("softfactory")),
        "checklist and configuration": lambda: timed(lambda: load(FILE)),
    }
    least = side_by_side(works, rounds=9)
    rows = [(name, f"{1000 * seconds:.1f} ms") for name, seconds in least.items()]
    table(f"{len(report.verdicts)} items", [("", "wall"), *rows])


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
