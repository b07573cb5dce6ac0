"""examples/gate.sh with probekit itself and a service on loopback."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pipelines import EXAMPLES, Pipeline

GATE = EXAMPLES / "gate.sh"
PROBES = """[env.prod]
base_url = "{target}"
control = ["{control}"]
scope = ["deploy.services.settle-time", "deploy.services.health-endpoint"]
settle = "1s"
spread = "0s"
attempt_interval = "0s"
limits = {{ "deploy.services.settle-time" = {{ expect = ["settled >= 1 s"], reason = "a test waits no longer" }} }}

[env.prod.probes.release]
kind = "release"
path = "/version"

[env.prod.probes.health]
kind = "http"
path = "/health"

[env.prod.probes.login]
kind = "http"
path = "/version"
"""


@contextmanager
def service(served: Path) -> Iterator[str]:
    """A service on loopback: the file holds its version and the status of its health."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            version, status = served.read_text("utf-8").split()
            code = {"/health": int(status), "/version": 200, "/": 200}.get(self.path, 404)
            body = json.dumps({"status": "ok" if code == 200 else "down", "version": version}).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_with_probekit_itself_a_good_release_stays_and_a_bad_one_is_rolled_back(tmp_path) -> None:
    pipeline = Pipeline(tmp_path)
    source = f'#!/bin/sh\nexec {sys.executable} -m probekit "$@"\n'
    (pipeline.programs / "probekit").write_text(source, "utf-8")
    served = tmp_path / "served"
    served.write_text("2.3.0 200", "utf-8")
    variables = {"HOME": str(tmp_path), **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}}

    with service(served) as target, service(served) as control:
        (tmp_path / "probes.toml").write_text(PROBES.format(target=target, control=control), "utf-8")
        good = pipeline.run("sh", GATE, "prod", "2.4.0", "false", "sh", "-c", "echo 2.4.0 200 >served", **variables)
        assert good.code == 0, good.output + good.errors
        back = "echo 2.4.0 200 >served"
        bad = pipeline.run("sh", GATE, "prod", "2.5.0", back, "sh", "-c", "echo 2.5.0 503 >served", **variables)

    assert bad.code == 20, bad.output + bad.errors
    reports = tmp_path / "reports"
    decisions = {
        name: json.loads((reports / f"{name}.json").read_text("utf-8"))["decision"]["action"]
        for name in ("before", "after", "rolled-back")
    }
    assert decisions == {"before": "go", "after": "rollback", "rolled-back": "go"}
    assert served.read_text("utf-8") == "2.4.0 200\n"
