"""Command lines of documents and examples, read as probekit itself reads them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

import click

from probekit import cli


def simple_commands(script: str) -> Iterator[str]:
    """Each simple command of a shell script; a line may hold several, and a comment."""
    for line in script.replace("\\\n", " ").splitlines():
        for command in re.split(r"\s(?:&&|\|\||[|;&])\s|;\s", re.sub(r"^(?:\$ |.*  deploy  )", "", line)):
            yield command.strip()


def words_of(line: str) -> list[str]:
    """The words of a simple command, without its redirections and its comment."""
    words = [re.sub(r"\d?>.*", "", word) for word in shlex.split(line, comments=True)]
    return [word for word in words if word]


def named_command(words: Sequence[str]) -> tuple[click.Command, list[str]]:
    """The command that the first words name, and the other words."""
    command: click.Command = cli.program
    for number, word in enumerate(words):
        inner = command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        if inner is None:
            return command, list(words[number:])
        command = inner
    return command, []


def parse(arguments: Sequence[str]) -> click.Context:
    """What probekit reads from these arguments.

    Raises:
        UsageError: an option or an argument is wrong.
    """
    command, rest = named_command(arguments)
    if isinstance(command, click.Group):
        raise click.UsageError(f"a group of commands alone: {' '.join(arguments)}")
    return command.make_context(command.name, rest)
