"""The target that --env and --url name: of a file, of `verify --url`, or only on record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from probekit.cli import complete
from probekit.cli.config_file import default_config
from probekit.cli.options import config_option
from probekit.cli.state import target_key
from probekit.history.store import Store
from probekit.model.history import TargetKey
from probekit.toml_file import ConfigError
from probekit.workflows.options import RequestError, RunOptions

_URL: Final = "url"  # the environment of `verify --url`


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The options of a command that name its target."""

    environment: str | None
    url: str | None
    config: Path | None


def target_options(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command --env, --url and --config, as its argument `choice`."""
    return config_option(target_names(function))


def target_names(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command with an option for its file also --env and --url; all three become its argument `choice`."""

    @wraps(function)
    def choosing(*, environment: str | None, url: str | None, config: Path | None, **options: Any) -> int:  # noqa: ANN401  # click hands over what the options parsed
        return function(choice=Choice(environment=environment, url=url, config=config), **options)

    environment_option = click.option(
        "--env",
        "environment",
        metavar="NAME",
        help="Use only runs of this environment.",
        shell_complete=complete.environments,
    )
    url_option = click.option(
        "--url", metavar="URL", help="Use only runs of verify --url URL; with --env, only runs at this base_url."
    )
    return environment_option(url_option(choosing))


def chosen(store: Store, choice: Choice) -> TargetKey | None:
    """Return the target that the options name, or None if they name no target.

    The file defines an environment's base_url; without the file or the environment, the record does.

    Raises:
        ConfigError: the file is wrong, and the environment is not on record.
        RequestError: the target is unknown, or several targets of that name are on record.
    """
    environment = choice.environment
    if environment is None:
        return None if choice.url is None else target_key(RunOptions(url=choice.url))
    known = [target for target in store.targets() if target.environment == environment]
    if choice.url is not None:
        return _at(known, environment, choice.url)
    try:
        return target_key(RunOptions(environment=environment, config=default_config(choice.config)))
    except (ConfigError, RequestError) as error:
        if not known:
            raise
        if len(known) > 1:
            message = f"{error}\nseveral targets on record are called '{environment}': name one with {ways(known)}"
            raise RequestError(message) from error
        return known[0]


def _at(known: Sequence[TargetKey], environment: str, url: str) -> TargetKey:
    found = next((target for target in known if target.base_url.rstrip("/") == url.rstrip("/")), None)
    if found is None:
        hint = f"name one with {ways(known)}" if known else "see: probekit runs list"
        raise RequestError(f"no run of '{environment}' at {url} is on record; {hint}")
    return found


def only(store: Store, target: TargetKey | None) -> TargetKey:
    """Return the named target, else the only one on record.

    Raises:
        RequestError: no run is on record, or no target is named and several are on record.
    """
    known = store.targets()
    if target is not None and target in known:
        return target
    if target is None and len(known) == 1:
        return known[0]
    if target is None and known:
        raise RequestError(f"several targets are on record: name one with {ways(known)}")
    raise no_run(known, target)


def no_run(known: Sequence[TargetKey], target: TargetKey | None) -> RequestError:
    """Return the error for a target without a run on record, with the targets that have one."""
    of_it = f" of {name_of(target)}" if target else ""
    of_it += f" at {target.base_url}" if target and target.environment != _URL else ""
    alike = [one for one in known if target and one.environment == target.environment] or known
    return RequestError(f"no run{of_it} is on record" + (f"; on record: {ways(alike)}" if alike else ""))


def ways(targets: Sequence[TargetKey]) -> str:
    """Return how each target is named on the command line."""
    named = [one.environment for one in targets]
    return " or ".join(_way(one, is_alone=named.count(one.environment) == 1) for one in targets)


def _way(target: TargetKey, *, is_alone: bool) -> str:
    if target.environment == _URL:
        return f"--url {target.base_url}"
    return f"--env {target.environment}" + ("" if is_alone else f" --url {target.base_url}")


def name_of(target: TargetKey) -> str:
    """Return how a sentence names a target."""
    return target.base_url if target.environment == _URL else f"'{target.environment}'"


def title(target: TargetKey) -> str:
    """Return the heading for a target."""
    return target.base_url if target.environment == _URL else f"{target.environment}, {target.base_url}"
