"""What does an earlier report tell the next run?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ValidationError

from probekit.model import Severity


class RecallError(Exception):
    """The report cannot be used; the message says why."""


class _Since(BaseModel):
    item: str
    severity: Severity
    since: AwareDatetime


class _Memory(BaseModel):
    since: tuple[_Since, ...]


class _Run(BaseModel):
    environment: str
    started: AwareDatetime


class _Report(BaseModel):
    """As much of report.schema.json as the next run needs."""

    schema_: Literal["probekit.report/1"]
    run: _Run
    memory: _Memory


def since_of(report: Any, environment: str, now: datetime) -> Mapping[tuple[str, Severity], datetime]:  # noqa: ANN401  # any JSON
    """Since when each item fails at each severity, by a report on that environment.

    Raises:
        RecallError: it is no report, one on another environment, or one from the future.
    """
    try:
        found = _Report.model_validate({**report, "schema_": report.get("schema")})
    except (ValidationError, TypeError, AttributeError):
        raise RecallError("no report of this probekit (schema probekit.report/1)") from None
    if found.run.environment != environment:
        raise RecallError(f"a report on '{found.run.environment}', not on '{environment}'")
    if found.run.started > now or any(one.since > now for one in found.memory.since):
        raise RecallError("a report from the future: look at the clocks")
    return {(one.item, one.severity): one.since for one in found.memory.since}
