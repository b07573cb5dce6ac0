"""The tables of probes.toml, and the PROBEKIT_ variables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from probekit.config.connect import Connect
from probekit.config.people import Contacts, OneLine, Page, PlannedMaintenance, PlannedPeriod
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
        """With the values of the .env beside probes.toml for those that the environment does not set."""
        names = ("deployed", "release", "deployed_by", "reviewed_by")
        lacking = [name for name in names if getattr(self, name) is None]
        return self.model_copy(update={name: dotenv.get(f"PROBEKIT_{name.upper()}") for name in lacking})


ADDRESS_PATTERN = r"^https?://[^\s/@?#]+(/[^\s?#]*)?$"


class Throttle(Settings):
    """How fast one host may be asked."""

    requests: int = Field(ge=1, le=10_000, description="requests in each period")
    per: Duration = Field(gt=0, description="the period")


class Change(Settings):
    """Other limits than the checklist's for one item; those of metrics that it does not name stay."""

    expect: list[str] = Field([], description="limits that hold instead of the checklist's on the same metrics")
    drop: list[str] = Field([], description="metrics whose limits are given up, which every report shows")
    reason: str = Field(min_length=3, description="the reason, shown in every report")

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.expect and not self.drop:
            message = "changes nothing: add 'expect' or 'drop'"
            raise ValueError(message)
        return self


class ControlUrl(Settings):
    """A URL outside the target that answers while this machine's network works."""

    url: str = Field(description="http:// or https:// and a host; over https no gateway on the way can answer for it")
    status: int | None = Field(
        None, ge=100, le=599, description="that it answers with; else any good answer over https, over http 2xx"
    )

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")) or "@" in url or not has_host(url):
            message = f"'{url.rpartition('@')[2]}' is no URL with http:// or https:// and a host, without a user"
            raise ValueError(message)
        return url


def _control(written: object) -> object:
    return {"url": written} if isinstance(written, str) else written


class Environment(Settings):
    """One target: where it is, what it is held to, how it is asked."""

    base_url: str = Field(
        pattern=ADDRESS_PATTERN,
        description="such as https://app.example.com, with a prefix where there is one; never inherited",
    )
    inherits: str | None = Field(
        None, description="The environment whose settings and probes hold here, too, unless this one writes its own."
    )
    without_probes: list[str] = Field(
        [], description="Probes (PROBE or PROBE.INSTANCE) that it would inherit and leaves out."
    )
    scope: list[str] = Field(
        [],
        description="Items that this environment is held to: ids or their beginnings; own checks are always in scope.",
    )
    control: list[Annotated[ControlUrl, BeforeValidator(_control, json_schema_input_type=str | ControlUrl)]] = Field(
        [], description="URLs outside the target that answer while our network works; none: no rollback"
    )
    timeout: Duration = Field(10.0, gt=0, le=300, description="for one exchange")
    throttle: Throttle = Field(Throttle.model_validate({"requests": 20, "per": "1s"}), description="per host")
    settle: Duration = Field(
        30.0, le=3600, description="how long the release must have been in place before it is looked at"
    )
    spread: Duration = Field(20.0, le=600, description="over which the first attempt's measurements are spread")
    attempt_interval: Duration = Field(10.0, le=600, description="between two attempts")
    block: Duration = Field(10.0, gt=0, le=60, description="of time, by which samplings keep what they saw")
    window: Duration = Field(
        60.0,
        gt=0,
        le=3600,
        description="that a sampling lasts at least, six blocks or more; up to three while an item is undecided",
    )
    budget: int = Field(
        600,
        ge=1,
        le=100_000,
        description="requests of all samplings of a run in all their windows, 300 each at most, unless load is allowed",
    )
    allow: list[Allowance] = Field([], description="what may be done beside reading")
    trust: list[str] = Field(
        [],
        description="probes of kind command by which a critical item may pass: a program reports, nothing is measured",
    )
    deadline: Duration = Field(900.0, gt=0, description="of the whole run")
    keep: Duration | None = Field(
        None,
        ge=86_400,
        le=400 * 86_400,
        description="how long runs on record stay (1d to 400d), the last 20 longer; none: a go 30d, any other 180d",
    )
    vantage: str = Field("", description="where this runs, shown in every report")
    contacts: Contacts = Field(Contacts(), description="who can be called; reports name them")
    page: Page = Field(Page(), description="which contacts are called for which severity")
    deployed_by: OneLine | None = Field(
        None, description="who deploys, shown in reports where neither a run nor the record has a name"
    )
    reviewed_by: OneLine | None = Field(
        None, description="who reviewed the release, shown in reports as deployed_by is"
    )
    deployment_window: PlannedPeriod | None = Field(
        None, description="when the deployment is planned, shown in reports; it changes no decision"
    )
    maintenance: list[PlannedMaintenance] = Field(
        [],
        max_length=50,
        description="planned work: a run in it orders no rollback, unless a deployment is marked in it",
    )
    report_mode: str | None = Field(
        None,
        pattern=r"^0?[46][046][04]$",
        description='mode of a new report file, such as "0640"; else 0600, of formats that are collected 0644',
    )
    connect: Connect = Field(Connect(), description="how the target is reached")
    not_applicable: dict[str, str] = Field(
        {}, description="items, or their beginnings, that do not apply, each with the reason"
    )
    limits: dict[str, Change] = Field({}, description="other limits for an item")
    probes: dict[str, dict[str, Any]] = Field({}, description="what fills a probe of the checklist, by its name")

    @field_validator("base_url")
    @classmethod
    def _can_be_reached(cls, url: str) -> str:
        if problem := url_problem(url):
            message = f"{problem}, expected such as https://app.example.com:8443"
            raise ValueError(message)
        return url

    @field_validator("control")
    @classmethod
    def _are_outside(cls, controls: list[ControlUrl], info: ValidationInfo) -> list[ControlUrl]:
        base_url = info.data.get("base_url")
        for control in controls:
            if base_url and origin_of(control.url) == origin_of(base_url):
                message = f"'{control.url}' is the target itself: a control lies outside of it"
                raise ValueError(message)
        return controls

    @field_validator("not_applicable")
    @classmethod
    def _have_reasons(cls, reasons: dict[str, str]) -> dict[str, str]:
        for name, reason in reasons.items():
            if not reason.strip():
                message = f"'{name}' has no reason"
                raise ValueError(message)
        return reasons


class File(Settings):
    """The whole of probes.toml."""

    include: list[str] = Field(
        [],
        description="Files that this one builds on, by their paths from its folder: later ones override earlier ones, "
        "and this file overrides all.",
    )
    defaults: dict[str, Any] = Field({}, description="Settings and probes that hold in every environment.")
    checklist: str = Field(
        "softfactory",
        min_length=1,
        description='A built-in checklist, the path of your own, or "none" for your own probes only.',
    )
    probes: dict[str, dict[str, Any]] = Field({}, description="probes that all environments share")
    env: dict[str, Environment] = Field(min_length=1, description="the environments by name")
