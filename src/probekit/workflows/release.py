"""What options, configuration and record say about the release of a run."""

from __future__ import annotations

import os

from probekit.config.release import ReleaseError, ReleaseReader
from probekit.config.target import Config, Target
from probekit.model.record import Identity
from probekit.planning.release import ReleaseRequest
from probekit.workflows.options import RequestError, RunOptions


def release_request(options: RunOptions, config: Config, target: Target) -> ReleaseRequest:
    """Return what the options, the configuration and the record say about the release.

    Raises:
        RequestError: a variable or a file of [env.NAME.release] holds something else.
    """
    configured, notes = options.configured_release or configured_release(config, target)
    return ReleaseRequest(
        version=options.release, stage=options.stage, configured=configured, history=options.history, notes=notes
    )


def configured_release(config: Config, target: Target) -> tuple[Identity, tuple[str, ...]]:
    """Return what [env.NAME.release] says, and a note for each variable and file that is missing.

    Raises:
        RequestError: a variable or a file holds something else.
    """
    written = target.environment.release
    if written is None:
        return Identity(), ()
    reader = ReleaseReader(config.path.absolute().parent, {**config.dotenv.values, **os.environ})
    try:
        return reader.identity(written), tuple(reader.notes)
    except ReleaseError as error:
        raise RequestError(f"{config.path}: {error}") from None
