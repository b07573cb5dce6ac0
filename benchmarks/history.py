"""What do 10,000 runs on record cost: on disk, in a verify, and when they are removed?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path

from measure import side_by_side, table, timed
from startup import Page

from probekit.history.store import RunSummary, Store
from probekit.model.history import TargetKey

RUNS = 10_000
EVERY = timedelta(minutes=4)  # the oldest of them began 28 days ago, and none is removed by its age
CONFIG = """
[env.x]
base_url = "{base_url}"
scope = ["deploy"]
settle = "0s"
spread = "0s"
attempt_interval = "0s"
block = "0.1s"
window = "0.6s"
throttle = {{ requests = 1000, per = "1s" }}

[env.x.probes.health]
kind = "http"
path = "/health"

[env.x.probes.api]
kind = "latency"
routes = [{{ path = "/api/one" }}, {{ path = "/api/two" }}]
rate = 100

[env.x.probes.host]
kind = "host"
host = "localhost"
"""


def filled(file: Path, target: TargetKey, report: dict) -> None:
    """A store that holds this report so many times."""
    began = datetime.now(UTC) - EVERY * RUNS
    with Store(file) as store:
        store._connection.execute("PRAGMA synchronous = OFF")
        for number in range(RUNS):
            store.record(
                RunSummary(
                    id=f"{number:012x}", target=target, started=began + EVERY * number,
                    release="2.3.1", action="go", exit_code=0, partial=False,
                ),
                report,
            )  # fmt: skip
        store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    target = TargetKey(environment="x", base_url=f"http://127.0.0.1:{server.server_port}")
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        config, report, full, empty = (here / name for name in ("probes.toml", "report.json", "full", "empty"))
        config.write_text(CONFIG.format(base_url=target.base_url))
        env = {"PATH": os.environ["PATH"], "HOME": folder, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}

        def probekit(*words: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "probekit", *words]
            return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

        def verify(state: Path, *more: str) -> None:
            words = ("--env", "x", "--config", str(config), "--state", str(state), "--no-settle", *more)
            done = probekit("verify", *words)
            assert done.returncode in (0, 10), done.stderr

        verify(empty, "--report", f"json={report}")
        document = json.loads(report.read_text("utf-8"))
        filled(full, target, document)
        size = full.stat().st_size
        quick = ("--probe", "health")
        works = {
            "verify --probe health, an empty store": lambda: timed(lambda: verify(empty, *quick)),
            "verify --probe health, 10,000 runs": lambda: timed(lambda: verify(full, *quick)),
            "runs list": lambda: timed(lambda: probekit("runs", "list", "--state", str(full))),
        }
        least = side_by_side(works, rounds=7)
        rows = [(name, f"{1000 * seconds:.0f} ms") for name, seconds in least.items()]
        begun = timed(lambda: print(probekit("runs", "prune", "--keep", "7d", "--state", str(full)).stdout.strip()))
        rows += [("runs prune --keep 7d", f"{1000 * begun:.0f} ms")]
        table(
            f"{RUNS} runs of {len(document['verdicts'])} items",
            [("", "wall or size"), *rows,
             ("a report", f"{report.stat().st_size / 1000:.0f} kB"),
             ("the store", f"{size / 1e6:.1f} MB"),
             ("the store, pruned", f"{full.stat().st_size / 1e6:.1f} MB")],
        )  # fmt: skip


if __name__ == "__main__":
    main()
