"""Errors that a user can fix: each is a message on stderr and an exit code."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec

from probekit.cli.codes import CONFIG, INTERNAL, LOCKED, USAGE
from probekit.cli.output import LOSSES, warn

_P = ParamSpec("_P")


@cache
def _codes() -> dict[type[Exception], int]:
    """Return the exit code of each error; imported after an error only, so that --help and completion stay fast."""
    from probekit.cli.lock import LockedError  # noqa: PLC0415  # as above
    from probekit.history.store import StoreError  # noqa: PLC0415  # as above
    from probekit.reports.json.read import ReportError  # noqa: PLC0415  # as above
    from probekit.toml_file import ConfigError  # noqa: PLC0415  # as above
    from probekit.workflows.options import RequestError  # noqa: PLC0415  # as above

    return {ConfigError: CONFIG, RequestError: USAGE, LockedError: LOCKED, StoreError: CONFIG, ReportError: CONFIG}


def exit_on_error(function: Callable[_P, int]) -> Callable[_P, int]:
    """Return the command with its errors caught: it writes the message to stderr and returns the exit code."""

    @wraps(function)
    def catching(*args: _P.args, **kwargs: _P.kwargs) -> int:
        LOSSES.any = False
        try:
            code = function(*args, **kwargs)
        except KeyboardInterrupt:  # perhaps during an import: nothing more may be imported
            raise
        except tuple(_codes()) as error:
            warn(str(error), level="error")
            return _codes()[type(error)]
        return INTERNAL if code == 0 and LOSSES.any else code

    return catching
