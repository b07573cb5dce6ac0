"""The state file with earlier runs: the one that --state names, else one in the user's state directory."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:  # --help and the shell's completion need none of it
    from probekit.config.settings import Environment
    from probekit.config.target import Target
    from probekit.model.history import TargetKey
    from probekit.workflows.options import RunOptions

NONE: Final = "none"


def state_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--state FILE|none`."""
    default = "[default: $PROBEKIT_STATE, else one in the user's state directory]"
    summary = f"File that keeps runs, deployments and baselines, or none. {default}"
    return click.option("--state", metavar="FILE|none", envvar="PROBEKIT_STATE", help=summary)(function)


def state_file(state: str | None, *, make: bool = True) -> Path | None:
    """Return the state file, or None for `--state none`. `make`: create its default folder if it is missing.

    Raises:
        StoreError: the user has no home directory for a default file.
    """
    if state is not None:
        return None if state == NONE else Path(state)
    from platformdirs import user_state_path  # noqa: PLC0415  # needed without --state only

    from probekit.files import make_private_folder  # noqa: PLC0415  # as above

    try:
        folder = user_state_path("probekit", appauthor=False)
    except RuntimeError as error:  # no home
        from probekit.history.store import StoreError  # noqa: PLC0415  # sqlite3, for an error alone

        raise StoreError(f"no state directory: {error}; name a state file with --state FILE") from error
    with suppress(OSError):  # opening the file reports the reason
        if make:
            make_private_folder(folder)
    return folder / "probekit.sqlite3"


def required_file(state: str | None) -> Path:
    """Return the state file of a command that reads earlier runs.

    Raises:
        RequestError: `--state none` was given.
    """
    from probekit.workflows.options import RequestError  # noqa: PLC0415  # as above

    file = state_file(state)
    if file is None:
        raise RequestError("this command reads the state file: replace --state none by a file, or remove --state")
    return file


def environment_of(request: RunOptions) -> Environment:
    """Return the settings of a request's environment.

    Raises:
        ConfigError: a file is wrong.
        RequestError: there is no such environment.
    """
    return _target_of(request).environment


def target_key(request: RunOptions) -> TargetKey:
    """Return the environment of a request as the store's key.

    Raises:
        ConfigError: a file is wrong.
        RequestError: there is no such environment.
    """
    from probekit.model.history import TargetKey  # noqa: PLC0415  # as above

    target = _target_of(request)
    return TargetKey(environment=target.name, base_url=target.environment.base_url)


def _target_of(request: RunOptions) -> Target:
    from probekit.workflows.assembly import loaded, target_of  # noqa: PLC0415  # as above

    return target_of(request, loaded(request))
