"""The interface for Python programs: `verify`, and `averify` for a running event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from math import inf
from pathlib import Path
from typing import ParamSpec, TypeVar

from probekit.model.history import History
from probekit.model.report import Report
from probekit.model.verdict import Stage
from probekit.planning.selection import Selection
from probekit.workflows.options import RequestError, RunOptions, history_at
from probekit.workflows.verify import execute_run

_P = ParamSpec("_P")
_T = TypeVar("_T")


def run_options(  # noqa: PLR0913  # the options of the command line, by name
    environment: str | None = None,
    *,
    config: Path | str = "probes.toml",
    url: str | None = None,
    ca: Path | str | None = None,
    headers: Mapping[str, str] | None = None,
    stage: Stage | str = Stage.AFTER,
    selection: Selection | None = None,
    deployed: datetime | None = None,
    release: str | None = None,
    wait_release: float = 0.0,
    settle: bool = True,
    strict: bool = False,
    measure_all: bool = False,
    facts: Mapping[str, bool] | None = None,
) -> RunOptions:
    """Return the options of a run, from the parameters of `verify` and `averify`.

    Raises:
        RequestError: two options exclude each other, the stage is unknown, `deployed` has no time zone or lies in the
            future, or `wait_release` is below 0 or infinite.
    """
    if url is not None and environment is not None:
        raise RequestError("environment names an environment of a file, url a target without a file: give one of them")
    if url is None and (ca or headers):
        raise RequestError("ca and headers work with url only; with a file, write them in 'connect' of the environment")
    if stage not in set(Stage):
        raise RequestError(f"unknown stage '{stage}'; known stages: {', '.join(Stage)}")
    if deployed is not None and deployed.tzinfo is None:
        raise RequestError(f"deployed {deployed.isoformat()} has no time zone; write datetime.now(UTC), or tzinfo=UTC")
    if not 0 <= wait_release < inf:
        raise RequestError(f"wait_release is {wait_release}; expected a number of seconds from 0")
    return RunOptions(
        environment=environment,
        config=Path(config),
        url=url,
        ca=Path(ca) if ca else None,
        headers=headers or {},
        stage=Stage(stage),
        selection=selection or Selection(),
        history=history_at(deployed, release) if deployed else History(),
        release=release,
        wait_release=wait_release,
        settle=settle,
        strict=strict,
        measure_all=measure_all,
        facts=facts or {},
    )


def _taking(build: Callable[_P, RunOptions]) -> Callable[[Callable[[RunOptions], _T]], Callable[_P, _T]]:
    """Return a decorator that gives a function of options the parameters of the function that builds them."""

    def decorate(function: Callable[[RunOptions], _T]) -> Callable[_P, _T]:
        @wraps(function)
        def taking(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            return function(build(*args, **kwargs))

        result = inspect.signature(function, eval_str=True).return_annotation
        taking.__signature__ = inspect.signature(build, eval_str=True).replace(return_annotation=result)  # type: ignore[attr-defined]  # what help() reads
        return taking

    return decorate


@_taking(run_options)
def verify(options: RunOptions) -> Report:  # noqa: D417  # its parameters are those of `run_options`
    """Verify one environment or one URL; the record of earlier runs is neither read nor written.

    Args:
        environment: its name in the configuration; optional if there is only one.
        config: the configuration file.
        url: a URL to verify without a file.
        ca: for a URL: a file with CA certificates (PEM) to trust in addition to the system's.
        headers: for a URL: names of headers to the environment variables that hold their values.
        stage: when the run takes place: before the deployment, after it, or rolled-back.
        selection: the part of the scope that is verified; default: all of it.
        deployed: when the release was deployed, with a time zone; without it no rollback is ordered.
        release: the version that must be served.
        wait_release: seconds to wait for that version.
        settle: whether to wait until the release has settled.
        strict: whether a follow-up prevents a go.
        measure_all: whether windows and bursts are measured after a confirmed failure has fixed the decision.
        facts: facts of the checklist by their names, in addition to those of the configuration.

    Returns:
        The report: `decision.action`, `exit_code`, and a verdict for each item in scope.

    Raises:
        ConfigError: a file is wrong.
        RequestError: the environment is unknown, the selection matches no item, or an option is wrong.
        RuntimeError: an event loop runs in this thread; nothing was sent.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(execute_run(options))
    raise RuntimeError(
        "probekit.verify() cannot run inside an event loop, such as in a notebook: use await probekit.averify(...)"
    )


@_taking(run_options)
async def averify(options: RunOptions) -> Report:
    """Verify one environment or one URL in the running event loop.

    Other work that blocks the loop delays the measurements, and delayed durations become errors instead of readings.

    Args: those of `verify`.

    Returns:
        The report.

    Raises:
        ConfigError: a file is wrong.
        RequestError: the environment is unknown, the selection matches no item, or an option is wrong.
    """
    return await execute_run(options)
