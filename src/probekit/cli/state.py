"""Where is the past kept? In the file that --state names, else in the user's state directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from probekit.cli.verify_command import default_config
from probekit.config import load
from probekit.flow import RequestError, unknown
from probekit.store import Place, StoreError

NONE: Final = "none"


def state_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--state FILE|none`."""
    told = "Where runs, deployments and baselines are kept, or none; else the user's state directory."
    return click.option("--state", metavar="FILE|none", envvar="PROBEKIT_STATE", help=told)(function)


def state_file(state: str | None) -> Path | None:
    """The file; None where none is to be kept.

    Raises:
        StoreError: there is no home to keep one in.
    """
    if state is not None:
        return None if state == NONE else Path(state)
    from platformdirs import user_state_path  # noqa: PLC0415  # only who has no --state needs it

    try:
        return user_state_path("probekit", appauthor=False) / "probekit.sqlite3"
    except RuntimeError as error:  # no home
        raise StoreError(f"no state directory: {error}; name a file with --state") from error


def required_file(state: str | None) -> Path:
    """The file of a command that is about the past.

    Raises:
        RequestError: none is to be kept.
    """
    file = state_file(state)
    if file is None:
        raise RequestError("--state none leaves nothing to look at: name a file, or leave it out")
    return file


def place_of(environment: str, config: Path | None) -> Place:
    """The environment of probes.toml, as the store knows it.

    Raises:
        ConfigError: the file is wrong.
        RequestError: it has no such environment.
    """
    path = default_config(config)
    targets = load(path).targets
    if environment not in targets:
        raise unknown("environment", environment, targets, f"known in {path}: {', '.join(targets)}")
    return Place(environment=environment, base_url=targets[environment].environment.base_url)
