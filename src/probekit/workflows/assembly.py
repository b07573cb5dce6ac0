"""From the options of a run to its configuration, its target, its plan and its connections."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from probekit.config import loader
from probekit.config.secrets import SecretResolver
from probekit.config.target import Config, Target
from probekit.engine.context import RunContext
from probekit.model.plan import Plan
from probekit.planning import capacity
from probekit.planning.plan import plan
from probekit.planning.selection import Selection
from probekit.probe import ConfiguredKind, SecretRef
from probekit.redaction import Redactor
from probekit.toml_file import nearest
from probekit.transport.client import Http
from probekit.transport.connection import Proxy, proxy_of
from probekit.transport.resolver import Resolver
from probekit.transport.trust import Trust
from probekit.transport.urls import origin_of
from probekit.workflows.options import Request, RequestError


def loaded(request: Request) -> Config:
    """The configuration that a request names.

    Raises:
        ConfigError: a file is wrong.
    """
    return request.loaded or load_config(request.config, request.url)


def load_config(path: Path, url: str | None = None) -> Config:
    """The configuration of a file, or of a URL without one.

    Raises:
        ConfigError: a file is wrong.
    """
    config = loader.of_url(url) if url else loader.load(path)
    capacity.check(config)
    return config


def target_of(request: Request, config: Config) -> Target:
    """The environment that a request names.

    Raises:
        RequestError: there is none of this name.
    """
    target = config.targets.get(request.environment)
    if target is None:
        known = f"known in {config.path}: {', '.join(config.targets)}"
        raise unknown("environment", request.environment, config.targets, known)
    return target


def prepare(request: Request) -> tuple[Config, Target, Plan[ConfiguredKind]]:
    """Load and plan; nothing is touched.

    Raises:
        ConfigError: a file is wrong.
        RequestError: the environment is unknown, or the selection leaves nothing.
    """
    config = loaded(request)
    target = target_of(request, config)
    _check_names(request.selection, config)
    planned = plan(target, config.checklist, selection=request.selection, release=request.release)
    if not planned.items:
        raise RequestError(f"the selection leaves nothing of what '{target.name}' is held to; see: probekit list items")
    if request.wait_release and (not planned.release_guards or planned.release is None):
        raise RequestError(
            "--wait-release needs a probe 'release' and an expected version ('expect' there, or --release)"
        )
    return config, target, planned


def _check_names(selection: Selection, config: Config) -> None:
    for prefix in (*selection.sections, *selection.items):
        if not config.checklist.select(prefix):
            known = [*(item.id for item in config.checklist.items), *config.checklist.sections]
            raise unknown("item or section", prefix, known, "see: probekit list items")
    for name in selection.probes:
        if name not in config.checklist.probes:
            raise unknown("probe", name, config.checklist.probes, "see: probekit list probes")


def unknown(what: str, name: str, known: Iterable[str], hint: str) -> RequestError:
    """The error for a name that is not known, with the nearest one."""
    return RequestError(f"no {what} '{name}'{nearest(name, known)}; {hint}")


def secrets_of(config: Config, redactor: Redactor) -> SecretResolver:
    """What opens the secrets that a configuration refers to."""
    return SecretResolver(folder=config.path.absolute().parent, variables=os.environ, redactor=redactor)


def context_of(config: Config, target: Target, secrets: SecretResolver, run_id: str) -> RunContext:
    """What every run against this target needs."""
    return RunContext(
        environment=target.environment,
        http=http_of(target, secrets, config.path, run_id),
        reveal=secrets.reveal,
        redactor=secrets.redactor,
    )


def http_of(target: Target, secrets: SecretResolver, path: Path, run_id: str) -> Http:
    """The door of one run, as its environment connects."""
    environment = target.environment
    connect, folder = environment.connect, path.absolute().parent
    return Http(
        run=run_id,
        resolver=Resolver(fixed=connect.resolve, family=connect.family),
        trust=Trust(
            ca=folder / connect.ca if connect.ca else None,
            client_cert=folder / connect.client_cert if connect.client_cert else None,
        ),
        proxy=partial(_proxy, secrets, connect.proxy) if connect.proxy else None,
        rate=(environment.throttle.requests, environment.throttle.per),
        identity={name: partial(secrets.reveal, secret) for name, secret in connect.headers.items()},
        origin=origin_of(environment.base_url),
    )


def _proxy(secrets: SecretResolver, kept: SecretRef) -> Proxy:
    return proxy_of(secrets.reveal(kept), str(kept))
