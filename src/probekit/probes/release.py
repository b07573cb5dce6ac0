"""Read the version that an address serves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, field_validator

from probekit.model.plan import Versions
from probekit.probe import (
    Answer,
    Context,
    Exact,
    Failure,
    FreshConfig,
    HttpConfig,
    Kind,
    Metric,
    ProbeFailedError,
    Readings,
    Reason,
    http_endpoint,
)
from probekit.probes._support.json import compile_path, find, parse, shown

_WHOLE_BODY = "text"


def _listed(written: object) -> object:
    return [written] if isinstance(written, str) else written


_Version = Annotated[str, StringConstraints(min_length=1)]
_OneOrMany = Annotated[
    tuple[_Version, ...], BeforeValidator(_listed, json_schema_input_type=_Version | tuple[_Version, ...])
]
_LONGEST = 200  # characters of a version


class ReleaseProbe(HttpConfig, FreshConfig):
    """The place of the served version in an answer."""

    kind: Literal["release"]
    at: str = Field(
        "$.version", description='JSONPath (RFC 9535) of the version in the answer, or "text" for the whole body.'
    )
    expect: _OneOrMany = Field(
        (), description="Version that must be served, or a list of accepted ones; --release overrides it."
    )
    also: tuple[_Version, ...] = Field(
        (), description="Further versions that are accepted, during a canary or a blue/green change."
    )

    @field_validator("at")
    @classmethod
    def _is_a_place(cls, at: str) -> str:
        if at != _WHOLE_BODY:
            compile_path(at)
        return at


async def measure(config: ReleaseProbe, context: Context) -> Readings:
    """Read the version and compare the whole text with the expected one."""
    answer = await context.http.get_fresh(config.target(context.base_url), max_age=config.max_age)
    version = _version(config, answer)
    is_other: Exact | Failure
    if context.versions.expected:
        is_other = Exact(not context.versions.accept(version))
    else:
        detail = "no version is expected: set 'expect' or use --release"
        is_other = Failure(reason=Reason.MISSING_SETTING, detail=detail)
    readings = Readings(f"{answer.address} serves {shown(version)}", other_versions=is_other)
    readings.version = version
    return readings


def _version(config: ReleaseProbe, answer: Answer) -> str:
    """Return the version in the answer, also in that of an unhealthy target.

    Raises:
        ProbeFailedError: `unreachable`: a server error without a version; `bad_response`: no version.
    """
    answer.require_answer()
    if answer.is_server_error:
        detail = f"{answer.status} from {answer.address} instead of the version"
        failed = ProbeFailedError(Reason.UNREACHABLE, detail)
        if config.at == _WHOLE_BODY:  # the text of an error page
            raise failed
        try:
            return _version_in(config, answer)
        except ProbeFailedError:
            raise failed from None
    if answer.status != 200:  # noqa: PLR2004  # the only other answer with a version
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{answer.status} from {answer.address} instead of the version")
    return _version_in(config, answer)


def _version_in(config: ReleaseProbe, answer: Answer) -> str:
    version = answer.text.strip() if config.at == _WHOLE_BODY else find(config.at, parse(answer.body))
    if not isinstance(version, str) or not version or len(version) > _LONGEST or "<" in version:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{shown(version)} is not a version")
    return version


KIND = Kind(
    config=ReleaseProbe,
    fills=("release",),
    default_limits=lambda _: ("other_versions == 0",),
    metrics=(
        Metric(
            name="other_versions",
            unit="",
            high=1,
            help="1: another version than the expected one is served.",
        ),
    ),
    measure=measure,
    endpoint=http_endpoint,
    each_address=True,
    versions=lambda config: Versions(expected=config.expect, allowed=config.also),
    example="""\
kind = "release"
path = "/api/version"  # {"version": "2.3.1"}
expect = "2.3.1"       # or --release 2.3.1
""",
)
