"""Where is the past kept? In the file that --state names, else in the user's state directory."""

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
    summary = "Where runs, deployments and baselines are kept, or none; else the user's state directory."
    return click.option("--state", metavar="FILE|none", envvar="PROBEKIT_STATE", help=summary)(function)


def state_file(state: str | None, *, make: bool = True) -> Path | None:
    """The file; None where none is to be kept. `make`: whether its usual folder is made where it is not there.

    Raises:
        StoreError: there is no home to keep one in.
    """
    if state is not None:
        return None if state == NONE else Path(state)
    from platformdirs import user_state_path  # noqa: PLC0415  # only who has no --state needs it

    from probekit.files import make_private_folder  # noqa: PLC0415  # as above

    try:
        folder = user_state_path("probekit", appauthor=False)
    except RuntimeError as error:  # no home
        from probekit.history.store import StoreError  # noqa: PLC0415  # sqlite3, for an error alone

        raise StoreError(f"no state directory: {error}; name a file with --state") from error
    with suppress(OSError):  # whoever opens the file says why not
        if make:
            make_private_folder(folder)
    return folder / "probekit.sqlite3"


def required_file(state: str | None) -> Path:
    """The file of a command that is about the past.

    Raises:
        RequestError: none is to be kept.
    """
    from probekit.workflows.options import RequestError  # noqa: PLC0415  # as above

    file = state_file(state)
    if file is None:
        raise RequestError("--state none leaves nothing to look at: name a file, or leave it out")
    return file


def environment_of(request: RunOptions) -> Environment:
    """The settings of a request's environment.

    Raises:
        ConfigError: a file is wrong.
        RequestError: there is no such environment.
    """
    return _target_of(request).environment


def target_key(request: RunOptions) -> TargetKey:
    """The environment of a request, as the store knows it.

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
