"""What does a program on this machine say? Any monitoring plugin, or a script of your own, as a probe."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from math import isfinite
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from probekit.probe import (
    ANY_PROBE,
    Context,
    CumulativeCount,
    Duration,
    Exact,
    Failure,
    Kind,
    Metric,
    ProbeFailedError,
    Readings,
    Reason,
    RepeatedConfig,
    SecretRef,
    Settings,
    Summary,
)
from probekit.probes._support.json import compile_path, find, is_number, parse, shown
from probekit.probes.command.perfdata import Number, numbers
from probekit.probes.command.program import Ended, run
from probekit.redaction import Redactor

_TAIL: Final = 300  # characters of output that a report quotes
_OF_ITS_OWN: Final = 125  # POSIX.1-2024 XCU 2.8.2: a shell's 126 and more say that nothing ran, or a signal ended it
_STATES: Final = {0: "OK", 1: "WARNING", 2: "CRITICAL"}  # Monitoring Plugins Development Guidelines, "Return Codes"
_UNKNOWN: Final = 3  # the same
_PERCENTILE: Final = re.compile(r"p(\d\d)")
_MOST: Final = 1e15  # of a sample's size: beyond it a double does not count by ones
_ALWAYS: Final = {"LC_ALL": "C", "TZ": "UTC"}  # numbers and times are written alike everywhere


class MetricSource(Settings):
    """Where a number stands, and what makes the metric's unit of it."""

    at: str = Field(min_length=1, description="a JSONPath of RFC 9535 into stdout, or the label of performance data")
    unit: str = Field("", description="the unit that must stand behind it in performance data, such as MB")
    counter: bool = Field(
        default=False, description="it is a total that only grows: what counts is its growth since the deployment mark"
    )
    scale: float = Field(1.0, gt=0, allow_inf_nan=False, description="what the number is multiplied by, such as 1000")
    n: str | None = Field(
        None, min_length=1, description="where the size of the sample stands, of a share in percent or a percentile"
    )

    @model_validator(mode="after")
    def _is_of_one_sort(self) -> Self:
        if self.n and self.counter:
            message = "'n' is of a share or a percentile: a counter has none"
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
            description="Metric of the probe to its number: a place, or { at, unit, scale, counter, n }.",
        )
    )
    expect_exit: tuple[int, ...] = Field(
        (0,), min_length=1, description="exit codes with which numbers are read from its JSON; a plugin's are fixed"
    )
    timeout: Duration | None = Field(
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
            if place.unit:
                message = "'unit' is of performance data (nagios = true): a number of JSON has none"
                raise ValueError(message)
        return self

    @property
    def own_metric(self) -> str:
        """What its exit code is called."""
        return "status" if self.nagios else "exit_code"


Clean = Callable[[str], str]
_Reading = Exact | CumulativeCount | Summary


async def measure(config: CommandProbe, context: Context) -> Readings:
    """Run it once and read its numbers.

    Raises:
        ProbeFailedError: it cannot be started, ran too long, said too much or nothing that can be read.
    """
    redactor = Redactor()  # a text must be clean before it is cut: of a secret's end nobody could tell
    secrets = {name: context.reveal(kept) for name, kept in config.secrets.items()}
    for secret in secrets.values():
        redactor.learn(secret)
    variables = _ALWAYS | _passed_on(config) | secrets | _facts(context)
    is_heard = config.nagios or bool(config.metrics)
    ended = await run(config.argv, variables=variables, within=context.timeout, is_heard=is_heard)
    return (_of_plugin if config.nagios else _of_script)(config, ended, redactor.clean)


def _facts(context: Context) -> dict[str, str]:
    """What the run knows of itself and of the release; a variable of what it does not know is not set."""
    deployment = context.history.deployment
    facts = {
        "ENVIRONMENT": context.environment,
        "STAGE": context.stage,
        "RELEASE": context.release,
        "DEPLOYED": deployment.mark.isoformat() if deployment else "",
        "PREVIOUS": context.history.previous_release or "",
    }
    return {f"PROBEKIT_{name}": fact for name, fact in facts.items() if fact}


def _passed_on(config: CommandProbe) -> dict[str, str]:
    """PATH and the variables that are named; without one of them the program might look at another place unseen."""
    missing = [name for name in config.env if name not in os.environ]
    if missing:
        raise ProbeFailedError(Reason.MISSING_SETTING, f"the variable {missing[0]} is not set")
    return {name: os.environ[name] for name in ("PATH", *config.env) if name in os.environ}


def _of_script(config: CommandProbe, ended: Ended, clean: Clean) -> Readings:
    """Its exit code, and the numbers of the JSON that it prints."""
    said = f"{config.argv[0]} ended with {ended.code}"
    if ended.code not in config.expect_exit:
        said += f": {_tail(ended, clean)}"
    if ended.code > _OF_ITS_OWN:
        raise ProbeFailedError(Reason.BAD_RESPONSE, said)
    values = _of_json(config.metrics, ended.out) if ended.code in config.expect_exit else {}
    return Readings(said, exit_code=Exact(ended.code), **dict.fromkeys(config.metrics, _unread(said)) | values)


def _of_json(metrics: Mapping[str, MetricSource], out: bytes) -> dict[str, _Reading | Failure]:
    try:
        document = parse(out) if metrics else None
    except ProbeFailedError as error:
        return dict.fromkeys(metrics, _unread(error.detail))
    return {metric: _reading(metric, place, partial(_number, document)) for metric, place in metrics.items()}


def _reading(metric: str, place: MetricSource, number: Callable[[str, str], float]) -> _Reading | Failure:
    """What a metric's number is: by itself, as a count that grows, or of a sample whose size stands beside it."""
    try:
        value = number(place.at, place.unit) * place.scale
        if not isfinite(value) or (value < 0 and (place.counter or place.n)):
            return _unread(f"the number at {place.at} is too large, or below zero")
        if place.n is None:
            return CumulativeCount(value) if place.counter else Exact(value)
        size = number(place.n, "")
    except ProbeFailedError as error:
        return _unread(error.detail)
    if not (0 < size < _MOST and size == int(size)):
        return _unread(f"{size:g} at {place.n}, where the size of a sample is due")
    percentile = _PERCENTILE.fullmatch(metric)
    return Summary(value, int(size), int(percentile[1]) / 100 if percentile else None)


def _number(document: Any, at: str, _unit: str) -> float:  # noqa: ANN401  # any JSON value
    value = find(at, document)
    if not isinstance(value, bool) and not is_number(value):
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{shown(value)} at {at}, where a number is due")
    return float(value)


def _of_plugin(config: CommandProbe, ended: Ended, clean: Clean) -> Readings:
    """Its state and its performance data; UNKNOWN is no reading, nor is a code without a word: a crash has one too."""
    program, code = config.argv[0], ended.code
    text = ended.out.decode("utf-8", "replace")
    if code not in _STATES or not text.strip():
        what = "says UNKNOWN" if code == _UNKNOWN else f"ended with {code}" + ("" if text.strip() else " and no output")
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{program} {what}: {_tail(ended, clean)}")
    known = numbers(text)
    first = _line(text.partition("\n")[0].partition("|")[0], clean)
    return Readings(
        f"{_STATES[code]}: {first[:_TAIL]}",
        status=Exact(code),
        **{metric: _reading(metric, place, partial(_labelled, known)) for metric, place in config.metrics.items()},
    )


def _labelled(known: Mapping[str, Number], label: str, unit: str) -> float:
    number = known.get(label)
    if number is None:
        labels = ", ".join(map(shown, list(known)[:10])) or "none"
        detail = f"no one number '{label}' among its performance data: {labels}"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    if number.unit != unit:
        due = f"a number of unit '{unit}'" if unit else "a number without a unit"
        detail = f"{number.value:g}{number.unit} at '{label}', where {due} is due: see its 'unit'"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return number.value


def _unread(detail: str) -> Failure:
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)


def _tail(ended: Ended, clean: Clean) -> str:
    """The end of what it said, on one line."""
    text = _line((ended.out + b" " + ended.err).decode("utf-8", "replace"), clean)
    return text if len(text) <= _TAIL else f"...{text[-_TAIL:]}"


def _line(text: str, clean: Clean) -> str:
    return " ".join(clean(text).split())


KIND = Kind(
    config=CommandProbe,
    fills=(ANY_PROBE,),
    metrics=(
        Metric(name="exit_code", unit="", high=255, help="with which the program ended"),
        Metric(name="status", unit="", high=2, help="of a monitoring plugin: 0 OK, 1 WARNING, 2 CRITICAL"),
    ),
    metrics_for=lambda config: frozenset(config.metrics) | {config.own_metric},
    measure=measure,
    counters=lambda config: frozenset(name for name, place in config.metrics.items() if place.counter),
    unsized=lambda config: frozenset(name for name, place in config.metrics.items() if not place.n),
    timeout_for=lambda config: config.timeout,
    requests=0,
    reported=True,
    example="""\
kind = "command"
argv = ["/usr/local/bin/dry-run", "--format", "json"]  # its exit code is 'exit_code'; it prints {"orphans": 0}
metrics = { orphans = "$.orphans" }
secrets = { DATABASE_URL = { env = "DATABASE_URL" } }
timeout = "2min"
""",
    privileges=(
        "whatever the program needs; it sees no variable but PATH, those that are named, and PROBEKIT_RELEASE, "
        "_PREVIOUS, _DEPLOYED, _STAGE and _ENVIRONMENT as far as the run knows them"
    ),
    safety="whatever the program does: only it knows",
)
