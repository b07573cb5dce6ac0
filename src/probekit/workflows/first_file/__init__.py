"""Write a first probes.toml from a discovery; texts of the target appear only in strings and comments."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from probekit import checklist
from probekit.planning.coverage import kinds_for_item
from probekit.toml_file.write import inline, key, quoted
from probekit.workflows.discover import Discovery, Standing
from probekit.workflows.first_file.health import health_probe
from probekit.workflows.first_file.toml import WIDTH, array, comment, setting

__all__ = ["first_file"]

_SECOND: Final = (
    "For a second service, write [{env}.probes.health.NAME] tables instead, each with its own url; or add a check of "
    "your own under any name, such as [{env}.probes.checkout-api]."
)


def first_file(
    found: Discovery, environment: str, *, ca: Path | None, headers: Mapping[str, str], commands: Sequence[str]
) -> str:
    """Return the text of the file, which begins with the commands that use it."""
    head = (*comment(f"What `probekit init` found at {found.base_url}. Next:"), *(f"#   {one}" for one in commands))
    return "".join(f"{line}\n" for line in (*head, *_lines(found, environment, ca, headers)))


def _lines(found: Discovery, environment: str, ca: Path | None, headers: Mapping[str, str]) -> Iterator[str]:
    env = f"env.{key(environment)}"
    yield from ("", f"[{env}]", *setting("base_url", found.base_url))
    yield "scope = [             # the items that this environment must pass"
    yield from (f"    {quoted(item)}," for item in _scope(found))
    yield from ("]", *_other_items())
    yield from comment('A control is a URL outside the target, such as ["https://status.example.net/ok"].')
    yield from ("# Without a control no rollback is ordered.", "control = []", 'settle = "30s"')
    yield from setting("vantage", os.uname().nodename)
    yield from _connect(found, env, ca, headers)
    yield from _release(found, env)
    yield ""
    yield from health_probe(found, env)
    yield ""
    yield from comment(_SECOND.format(env=env))
    yield from _infrastructure(found, env)
    yield from _security_headers(found, env)


def _scope(found: Discovery) -> Iterator[str]:
    if found.base_url.startswith("https://"):
        yield from ("pre.security.tls-days-left", "pre.infra.tls-deployed", "post.security.headers")
    yield from ("deploy.services.settle-time", "deploy.services.health-endpoint")
    if found.infrastructure:
        yield "deploy.services.infrastructure-health"


def _other_items() -> Iterator[str]:
    """Yield a comment on other items for the scope."""
    known = checklist.load("softfactory")
    able = sum(bool(kinds_for_item(item, known)) for item in known.items)
    yield f"# `probekit list items` lists all {len(known.items)}; kinds measure {able} of them."


def _connect(found: Discovery, env: str, ca: Path | None, headers: Mapping[str, str]) -> Iterator[str]:
    """Yield the connection settings; if access is denied, a header to complete."""
    is_denied = bool(found.refusal) or (found.health is not None and found.health.standing is Standing.DENIED)
    if ca:
        yield from ("", f"[{env}.connect]", *setting("ca", str(ca.absolute())))
    if headers:
        yield from ("", f"[{env}.connect.headers]")
        yield from (f"{key(name)} = {inline({'env': variable})}" for name, variable in headers.items())
        if is_denied:
            yield from comment("Access is denied even with these headers.")
    elif is_denied:
        yield from (() if ca else ("",))
        whole = "its whole value (for HTTP Basic: the word Basic, and the base64 of USER:PASSWORD)"
        yield from comment(f"Access is denied. Name a header and the variable that holds {whole}:")
        yield from (() if ca else (f"# [{env}.connect]",))
        yield '# headers = { Authorization = { env = "HEALTH_AUTHORIZATION" } }'


def _release(found: Discovery, env: str) -> Iterator[str]:
    if found.version is None:
        return
    path, at, value = found.version
    yield from (
        "",
        "# Checks which version is served, before and after the run.",
        f"[{env}.probes.release]",
        'kind = "release"',
    )
    yield from (*setting("path", path), *setting("at", at))
    yield "# The version that was served when this was written; or use --release VERSION:"
    yield from comment(f"expect = {quoted(value)}")


def _infrastructure(found: Discovery, env: str) -> Iterator[str]:
    if found.infrastructure is None:
        return
    table = f"{env}.probes.infrastructure"
    yield from (
        "",
        "# Review which components may be down without harm.",
        f"[{table}]",
        'kind = "infrastructure_health"',
    )
    yield from setting("path", found.infrastructure)
    if unwell := [name for name, need in found.components.items() if need == "optional"]:
        yield from comment(f"Unhealthy when this was written, while the whole was healthy: {', '.join(unwell)}")
    components = {name: need for name, need in found.components.items() if name}
    line = f"components = {inline(components)}"
    if len(line) <= WIDTH:
        yield line
        return
    lines = [f'{key(name)} = "{need}"' for name, need in components.items()]
    short = [line for line in lines if len(line) <= WIDTH]
    yield from (f"[{table}.components]", *short)
    if len(short) < len(lines):
        yield from comment(f"{len(lines) - len(short)} more have names that are too long for a line.")


def _security_headers(found: Discovery, env: str) -> Iterator[str]:
    if not found.base_url.startswith("https://"):
        return
    yield from ("", f"[{env}.probes.security-headers]", 'kind = "security_headers"')
    if found.page:
        yield from array("pages", [quoted(found.page)])
    if found.plain_url:
        yield from setting("plain_url", found.plain_url)
