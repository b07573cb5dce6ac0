"""`probekit init URL`: inspect a running system and write a first probes.toml for it."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from probekit.cli.errors import exit_on_error
from probekit.cli.options import header_option
from probekit.cli.output import write_stderr, write_stdout
from probekit.config.by_url import with_scheme
from probekit.config.loader import read
from probekit.files import is_there
from probekit.model.measurement import ProbeFailedError, Reason
from probekit.text import escape, paragraph
from probekit.toml_file import ConfigError
from probekit.transport.urls import has_host
from probekit.workflows.discover import MOST_REQUESTS, Discovery, Standing, Start, discover
from probekit.workflows.first_file import first_file
from probekit.workflows.options import RequestError

_TIMEOUT: Final = 5.0  # seconds for one request
_DEFAULT: Final = "probes.toml"
_WIDTH: Final = 80
_HINTS: Final = {
    Reason.UNTRUSTED: "; trust its certificate authority with --ca FILE",
    Reason.MISSING_SECRET: "; set the variable that --header names",
}


@click.command(
    name="init",
    help=f"""Inspect a running system and write a first probes.toml for it.

    URL is the address of the system. A path in it is tried first as the health path. At most {MOST_REQUESTS} GET
    requests are sent to usual paths, at most 10 per second. Secrets are never guessed or written to the file.

    \b
    Examples:
      probekit init https://app.example.com
      probekit init https://app.example.com/health --header X-Key=PROBE_KEY
      probekit init https://staging.example.com --env staging --output -
    """,
)
@click.argument("url")
@click.option(
    "--env",
    "environment",
    default="prod",
    show_default=True,
    metavar="NAME",
    help="Name of the environment in the file.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    default=_DEFAULT,
    show_default=True,
    metavar="FILE",
    help="File to write, or - for stdout.",
)
@click.option(
    "--ca",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="CA certificates (PEM) to trust in addition to the system's.",
)
@header_option
@exit_on_error
def command(url: str, environment: str, output: Path, ca: Path | None, headers: Mapping[str, str]) -> int:
    """Inspect, report what was found, write the file and name the next commands."""
    is_file = str(output) != "-"
    if is_file and is_there(output):
        raise RequestError(f"{output} exists already: name another file with --output, or - for stdout")
    base_url, path = _parts(url)
    folder = output.parent if is_file else Path()
    ca = ca.absolute() if ca else None
    found = _discovered(Start(base_url=base_url, path=path, ca=ca, headers=headers, folder=folder))
    for line in _findings(found):
        for row in paragraph(line, width=_WIDTH, indent="  ", hanging="    "):
            write_stderr(row)
    commands = _commands(environment, output)
    text = first_file(found, environment, ca=ca, headers=headers, commands=commands)
    try:
        read(text, folder / _DEFAULT)
    except ConfigError as error:  # for example an invalid name of the environment
        raise RequestError(f"probekit cannot write a valid probes.toml: {error}") from error
    if is_file:
        _write(output, text)
    else:
        write_stdout(text)
    for line in _next(found, output, commands):
        write_stderr(line)
    return 0


def _instead(url: str) -> str:
    """Return what to write instead of a wrong URL; never the URL itself, which may hold a secret."""
    if "@" in url:
        return ", without a user; send a credential with --header Authorization=VARIABLE"
    if "://" not in url:
        return f"; write {with_scheme(url)}, or http:// without TLS"
    return ", without a query; add the query to 'path' in the file afterwards" if "?" in url else ""


def _parts(url: str) -> tuple[str, str | None]:
    """Return the origin of a URL, and its path or None.

    Raises:
        RequestError: the URL is invalid.
    """
    is_url = has_host(url) and url.startswith(("http://", "https://")) and not set("?# ") & set(url)
    parts = urlsplit(url) if is_url else None
    if parts is None or "@" in parts.netloc:
        raise RequestError(f"invalid URL, expected https://HOST or https://HOST/PATH{_instead(url)}")
    path = parts.path.rstrip("/") and parts.path
    return f"{parts.scheme}://{parts.netloc}", path or None


def _discovered(start: Start) -> Discovery:
    is_terminal = sys.stderr.isatty()

    def tell(path: str) -> None:
        if is_terminal:
            write_stderr(f"requesting {escape(path)}")

    try:
        return asyncio.run(discover(start, seconds=_TIMEOUT, now=lambda: datetime.now(UTC), tell=tell))
    except ProbeFailedError as error:
        raise RequestError(f"nothing was written: {error.detail}{_HINTS.get(error.reason, '')}") from error


def _write(output: Path, text: str) -> None:
    try:
        with output.open("x", encoding="utf-8") as file:  # exclusively: no link is followed and no file is overwritten
            file.write(text)
    except OSError as error:
        raise RequestError(f"{output} cannot be written: {error.strerror}") from error


def _findings(found: Discovery) -> Iterator[str]:
    """Yield a line for each thing that was found or not found."""
    nothing = "nothing found at the usual paths"
    locked = f"every path needs credentials: {found.refusal}; send them with --header NAME=ENV"
    yield f"health: {found.health or (locked if found.refusal else nothing)}"
    listed = f" lists {', '.join(found.components)}" if found.components else ""
    yield f"infrastructure: {found.infrastructure or nothing}{listed}"
    yield f"version: {f'{found.version[2]} at {found.version[0]}' if found.version else nothing}"
    if found.base_url.startswith("https://"):
        yield f"TLS: {found.certificate or 'the certificate could not be read'}"
        yield f"plain http redirects to https: {'yes' if found.plain_url else 'not seen'}"
    yield f"rate limit: {', '.join(found.limits) or 'no response header names one'}"
    if found.metrics:
        yield f"metrics: {found.metrics} is a Prometheus page, which kind scrape can read"
    yield from found.notes


def _commands(environment: str, output: Path) -> tuple[str, ...]:
    """Return the commands that use the file, in their order."""
    config = "" if str(output) in (_DEFAULT, "-") else f" --config {shlex.quote(str(output))}"
    env = f"--env {shlex.quote(environment)}{config}"
    words = (f"probe health {env}", f"plan {env}", f"verify {env} --deployed now")
    return tuple(escape(f"probekit {one}") for one in words)


def _next(found: Discovery, output: Path, commands: tuple[str, ...]) -> Iterator[str]:
    """Yield where the file is, what to complete in it, and the commands that use it."""
    written = "Save this as probes.toml." if str(output) == "-" else f"Wrote {output}."
    is_complete = found.health is not None and found.health.standing in (Standing.UNDERSTOOD, Standing.WEAK)
    yield escape(f"{written} {'Next:' if is_complete else 'Complete its health probe, then:'}")
    yield from (f"  {one}" for one in commands)
