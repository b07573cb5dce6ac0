"""The routes that are asked, and what each must answer."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from probekit.probe import Duration, FreshConfig, MadeUpPathConfig, RepeatedConfig, Where
from probekit.probes._support.request import RequestConfig
from probekit.probes._support.statuses import Statuses, in_words, is_expected

MOST: Final = 500  # routes of one table


class Route(Where, RequestConfig):
    """One URL and the statuses that it must answer with."""

    name: str | None = Field(None, min_length=1, max_length=60, description="what the report calls it")
    expect: Statuses = Field(
        (), description="the status, or a list of those, that it may answer with; any 2xx if not given"
    )
    max_age: Duration | None = Field(None, ge=0, description="how old an answer may be, instead of the table's own")
    need: Literal["required", "optional"] = Field(
        "required", description='"optional": it is shown when it misbehaves, and does not count'
    )

    def expects(self, status: int) -> bool:
        """Whether the route may answer with this status."""
        return is_expected(status, self.expect)

    @property
    def due(self) -> str:
        """The statuses that it may answer with, in words."""
        return in_words(self.expect)

    def __str__(self) -> str:
        return self.name or f"{self.method} {self.place}"


class Routes(RepeatedConfig, FreshConfig, MadeUpPathConfig):
    """The routes, each asked once a measurement."""

    kind: Literal["routes"]
    routes: tuple[Route, ...] = Field(
        max_length=MOST, description="what is asked, up to 500: a path or a URL, how, and what it must answer"
    )

    @field_validator("routes")
    @classmethod
    def _say_something(cls, routes: tuple[Route, ...]) -> tuple[Route, ...]:
        known = set[tuple[str | None, ...]]()
        for route in routes:
            if (place := (route.method, route.path, route.url, route.asks_beside())) in known:
                message = f"'{route}' is there twice"
                raise ValueError(message)
            known.add(place)
        if all(route.need == "optional" for route in routes):
            message = "no route is required: nothing would be measured"
            raise ValueError(message)
        return routes

    @model_validator(mode="after")
    def _writes_seldom(self) -> Self:
        if self.writes and "repeat" in self.model_fields_set:
            method = next(route.method for route in self.routes if route.writes)
            message = f"a {method} is sent once an attempt, and the routes beside it are, too: leave repeat out"
            raise ValueError(message)
        return self

    @property
    def writes(self) -> bool:
        """Whether one of its routes changes the target."""
        return any(route.writes for route in self.routes)
