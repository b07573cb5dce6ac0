"""Play one release on the embedded target: gate, marks, verification, archive.

`make demo-release` runs the commands of a pipeline one after the other and shows them as they are typed. A row makes
one fact of the release wrong; the item that finds it is named at the end. The target is real; the scanner's report, the
deployment itself and the deployment log are stand-ins that this script writes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from probekit.demo import environment
from probekit.demo.environment import Sampling
from probekit.demo.target import Target, running_target

COMMIT: Final = "3f2a9c1d5b7e8f60"
OTHER_COMMIT: Final = "0badc0de0badc0de"
GATE, SCAN = "deploy.preflight.pre-deployment-gate", "pre.review.no-critical-vulnerabilities"
SCOPE: Final = (
    SCAN,
    "pre.security.tls-days-left",
    GATE,
    "deploy.preflight.deploy-log-recording",
    "deploy.preflight.window-opened",
    "deploy.services.settle-time",
    "deploy.services.health-endpoint",
    "deploy.services.infrastructure-health",
    "deploy.smoke.core-endpoints",
    "deploy.rollout.deployment-verdict",
    "deploy.rollout.deployment-duration",
    "post.database.data-integrity",
    "post.security.cors",
    "post.records.logs-archived",
    "post.records.issues-ticketed",
    "post.records.report-created",
    "rollback.steps.health-after-rollback",
)
PROBES: Final = ("release", "health", "infrastructure", "routes", "database-integrity", "cors")
_TABLES: Final = """
[env.demo.release]
commit = {{ env = "GIT_COMMIT" }}
previous = "2.3.0"

[env.demo.deployment_window]
from = {start}
to = {end}

[env.demo.probes.vulnerabilities]
kind = "command"                         # a scanner's report; a pipeline writes it next to the image
argv = ["/bin/cat", "{report}"]
metrics = {{ critical = "$.critical" }}
record = {{ commit = "$.commit", made = "$.finished" }}
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """The wrong fact of a row, and the item that finds it with its outcome."""

    item: str
    outcome: str
    gate: bool = True
    gate_limit: str | None = None
    commit: str = COMMIT
    made: timedelta = timedelta(minutes=5)  # before now
    window: timedelta = timedelta(0)  # by how much it is moved


ROWS: Final = {
    "no-gate": Row(item=GATE, outcome="fail", gate=False),
    "old-gate": Row(item=GATE, outcome="fail", gate_limit="gate_age_at_deployment <= 0.00001 h"),
    "another-commit": Row(item=SCAN, outcome="inconclusive", commit=OTHER_COMMIT),
    "old-record": Row(item=SCAN, outcome="inconclusive", made=timedelta(hours=25)),
    "outside-window": Row(item="deploy.preflight.window-opened", outcome="fail", window=timedelta(hours=-3)),
}
GOOD: Final = Row(item=GATE, outcome="pass")


class Play:
    """One release on a running target, by the commands of a pipeline."""

    def __init__(self, target: Target, row: Row, show: Callable[[str], None]) -> None:
        self._row, self._show = row, show
        self._version = target.version
        self.folder = target.folder.absolute()
        self.log = self.folder / "deploy.log"
        self._write(target)

    def _write(self, target: Target) -> None:
        """Write the configuration and the scanner's report."""
        now = datetime.now(UTC).replace(microsecond=0)
        report, middle = self.folder / "scan.json", now + self._row.window
        made = now - self._row.made
        report.write_text(json.dumps({"critical": 0, "commit": self._row.commit, "finished": made.isoformat()}))
        path = environment.write(target, Sampling(scope=SCOPE))
        text = _without_unused(path.read_text()).replace(
            "vantage = ", 'archive = "archive"\ntrust = ["vulnerabilities"]\nvantage = '
        )
        if self._row.gate_limit:
            why = "the demo does not wait for four hours"
            changed = f'"{GATE}" = {{ expect = ["{self._row.gate_limit}"], reason = "{why}" }}\n'
            text = text.replace("[env.demo.limits]\n", f"[env.demo.limits]\n{changed}")
        window = {"start": _written(middle - timedelta(hours=1)), "end": _written(middle + timedelta(hours=1))}
        path.write_text(text + _TABLES.format(report=report, **window))

    def run(self) -> dict[str, str]:
        """Play the release and return the outcome of each item in the last run."""
        version = self._version
        if self._row.gate:
            self._call("verify", "--phase", "pre", "--stage", "before", "--release", version)
        self._call("deployment", "start", "--release", version)
        self._call("deployment", "log", self.log.name)
        self._deploy()
        self._call("verify", "--phase", "deploy")
        self._call("deployment", "finish")
        self._call("verify")
        self._call("runs", "ticket", "post.records.logs-archived", "https://tickets.example.test/1")
        self._call("verify", "--report", "json=report.json", "--report", "console", "--show", "all")
        self._show("$ cd archive/* && sha256sum -c *.sha256")
        (folder,) = (self.folder / "archive").iterdir()
        sums = sorted(one.name for one in folder.glob("*.sha256"))
        checked = subprocess.run(["sha256sum", "-c", *sums], cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603, S607  # names that probekit wrote
        self._show(checked.stdout)
        verdicts = json.loads((self.folder / "report.json").read_text())["verdicts"]
        return {verdict["item"]: verdict["outcome"] for verdict in verdicts}

    def _deploy(self) -> None:
        """Write what a deployment would log: the target serves this version already."""
        self._show(f"$ ./deploy.sh > {self.log.name}    # a stand-in")
        with self.log.open("a") as log:
            log.write(f"{datetime.now(UTC).isoformat()} deployed {self._version}\n")

    def _call(self, *words: str) -> None:
        self._show(f"$ probekit {' '.join(words)}{' --env demo' if words[0] != 'verify' else ''}")
        variables = {**os.environ, "GIT_COMMIT": COMMIT, "PROBEKIT_STATE": str(self.folder / "state.sqlite3")}
        more = ["--env", "demo"] if words[0] != "verify" else []
        command = [sys.executable, "-m", "probekit", *words, *more]
        done = subprocess.run(command, cwd=self.folder, env=variables, capture_output=True, text=True, check=False)  # noqa: S603  # its own commands
        self._show(f"{done.stdout}{done.stderr}")
        if done.returncode not in (0, 10):
            raise SystemExit(f"{words[0]} ended with exit code {done.returncode}")


def _without_unused(text: str) -> str:
    """Return the configuration without the tables of probes that no item of the scope reads."""
    head, *tables = text.split("\n[env.demo.probes.")
    kept = [table for table in tables if table.partition("]")[0].partition(".")[0] in PROBES]
    return "\n[env.demo.probes.".join([head, *kept])


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def main(arguments: Sequence[str]) -> int:
    """Play the release, and return 0 if the item of the row has its outcome."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", choices=sorted(ROWS), help="make one fact of the release wrong")
    row = ROWS.get(parser.parse_args(arguments).row or "", GOOD)
    began = time.monotonic()
    with running_target() as target:
        outcomes = Play(target, row, lambda text: print(text, flush=True)).run()  # noqa: T201  # the play is its output
    is_found = outcomes.get(row.item) == row.outcome
    print(f"{row.item}: {outcomes.get(row.item)}, expected {row.outcome}; {time.monotonic() - began:.0f} s")  # noqa: T201  # see above
    return 0 if is_found else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
