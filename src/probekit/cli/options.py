"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import click

from probekit import log
from probekit.cli import complete
from probekit.cli.moments import Deployed, Seconds
from probekit.cli.people_options import OneLine
from probekit.cli.plugin import exit_option
from probekit.model.verdict import Stage
from probekit.reports import Show, format_names


class _ReportTo(click.ParamType[tuple[str, Path | None]]):
    """A report format, and its file unless it goes to stdout."""

    name = "FORMAT[=FILE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path | None]:  # noqa: ANN401  # click's interface
        if isinstance(value, tuple):
            return value
        name, equals, file = value.partition("=")
        if name not in format_names():
            self.fail(f"unknown format '{name}'; known formats: {', '.join(format_names())}", param, ctx)
        if equals and not file:
            self.fail(f"'{value}' lacks a file name: write {name}=FILE, or {name} for stdout", param, ctx)
        return name, Path(file) if file not in {"", "-"} else None


class HeaderReference(click.ParamType[tuple[str, str]]):
    """A request header and the variable that holds its value; the value itself is never an argument."""

    name = "NAME=ENV"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:  # noqa: ANN401  # click's interface
        """Return the names of the header and of the variable; no message quotes the argument, which may be a secret."""
        if isinstance(value, tuple):
            return value
        name, _, variable = value.partition("=")
        if not _HEADER.fullmatch(name) or not _VARIABLE.fullmatch(variable):
            expected = "expected NAME=ENV, a header and the environment variable that holds its value"
            self.fail(f"{expected}, such as Authorization=HEALTH_AUTHORIZATION", param, ctx)
        if name.lower() in _OWN_HEADERS:
            self.fail(f"probekit sets header {name} itself: remove it", param, ctx)
        return name, variable


_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110 section 5.6.2
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_OWN_HEADERS: Final = frozenset(("host", "connection", "content-length", "transfer-encoding", "accept-encoding"))


def _by_name(_ctx: click.Context, _param: click.Parameter, given: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Return the variables by the names of their headers; refuse a header that is given twice."""
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
    help="Send this header to the URL's origin, with the value of an environment variable or of .env. Repeatable.",
)
config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Configuration file. [default: $PROBEKIT_CONFIG or ./probes.toml]",
)
environment_option = click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="Environment of probes.toml. Required if the file has more than one.",
    shell_complete=complete.environments,
)


report_option = click.option(
    "--report",
    "reports",
    multiple=True,
    type=_ReportTo(),
    help=f"Write a report in this format, to stdout or to a file: {', '.join(format_names())}. Repeatable.",
    shell_complete=complete.formats,
)


def _once(_ctx: click.Context, _param: click.Parameter, given: Sequence[tuple[str, bool]]) -> Mapping[str, bool]:
    """Return the facts by name; refuse one that is stated twice."""
    names = [name for name, _ in given]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise click.BadParameter(f"fact {twice} is stated more than once")
    return dict(given)


class _Fact(click.ParamType[tuple[str, bool]]):
    """A fact of the checklist and whether it is true."""

    name = "NAME=yes|no"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, bool]:  # noqa: ANN401  # click's interface
        if isinstance(value, tuple):
            return value
        name, _, answer = str(value).partition("=")
        if not name or answer not in {"yes", "no"}:
            self.fail(f"'{value}' is not NAME=yes or NAME=no, such as changes-schema=no", param, ctx)
        return name, answer == "yes"


phase_option = click.option(
    "--phase",
    metavar="PHASE",
    help="Verify this phase of the checklist as a whole: pre, deploy, post, rollback or signoff.",
    shell_complete=complete.phases,
)
fact_option = click.option(
    "--fact",
    "facts",
    multiple=True,
    type=_Fact(),
    callback=_once,
    help="State a fact of the checklist, such as changes-schema=no: its items then do not apply. Repeatable.",
    shell_complete=complete.facts,
)


def _write_as(_ctx: click.Context, _param: click.Parameter, log_format: log.LogFormat) -> None:
    log.write_as(log_format)


log_format_option = click.option(
    "--log-format",
    type=click.Choice(log.FORMATS),
    default="auto",
    expose_value=False,
    callback=_write_as,
    help="Format of warnings on stderr. auto: text on a terminal, else JSON.",
)
_OPTIONS = (
    click.option(
        "--stage",
        type=click.Choice([stage.value for stage in Stage]),
        help="When the run takes place: before or after the deployment, or after its rollback. "
        "[default: after; rolled-back once that is marked]",
    ),
    phase_option,
    fact_option,
    click.option(
        "--section",
        "sections",
        multiple=True,
        metavar="SECTION",
        help="Verify only items of this section, such as deploy.services. Repeatable.",
        shell_complete=complete.sections,
    ),
    click.option(
        "--item",
        "items",
        multiple=True,
        metavar="ITEM",
        help="Verify only this item, or the items below this id. Repeatable.",
        shell_complete=complete.items,
    ),
    click.option(
        "--probe",
        "probes",
        multiple=True,
        metavar="PROBE",
        help="Verify only items that read this probe. Repeatable.",
        shell_complete=complete.probes,
    ),
    report_option,
    click.option(
        "--show",
        type=click.Choice(get_args(Show)),
        help="Items that the console report lists. [default: all on a terminal, else failures]",
    ),
    click.option(
        "--deployed",
        metavar="TIME|now|AGO",
        type=Deployed(),
        help="When this release was deployed, such as now or 10m (ago). Recorded once for each release.",
    ),
    click.option("--release", type=OneLine(), metavar="VERSION", help="Version that must be served."),
    click.option(
        "--wait-release",
        type=Seconds(),
        default=0.0,
        metavar="DURATION",
        help="Wait up to this long for that version to be served, such as 5m.",
    ),
    click.option(
        "--quick", is_flag=True, help="Skip sampling windows and bursts. Takes seconds; cannot approve a release."
    ),
    click.option(
        "--all",
        "measure_all",
        is_flag=True,
        help="Measure windows and bursts even after a confirmed failure has fixed the decision.",
    ),
    click.option("--strict", is_flag=True, help="Decide investigate instead of go if follow-ups are left."),
    click.option("--no-settle", is_flag=True, help="Do not wait for the release to settle (for cron)."),
    exit_option,
    click.option("--quiet", is_flag=True, help="Print nothing if the decision is go."),
    click.option("--verbose", is_flag=True, help="Log every measurement to stderr."),
    log_format_option,
)


def verify_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options that verify and demo share."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
