"""What a table of kind `cors` may say."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from probekit.probe import HttpConfig
from probekit.probes.cors.origins import ANYBODY, NOBODY, Origin, OriginOrWord

Token = Annotated[str, StringConstraints(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def _listed(origins: object) -> object:
    return [origins] if isinstance(origins, str) else origins


class CorsProbe(HttpConfig):
    """One route of the API and who may use it from another origin."""

    kind: Literal["cors"]
    origins: Annotated[
        tuple[OriginOrWord, ...], BeforeValidator(_listed, json_schema_input_type=tuple[str, ...] | str)
    ] = Field(
        min_length=1,
        max_length=8,
        description='the origins that are allowed; "nobody": no foreign origin is; "*": every one is, without '
        "credentials",
    )
    foreign_origins: tuple[Origin, ...] = Field(
        (), max_length=8, description="origins that must not get in, tried beside look-alikes of the allowed ones"
    )
    methods: tuple[Method, ...] = Field(("GET",), min_length=1, description="methods that they must be allowed")
    headers: tuple[Token, ...] = Field((), description="request headers that they must be allowed")
    credentials: bool = Field(default=False, description="whether their requests carry cookies or a login")
    strict: bool = Field(
        default=False,
        description="whether a preflight that grants more than is declared here is a violation, not a note",
    )

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        if len(self.origins) > 1 and {NOBODY, ANYBODY} & {*self.origins}:
            message = f'"{NOBODY}" and "{ANYBODY}" stand alone: origins = "{NOBODY}"'
            raise ValueError(message)
        if not self.named_origins and self.credentials:
            message = "credentials go with named origins only: name them"
            raise ValueError(message)
        if self.is_public and self.foreign_origins:
            message = f'origins = "{ANYBODY}" lets every origin in: leave foreign_origins out'
            raise ValueError(message)
        both = sorted({*self.origins} & {*self.foreign_origins})
        if both:
            message = f"{', '.join(both)} cannot be both in origins and in foreign_origins"
            raise ValueError(message)
        return self

    @property
    def is_public(self) -> bool:
        """Whether every origin is allowed."""
        return self.origins == (ANYBODY,)

    @property
    def is_closed(self) -> bool:
        """Whether no foreign origin is allowed."""
        return self.origins == (NOBODY,)

    @property
    def named_origins(self) -> tuple[str, ...]:
        """The origins that are allowed, where they are named."""
        return tuple(origin for origin in self.origins if origin not in (NOBODY, ANYBODY))
