"""How long do reports of 203 items take, and the files to be read?"""

from __future__ import annotations

import asyncio
from pathlib import Path

from measure import side_by_side, table, timed

from probekit import checklist, reports
from probekit.config.loader import load
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
    works = {
        "console": lambda: timed(lambda: reports.load_format("console").text(report)),
        "json": lambda: timed(lambda: reports.load_format("json").text(report)),
        "checklist": lambda: timed(lambda: checklist.load("softfactory")),
        "checklist and configuration": lambda: timed(lambda: load(FILE)),
    }
    least = side_by_side(works, rounds=9)
    rows = [(name, f"{1000 * seconds:.1f} ms") for name, seconds in least.items()]
    table(f"{len(report.verdicts)} items", [("", "wall"), *rows])


if __name__ == "__main__":
    main()
