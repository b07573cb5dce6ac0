"""`probekit deployment start`: mark that a deployment begins, and what its release is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from probekit.cli.config_file import default_config
from probekit.cli.deployment.marking import at_option, named, read
from probekit.cli.errors import exit_on_error
from probekit.cli.options import config_option, environment_option, log_format_option
from probekit.cli.output import warn, write_stdout
from probekit.cli.people_options import OneLine, deployed_by_option, reviewed_by_option
from probekit.cli.state import required_file, state_option, target_key
from probekit.config.release import commit_of, digest_of
from probekit.history.ahead import deployments_ahead, mark_ahead
from probekit.history.store import Store
from probekit.model.history import Deployment, TargetKey
from probekit.model.record import Identity
from probekit.model.responsible import Responsible
from probekit.text import escape, moment
from probekit.workflows.assembly import loaded, target_of, with_config
from probekit.workflows.options import RequestError, RunOptions
from probekit.workflows.release import configured_release
from probekit.workflows.resumed import resumed


class _Commit(click.ParamType[str]):
    """The name of a commit."""

    name = "SHA"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401  # click's interface
        try:
            return commit_of(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Image(click.ParamType[tuple[str, str]]):
    """The name of an image and its digest."""

    name = "NAME=DIGEST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:  # noqa: ANN401  # click's interface
        if isinstance(value, tuple):
            return value
        name, _, digest = str(value).partition("=")
        try:
            return OneLine().convert(name, None, None), digest_of(digest)
        except (ValueError, click.BadParameter):
            self.fail("expected NAME=sha256:... with the 64 hexadecimal digits of the image's digest", param, ctx)


def _by_name(_ctx: click.Context, _param: click.Parameter, given: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    names = [name for name, _ in given]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise click.BadParameter(f"image {twice} is given more than once")
    return dict(given)


@click.command(name="start")
@environment_option
@click.option("--release", type=OneLine(), metavar="VERSION", help="Version that is deployed.")
@click.option("--commit", type=_Commit(), help="Commit that the release was built from.")
@click.option(
    "--image",
    "images",
    type=_Image(),
    multiple=True,
    callback=_by_name,
    help="Digest of an image of the release, such as app=sha256:... Repeatable.",
)
@click.option(
    "--previous",
    type=OneLine(),
    metavar="VERSION",
    help="Version that a rollback restores. [default: that of the last successful deployment]",
)
@deployed_by_option
@reviewed_by_option
@at_option
@config_option
@state_option
@log_format_option
@exit_on_error
def command(  # noqa: PLR0913  # click's interface
    environment: str | None,
    release: str | None,
    commit: str | None,
    images: Mapping[str, str],
    previous: str | None,
    *,
    deployed_by: str | None,
    reviewed_by: str | None,
    at: datetime,
    config: Path | None,
    state: str | None,
) -> int:
    """Mark the deployment as started.

    Failures that were there before are not attributed to it. Counters are read now, so that later runs can tell how
    much they grew. What is not given comes from [env.NAME.release]. A second start of the same release resumes it.

    \b
    Examples:
      probekit deployment start --env prod --release 2.3.1 --commit 3f2a9c1
      probekit deployment start --env prod --release 2.3.1 --image app=sha256:...
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    options = with_config(RunOptions(environment=environment, config=default_config(config)))
    target = target_key(options)
    given = Identity(release=release, commit=commit, images=images, previous=previous)
    options, identity = _completed(given, options)
    responsible = Responsible(deployed_by=deployed_by, reviewed_by=reviewed_by)
    with Store(required_file(state)) as store:
        _replace_ahead(store, target)
        found = store.deployment(target, datetime.now(UTC))
        if found and (again := resumed(found, identity, at)):
            store.change(target, again)
            write_stdout(f"{_resumed(found, target)}\n")
            return 0
        deployment = _begun(identity, at)
        store.begin(target, deployment)
        store.record_mark(target, deployment, replace(read(options, at, is_start=True), responsible=responsible))
    write_stdout(f"{target.environment}: the deployment of {_described(identity)} started at {moment(at)}\n")
    return 0


def _begun(identity: Identity, at: datetime) -> Deployment:
    """Return a deployment of that release which begins."""
    return Deployment(
        release=identity.release,
        started=at,
        commit=identity.commit,
        images=identity.images,
        previous=identity.previous,
    )


def _described(identity: Identity) -> str:
    """Return the release with the facts that name it."""
    facts, release = str(replace(identity, release=None)), escape(identity.release or "a release")
    return f"{release} ({escape(facts)})" if facts else release


def _completed(given: Identity, options: RunOptions) -> tuple[RunOptions, Identity]:
    """Return the options with [env.NAME.release], and the given facts of the release completed by it.

    Raises:
        RequestError: the two contradict each other.
    """
    config = loaded(options)
    target = target_of(options, config)
    configured, notes = configured_release(config, target)
    for note in notes:
        warn(f"warning: {note}")
    for name, here, there in given.differences(configured):
        raise RequestError(
            f"the command line names {name} {here}, and [env.{target.name}.release] has {there}: correct one of them"
        )
    return replace(options, configured_release=(configured, notes)), given.completed(configured)


def _replace_ahead(store: Store, target: TargetKey) -> None:
    """Drop marks that lie in the future, which would count as the latest ones later."""
    now = datetime.now(UTC)
    for one in deployments_ahead(store, target, now):
        warn(f"warning: {mark_ahead(one, 'start', one.started)}, and is replaced by the new mark")
    store.drop_deployments_ahead(target, now)


def _resumed(found: Deployment, target: TargetKey) -> str:
    finish = f"probekit deployment finish --env {target.environment}"
    state = "already started" if found.is_under_way else "is resumed: it started"
    started = f"{target.environment}: the deployment of {named(found)} {state} at {moment(found.started)}"
    return f"{started}, which is unchanged; when it is finished, run: {finish}"
