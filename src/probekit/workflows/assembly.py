"""From the options of a run to its configuration, its target, its plan and its connections."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from probekit import log
from probekit.checklist import Checklist
from probekit.config import loader
from probekit.config.secrets import SecretResolver, secret_refs
from probekit.config.target import Config, Target
from probekit.engine.context import Cancellation, Clock, RunContext, RunObserver
from probekit.model.plan import Plan
from probekit.planning import capacity
from probekit.planning.plan import NO_ROLLBACK, ROLLBACK, plan
from probekit.probe import ConfiguredKind, SecretRef
from probekit.redaction import Redactor
from probekit.toml_file import ConfigError, nearest
from probekit.transport.client import Http
from probekit.transport.connection import Proxy, proxy_of
from probekit.transport.made_up import MadeUpPaths
from probekit.transport.resolver import Resolver
from probekit.transport.trust import Trust
from probekit.transport.urls import origin_of
from probekit.workflows.options import RequestError, RunOptions
from probekit.workflows.people import holds_secret, name_parts
from probekit.workflows.release import release_request

_PEOPLE: Final = {"contacts", "deployed_by", "reviewed_by"}  # settings of an environment that name people


def loaded(options: RunOptions) -> Config:
    """Return the configuration that the options name; read it unless they hold it already.

    Raises:
        ConfigError: a file is wrong.
        RequestError: the URL is wrong.
    """
    if options.config_loaded:
        return options.config_loaded
    return _of_url(options, options.url) if options.url is not None else load_config(options.config)


def with_config(options: RunOptions) -> RunOptions:
    """Return the options with configuration and environment, so that every step of a command uses the same ones.

    Raises:
        ConfigError: a file is wrong.
        RequestError: the URL is wrong, or see `target_of`.
    """
    config = loaded(options)
    return replace(options, config_loaded=config, environment=target_of(options, config).name)


def load_config(path: Path) -> Config:
    """Return the configuration of a file.

    Raises:
        ConfigError: the file is wrong.
    """
    config = loader.load(path)
    capacity.check(config)
    return config


def _of_url(options: RunOptions, url: str) -> Config:
    from probekit.config import by_url  # noqa: PLC0415  # for runs without a file

    if mistake := by_url.url_mistake(url):
        raise RequestError(f"--url: {mistake}")
    config = by_url.of_url(url, ca=options.ca, headers=options.headers)
    for header, variable in options.headers.items():
        if variable not in os.environ and config.dotenv.values.get(variable) is None:
            raise RequestError(f"--header {header}: variable {variable} is not set; export it, or write it into .env")
    return config


def target_of(options: RunOptions, config: Config) -> Target:
    """Return the environment that the options name, or the only one.

    Raises:
        ConfigError: a variable that it needs is not set.
        RequestError: the name is unknown, or there are several environments and none is named.
    """
    names = config.environments
    if options.environment is None:
        if len(names) > 1:
            raise RequestError(f"name the environment with --env: {config.path} has {', '.join(names)}")
        return next(iter(config.targets.values()))
    if options.environment in config.unset:
        raise ConfigError(config.unset[options.environment])
    target = config.targets.get(options.environment)
    if target is None:
        raise unknown("environment", options.environment, names, f"known in {config.path}: {', '.join(names)}")
    return target


def prepare(options: RunOptions) -> tuple[Config, Target, Plan[ConfiguredKind]]:
    """Load the configuration and plan the run; nothing is sent.

    Raises:
        ConfigError: a file is wrong.
        RequestError: the environment is unknown, or the selection matches no item in scope.
    """
    config = loaded(options)
    target = target_of(options, config)
    _check_names(options, target.checklist, tuple(config.checklist.phases))
    release = release_request(options, config, target)
    if options.selection.phase == ROLLBACK and not release.is_rolled_back:
        raise RequestError(f"--phase {ROLLBACK}: {NO_ROLLBACK}")
    planned = plan(
        target,
        selection=options.selection,
        release=release,
        settles=options.settle and not options.selection.quick,
        facts=options.facts,
    )
    if not planned.items:
        raise RequestError(
            f"the selection matches no item in scope of '{target.name}'; see: probekit list items --env {target.name}"
        )
    if options.wait_release and (not planned.release_guards or not planned.versions.expected):
        raise RequestError(
            "--wait-release needs a probe 'release' and an expected version ('expect' there, or --release)"
        )
    return config, target, planned


def _check_names(options: RunOptions, checklist: Checklist, phases: Sequence[str]) -> None:
    """Refuse unknown names; `phases` are those of the checklist without that of own checks, which belong to each.

    Raises:
        RequestError: a name is unknown; the message has the nearest known one.
    """
    selection = options.selection
    if selection.phase is not None and selection.phase not in phases:
        raise unknown("phase", selection.phase, phases, f"known phases: {', '.join(phases) or 'none'}")
    for name in options.facts:
        if name not in checklist.facts:
            raise unknown("fact", name, checklist.facts, f"known facts: {', '.join(checklist.facts) or 'none'}")
    for prefix in (*selection.sections, *selection.items):
        if not checklist.select(prefix):
            known = [*(item.id for item in checklist.items), *checklist.sections]
            raise unknown("item or section", prefix, known, "see: probekit list items")
    for name in selection.probes:
        if name not in checklist.probes:
            raise unknown("probe", name, checklist.probes, "see: probekit list probes")


def unknown(what: str, name: str, known: Iterable[str], hint: str) -> RequestError:
    """Return the error for an unknown name, with the nearest known one."""
    return RequestError(f"no {what} '{name}'{nearest(name, known)}; {hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One target, ready to be measured; nothing is sent until a run begins."""

    run_id: str
    context: RunContext


def session(
    config: Config,
    target: Target,
    *,
    clock: Clock | None = None,
    cancellation: Cancellation | None = None,
    observer: RunObserver | None = None,
) -> Session:
    """Return what a workflow needs to measure this target, without settling and history.

    From here on the events of the calling task are redacted.

    Raises:
        ConfigError: the pipe of a secret does not end.
    """
    run_id = uuid4().hex[:12]
    folder = config.path.absolute().parent
    redactor = Redactor()
    redactor.allow(_names_of(target))
    log.redact(redactor)
    secrets = SecretResolver(folder=folder, variables=os.environ, dotenv=config.dotenv, redactor=redactor)
    secrets.prepare(secret_refs([target.environment, *(one.source.config for one in target.probes)]))
    redactor.allow(set(_people_of(target, redactor)))
    context = RunContext(
        environment=target.environment,
        name=target.name,
        http=_http(target, secrets, folder, run_id),
        reveal=secrets.reveal,
        redactor=redactor,
        clock=clock or Clock(),
        settle=False,
        cancellation=cancellation or Cancellation(),
        observer=observer or RunObserver(),
    )
    return Session(run_id=run_id, context=context)


def _names_of(target: Target) -> Iterator[str]:
    """Yield every name in the configuration of a target, with the hosts and paths in it; they are not secrets."""
    settings = [target.environment.model_dump(mode="json", exclude=_PEOPLE)]
    settings += [one.source.config.model_dump(mode="json") for one in target.probes]
    texts = {target.name, *(item.id for item in target.items), *(one.probe for one in target.probes)}
    texts |= {text for one in settings for text in _texts(one)}
    for text in texts:
        yield from name_parts(text)


def _people_of(target: Target, redactor: Redactor) -> Iterator[str]:
    """Yield names and contacts of people; they are not secrets, unless the configuration refers to one as a secret."""
    for text in _texts(target.environment.model_dump(mode="json", include=_PEOPLE)):
        if not holds_secret(text, redactor):
            yield from name_parts(text)


def _texts(value: object) -> Iterator[str]:
    """Yield every key and text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from (str(key), *_texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _http(target: Target, secrets: SecretResolver, folder: Path, run_id: str) -> Http:
    """Return the HTTP client of one run, with the connection settings of its environment."""
    environment = target.environment
    connect = environment.connect
    return Http(
        run=run_id,
        resolver=Resolver(fixed=connect.resolve, family=connect.family),
        trust=Trust(
            ca=folder / connect.ca if connect.ca else None,
            client_cert=folder / connect.client_cert if connect.client_cert else None,
        ),
        proxy=partial(_proxy, secrets, connect.proxy) if connect.proxy else None,
        rate=(environment.throttle.requests, environment.throttle.per),
        most_in_flight=None if "load" in environment.allow else Http.most_in_flight,
        identity={name: partial(secrets.reveal, secret) for name, secret in connect.headers.items()},
        origin=origin_of(environment.base_url),
        way=repr((sorted(connect.resolve.items()), connect.family, str(connect.proxy), sorted(connect.headers))),
        made_up=MadeUpPaths(prefix=urlsplit(environment.base_url).path.rstrip("/")),
    )


def _proxy(secrets: SecretResolver, kept: SecretRef) -> Proxy:
    return proxy_of(secrets.reveal(kept), str(kept))
