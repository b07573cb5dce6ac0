"""Trouble that a user can mend, said in words and by its exit code."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from probekit.cli.codes import CONFIG, LOCKED, USAGE
from probekit.cli.lock import LockedError
from probekit.cli.output import complain
from probekit.flow import RequestError
from probekit.recall import RecallError
from probekit.store import StoreError
from probekit.toml_file import ConfigError

_P = ParamSpec("_P")
_CODES: dict[type[Exception], int] = {
    ConfigError: CONFIG,
    RequestError: USAGE,
    LockedError: LOCKED,
    StoreError: CONFIG,
    RecallError: CONFIG,
}


def told(function: Callable[_P, int]) -> Callable[_P, int]:
    """The command, with what a user can mend (see above) said on stderr and answered by its exit code."""

    @wraps(function)
    def telling(*args: _P.args, **kwargs: _P.kwargs) -> int:
        try:
            return function(*args, **kwargs)
        except tuple(_CODES) as error:
            complain(str(error))
            return _CODES[type(error)]

    return telling
