"""Contacts, whom to call, and planned periods: what is right is resolved, each mistake is told with its line."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from probekit.config.loader import read
from probekit.config.people import Contacts, Page, paging_of
from probekit.config.schema import schema
from probekit.model.checklist import Severity
from probekit.model.maintenance import Maintenance, Period
from probekit.toml_file import ConfigError

PAGE = Path(__file__).parents[2] / "docs" / "people.md"
CONFIG = """checklist = "none"
[env.prod]
base_url = "https://app.example.com"
{settings}
[env.prod.contacts]
{contacts}
[env.prod.page]
{page}
[env.prod.probes.shop]
kind = "http"
path = "/"
expect = ["status == 200"]
"""
LEAD, ON_CALL, ESCALATION = "deployment_lead", "on_call", "escalation"
CRITICAL, HIGH, MEDIUM, LOW = Severity
FROM, TO = "2026-12-01T22:00:00Z", "2026-12-01T23:30:00Z"


def window(start: str, end: str) -> str:
    """One entry of `maintenance`."""
    return f'{{ from = {start}, to = {end}, reason = "new storage" }}'


MANY = ", ".join([window(FROM, TO)] * 51)


def configured(settings: str = "", contacts: str = "", page: str = ""):
    text = CONFIG.format(settings=settings, contacts=contacts, page=page)
    return read(text, Path("probes.toml")).targets["prod"].environment


def told(**parts: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        configured(**parts)
    return [str(problem) for problem in caught.value.problems]


def test_the_example_of_the_page_is_read_and_is_valid_for_an_editor() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)

    environment = read(text, Path("probes.toml")).targets["prod"].environment

    assert [one.name for one in environment.contacts.given.values()] == [
        "Deployment Lead",
        "On-Call Engineer",
        "Head of Operations",
    ]
    assert environment.maintenance[0].period == Maintenance(
        start=datetime(2026, 12, 5, 16, tzinfo=UTC), end=datetime(2026, 12, 5, 18, tzinfo=UTC), reason="new storage"
    )
    assert environment.deployment_window
    assert environment.deployment_window.period == Period(
        start=datetime(2026, 12, 1, 22, tzinfo=UTC), end=datetime(2026, 12, 1, 23, 30, tzinfo=UTC)
    )
    document = tomllib.loads(re.sub(r"(\d{4}-\d\d-\d\dT[0-9:]+(Z|\+09:00))", r'"\1"', text))  # as editors hand it on
    jsonschema.Draft202012Validator(schema()).validate(document)


def test_a_day_without_any_of_it_names_nobody() -> None:
    environment = configured()

    assert paging_of(environment.contacts, environment.page).contacts == ()
    assert (environment.maintenance, environment.deployment_window, environment.deployed_by) == ([], None, None)


@pytest.mark.parametrize(
    ("given", "page", "expected"),
    [
        (
            (LEAD, ON_CALL, ESCALATION),
            {},
            {CRITICAL: (ON_CALL, ESCALATION), HIGH: (ON_CALL,), MEDIUM: (LEAD,), LOW: ()},
        ),
        ((ON_CALL,), {}, {CRITICAL: (ON_CALL,), HIGH: (ON_CALL,), MEDIUM: (ON_CALL,), LOW: ()}),
        ((LEAD, ESCALATION), {}, {CRITICAL: (ESCALATION,), HIGH: (LEAD, ESCALATION), MEDIUM: (LEAD,), LOW: ()}),
        ((), {}, {CRITICAL: (), HIGH: (), MEDIUM: (), LOW: ()}),
        (
            (LEAD, ON_CALL),
            {"critical": [LEAD, ON_CALL], "high": [], "low": [ON_CALL]},
            {CRITICAL: (LEAD, ON_CALL), HIGH: (), MEDIUM: (LEAD,), LOW: (ON_CALL,)},
        ),
    ],
)
def test_a_severity_without_a_list_calls_who_is_given(given, page, expected) -> None:
    contacts = Contacts.model_validate(dict.fromkeys(given, "somebody"))

    assert paging_of(contacts, Page.model_validate(page)).page == expected


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        (
            {"contacts": 'on_call = "A"\nescalation = "B"', "page": 'high = [\n "escalation",\n "deployment_lead"]'},
            (
                "probes.toml:11: env.prod.page.high.1: contact 'deployment_lead' is not configured, "
                "expected a contact of [contacts]: on_call, escalation"
            ),
        ),
        (
            {"page": 'low = ["on_call"]'},
            (
                "probes.toml:8: env.prod.page.low.0: contact 'on_call' is not configured, "
                "expected a contact of [contacts]: there is none"
            ),
        ),
        (
            {"contacts": 'on_call = "A"', "page": 'critical = ["oncall"]'},
            (
                "probes.toml:8: env.prod.page.critical.0: 'oncall', "
                "expected 'deployment_lead', 'on_call' or 'escalation'; did you mean 'on_call'?"
            ),
        ),
        (
            {"contacts": 'oncall = "A"'},
            ("probes.toml:6: env.prod.contacts.oncall: unknown key; did you mean 'on_call'?"),
        ),
        ({"contacts": 'on_call = " "'}, "probes.toml:6: env.prod.contacts.on_call.name: it is blank"),
        (
            {"contacts": f'on_call = "{"x" * 201}"'},
            "probes.toml:6: env.prod.contacts.on_call.name: it has 201 characters, at most 200 are allowed",
        ),
        (
            {"contacts": 'on_call = { name = "A", contact = "a\\nb" }'},
            "probes.toml:6: env.prod.contacts.on_call.contact: it is not one line of printable characters",
        ),
        (
            {"settings": 'deployed_by = "a\\u202eb"'},
            "probes.toml:4: env.prod.deployed_by: it is not one line of printable characters",
        ),
        (
            {"settings": 'reviewed_by = ""'},
            "probes.toml:4: env.prod.reviewed_by: it is blank",
        ),
        (
            {"settings": f"maintenance = [\n {window('2026-12-01T22:00:00', TO)}]"},
            f"probes.toml:5: env.prod.maintenance.0.from: missing time zone: add one, such as Z for UTC ({FROM})",
        ),
        (
            {"settings": f"maintenance = [{window('2026-12-01', TO)}]"},
            (
                "probes.toml:4: env.prod.maintenance.0.from: write a date and time with a time zone, without quotes, "
                f"such as {FROM}"
            ),
        ),
        (
            {"settings": f"maintenance = [{window(FROM, '0001-01-01T00:00:00+01:00')}]"},
            "probes.toml:4: env.prod.maintenance.0.to: the time in UTC is outside the years 1 to 9999",
        ),
        (
            {"settings": f"maintenance = [{window(FROM, FROM)}]"},
            "probes.toml:4: env.prod.maintenance.0: 'to' is not after 'from'",
        ),
        (
            {"settings": f"maintenance = [{window(FROM, '2026-12-08T22:00:01Z')}]"},
            "probes.toml:4: env.prod.maintenance.0: the period is longer than 7 days",
        ),
        (
            {"settings": f"maintenance = [{{ from = {FROM}, to = {TO} }}]"},
            (
                "probes.toml:4: env.prod.maintenance.0.reason: missing; "
                "this setting is required (Reason for the maintenance, shown in every report of that period)"
            ),
        ),
        (
            {"settings": f"maintenance = [{MANY}]"},
            (
                "probes.toml:4: env.prod.maintenance: a list of 51 entries, expected at most 50 entries "
                "(Periods of planned work)"
            ),
        ),
        (
            {"settings": f"deployment_window = {{ from = {TO}, to = {FROM} }}"},
            "probes.toml:4: env.prod.deployment_window: 'to' is not after 'from'",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(parts, line) -> None:
    assert told(**parts) == [line]


def test_a_window_may_last_seven_days() -> None:
    assert configured(settings=f"maintenance = [{window(FROM, '2026-12-08T22:00:00Z')}]").maintenance
