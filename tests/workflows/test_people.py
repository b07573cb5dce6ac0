"""Names of people survive redaction, unless one is a secret of the configuration, too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from probekit.config.loader import read
from probekit.engine.context import Clock
from probekit.model.history import History
from probekit.model.maintenance import Maintenance
from probekit.model.responsible import Responsible
from probekit.workflows import people
from probekit.workflows.assembly import session
from probekit.workflows.options import RunOptions
from probekit.workflows.verify import execute_run

CONFIG = """
checklist = "none"
[env.prod]
base_url = "https://app.example.com"
deployed_by = "Release Team of the shop"
[env.prod.contacts]
on_call = {{ name = "On-Call Engineer", contact = "{contact}" }}
[env.prod.connect.headers]
Authorization = {{ env = "KEY" }}
[env.prod.probes.shop]
kind = "http"
path = "/"
expect = ["status == 200"]
"""


@pytest.fixture
def opened(monkeypatch):
    """The environment and the redactor of a run; by the secret and the contact."""

    def opened(secret, contact="on-call@example.com"):
        monkeypatch.setenv("KEY", secret)
        config = read(CONFIG.format(contact=contact), Path("probes.toml"))
        target = config.targets["prod"]
        return target.environment, session(config, target).context.redactor

    return opened


@pytest.mark.parametrize("text", ["On-Call Engineer", "on-call@example.com", "Release Team of the shop"])
def test_a_name_stays_in_a_text_although_it_shares_characters_with_a_secret(opened, text) -> None:
    environment, redactor = opened(f"{text}-7h3-rest-of-1t")

    assert redactor.clean(f"ask {text}, now") == f"ask {text}, now"
    assert "7h3-rest" not in redactor.clean(f"{text}-7h3-rest-of-1t")
    assert people.paging(environment, redactor).contacts[0].name == "On-Call Engineer"


@pytest.mark.parametrize(
    ("secret", "contact"),
    [
        ("n0-0ne-kn0ws", "n0-0ne-kn0ws"),
        ("Bearer n0-0ne-kn0ws", "n0-0ne-kn0ws"),
        ("n0-0ne-kn0ws", "https://hooks.example.com/n0-0ne-kn0ws"),
    ],
)
def test_a_contact_that_is_a_secret_stands_nowhere(opened, secret, contact) -> None:
    environment, redactor = opened(secret, contact)

    (on_call,) = people.paging(environment, redactor).contacts

    assert (on_call.name, on_call.contact) == ("On-Call Engineer", "[secret]")
    assert "n0-0ne" not in redactor.clean(f"the key is {contact}")


def test_who_deployed_is_said_by_the_caller_then_the_record_then_the_file(opened) -> None:
    environment, redactor = opened("Night Shift-7h3-key")
    said, known = Responsible(deployed_by="Day Shift"), Responsible(deployed_by="Night Shift", reviewed_by="Board")

    def found(options):
        one = people.responsible(options, environment, redactor)
        return one.deployed_by, one.reviewed_by

    recorded = History(responsible=known)
    assert found(RunOptions(responsible=said, history=recorded)) == ("Day Shift", "Board")
    assert found(RunOptions(history=recorded)) == ("Night Shift", "Board")
    assert found(RunOptions()) == ("Release Team of the shop", None)
    assert found(RunOptions(responsible=Responsible(reviewed_by="Night Shift-7h3-key")))[1] == "[secret]"


@pytest.mark.parametrize("options", [{}, {"measure_all": True}])
async def test_maintenance_that_ended_during_a_run_is_in_force(tmp_path, options) -> None:
    file, began = tmp_path / "probes.toml", datetime(2026, 12, 1, 22, tzinfo=UTC)
    file.write_text(CONFIG.format(contact="x").replace("https://app.example.com", "http://127.0.0.1:9"))
    moments = count()
    window = Maintenance(start=began - timedelta(hours=1), end=began)
    clock = Clock(now=lambda: began + timedelta(seconds=next(moments)), sleep=_sleep)

    report = await execute_run(RunOptions(config=file, maintenance=(window,), settle=False, **options), clock=clock)

    assert report.maintenance == (window,)


async def _sleep(_seconds: float) -> None:
    """Time passes with each look at the clock."""
