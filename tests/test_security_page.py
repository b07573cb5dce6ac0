"""docs/security.md states the bounds that the code has, and the kinds that there are."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

from probekit import files, probes
from probekit.config import sources
from probekit.config.settings import Environment
from probekit.probes._support import comparing, exposition
from probekit.probes.command import program
from probekit.probes.http.settings import HttpProbe
from probekit.transport import body, exchange
from probekit.transport.client import Http

PAGE = (Path(__file__).parents[1] / "docs" / "security.md").read_text("utf-8")


def mib(count: int) -> str:
    return f"{count >> 20} MiB"


def constant(module: ModuleType, name: str) -> int:
    """A constant that only its own module uses."""
    return vars(module)[name]


def test_each_bound_is_the_code_s() -> None:
    (table,) = re.findall(r"<!-- bounds -->\n(.*?)<!-- end -->", PAGE, re.DOTALL)
    rows = dict([cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:])
    environment = Environment(base_url="https://app.example.com")
    (most_redirects,) = [rule.le for rule in HttpProbe.model_fields["follow"].metadata if hasattr(rule, "le")]

    assert list(rows.values()) == [
        mib(body.DOCUMENT),
        mib(body.PAGE),
        f"{mib(exposition.MOST_BYTES)}, {exposition.MOST_SAMPLES:,} samples",
        f"{exchange.HEAD >> 10} KiB, {exchange.HEADERS} headers",
        str(constant(body, "_MOST_CODINGS")),
        f"0, or `follow` up to {most_redirects}, within the origin",
        f"`timeout`, {environment.timeout:g} s by default",
        f"`deadline`, {environment.deadline:g} s by default",
        f"`throttle`, {environment.throttle.requests} in {environment.throttle.per:g} s by default",
        f"{Http(run='').most_in_flight}, unless load is allowed",
        f"`budget`, {environment.budget} by default, unless load is allowed",
        f"{constant(program, '_MOST') >> 10} KiB",
        f"{mib(files.LARGEST)}; {files.PATIENCE:g} s from a pipe",
        f"{constant(sources, '_MOST')}, {constant(sources, '_DEEPEST')} below one another",
        f"{constant(comparing, '_LARGEST_PROGRAM'):,} instructions",
    ]


def test_each_kind_has_its_least_privileges() -> None:
    section = PAGE.partition("## Least privileges")[2].partition("## What is sent where")[0]
    named = [
        name for line in section.splitlines() if line.startswith("| `") for name in re.findall("`([a-z_]+)`", line)
    ]

    assert sorted(named) == sorted(probes.kind_names())
