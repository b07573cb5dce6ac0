"""The people in the report of a run: its contacts, and who deployed and reviewed the release."""

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
    """Return who deployed and reviewed the release: by the caller, else the record, else the configuration."""
    configured = Responsible(deployed_by=environment.deployed_by, reviewed_by=environment.reviewed_by)
    found = options.responsible.completed(options.history.responsible).completed(configured)
    deployed_by, reviewed_by = (
        None if name is None else _shown(name, redactor) for name in (found.deployed_by, found.reviewed_by)
    )
    return Responsible(deployed_by=deployed_by, reviewed_by=reviewed_by)


def paging(environment: Environment, redactor: Redactor) -> Paging:
    """Return the contacts of an environment and whom to page."""
    found = paging_of(environment.contacts, environment.page)
    shown = (
        replace(one, name=_shown(one.name, redactor), contact=_shown(one.contact, redactor)) for one in found.contacts
    )
    return replace(found, contacts=tuple(shown))


def maintenance(options: RunOptions, environment: Environment) -> tuple[Maintenance, ...]:
    """Return the maintenance windows of the environment and of the caller."""
    return (*(one.period for one in environment.maintenance), *options.maintenance)


def deployment_window(environment: Environment) -> Period | None:
    """Return when the deployment is planned, or None."""
    return environment.deployment_window.period if environment.deployment_window else None


def _shown(text: str, redactor: Redactor) -> str:
    """Return a text about a person, or a placeholder if it holds a secret."""
    return HIDDEN if holds_secret(text, redactor) else text


def holds_secret(text: str, redactor: Redactor) -> bool:
    """Return whether a text about a person, or a part of it such as of a URL, is a secret of the configuration."""
    return any(map(redactor.is_secret, name_parts(text)))


def name_parts(text: str) -> set[str]:
    """Return a name of the configuration, and the parts of a URL or path in it."""
    return {text, *re.split("[/:]+", text)} - {""}
