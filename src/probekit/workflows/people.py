"""Whom the report of a run names: its contacts, and who deployed and reviewed the release."""

from __future__ import annotations

import re
from dataclasses import replace

from probekit.config.people import paging_of
from probekit.config.settings import Environment
from probekit.model.maintenance import Maintenance, Period
from probekit.model.people import Paging
from probekit.model.responsible import Responsible
from probekit.redaction import HIDDEN, Redactor
from probekit.workflows.options import RunOptions


def responsible(options: RunOptions, environment: Environment, redactor: Redactor) -> Responsible:
    """Who deployed and reviewed the release: by the caller, else by the record, else by the configuration."""
    configured = Responsible(deployed_by=environment.deployed_by, reviewed_by=environment.reviewed_by)
    found = options.responsible.completed(options.history.responsible).completed(configured)
    deployed_by, reviewed_by = (
        None if name is None else _shown(name, redactor) for name in (found.deployed_by, found.reviewed_by)
    )
    return Responsible(deployed_by=deployed_by, reviewed_by=reviewed_by)


def paging(environment: Environment, redactor: Redactor) -> Paging:
    """The contacts of an environment and whom to call."""
    found = paging_of(environment.contacts, environment.page)
    shown = (
        replace(one, name=_shown(one.name, redactor), contact=_shown(one.contact, redactor)) for one in found.contacts
    )
    return replace(found, contacts=tuple(shown))


def maintenance(options: RunOptions, environment: Environment) -> tuple[Maintenance, ...]:
    """Every maintenance window of the environment, and those that the caller names."""
    return (*(one.period for one in environment.maintenance), *options.maintenance)


def deployment_window(environment: Environment) -> Period | None:
    """When the deployment is planned."""
    return environment.deployment_window.period if environment.deployment_window else None


def _shown(text: str, redactor: Redactor) -> str:
    """A text about a person, unless it holds a secret."""
    return HIDDEN if holds_secret(text, redactor) else text


def holds_secret(text: str, redactor: Redactor) -> bool:
    """Whether a text about a person is a secret of the configuration, or a part of it is, such as of a URL."""
    return any(map(redactor.is_secret, name_parts(text)))


def name_parts(text: str) -> set[str]:
    """A name of the configuration, and the parts of a URL or a path in it."""
    return {text, *re.split("[/:]+", text)} - {""}
