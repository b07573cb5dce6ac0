"""The settings of kinds: durations, secrets by reference, and what every table of a probe may say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.fields import FieldInfo

from probekit.model import quantity
from probekit.transport.urls import Endpoint, endpoint_of, url_problem


def _seconds(value: object) -> float:
    if not isinstance(value, str):
        message = 'write a number and a unit (ms, s, min, h, d), such as "30s"'
        raise ValueError(message)  # noqa: TRY004  # pydantic reports ValueErrors only
    return quantity.duration(value)


Duration = Annotated[  # "30s" in a file, seconds in Python
    float,
    BeforeValidator(_seconds),
    WithJsonSchema({"type": "string", "pattern": quantity.DURATION_PATTERN}),
]


def is_duration(field: FieldInfo) -> bool:
    """Whether a setting is a Duration."""
    return any(isinstance(mark, BeforeValidator) and mark.func is _seconds for mark in field.metadata)


def _askable(path: str) -> str:
    """The path, if it can stand in a URL."""
    if problem := url_problem(f"http://host{path}"):
        raise ValueError(problem)
    return path


UrlPath = Annotated[str, StringConstraints(pattern=r"^/\S*$"), AfterValidator(_askable)]  # with its query, if any


class Settings(BaseModel):
    """A table of probes.toml: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class SecretRef(Settings):
    """Where a secret is kept: `{ env = "NAME" }` or `{ file = "PATH" }`, never the secret itself."""

    env: str | None = Field(
        None, min_length=1, description="the environment variable (or the line in .env) that holds it"
    )
    file: Path | None = Field(None, description="the file that holds it; one newline at its end is left out")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            message = 'name one place, { env = "NAME" } or { file = "PATH" }'
            raise ValueError(message)
        return self

    def __str__(self) -> str:
        return f"${self.env}" if self.env else str(self.file)


class _Tuning:
    """Marks a setting that says how carefully a claim is measured, and not what is claimed."""


TUNING: Final = _Tuning()


class ProbeConfig(Settings):
    """What every probe's table may say."""

    kind: str = Field(description="Which kind reads this table.")

    def claimed(self) -> str:
        """Return the settings that say what is claimed, and of what: all but those that are marked as tuning.

        Secrets stand there as their references.
        """
        tuning = {name for name, field in type(self).model_fields.items() if TUNING in field.metadata}
        return self.model_dump_json(exclude=tuning, exclude_defaults=True)


class RepeatedConfig(ProbeConfig):
    """The table of a kind that measures several times in an attempt where its probe claims reachability."""

    repeat: Annotated[int, TUNING] = Field(
        8, ge=2, le=64, description="Measurements of the first attempt, where the probe claims reachability."
    )


class Where(Settings):
    """One URL, as a path below the target's own or whole."""

    path: UrlPath | None = Field(None, description="a path below the environment's base_url")
    url: str | None = Field(
        None, pattern=r"^https?://[^\s/@]+(/\S*)?$", description="a whole URL instead, for another host"
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            message = "name either 'path' or 'url'"
            raise ValueError(message)
        if self.url and (problem := url_problem(self.url)):
            message = f"'url' cannot be asked: {problem}"
            raise ValueError(message)
        return self

    def target(self, base_url: str) -> str:
        """The whole URL."""
        return self.url or base_url.rstrip("/") + (self.path or "")

    @property
    def place(self) -> str:
        """The path or the URL, as written, without its query."""
        return (self.path or self.url or "").partition("?")[0]


class HttpConfig(Where, ProbeConfig):
    """A table that names one URL."""


class FreshConfig(Settings):
    """The table of a kind that asks what is true now."""

    max_age: Duration = Field(
        5.0, ge=0, description="how old (its header Age) an answer may be; an older one tells nothing of now"
    )


class MadeUpPathConfig(Settings):
    """The table of a kind that believes no server which answers anything alike."""

    made_up_path: bool = Field(
        default=True, description="whether the server is asked for two paths that cannot exist, once a run"
    )


MADE_UP: Final = 2  # requests for paths that cannot exist, once per origin and run


def http_endpoint(config: Where, base_url: str) -> Endpoint:
    """Where a kind that names one URL connects to."""
    return endpoint_of(config.target(base_url))
