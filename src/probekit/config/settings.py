"""The tables of probes.toml, and the PROBEKIT_ variables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, StrictBool, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from probekit.config.connect import Connect
from probekit.config.people import Contacts, OneLine, Page, PlannedMaintenance, PlannedPeriod
from probekit.config.release import ReleaseSettings
from probekit.probe import Allowance, Duration, Settings
from probekit.transport.urls import has_host, origin_of, url_problem


class Variables(BaseSettings):
    """PROBEKIT_CONFIG, _DEPLOYED, _RELEASE, _DEPLOYED_BY and _REVIEWED_BY, from the environment."""

    model_config = SettingsConfigDict(env_prefix="PROBEKIT_", extra="ignore")

    config: Path | None = None
    deployed: str | None = None
    release: str | None = None
    deployed_by: str | None = None
    reviewed_by: str | None = None

    def completed(self, dotenv: Mapping[str, str | None]) -> Self:
        """A copy with the values of .env for variables that the environment does not set."""
        names = ("deployed", "release", "deployed_by", "reviewed_by")
        lacking = [name for name in names if getattr(self, name) is None]
        return self.model_copy(update={name: dotenv.get(f"PROBEKIT_{name.upper()}") for name in lacking})


ADDRESS_PATTERN = r"^https?://[^\s/@?#]+(/[^\s?#]*)?$"


class Throttle(Settings):
    """The request rate limit of one host."""

    requests: int = Field(ge=1, le=10_000, description="Requests allowed in each period.")
    per: Duration = Field(gt=0, description="Length of the period.")


class Change(Settings):
    """Changes of one item's limits; the limits on other metrics stay."""

    expect: list[str] = Field([], description="Limits that replace the checklist's limits on the same metrics.")
    drop: list[str] = Field([], description="Metrics whose limits are removed. Every report shows the change.")
    reason: str = Field(min_length=3, description="Reason for the change, shown in every report.")

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.expect and not self.drop:
            message = "changes nothing: add 'expect' or 'drop'"
            raise ValueError(message)
        return self


class ControlUrl(Settings):
    """A URL outside the target that answers while the runner's network works."""

    url: str = Field(
        description="URL with http:// or https:// and a host. "
        "Over https, no gateway on the way can answer in its place."
    )
    status: int | None = Field(
        None,
        ge=100,
        le=599,
        description="Expected status code. "
        "Default: 2xx or a redirect to the same host; over https, any answer but 5xx.",
    )

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")) or "@" in url or not has_host(url):
            message = (
                f"'{url.rpartition('@')[2]}' is not a URL with http:// or https:// and a host, without a user name"
            )
            raise ValueError(message)
        return url


def _control(written: object) -> object:
    return {"url": written} if isinstance(written, str) else written


class Environment(Settings):
    """One target: its URL, its items and limits, its probes, and how it is measured."""

    base_url: str = Field(
        pattern=ADDRESS_PATTERN,
        description="URL of the target, such as https://app.example.com, with a path prefix where it has one; "
        "never inherited.",
    )
    inherits: str | None = Field(
        None, description="Environment whose settings and probes are inherited unless this one sets its own."
    )
    without_probes: list[str] = Field([], description="Inherited probes (PROBE or PROBE.INSTANCE) to exclude.")
    scope: list[str] = Field(
        [],
        description="Items to verify: ids or their beginnings. Own checks are always in scope.",
    )
    control: list[Annotated[ControlUrl, BeforeValidator(_control, json_schema_input_type=str | ControlUrl)]] = Field(
        [],
        description="URLs outside the target that answer while the runner's network works. "
        "Without one, no rollback is ordered.",
    )
    timeout: Duration = Field(10.0, gt=0, le=300, description="Time limit of one request, connection included.")
    throttle: Throttle = Field(
        Throttle.model_validate({"requests": 20, "per": "1s"}), description="Request rate limit of each host."
    )
    settle: Duration = Field(
        30.0, le=3600, description="Minimum time between the deployment and the first measurement."
    )
    spread: Duration = Field(
        20.0, le=600, description="Time over which the measurements of the first attempt are spread."
    )
    attempt_interval: Duration = Field(10.0, le=600, description="Time between two attempts.")
    block: Duration = Field(10.0, gt=0, le=60, description="Length of one sampling interval.")
    window: Duration = Field(
        60.0,
        gt=0,
        le=3600,
        description="Minimum length of a sampling window, at least six blocks. "
        "A sampling takes up to three windows while an item is undecided.",
    )
    budget: int = Field(
        600,
        ge=1,
        le=100_000,
        description="Maximum number of requests of all samplings of a run, in all their windows. "
        "Each sampling sends at most 300. Neither limit applies if load is allowed.",
    )
    allow: list[Allowance] = Field([], description="Operations that are allowed in addition to reading.")
    trust: list[str] = Field(
        [],
        description="Probes of kind command that may let a critical item pass, "
        "although a program reports their values.",
    )
    deadline: Duration = Field(900.0, gt=0, description="Time limit of the whole run.")
    keep: Duration | None = Field(
        None,
        ge=86_400,
        le=400 * 86_400,
        description="How long recorded runs are kept (1d to 400d); the last 20 always stay. "
        "Default: 30d for a go, 180d for any other run.",
    )
    vantage: str = Field("", description="Where probekit runs, shown in every report.")
    contacts: Contacts = Field(Contacts(), description="Contacts that can be called. Reports name them.")
    page: Page = Field(Page(), description="Contacts to call for each severity.")
    deployed_by: OneLine | None = Field(
        None, description="Who deploys. Shown in reports where neither the run nor the record has a name."
    )
    reviewed_by: OneLine | None = Field(
        None, description="Who reviewed the release. Shown in reports where neither the run nor the record has a name."
    )
    deployment_window: PlannedPeriod | None = Field(
        None, description="Planned period of the deployment, shown in reports. Metric started_in_window reads it."
    )
    archive: str | None = Field(
        None,
        min_length=1,
        pattern=r"^[^\x00]+$",
        description="Folder that keeps each deployment's log and reports with checksums, from the folder of "
        "probes.toml. Never inherited.",
    )
    maintenance: list[PlannedMaintenance] = Field(
        [],
        max_length=50,
        description="Periods of planned work. A run in one orders no rollback unless a deployment is marked in it.",
    )
    report_mode: str | None = Field(
        None,
        pattern=r"^0?[46][046][04]$",
        description='File mode of a new report, such as "0640". '
        "Default: 0600, and 0644 for formats that other programs collect.",
    )
    connect: Connect = Field(Connect(), description="How the target is reached.")
    release: ReleaseSettings | None = Field(
        None, description="What the release is: records that must be of it are compared with this. Never inherited."
    )
    not_applicable: dict[str, str] = Field(
        {}, description="Items that do not apply: ids or their beginnings, each with the reason."
    )
    facts: dict[str, StrictBool] = Field(
        {},
        description="Facts of the checklist, true or false, by their names. The items of a fact that is false do not "
        "apply. Never inherited.",
    )
    limits: dict[str, Change] = Field({}, description="Changed limits, by the id of the item.")
    probes: dict[str, dict[str, Any]] = Field({}, description="Probes by name: those of the checklist, and your own.")

    @field_validator("base_url")
    @classmethod
    def _can_be_reached(cls, url: str) -> str:
        if problem := url_problem(url):
            message = f"{problem}; write a URL such as https://app.example.com:8443"
            raise ValueError(message)
        return url

    @field_validator("control")
    @classmethod
    def _are_outside(cls, controls: list[ControlUrl], info: ValidationInfo) -> list[ControlUrl]:
        base_url = info.data.get("base_url")
        for control in controls:
            if base_url and origin_of(control.url) == origin_of(base_url):
                message = f"'{control.url}' is the target itself; use a URL outside it"
                raise ValueError(message)
        return controls

    @field_validator("not_applicable")
    @classmethod
    def _have_reasons(cls, reasons: dict[str, str]) -> dict[str, str]:
        for name, reason in reasons.items():
            if not reason.strip():
                message = f"'{name}' has no reason; write one"
                raise ValueError(message)
        return reasons


class File(Settings):
    """The whole of probes.toml."""

    include: list[str] = Field(
        [],
        description="Files to include, by their paths from the folder of this file. Later files override earlier ones, "
        "and this file overrides all.",
    )
    defaults: dict[str, Any] = Field({}, description="Settings and probes of every environment.")
    checklist: str = Field(
        "softfactory",
        min_length=1,
        description='Name of a built-in checklist, path of your own, or "none" for your own probes only.',
    )
    probes: dict[str, dict[str, Any]] = Field({}, description="Probes that all environments share.")
    env: dict[str, Environment] = Field(min_length=1, description="Environments by name.")
