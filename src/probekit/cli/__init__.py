"""The command line: commands, options and exit codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from typing import Final

import click

from probekit.cli.codes import INTERRUPTED, MEANINGS, USAGE
from probekit.cli.plugin import PROBLEM
from probekit.text import paragraph
from probekit.version import __version__

_COMMANDS: Final = {  # in the order of --help; each is imported when it is called
    "verify": "Measure a deployment and decide: go, investigate or roll back.",
    "init": "Inspect a running system and write a first probes.toml for it.",
    "plan": "Check the configuration and show what verify would do.",
    "probe": "Measure one probe once and show what it reads.",
    "list": "List items, probes, kinds or environments.",
    "explain": "Explain an item, a probe or a kind.",
    "schema": "Print the JSON Schema of probes.toml, for editors.",
    "deployment": "Record when a deployment starts and finishes.",
    "baseline": "Measure what is normal before a deployment.",
    "runs": "List, show, compare, judge again or remove earlier runs.",
    "demo": "Start a demo application and verify it.",
}


class _Group(click.Group):
    """Imports a command when it is called, so that --help and --version are fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's interface
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's interface
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"{__name__}.{cmd_name}_command").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not ctx.resilient_parsing:  # as while the shell completes
            _check(ctx, args)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's interface
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


_SUBJECT: Final = ("environment", "url", "release", "stage")  # options that name what is verified


def _check(ctx: click.Context, arguments: Sequence[str]) -> None:
    """Refuse an unknown command, and a repeated option that names what is verified: click would use the last value.

    Any other option may be repeated: an alias or a wrapper may set it, and its user overrides it.

    Raises:
        UsageError: the command is unknown, or such an option is repeated.
    """
    command = ctx.command
    if not isinstance(command, click.Group):
        try:
            _, _, given = command.make_parser(ctx).parse_args(args=list(arguments))
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # click names none for an option without its value
            raise
        for option, count in Counter(given).items():
            if count > 1 and option.name in _SUBJECT:
                raise click.UsageError(f"option {option.opts[0]} takes one value but was given {count} times", ctx)
    elif arguments and not arguments[0].startswith("-"):
        name, *rest = arguments
        inner = command.get_command(ctx, name)
        if inner is None:
            from probekit.toml_file import nearest  # noqa: PLC0415  # --help needs none

            raise click.UsageError(f"unknown command '{name}'{nearest(name, command.list_commands(ctx))}", ctx)
        _check(click.Context(inner, info_name=name, parent=ctx), rest)


_CODES: Final = "\n".join(
    line
    for code, (name, meaning) in MEANINGS.items()
    for line in paragraph(f"{name}: {meaning}", width=76, indent=f"  {code:>3}  ", hanging=" " * 7)
)


@click.group(
    cls=_Group,
    epilog=f"\b\nExit codes:\n{_CODES}",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="probekit", message="%(prog)s %(version)s")
def program() -> None:
    """Verify a deployment: measure it, judge it by a checklist, and return one decision and one exit code.

    \b
    Examples:
      probekit verify --env prod
      probekit verify --env prod --deployed now --report json=report.json
      probekit plan --env prod
    """  # noqa: D301  # \b is click's mark for lines it must not wrap


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    PROBLEM.text = ""
    try:
        code = program.main(arguments, prog_name="probekit", standalone_mode=False)
    except click.UsageError as error:
        from probekit.cli.usage import show_usage_error  # noqa: PLC0415  # --help needs none

        show_usage_error(error)
        return USAGE
    except click.Abort:
        return INTERRUPTED
    return code if isinstance(code, int) else 0
