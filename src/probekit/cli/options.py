"""Options that several commands have, and what their values say: formats and headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import click

from probekit import log
from probekit.cli import complete
from probekit.cli.moments import Deployed, Seconds
from probekit.model.verdict import Stage
from probekit.reports import Show


class _ReportTo(click.ParamType[tuple[str, Path | None]]):
    """A format, and a file where it is not stdout."""

    name = "FORMAT[=FILE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path | None]:  # noqa: ANN401  # click's interface
        if isinstance(value, tuple):
            return value
        from probekit import reports  # noqa: PLC0415  # --help and the shell's completion need none

        name, equals, file = value.partition("=")
        if name not in reports.format_names():
            self.fail(f"unknown format '{name}'; known: {', '.join(reports.format_names())}", param, ctx)
        if equals and not file:
            self.fail(f"'{value}' names no file", param, ctx)
        return name, Path(file) if file else None


class HeaderReference(click.ParamType[tuple[str, str]]):
    """A request header, and the variable that holds its value: the value itself is never an argument."""

    name = "NAME=ENV"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:  # noqa: ANN401  # click's interface
        """The header's name and the variable's; what was written may be a secret, so no message quotes it."""
        if isinstance(value, tuple):
            return value
        name, _, variable = value.partition("=")
        if not _HEADER.fullmatch(name) or not _VARIABLE.fullmatch(variable):
            expected = "expected NAME=ENV, a header and the environment variable that holds its value"
            self.fail(f"{expected}, such as Authorization=HEALTH_AUTHORIZATION", param, ctx)
        if name.lower() in _OWN_HEADERS:
            self.fail(f"header {name} is set by probekit itself", param, ctx)
        return name, variable


_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110 section 5.6.2
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_OWN_HEADERS: Final = frozenset(("host", "connection", "content-length", "transfer-encoding", "accept-encoding"))


def _by_name(_ctx: click.Context, _param: click.Parameter, given: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """The variables by the names of their headers, each of which is given once."""
    names = [name.lower() for name, _ in given]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise click.BadParameter(f"header {twice} is given more than once")
    return dict(given)


header_option = click.option(  # its value: variables by the names of headers
    "--header",
    "headers",
    multiple=True,
    type=HeaderReference(),
    callback=_by_name,
    help="A header whose value an environment variable or .env holds, sent to the URL's origin only; repeatable.",
)
config_option = click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Instead of PROBEKIT_CONFIG or ./probes.toml."
)
environment_option = click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="The environment of probes.toml; it may be left out where the file has one only.",
    shell_complete=complete.environments,
)


def _write_as(_ctx: click.Context, _param: click.Parameter, log_format: log.LogFormat) -> None:
    log.write_as(log_format)


log_format_option = click.option(
    "--log-format",
    type=click.Choice(log.FORMATS),
    default="auto",
    expose_value=False,
    callback=_write_as,
    help="How warnings go to stderr; auto: text on a terminal, else JSON.",
)
_OPTIONS = (
    click.option(
        "--stage",
        type=click.Choice([stage.value for stage in Stage]),
        default="after",
        show_default=True,
        help="Where the release stands: before, there is nothing to roll back yet.",
    ),
    click.option(
        "--section",
        "sections",
        multiple=True,
        metavar="SECTION",
        help="Only items of this section, such as deploy.services.",
        shell_complete=complete.sections,
    ),
    click.option(
        "--item",
        "items",
        multiple=True,
        metavar="ITEM",
        help="Only this item, or those whose id begins so.",
        shell_complete=complete.items,
    ),
    click.option(
        "--probe",
        "probes",
        multiple=True,
        metavar="PROBE",
        help="Only items that read this probe.",
        shell_complete=complete.probes,
    ),
    click.option(
        "--report",
        "reports",
        multiple=True,
        type=_ReportTo(),
        help="console or json, to stdout or to a file; may be given several times.",
    ),
    click.option(
        "--show",
        type=click.Choice(get_args(Show)),
        help="What the console report lists: all items with their values, or failures; else all on a terminal only.",
    ),
    click.option(
        "--deployed",
        metavar="TIME|now|AGO",
        type=Deployed(),
        help="When this release was put in place, such as now or 10m (ago); it is remembered, once for each release.",
    ),
    click.option("--release", metavar="VERSION", help="The version that must be served."),
    click.option(
        "--wait-release",
        type=Seconds(),
        default=0.0,
        metavar="DURATION",
        help="Wait so long for that version, such as 5m.",
    ),
    click.option("--quick", is_flag=True, help="No windows and no bursts: seconds, and no go of the release."),
    click.option(
        "--all",
        "measure_all",
        is_flag=True,
        help="Measure windows and bursts also where a confirmed failure has fixed the decision.",
    ),
    click.option("--strict", is_flag=True, help="What would be a follow-up keeps it from a go."),
    click.option("--no-settle", is_flag=True, help="Do not wait for the release to settle (for cron)."),
    click.option("--quiet", is_flag=True, help="Print nothing on go."),
    click.option("--verbose", is_flag=True, help="Log every measurement to stderr."),
    log_format_option,
)


def verify_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options of verify that demo has too."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
