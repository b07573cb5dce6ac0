"""The settings of the kind `routes`."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from probekit.probe import Duration, FreshConfig, MadeUpPathConfig, RepeatedConfig, Where
from probekit.probes._support.request import RequestConfig
from probekit.probes._support.statuses import Statuses, in_words, is_expected

MOST: Final = 500  # routes of one table


class Route(Where, RequestConfig):
    """A URL and the statuses that it may answer with."""

    name: str | None = Field(None, min_length=1, max_length=60, description="Name of the route in reports.")
    expect: Statuses = Field(
        (), description="Status, or list of statuses, that the route may answer with; default: any 2xx."
    )
    max_age: Duration | None = Field(
        None, ge=0, description="Greatest age of the route's answer, instead of the probe's max_age."
    )
    need: Literal["required", "optional"] = Field(
        "required", description='"optional": failures of the route are reported and do not count.'
    )

    def expects(self, status: int) -> bool:
        """Return whether the route may answer with this status."""
        return is_expected(status, self.expect)

    @property
    def due(self) -> str:
        """The accepted statuses, in words."""
        return in_words(self.expect)

    def __str__(self) -> str:
        return self.name or f"{self.method} {self.place}"


class Routes(RepeatedConfig, FreshConfig, MadeUpPathConfig):
    """The routes, each requested once per measurement."""

    kind: Literal["routes"]
    routes: tuple[Route, ...] = Field(
        max_length=MOST, description="Routes to request, up to 500: a path or a URL each, with the expected statuses."
    )

    @field_validator("routes")
    @classmethod
    def _say_something(cls, routes: tuple[Route, ...]) -> tuple[Route, ...]:
        known = set[tuple[str | None, ...]]()
        for route in routes:
            if (place := (route.method, route.path, route.url, route.asks_beside())) in known:
                message = f"'{route}' is listed twice"
                raise ValueError(message)
            known.add(place)
        if all(route.need == "optional" for route in routes):
            message = "no route is required, so nothing would be measured"
            raise ValueError(message)
        return routes

    @model_validator(mode="after")
    def _writes_seldom(self) -> Self:
        if self.writes and "repeat" in self.model_fields_set:
            method = next(route.method for route in self.routes if route.writes)
            message = f"a {method} is sent once per attempt, and so are all routes of this probe: remove repeat"
            raise ValueError(message)
        return self

    @property
    def writes(self) -> bool:
        """Whether one of its routes changes the target."""
        return any(route.writes for route in self.routes)
