"""`probekit deployment log`: note the file that a deployment writes its log to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from probekit.archive import last_change, problem_of
from probekit.cli.config_file import default_config
from probekit.cli.deployment.marking import latest, named, none_is
from probekit.cli.errors import exit_on_error
from probekit.cli.options import config_option, environment_option
from probekit.cli.output import warn, write_stdout
from probekit.cli.state import required_file, state_option, target_key
from probekit.history.store import Store
from probekit.model.history import Deployment
from probekit.model.ledger import DeploymentLog
from probekit.text import escape
from probekit.workflows.assembly import with_config
from probekit.workflows.options import RunOptions

_LONGEST = 4096  # bytes of a path on Linux


class _LogFile(click.ParamType[str]):
    """The path of a log, as it is kept: absolute, on one line."""

    name = "FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401  # click's interface
        """Return the absolute path."""
        path = str(Path(value).absolute())
        if escape(path) != path:
            self.fail("the path has control or invisible characters; rename the file", param, ctx)
        if len(path.encode()) > _LONGEST:
            self.fail(f"the path has more than {_LONGEST} bytes", param, ctx)
        return path


@click.command(name="log")
@click.argument("file", type=_LogFile())
@environment_option
@config_option
@state_option
@exit_on_error
def command(file: str, environment: str | None, *, config: Path | None, state: str | None) -> int:
    """Note the file that the deployment writes its log to.

    It is noted for the deployment under way, else for the latest one. Its last change is read when the deployment is
    finished; with `archive` set, later runs keep a copy.

    \b
    Examples:
      probekit deployment log deploy.log --env prod
      probekit deployment log /var/log/deploy/2.3.1.log --env prod
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    options = with_config(RunOptions(environment=environment, config=default_config(config)))
    target = target_key(options)
    with Store(required_file(state)) as store:
        found = latest(store, target)
        if found is None:
            raise none_is("on record", target)
        store.change(target, replace(found, log=DeploymentLog(path=file)))
    try:
        last_change(file)
    except (OSError, ValueError) as error:
        warn(f"warning: the log {escape(file)} has no last change yet: {problem_of(error)}")
    write_stdout(f"{target.environment}: the log of the deployment of {named(found)} is {escape(file)}\n")
    return 0


def with_log_read(deployment: Deployment) -> Deployment:
    """Return a deployment that ends with the last change of its log; warn if it cannot be read."""
    if deployment.log is None:
        return deployment
    try:
        written = last_change(deployment.log.path)
    except (OSError, ValueError) as error:
        warn(f"warning: the last change of the log {escape(deployment.log.path)} was not read: {problem_of(error)}")
        return replace(deployment, log=replace(deployment.log, written=None))
    return replace(deployment, log=replace(deployment.log, written=written))
