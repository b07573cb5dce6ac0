"""The settings of kind `command`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from probekit.probe import TUNING, Duration, RepeatedConfig, SecretRef, Settings
from probekit.probes._support.json import compile_path
from probekit.probes._support.record import RecordPlaces


class MetricSource(Settings):
    """Where the output has a metric's number, and how to convert it to the metric's unit."""

    at: str = Field(
        min_length=1,
        description="The place of the number: a JSONPath (RFC 9535) into stdout, or the label of performance data.",
    )
    unit: str = Field("", description="The number's unit in performance data, exactly as printed: MB, MiB, degC.")
    counter: bool = Field(
        default=False,
        description="Whether the number is a total that only grows; its growth since the deployment is judged.",
    )
    scale: float = Field(
        1.0, gt=0, allow_inf_nan=False, description="The factor that the number is multiplied by, such as 1000."
    )
    of: Literal["max"] | None = Field(
        None,
        description=(
            "Read the number as a share of its largest possible value, the fifth field of performance data; "
            "`scale = 100` gives percent."
        ),
    )
    n: str | None = Field(
        None,
        min_length=1,
        description="The place of the sample size, if the metric is a share in percent or a percentile.",
    )

    @model_validator(mode="after")
    def _is_of_one_sort(self) -> Self:
        if self.n and self.counter:
            message = "'n' is the sample size of a share or a percentile, which a counter does not have: remove one"
            raise ValueError(message)
        if self.of and self.counter:
            message = "'of' reads a share, which cannot be a counter: remove one"
            raise ValueError(message)
        return self


def _place(written: object) -> object:
    return {"at": written} if isinstance(written, str) else written


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class CommandProbe(RepeatedConfig):
    """One program: how it runs, and which numbers its output holds."""

    kind: Literal["command"]
    argv: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        min_length=1, description="The program and its arguments, one text each; they do not pass through a shell."
    )
    nagios: bool = Field(
        default=False,
        description="Whether it is a monitoring plugin: exit code 0, 1 or 2 is 'status', performance data has the "
        "numbers.",
    )
    metrics: dict[str, Annotated[MetricSource, BeforeValidator(_place, json_schema_input_type=str | MetricSource)]] = (
        Field(
            {},
            description="Each metric with its number: a place, or { at, unit, of, scale, counter, n }.",
        )
    )
    expect_exit: tuple[int, ...] = Field(
        (0,),
        min_length=1,
        description="The exit codes with which the JSON output is read; those of a monitoring plugin are fixed.",
    )
    record: RecordPlaces = Field(
        RecordPlaces.model_validate({}),
        description="Where the JSON output says what the numbers are of and when they were made.",
    )
    timeout: Annotated[Duration | None, TUNING] = Field(
        None, gt=0, le=3600, description="The longest time that it may run; by default the environment's timeout."
    )
    env: tuple[Name, ...] = Field(
        (), description="Variables of probekit's own environment that the program sees, in addition to PATH."
    )
    secrets: dict[Name, SecretRef] = Field(
        {}, description="Variables that the program sees, each with a reference to its secret."
    )

    @field_validator("argv")
    @classmethod
    def _is_found_alike(cls, argv: tuple[str, ...]) -> tuple[str, ...]:
        if "/" in argv[0] and not argv[0].startswith("/"):
            message = f"'{argv[0]}' depends on the current folder: write the whole path, or a name in PATH"
            raise ValueError(message)
        if any("\0" in word for word in argv):
            message = "an argument has a NUL character: remove it"
            raise ValueError(message)
        return argv

    @model_validator(mode="after")
    def _means_one_thing(self) -> Self:
        if self.own_metric in self.metrics:
            message = f"'{self.own_metric}' is always the exit code: remove it from 'metrics'"
            raise ValueError(message)
        if self.nagios and "record" in self.model_fields_set:
            message = "a monitoring plugin prints no JSON: remove 'record', or nagios = true"
            raise ValueError(message)
        for place in () if self.nagios else self.metrics.values():
            compile_path(place.at)
            if place.n:
                compile_path(place.n)
            if place.unit or place.of:
                message = "'unit' and 'of' apply to performance data: set nagios = true, or remove them"
                raise ValueError(message)
        return self

    @property
    def own_metric(self) -> str:
        """The metric of the exit code."""
        return "status" if self.nagios else "exit_code"
