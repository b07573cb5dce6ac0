"""Messages about a wrong command line, and a type of option for whole numbers."""

from __future__ import annotations

import click

from probekit.cli.output import write_stderr
from probekit.cli.plugin import PROBLEM
from probekit.text import escape, paragraph

_WIDTH = 80


def show_usage_error(error: click.UsageError) -> None:
    """Write it to stderr, wrapped: the command's usage, the name of its help option, and what is wrong."""
    PROBLEM.text = escape(error.format_message().partition("\n")[0])
    if type(error).show is not click.UsageError.show:  # a group without a command: its help is the message
        error.show()
        return
    lines = [f"Error: {error.format_message()}"]
    if error.ctx is not None:
        help_name = max(error.ctx.command.get_help_option_names(error.ctx), key=len)
        lines = [*error.ctx.get_usage().splitlines(), f"Try '{error.ctx.command_path} {help_name}' for help.", *lines]
    for line in lines:
        for part in paragraph(" ".join(line.split()), width=_WIDTH, hanging="  "):
            write_stderr(part)


class Count(click.ParamType[int]):
    """A whole number within bounds."""

    name = "number"

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        if isinstance(value, int):
            return value
        text = str(value)
        number = (
            int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(self._most)) else self._least - 1
        )
        if not self._least <= number <= self._most:
            self.fail(f"'{text}' is not a whole number from {self._least} to {self._most}", param, ctx)
        return number
