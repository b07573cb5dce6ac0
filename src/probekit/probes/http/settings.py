"""The settings of kind `http`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from probekit.probe import FreshConfig, HttpConfig, MadeUpPathConfig, RepeatedConfig
from probekit.probes._support.assertions import MOST, Assertion
from probekit.probes._support.contradictions import contradiction
from probekit.probes._support.request import READING, RequestConfig


class HttpProbe(HttpConfig, RequestConfig, RepeatedConfig, FreshConfig, MadeUpPathConfig):
    """One URL and the assertions about its answer."""

    kind: Literal["http"]
    follow: int = Field(
        0, ge=0, le=5, description="The number of redirects that are followed, within the same origin only."
    )
    assertions: tuple[Assertion, ...] = Field(
        (),
        description="Assertions that the answer must pass: about its status, a header, its text, or a value of its "
        "JSON.",
    )
    any_body: bool = Field(default=False, description="Whether a 2xx is enough, whatever the body says.")
    ignore: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        (), description="Keys and components of the body that do not count for its health."
    )
    page: bool = Field(
        default=False,
        description="Whether an HTML page passes by its status alone, which the report calls weak; an error page and "
        "a sign-in page do not pass.",
    )
    catch_all: bool = Field(
        default=False,
        description="Whether this server answers every path alike, so that only a declared assertion can pass.",
    )

    @field_validator("body", mode="before")
    @classmethod
    def _is_of_a_request(cls, body: object, info: ValidationInfo) -> object:
        if body == "any" and info.data.get("method") in READING:
            message = "body is the body of the request; to accept any body of a 2xx, set any_body = true"
            raise ValueError(message)
        return body

    @field_validator("assertions")
    @classmethod
    def _are_possible(cls, assertions: tuple[Assertion, ...]) -> tuple[Assertion, ...]:
        if len(assertions) > MOST:
            message = f"{len(assertions)} assertions, expected at most {MOST}"
            raise ValueError(message)
        if place := contradiction(assertions):
            message = f"two assertions about {place} contradict each other: remove one"
            raise ValueError(message)
        return assertions

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if problem := self._problem_of_request() or self._problem_of_rules():
            raise ValueError(problem)
        return self

    def _problem_of_request(self) -> str:
        if self.writes and self.follow:
            return f"a {self.method} is not sent to a redirect's target: remove follow"
        if self.writes and "repeat" in self.model_fields_set:
            return f"a {self.method} is sent once per attempt: remove repeat"
        return ""

    def _problem_of_rules(self) -> str:
        """Why the rules for an answer conflict; empty if they do not."""
        if self.method == "HEAD" and self.claims_body:
            return "the answer to a HEAD has no body: use assertions about its status and its headers"
        if self.method == "HEAD" and not (self.any_body or self.assertions):
            return "the answer to a HEAD has no body: set any_body = true if a 2xx is enough"
        if self.catch_all and all(claim.status or claim.exists is False for claim in self.assertions):
            return "with catch_all = true the status is inconclusive: add assertions that verify health"
        if self.ignore and self.any_body:
            return "ignore has no effect with any_body = true: remove one"
        if self.claims_body and self.any_body:
            return "assertions about the body conflict with any_body = true: remove one"
        return ""

    @property
    def asks_made_up_paths(self) -> bool:
        """Whether paths that cannot exist are requested; a request that writes is not compared with them."""
        return self.made_up_path and not self.catch_all and self.method in ("GET", "HEAD")

    @property
    def claims_body(self) -> bool:
        """Whether an assertion is about the body."""
        return any(claim.reads_body for claim in self.assertions)

    @property
    def claims_an_answer_only(self) -> bool:
        """Whether the assertions hold for any process that answers: about the status, or about an empty body."""
        return bool(self.assertions) and not any(
            claim.reads_body and _says_something(claim) for claim in self.assertions
        )

    @property
    def statuses(self) -> tuple[int, ...]:
        """The statuses that the assertions accept."""
        return tuple(status for claim in self.assertions for status in claim.status)


def _says_something(claim: Assertion) -> bool:
    """Whether an assertion about the body requires more than an empty body, as text or as JSON."""
    return not (claim.equals in ("", "{}", "[]") if claim.is_text else claim.path == "$" and str(claim.length) == "0")
