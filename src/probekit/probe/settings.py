"""The settings of kinds: durations, secrets by reference, and the keys that all tables of probes share."""

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
    """Return the path; raise ValueError if a URL cannot have it."""
    if problem := url_problem(f"http://host{path}"):
        raise ValueError(problem)
    return path


UrlPath = Annotated[str, StringConstraints(pattern=r"^/\S*$"), AfterValidator(_askable)]  # with its query, if any


class Settings(BaseModel):
    """A table of probes.toml: frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class SecretRef(Settings):
    """A reference to a secret: `{ env = "NAME" }` or `{ file = "PATH" }`, never the secret itself."""

    env: str | None = Field(
        None, min_length=1, description="The environment variable (or the line in .env) that holds the secret."
    )
    file: Path | None = Field(None, description="The file that holds the secret; one newline at its end is dropped.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            message = 'name one source, { env = "NAME" } or { file = "PATH" }'
            raise ValueError(message)
        return self

    def __str__(self) -> str:
        return f"${self.env}" if self.env else str(self.file)


class _Tuning:
    """Marks a setting that changes how carefully a probe measures, not what it verifies."""


TUNING: Final = _Tuning()


class ProbeConfig(Settings):
    """The settings that every probe has."""

    kind: str = Field(description="The kind that reads this table.")

    def claimed(self) -> str:
        """Return the settings that say what is verified, as JSON: all except those marked as tuning.

        Secrets appear as their references.
        """
        tuning = {name for name, field in type(self).model_fields.items() if TUNING in field.metadata}
        return self.model_dump_json(exclude=tuning, exclude_defaults=True)


class RepeatedConfig(ProbeConfig):
    """The table of a kind that measures several times in an attempt where its probe verifies reachability."""

    repeat: Annotated[int, TUNING] = Field(
        8, ge=2, le=64, description="Measurements in the first attempt, where the probe verifies reachability."
    )


class Where(Settings):
    """One URL: a path below the environment's base_url, or a whole URL."""

    path: UrlPath | None = Field(None, description="A path below the environment's base_url.")
    url: str | None = Field(
        None, pattern=r"^https?://[^\s/@]+(/\S*)?$", description="A whole URL on another host, instead of path."
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            message = "name either 'path' or 'url'"
            raise ValueError(message)
        if self.url and (problem := url_problem(self.url)):
            message = f"'url' is invalid: {problem}"
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
    """The table of a kind that needs an answer from the target itself, not from a cache."""

    max_age: Duration = Field(
        5.0,
        ge=0,
        description="The largest accepted age of an answer, by its header Age; an older one came from a cache "
        "and gives no reading.",
    )


class MadeUpPathConfig(Settings):
    """The table of a kind that accepts no answer of a server which answers every path alike."""

    made_up_path: bool = Field(
        default=True,
        description="Whether probekit requests two paths that cannot exist, once a run, to find a server that "
        "answers every path alike.",
    )


MADE_UP: Final = 2  # requests for paths that cannot exist, once per origin and run


def http_endpoint(config: Where, base_url: str) -> Endpoint:
    """The endpoint of a kind that names one URL."""
    return endpoint_of(config.target(base_url))
