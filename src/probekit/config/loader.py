"""Read probes.toml, with every mistake at once."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from probekit import checklist as checklists
from probekit.config.complaints import Complaints
from probekit.config.dotenv import read_dotenv
from probekit.config.references import target_of
from probekit.config.settings import File
from probekit.config.target import Config
from probekit.toml_file import ConfigError, FileProblem, line_of, parse, problems, text_of
from probekit.transport.urls import has_host


def load(path: Path) -> Config:
    """The configuration in that file.

    Raises:
        ConfigError: every mistake in it, each with file, line and key.
    """
    return read(text_of(path), path)


_BY_URL = """
[env.url]
base_url = "{base}"
scope = [
    "pre.security.tls-days-left",
    "pre.infra.tls-deployed",
    "deploy.services.health-endpoint",
    "deploy.smoke.smoke-response-times",
    "post.security.headers",
]
settle = "0s"
[env.url.probes.health]
kind = "http"
path = "{path}"
any_body = true
[env.url.probes.api]
kind = "latency"
rate = 5
routes = [{{ path = "{path}" }}]
"""


def of_url(url: str) -> Config:
    """What can be asked of a URL without a file: health, certificate, security headers and latency.

    Raises:
        ConfigError: it is no URL with a host.
    """
    parts = urlsplit(url) if has_host(url) else None
    if parts is None or parts.scheme not in ("http", "https") or parts.query or "@" in parts.netloc or '"' in url:
        expected = "https://HOST/PATH, without a user or a query"
        raise ConfigError(
            [FileProblem(file=Path("--url"), line=None, key="", found="no URL to verify", expected=expected)]
        )
    base, path = f"{parts.scheme}://{parts.netloc}", parts.path or "/"
    return read(_BY_URL.format(base=base, path=path), Path("--url"))


def read(text: str, path: Path) -> Config:
    """The configuration in that text, which stands in that file; with the .env beside it."""
    document = parse(text, path)
    try:
        file = File.model_validate(document)
    except ValidationError as error:
        raise ConfigError(problems(error, File, path, text)) from None  # its cause holds what the user wrote
    try:
        checklist = checklists.load(file.checklist, relative_to=path.parent)
    except ConfigError as error:  # of a name that is none: which line says it
        at = line_of(text, ("checklist",))
        raise ConfigError([_placed(problem, path, at) for problem in error.problems]) from None
    complain = Complaints(path=path, text=text)
    targets = {
        name: target_of(name, environment, file.probes, checklist=checklist, complain=complain)
        for name, environment in file.env.items()
    }
    if complain.found:
        raise ConfigError(tuple(dict.fromkeys(complain.found)))
    return Config(
        path=path,
        text=text,
        digest=sha256(text.encode()).hexdigest(),
        checklist=checklist,
        targets=targets,
        dotenv=read_dotenv(path.parent),
    )


def _placed(problem: FileProblem, path: Path, line: int | None) -> FileProblem:
    """A problem with the name of a checklist, where the configuration says it."""
    is_name = problem.line is None and problem.found.startswith("no checklist")
    return replace(problem, file=path, line=line, key="checklist") if is_name else problem
