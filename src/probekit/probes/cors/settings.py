"""The settings of kind `cors`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from probekit.probe import HttpConfig
from probekit.probes.cors.origins import ANY_ORIGIN, NO_ORIGIN, Origin, OriginOrWord

Token = Annotated[str, StringConstraints(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def _listed(origins: object) -> object:
    return [origins] if isinstance(origins, str) else origins


class CorsProbe(HttpConfig):
    """One route of the API and the origins that may use it."""

    kind: Literal["cors"]
    origins: Annotated[
        tuple[OriginOrWord, ...], BeforeValidator(_listed, json_schema_input_type=tuple[str, ...] | str)
    ] = Field(
        min_length=1,
        max_length=8,
        description='The allowed origins; "none" allows no foreign origin, "*" allows every one without credentials.',
    )
    foreign_origins: tuple[Origin, ...] = Field(
        (),
        max_length=8,
        description="Origins that must not be allowed; they are tried in addition to variants of allowed ones.",
    )
    methods: tuple[Method, ...] = Field(
        ("GET",), min_length=1, description="The methods that the allowed origins must be able to use."
    )
    headers: tuple[Token, ...] = Field(
        (), description="The request headers that the allowed origins must be able to send."
    )
    credentials: bool = Field(
        default=False, description="Whether requests of the allowed origins carry cookies or a login."
    )
    strict: bool = Field(
        default=False,
        description="Whether a preflight that grants more than is declared here is a violation instead of a note.",
    )

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        if len(self.origins) > 1 and {NO_ORIGIN, ANY_ORIGIN} & {*self.origins}:
            message = (
                f'"{NO_ORIGIN}" and "{ANY_ORIGIN}" cannot be combined with other origins: '
                f'write origins = "{NO_ORIGIN}" or origins = "{ANY_ORIGIN}"'
            )
            raise ValueError(message)
        if not self.named_origins and self.credentials:
            message = "credentials = true needs named origins: list them in origins"
            raise ValueError(message)
        if self.is_public and self.foreign_origins:
            message = f'origins = "{ANY_ORIGIN}" allows every origin: remove foreign_origins'
            raise ValueError(message)
        both = sorted({*self.origins} & {*self.foreign_origins})
        if both:
            message = f"{', '.join(both)} cannot be both in origins and in foreign_origins"
            raise ValueError(message)
        return self

    @property
    def is_public(self) -> bool:
        """Whether every origin is allowed."""
        return self.origins == (ANY_ORIGIN,)

    @property
    def is_closed(self) -> bool:
        """Whether no foreign origin is allowed."""
        return self.origins == (NO_ORIGIN,)

    @property
    def named_origins(self) -> tuple[str, ...]:
        """The allowed origins, without "none" and "*"."""
        return tuple(origin for origin in self.origins if origin not in (NO_ORIGIN, ANY_ORIGIN))
