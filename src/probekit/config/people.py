"""Settings for people: contacts, whom to call, texts of one line, and planned periods."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from probekit.config.complaints import Complaints
from probekit.model.checklist import Severity
from probekit.model.maintenance import Maintenance, Period
from probekit.model.people import DEPLOYMENT_LEAD, Contact, Paging
from probekit.probe import Settings
from probekit.text import LONGEST_LINE, one_line_problem
from probekit.toml_file import nearest

LONGEST: Final = timedelta(days=7)  # of a planned period
_EXAMPLE: Final = "2026-12-01T22:00:00Z"
_DEFAULT_PAGE: Final = {
    Severity.CRITICAL: ("on_call", "escalation"),
    Severity.HIGH: ("on_call",),
    Severity.MEDIUM: (DEPLOYMENT_LEAD,),
    Severity.LOW: (),
}


def _one_line(text: str) -> str:
    if problem := one_line_problem(text):
        message = f"it {problem}"
        raise ValueError(message)
    return text


def _moment(written: object) -> datetime:
    """A moment in UTC.

    Raises:
        ValueError: it is not a date and time with a time zone.
    """
    if not isinstance(written, datetime):
        message = f"write a date and time with a time zone, without quotes, such as {_EXAMPLE}"
        raise ValueError(message)  # noqa: TRY004  # pydantic reports ValueErrors only
    if written.tzinfo is None:
        message = f"missing time zone: add one, such as Z for UTC ({_EXAMPLE})"
        raise ValueError(message)
    try:
        return written.astimezone(UTC)
    except OverflowError:
        message = "the time in UTC is outside the years 1 to 9999"
        raise ValueError(message) from None


OneLine = Annotated[
    str,
    AfterValidator(_one_line),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_LINE}),
]
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]


class Person(Settings):
    """A person or a team, and how to reach them."""

    name: OneLine = Field(description="Name of a person or a team.")
    contact: OneLine | None = Field(
        None, description="How to reach the contact: a telephone number, an address or a URL."
    )


def _person(written: object) -> object:
    return {"name": written} if isinstance(written, str) else written


Role = Literal["deployment_lead", "on_call", "escalation"]
PersonOrText = Annotated[Person, BeforeValidator(_person, json_schema_input_type=str | Person)]


class Contacts(Settings):
    """Contacts that can be called; reports name them."""

    deployment_lead: PersonOrText | None = Field(None, description="The lead of the deployment.")
    on_call: PersonOrText | None = Field(None, description="The engineer on call.")
    escalation: PersonOrText | None = Field(
        None, description="The contact to call when the engineer on call cannot resolve a failure."
    )

    @property
    def given(self) -> dict[str, Person]:
        """The configured contacts by role."""
        return {role: person for role in Contacts.model_fields if (person := getattr(self, role))}


class Page(Settings):
    """The contacts to call for a failure, in order, by its severity; an empty list calls no contact."""

    critical: list[Role] | None = Field(
        None,
        description="Contacts to call at once for a critical failure or a rollback. Default: on_call and escalation.",
    )
    high: list[Role] | None = Field(None, description="Contacts to call for a high failure. Default: on_call.")
    medium: list[Role] | None = Field(
        None, description="Contacts to call for a medium failure that stops a release. Default: deployment_lead."
    )
    low: list[Role] | None = Field(
        None, description="Contacts to call for a low failure that stops a release. Default: none."
    )


def paging_of(contacts: Contacts, page: Page) -> Paging:
    """The contacts and whom to call; a default calls its configured contacts, or all where it has none."""
    given = contacts.given
    known = {}
    for severity, default in _DEFAULT_PAGE.items():
        written = getattr(page, severity.value)
        roles = [role for role in default if role in given] or list(given)
        known[severity] = tuple(written if written is not None else roles if default else ())
    return Paging(
        contacts=tuple(Contact(role=role, name=one.name, contact=one.contact or "") for role, one in given.items()),
        page=known,
    )


def check_page(contacts: Contacts, page: Page, keys: Sequence[str | int], complain: Complaints) -> None:
    """Report every contact to call that is not configured."""
    given = contacts.given
    for severity in Severity:
        for number, role in enumerate(getattr(page, severity.value) or ()):
            if role not in given:
                expected = f"a contact of [contacts]: {', '.join(given) or 'there is none'}"
                complain(
                    (*keys, severity.value, number),
                    f"contact '{role}' is not configured",
                    expected,
                    nearest(role, given),
                )


class PlannedPeriod(Settings):
    """A planned period."""

    start: Moment = Field(alias="from", description=f"Start with a time zone, such as {_EXAMPLE}.")
    end: Moment = Field(alias="to", description="End, after 'from' and at most 7 days later.")

    @model_validator(mode="after")
    def _is_a_period(self) -> Self:
        if problem := period_problem(self.start, self.end):
            raise ValueError(problem)
        return self

    @property
    def period(self) -> Period:
        """It as the model has it."""
        return Period(start=self.start, end=self.end)


class PlannedMaintenance(PlannedPeriod):
    """Planned work, during which a failure orders no rollback."""

    reason: OneLine = Field(description="Reason for the maintenance, shown in every report of that period.")

    @property
    def period(self) -> Maintenance:
        """It as the model has it."""
        return Maintenance(start=self.start, end=self.end, reason=self.reason)


def period_problem(start: datetime, end: datetime) -> str | None:
    """The reason why two moments are not a planned period; None where they are."""
    if end <= start:
        return "'to' is not after 'from'"
    if end - start > LONGEST:
        return f"the period is longer than {LONGEST.days} days"
    return None
