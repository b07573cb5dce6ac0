"""`probekit init URL`: look at a running system and write its first probes.toml."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click

from probekit import checklist, probes
from probekit.cli.output import write_stderr, write_stdout
from probekit.cli.trouble import exit_on_error
from probekit.config.loader import read
from probekit.model.measurement import ProbeFailedError
from probekit.planning.coverage import kinds_for
from probekit.text import escape
from probekit.toml_file import ConfigError
from probekit.transport.client import Http
from probekit.transport.trust import Trust
from probekit.transport.urls import has_host
from probekit.workflows.discover import Discovery, discover
from probekit.workflows.options import RequestError

_TIMEOUT = 5.0  # seconds for one request


@click.command(name="init")
@click.argument("url")
@click.option("--env", "environment", default="prod", show_default=True, metavar="NAME", help="What to call it.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    default="probes.toml",
    show_default=True,
    metavar="FILE",
    help="Where to write; - for stdout.",
)
@click.option("--ca", type=click.Path(path_type=Path), metavar="FILE", help="CA certificates in PEM, believed too.")
@exit_on_error
def command(url: str, environment: str, output: Path, ca: Path | None) -> int:
    """Look at a running system and write a commented probes.toml for it.

    It sends some thirty GET requests to usual paths, tells what it found, and guesses no secret.

    \b
    Examples:
      probekit init https://app.example.com
      probekit init https://staging.example.com --env staging --output -
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    base_url = url.rstrip("/")
    to_file = str(output) != "-"
    if to_file and (output.exists() or output.is_symlink()):
        raise RequestError(f"{output} is there already: name another file with --output, or - for stdout")
    if not has_host(base_url) or not base_url.startswith(("http://", "https://")) or set("?#@ ") & set(base_url):
        raise RequestError("no URL to look at, expected https://HOST, without a user or a query")
    found = _looked_at(base_url, ca)
    for line in _findings(found):
        write_stderr(f"  {escape(line)}")
    text = "".join(f"{line}\n" for line in _written(found, environment, ca))
    try:
        read(text, Path("probes.toml"))
    except ConfigError as error:  # a name of an environment that is none, say
        raise RequestError(f"no probes.toml can be made of this: {error}") from error
    if not to_file:
        write_stdout(text)
        return 0
    try:
        with output.open("x", encoding="utf-8") as file:  # exclusively: nothing is followed or written over
            file.write(text)
    except OSError as error:
        raise RequestError(f"{output} cannot be written: {error.strerror}") from error
    write_stderr(
        f"{output} is written. Next: probekit plan --env {environment}, then probekit verify --env {environment}"
    )
    return 0


def _looked_at(base_url: str, ca: Path | None) -> Discovery:
    is_terminal = sys.stderr.isatty()

    def tell(path: str) -> None:
        if is_terminal:
            write_stderr(f"looking at {escape(path)}")

    http = Http(run=uuid4().hex[:12], trust=Trust(ca=ca.absolute() if ca else None), rate=(10, 1.0))
    try:
        return asyncio.run(discover(base_url, http, seconds=_TIMEOUT, now=lambda: datetime.now(UTC), tell=tell))
    except ProbeFailedError as error:
        hint = "; name its authority's certificate with --ca" if error.reason.value == "untrusted" else ""
        raise RequestError(f"nothing was written: {escape(error.detail)}{hint}") from error


def _findings(found: Discovery) -> Iterator[str]:
    """What was found and what was not, in words."""
    doubt = f", which is no pass as it is: {found.health_doubt}" if found.health_doubt else ""
    yield f"health: {found.health or 'nothing at the usual paths'}{doubt}"
    listed = f" lists {', '.join(found.components)}" if found.components else ""
    yield f"infrastructure: {found.infrastructure or 'nothing at the usual paths'}{listed}"
    yield f"version: {f'{found.version[2]} at {found.version[0]}' if found.version else 'nothing at the usual paths'}"
    if found.base_url.startswith("https://"):
        yield f"TLS: {found.certificate or 'its certificate could not be read'}"
        yield f"plain http leads to https: {'yes' if found.plain_url else 'not seen'}"
    yield f"rate limit: {', '.join(found.limits) or 'no answer tells one'}"
    yield from found.notes


def _written(found: Discovery, environment: str, ca: Path | None) -> Iterator[str]:
    """The file, line by line; whatever the target said stands in it as a TOML string."""
    env = f"env.{_key(environment)}"
    scope = list(_scope(found))
    yield f"# What `probekit init` saw of {_comment(found.base_url)}."
    yield f"# `probekit plan --env {_comment(environment)}` checks this file and touches nothing."
    yield ""
    yield f"[{env}]"
    yield f"base_url = {_quoted(found.base_url)}"
    yield "scope = [                        # what this environment is held to"
    yield from (f"    {_quoted(item)}," for item in scope)
    yield from _rest(set(scope))
    yield "]"
    yield 'control = []                     # outside the target, such as ["https://status.example.net/ok"];'
    yield "                                 # without one nothing orders a rollback"
    yield 'settle = "30s"'
    yield f"vantage = {_quoted(os.uname().nodename)}"
    if ca:
        yield from ("", f"[{env}.connect]", f"ca = {_quoted(str(ca.absolute()))}")
    yield from _not_applicable(env)
    yield from _probes(found, env)


def _scope(found: Discovery) -> Iterator[str]:
    if found.base_url.startswith("https://"):
        yield from ("pre.security.tls-days-left", "pre.infra.tls-deployed", "post.security.headers")
    yield from ("deploy.services.settle-time", "deploy.services.health-endpoint")
    if found.infrastructure:
        yield "deploy.services.infrastructure-health"


def _rest(scope: set[str]) -> Iterator[str]:
    """Every other item that an installed kind can measure, as a comment with what it needs."""
    known = checklist.load("softfactory")
    kinds_of = {probe: kinds_for(probe, known) for probe in known.probes}
    for item in known.items:
        kinds = kinds_of[item.probe] if item.probe else ()
        if kinds and item.id not in scope:
            yield f'    # "{item.id}",  # probe {item.probe}, kind {" or ".join(kinds)}'


def _not_applicable(env: str) -> Iterator[str]:
    """The checklist's questions about a release, each with the items that a no leaves out."""
    known = checklist.load("softfactory")
    yield ""
    yield f"[{env}.not_applicable]            # answer with a reason what does not apply, once it is in scope"
    for fact, question in known.facts.items():
        yield f"# {question}"
        yield from (f'# "{item.id}" = "no: ..."' for item in known.items if item.applies_if == fact)


def _probes(found: Discovery, env: str) -> Iterator[str]:
    if found.version:
        path, at, value = found.version
        yield from ("", f"[{env}.probes.release]            # guards the run: which version is served")
        yield from ('kind = "release"', f"path = {_quoted(path)}", f"at = {_quoted(at)}")
        yield f"# expect = {_quoted(value)}     # or --release; what was served when this was written"
    yield from _health(found, env)
    if found.infrastructure:
        yield from ("", f"[{env}.probes.infrastructure]     # review: which of them may be down without harm?")
        yield from ('kind = "infrastructure_health"', f"path = {_quoted(found.infrastructure)}")
        needs = {_key(name): need for name, need in found.components.items() if name}
        pairs = ", ".join(f'{name} = "{need}"' for name, need in needs.items())
        yield f"components = {{ {pairs} }}"
        if unwell := [name for name, need in found.components.items() if need == "optional"]:
            yield f"# not well when this was written, beside a whole that is: {_comment(', '.join(unwell))}"
    if found.base_url.startswith("https://"):
        yield from ("", f"[{env}.probes.security-headers]", 'kind = "security_headers"')
        if found.plain_url:
            yield f"plain_url = {_quoted(found.plain_url)}"
    yield from (
        "",
        "# Further probes; `probekit explain NAME` shows the settings of each. A secret is a reference, never a value.",
    )
    known = checklist.load("softfactory")
    for name in ("routes", "api", "database", "cache", "cors", "rate-limit"):
        kind = kinds_for(name, known)[0]
        yield f"#\n# [{env}.probes.{name}]"
        yield from (f"# {line}" for line in probes.load_kind(kind).example.splitlines())


def _health(found: Discovery, env: str) -> Iterator[str]:
    """The probe without which there is no go: as it passes, with what is still to declare, or to be filled in."""
    yield ""
    if not found.health:
        yield "# Nothing answered at the usual paths. Until this probe is here, no run says go."
        yield from (f"# [{env}.probes.health]", '# kind = "http"', '# path = "/..."')
        return
    yield from (f"[{env}.probes.health]", 'kind = "http"', f"path = {_quoted(found.health)}")
    if found.health_doubt:
        yield f"# No pass as it is: {_comment(found.health_doubt)}"
    if found.doubted:
        yield f"# ignore = [{', '.join(map(_quoted, found.doubted))}]    # only what says nothing of its health"


def _key(name: str) -> str:
    """A bare key where that can be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)


def _quoted(text: str) -> str:
    """A basic string of TOML, with everything that hides, moves or ends text written as its code."""
    return '"' + "".join(map(_letter, text)) + '"'


def _letter(letter: str) -> str:
    code = ord(letter)
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004  # half a surrogate pair, for which TOML has no word
        return "?"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004  # the basic plane


def _comment(text: str) -> str:
    return escape(text)
