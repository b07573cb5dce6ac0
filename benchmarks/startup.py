"""What does it cost to start? CPU of whole processes, beside an interpreter that does nothing."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from measure import cpu_of, side_by_side, table

# What a run imports that is not probekit's, with httpx as its one door imports it; structlog comes with an event.
NEEDED = (
    "probekit.transport, asyncio, ssl, sqlite3, httpx, httpcore, pydantic, pydantic_settings, click, "
    "asyncio_throttle, dotenv, platformdirs"
)


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"status": "ok"}'
        self.send_response(404 if "probekit" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    python, program = [sys.executable], [sys.executable, "-m", "probekit"]
    with tempfile.TemporaryDirectory() as folder:
        env = {"PATH": os.environ["PATH"], "HOME": folder}
        env |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}  # of another source tree
        file = Path(folder) / "probes.toml"
        file.write_text(
            f'[env.x]\nbase_url = "http://127.0.0.1:{server.server_port}"\n'
            'scope = ["deploy.services.health-endpoint"]\n'
            'settle = "0s"\nspread = "0s"\n[env.x.probes.health]\nkind = "http"\npath = "/health"\n'
        )
        verify = [*program, "verify", "--env", "x", "--config", str(file), "--state", "none"]
        commands = {
            "python -c pass": [*python, "-c", "pass"],
            "probekit --version": [*program, "--version"],
            "probekit --help": [*program, "--help"],
            "import what verify needs": [*python, "-c", f"import {NEEDED}"],
            "probekit verify, one endpoint": verify,
        }
        least = side_by_side({name: lambda c=c: cpu_of(c, env) for name, c in commands.items()}, rounds=7)
    nothing, needed = least["python -c pass"], least["import what verify needs"]
    rows = [
        (name, f"{1000 * seconds:.0f} ms", f"{seconds / nothing:.1f}", f"{seconds / needed:.2f}")
        for name, seconds in least.items()
    ]
    table("CPU of a process", [("", "CPU", "x nothing", "x its imports"), *rows])


if __name__ == "__main__":
    main()
