"""One URL and what its answer must be like."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from probekit.probe import FreshConfig, HttpConfig, MadeUpPathConfig, RepeatedConfig
from probekit.probes._support.assertions import MOST, Assertion
from probekit.probes._support.contradictions import contradiction
from probekit.probes._support.request import READING, RequestConfig


class HttpProbe(HttpConfig, RequestConfig, RepeatedConfig, FreshConfig, MadeUpPathConfig):
    """One URL and what its answer must be like."""

    kind: Literal["http"]
    follow: int = Field(0, ge=0, le=5, description="redirects that are followed, within the same origin only")
    assertions: tuple[Assertion, ...] = Field(
        (), description="what the answer must hold: its status, a header, its text, or a value of its JSON"
    )
    any_body: bool = Field(default=False, description="true: a 2xx is enough, whatever the body says")
    ignore: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        (), description="keys and components of the body that say nothing of its health"
    )
    page: bool = Field(
        default=False,
        description="Whether a page of HTML counts by its status, which the report calls weak; one that calls "
        "itself an error or a sign-in does not.",
    )
    catch_all: bool = Field(
        default=False, description="this server answers every path alike: only a declared assertion can pass"
    )

    @field_validator("body", mode="before")
    @classmethod
    def _is_of_a_request(cls, body: object, info: ValidationInfo) -> object:
        if body == "any" and info.data.get("method") in READING:
            message = "body is what a request sends; any_body = true accepts a 2xx, whatever its body says"
            raise ValueError(message)
        return body

    @field_validator("assertions")
    @classmethod
    def _are_possible(cls, assertions: tuple[Assertion, ...]) -> tuple[Assertion, ...]:
        if len(assertions) > MOST:
            message = f"{len(assertions)} assertions, at most {MOST} are read"
            raise ValueError(message)
        if place := contradiction(assertions):
            message = f"two assertions about {place} contradict each other: no answer keeps both"
            raise ValueError(message)
        return assertions

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if problem := self._problem_of_request() or self._problem_of_rules():
            raise ValueError(problem)
        return self

    def _problem_of_request(self) -> str:
        if self.writes and self.follow:
            return f"a {self.method} is not sent to another place: leave follow out"
        if self.writes and "repeat" in self.model_fields_set:
            return f"a {self.method} is sent once an attempt: leave repeat out"
        return ""

    def _problem_of_rules(self) -> str:
        """Why the rules for an answer do not go together; empty where they do."""
        if self.method == "HEAD" and self.claims_body:
            return "a HEAD has no body: assertions can be about its status and its headers"
        if self.method == "HEAD" and not (self.any_body or self.assertions):
            return "a HEAD has no body that could say something good: any_body = true says that its status is enough"
        if self.catch_all and all(claim.status or claim.exists is False for claim in self.assertions):
            return "catch_all says that every path is answered: add the assertions that tell health from it"
        if self.ignore and self.any_body:
            return "any_body = true reads no body: ignore does not go with it"
        if self.claims_body and self.any_body:
            return "assertions read the body: they do not go with any_body = true"
        return ""

    @property
    def asks_made_up_paths(self) -> bool:
        """Whether the server is asked for paths that cannot exist: their answers say nothing of one that writes."""
        return self.made_up_path and not self.catch_all and self.method in ("GET", "HEAD")

    @property
    def claims_body(self) -> bool:
        """Whether an assertion says what the body must be like."""
        return any(claim.reads_body for claim in self.assertions)

    @property
    def claims_an_answer_only(self) -> bool:
        """Whether its assertions hold for any process that answers: about a status, or a body that says nothing."""
        return bool(self.assertions) and not any(
            claim.reads_body and _says_something(claim) for claim in self.assertions
        )

    @property
    def statuses(self) -> tuple[int, ...]:
        """The statuses that assertions claim."""
        return tuple(status for claim in self.assertions for status in claim.status)


def _says_something(claim: Assertion) -> bool:
    """Whether a claim about the body asks for more than an empty one, of text or of JSON."""
    return not (claim.equals in ("", "{}", "[]") if claim.is_text else claim.path == "$" and str(claim.length) == "0")
