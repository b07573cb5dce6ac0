"""Which version does an address serve?"""

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
    """Where the served version is told."""

    kind: Literal["release"]
    at: str = Field("$.version", description='where in the JSON answer (RFC 9535), or "text" for the whole body')
    expect: _OneOrMany = Field(
        (), description="the version that must be served, or a list of those that may be; --release overrides it"
    )
    also: tuple[_Version, ...] = Field(
        (), description="versions that are allowed beside it, during a canary or a blue/green change"
    )

    @field_validator("at")
    @classmethod
    def _is_a_place(cls, at: str) -> str:
        if at != _WHOLE_BODY:
            compile_path(at)
        return at


async def measure(config: ReleaseProbe, context: Context) -> Readings:
    """Read the version and compare it with the expected one, as text, whole."""
    answer = await context.http.get_fresh(config.target(context.base_url), max_age=config.max_age)
    version = _version(config, answer)
    is_other: Exact | Failure
    if context.versions.expected:
        is_other = Exact(not context.versions.accept(version))
    else:
        detail = "no version is expected: set 'expect' or --release"
        is_other = Failure(reason=Reason.MISSING_SETTING, detail=detail)
    readings = Readings(f"{answer.address} serves {shown(version)}", other_versions=is_other)
    readings.version = version
    return readings


def _version(config: ReleaseProbe, answer: Answer) -> str:
    """The version that the answer tells, whether or not it is well.

    Raises:
        ProbeFailedError: `unreachable`: a server error that tells none is the target's, not an unknown version.
    """
    answer.require_answer()
    if answer.is_server_error:
        detail = f"{answer.status} from {answer.address}, where the version is due"
        failed = ProbeFailedError(Reason.UNREACHABLE, detail)
        if config.at == _WHOLE_BODY:  # the text of an error page
            raise failed
        try:
            return _told(config, answer)
        except ProbeFailedError:
            raise failed from None
    if answer.status != 200:  # noqa: PLR2004  # the only other answer that tells a version
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{answer.status} from {answer.address}, where the version is due")
    return _told(config, answer)


def _told(config: ReleaseProbe, answer: Answer) -> str:
    version = answer.text.strip() if config.at == _WHOLE_BODY else find(config.at, parse(answer.body))
    if not isinstance(version, str) or not version or len(version) > _LONGEST or "<" in version:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{shown(version)} where a version is due")
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
            help="1 where another version than the expected one is served",
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
