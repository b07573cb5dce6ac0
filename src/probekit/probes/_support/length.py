"""A setting that bounds a length, and texts of bounds."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from probekit.probe import Settings


class Length(Settings):
    """Bounds of a number of characters, entries or keys."""

    at_least: int | None = Field(None, ge=0, strict=True, description="Lowest length.")
    at_most: int | None = Field(None, ge=0, strict=True, description="Highest length.")

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.at_least is None and self.at_most is None:
            message = "has no bound: add at_least or at_most"
            raise ValueError(message)
        if self.at_least == 0 and self.at_most is None:
            message = "has no effect: every length is at least 0"
            raise ValueError(message)
        return self

    def holds(self, length: int) -> bool:
        """Return whether a length is within the bounds."""
        return (self.at_least or 0) <= length and (self.at_most is None or length <= self.at_most)

    def __str__(self) -> str:
        return str(self.at_least) if self.at_least == self.at_most else bounds(self.at_least, self.at_most)


def bounds(least: float | None, most: float | None) -> str:
    """Return both bounds in words."""
    named = (("at least", least), ("at most", most))
    return " and ".join(f"{word} {bound:.15g}" for word, bound in named if bound is not None)


def are_in_order(least: float | None, most: float | None) -> bool:
    """Return whether a number can be within both bounds."""
    return least is None or most is None or least <= most


def _exactly(written: object) -> object:
    is_number = isinstance(written, int) and not isinstance(written, bool)
    return {"at_least": written, "at_most": written} if is_number else written


LengthOrNumber = Annotated[
    Length, BeforeValidator(_exactly, json_schema_input_type=Annotated[int, Field(ge=0)] | Length)
]
