"""What is run, with what around it, and which numbers its output holds."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from probekit.probe import TUNING, Duration, RepeatedConfig, SecretRef, Settings
from probekit.probes._support.json import compile_path


class MetricSource(Settings):
    """Where a number stands, and what makes the metric's unit of it."""

    at: str = Field(min_length=1, description="a JSONPath of RFC 9535 into stdout, or the label of performance data")
    unit: str = Field(
        "", description="The unit that stands behind it in performance data, exactly as there: MB, MiB, degC."
    )
    counter: bool = Field(
        default=False, description="it is a total that only grows: what counts is its growth since the deployment mark"
    )
    scale: float = Field(1.0, gt=0, allow_inf_nan=False, description="what the number is multiplied by, such as 1000")
    of: Literal["max"] | None = Field(
        None,
        description=(
            "Read the share of the largest value that the number can have, which performance data hold as their "
            "fifth field: `scale = 100` makes percent of it."
        ),
    )
    n: str | None = Field(
        None, min_length=1, description="where the size of the sample stands, of a share in percent or a percentile"
    )

    @model_validator(mode="after")
    def _is_of_one_sort(self) -> Self:
        if self.n and self.counter:
            message = "'n' is of a share or a percentile: a counter has none"
            raise ValueError(message)
        if self.of and self.counter:
            message = "'of' makes a share: a counter is none"
            raise ValueError(message)
        return self


def _place(written: object) -> object:
    return {"at": written} if isinstance(written, str) else written


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class CommandProbe(RepeatedConfig):
    """What is run, with what around it, and which numbers its output holds."""

    kind: Literal["command"]
    argv: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        min_length=1, description="the program and its arguments, one text each; no shell reads them"
    )
    nagios: bool = Field(
        default=False, description="it is a monitoring plugin: exit 0, 1, 2 is 'status', performance data are numbers"
    )
    metrics: dict[str, Annotated[MetricSource, BeforeValidator(_place, json_schema_input_type=str | MetricSource)]] = (
        Field(
            {},
            description="Metric of the probe to its number: a place, or { at, unit, of, scale, counter, n }.",
        )
    )
    expect_exit: tuple[int, ...] = Field(
        (0,), min_length=1, description="exit codes with which numbers are read from its JSON; a plugin's are fixed"
    )
    timeout: Annotated[Duration | None, TUNING] = Field(
        None, gt=0, le=3600, description="how long it may run; else the environment's timeout"
    )
    env: tuple[Name, ...] = Field(
        (), description="variables of probekit's own environment that it sees, in addition to PATH"
    )
    secrets: dict[Name, SecretRef] = Field({}, description="variables that it sees, by reference")

    @field_validator("argv")
    @classmethod
    def _is_found_alike(cls, argv: tuple[str, ...]) -> tuple[str, ...]:
        if "/" in argv[0] and not argv[0].startswith("/"):
            message = f"'{argv[0]}' depends on where probekit is started: write the whole path, or a name in PATH"
            raise ValueError(message)
        if any("\0" in word for word in argv):
            message = "no argument can hold a NUL"
            raise ValueError(message)
        return argv

    @model_validator(mode="after")
    def _means_one_thing(self) -> Self:
        if self.own_metric in self.metrics:
            message = f"'{self.own_metric}' is its exit code: leave it out of 'metrics'"
            raise ValueError(message)
        for place in () if self.nagios else self.metrics.values():
            compile_path(place.at)
            if place.n:
                compile_path(place.n)
            if place.unit or place.of:
                message = "'unit' and 'of' are of performance data (nagios = true): a number of JSON has neither"
                raise ValueError(message)
        return self

    @property
    def own_metric(self) -> str:
        """What its exit code is called."""
        return "status" if self.nagios else "exit_code"
