"""The configuration for a URL that is verified without a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from probekit.config.loader import read
from probekit.config.target import Config
from probekit.toml_file.write import inline, quoted
from probekit.transport.urls import has_host, url_problem

ENVIRONMENT: Final = "url"  # the name of its one environment
HEALTH: Final = "health"  # the probe that requests the URL's own path
_SCHEMES: Final = ("http", "https")
FILE: Final = "--url"  # shown in reports in place of the file name
_TEXT: Final = """
[env.url]
base_url = {base}
scope = [
    "pre.security.tls-days-left",
    "pre.infra.tls-deployed",
    "deploy.services.health-endpoint",
    "deploy.smoke.smoke-response-times",
    "post.security.headers",
]
settle = "0s"
spread = "3s"
attempt_interval = "3s"
block = "5s"
window = "30s"
[env.url.connect]
{connect}
[env.url.probes.health]
kind = "http"
path = {path}
page = true
[env.url.probes.api]
kind = "latency"
rate = 5
routes = [{{ path = {path} }}]
"""


def url_mistake(url: str) -> str:
    """The mistake in a URL to verify, with what to write instead; empty where there is none.

    The user part may contain a password and the query a token: neither is repeated.
    """
    scheme, separator, rest = url.partition("://")
    mistakes = (
        (not url.isprintable(), "it contains a character that is not printable"),
        (" " in url, "it contains a space; write %20"),
        (not separator or not scheme.isalnum(), f"it has no scheme; write {with_scheme(url)}, or http:// without TLS"),
        (scheme.lower() not in _SCHEMES, "its scheme is neither https nor http"),
        (
            "@" in rest.partition("/")[0],
            "it contains a user name; remove it and send a credential with --header Authorization=VARIABLE",
        ),
        ("?" in url, "it has a query; remove it, or write a file with the path and its query (probekit init)"),
        ("#" in url, "it has a fragment (#), which is never sent; remove it"),
    )
    return next((words for is_wrong, words in mistakes if is_wrong), "") or url_problem(url)


def with_scheme(url: str) -> str:
    """The URL with https:// before it; an example where it may contain a secret or is still not valid."""
    whole = f"https://{url}"
    return whole if has_host(whole) and not set("?#@") & set(url) else "https://HOST/PATH"


def of_url(url: str, *, ca: Path | None = None, headers: Mapping[str, str] | None = None) -> Config:
    """The checks of a URL without a file: health, certificate, security headers and latency.

    Args:
        url: one for which `url_mistake` is empty.
        ca: the file of `connect.ca`.
        headers: header name to the variable with its value, as in `connect.headers`.

    Raises:
        ConfigError: the .env file of this folder has mistakes.
    """
    parts = urlsplit(url)
    connect = [f"ca = {quoted(str(ca.absolute()))}"] if ca else []
    sent = {name: {"env": variable} for name, variable in (headers or {}).items()}
    connect += [f"headers = {inline(sent)}"] if sent else []
    base = f"{parts.scheme.lower()}://{parts.netloc}"
    text = _TEXT.format(base=quoted(base), path=quoted(parts.path or "/"), connect="\n".join(connect))
    return read(text, Path(FILE))
