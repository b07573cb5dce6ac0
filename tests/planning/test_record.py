"""What the record decides before a run is told with what to do about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from probekit.config.loader import load
from probekit.model.checklist import Severity
from probekit.model.history import BaselineWindow, Deployment, History
from probekit.model.ledger import Ledger, PastFailure, PastRun
from probekit.model.maintenance import Period
from probekit.planning.plan import plan
from probekit.planning.record import Record
from probekit.planning.release import ReleaseRequest

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
START = NOW - 60 * MINUTE
DONE = Deployment(release="2.3.1", started=START, finished=START + 50 * MINUTE)
BACK = replace(DONE, rolled_back=START + 55 * MINUTE)
UNDER_WAY = Deployment(release="2.3.1", started=START)
GATE, BASELINE = "deploy.preflight.pre-deployment-gate", "deploy.preflight.baseline-captured"
COMMAND = "probekit verify --phase pre --stage before --release 2.3.1"
FOLLOW = "do what the message says, then plan again"
LIST = "list the item under not_applicable, with the reason for the rollback"


def run(minutes, *, action="go", failures=(), stage="after", phase=None):
    """A run that ended so many minutes after the start."""
    facts = {"stage": stage, "phase": phase, "action": action, "failures": failures}
    return PastRun(id=f"r{minutes}", ended=START + minutes * MINUTE, subject="2.3.1", partial=False, **facts)


def gate(minutes, action="go"):
    return Ledger(gates=(run(minutes, stage="before", phase="pre", action=action),))


FAILED = PastFailure(item="a.b.c", severity=Severity.MEDIUM, confirmed=True, since=None, due=None)


@pytest.fixture
def foretold(tmp_path):
    """A function from an item and the record to what is foretold: pairs of the reason and the remedy."""

    def one(item, deployment=DONE, ledger=None, baseline=()):
        file = tmp_path / "probes.toml"
        file.write_text(f'[env.prod]\nbase_url = "https://app.test"\nscope = ["{item}"]\n')
        history = History(deployment=deployment, ledger=ledger or Ledger(), baseline=baseline)
        planned = plan(load(file).targets["prod"], release=ReleaseRequest(history=history))
        record = Record(history=history, now=NOW, settle=30.0, base_url="https://app.test")
        return [(found.why, found.remedy) for item in planned.items for found in record.foretold(item, planned)]

    return one


@pytest.mark.parametrize(
    ("item", "first"),
    [
        (
            GATE,
            "run the gate until it ends with go (probekit verify --phase pre --stage before --release VERSION), then",
        ),
        (BASELINE, "run 'probekit baseline capture', then"),
        ("deploy.rollout.deployment-duration", "run"),
        ("post.records.report-created", "run"),
        ("post.records.baseline-updated", "run"),
    ],
)
def test_without_a_deployment_what_comes_before_it_is_told_first(foretold, item, first) -> None:
    """A gate or a baseline that follows the start is too late, and fails the item."""
    ((why, remedy),) = foretold(item, None)

    assert why.endswith(f"no deployment is on record: {first} 'probekit deployment start', or use --deployed")
    assert remedy == FOLLOW


@pytest.mark.parametrize(
    ("item", "deployment", "ledger", "why", "remedy"),
    [
        (
            GATE,
            DONE,
            Ledger(),
            (
                f"gate_passed will be 0, but 'gate_passed == 1' is required: no gate run of release 2.3.1 is on record "
                f"({COMMAND})"
            ),
            "before the next deployment, run the gate until it ends with go",
        ),
        (
            GATE,
            DONE,
            gate(-10, "no_go"),
            (
                "gate_passed will be 0, but 'gate_passed == 1' is required: gate run r-10 of release 2.3.1 ended with "
                "no_go at 2026-11-23 09:20:00 UTC"
            ),
            "before the next deployment, run the gate until it ends with go",
        ),
        (
            GATE,
            DONE,
            gate(-300),
            "gate_age_at_deployment will be 5 h, but 'gate_age_at_deployment <= 4 h' is required",
            "run the gate shortly before the next deployment",
        ),
        (
            GATE,
            DONE,
            gate(10),
            (
                "a record of probe 'deployment' was made 10 min after the deployment began (2026-11-23 09:40:00 UTC), "
                "expected before it"
            ),
            "before the next deployment, run the gate until it ends with go",
        ),
        (
            BASELINE,
            DONE,
            Ledger(),
            "metrics will be 0, but 'metrics == 7' is required: 0 windows captured before the deployment, 0 since",
            "mark the next deployment, and capture the baseline before it",
        ),
        (
            "deploy.rollout.deployment-duration",
            UNDER_WAY,
            Ledger(),
            "duration: the deployment is under way: mark its end with 'probekit deployment finish'",
            FOLLOW,
        ),
        (
            "deploy.rollout.deployment-duration",
            DONE,
            Ledger(),
            "duration will be 50 min, but 'duration <= 45 min' is required",
            "it cannot be changed; mark the end of the next deployment with probekit deployment finish",
        ),
        (
            "deploy.preflight.window-opened",
            DONE,
            Ledger(),
            "started_in_window: no deployment window is configured: set deployment_window = { from = TIME, to = TIME }",
            FOLLOW,
        ),
        (
            "deploy.preflight.deploy-log-recording",
            UNDER_WAY,
            Ledger(),
            "log_age_at_deployment: no log of the deployment is noted: probekit deployment log FILE",
            FOLLOW,
        ),
        (
            "post.records.issues-ticketed",
            DONE,
            Ledger(runs=(run(10, failures=(FAILED,)),)),
            (
                "unticketed_items will be 1, but 'unticketed_items == 0' is required: no ticket for a.b.c: "
                "probekit runs ticket ITEM URL"
            ),
            "record a ticket for each: probekit runs ticket ITEM URL",
        ),
        (
            "post.records.report-created",
            DONE,
            Ledger(),
            (
                "reports will be 0, but 'reports >= 1' is required: no report of a whole run of this deployment is on "
                "record: run 'probekit verify', then verify again"
            ),
            "verify the whole scope once; the next run counts it",
        ),
        (
            "rollback.decision.severity-critical",
            BACK,
            Ledger(runs=(run(10),)),
            (
                "rollback_due will be 0, but 'rollback_due == 1' is required: 1 run of this deployment found no "
                "reason for a rollback"
            ),
            LIST,
        ),
        (
            "rollback.decision.decision-time",
            BACK,
            Ledger(runs=(run(10),)),
            "decision_time: no critical failure of this deployment is on record, so there was nothing to decide",
            LIST,
        ),
    ],
)
def test_what_the_record_misses_is_told_with_what_to_do(foretold, item, deployment, ledger, why, remedy) -> None:
    assert foretold(item, deployment, ledger) == [(why, remedy)]


@pytest.mark.parametrize(
    ("item", "ledger"),
    [
        (GATE, gate(-10)),
        ("deploy.preflight.window-opened", Ledger(window=Period(start=START, end=NOW))),
        ("post.records.report-created", Ledger(runs=(run(10),))),
        ("rollback.decision.severity-critical", Ledger(runs=(run(10, action="rollback"),))),
        ("deploy.rollout.deployment-verdict", Ledger()),  # the judge derives it
    ],
)
def test_what_the_record_keeps_is_not_foretold(foretold, item, ledger) -> None:
    assert foretold(item, DONE, ledger) == []


def test_a_baseline_after_the_start_is_too_late(foretold) -> None:
    windows = tuple(
        BaselineWindow(taken=START + minutes * MINUTE, release="2.3.1", vantage="", values={}, rows=7)
        for minutes in (5, 6, 7)
    )

    ((why, _),) = foretold(BASELINE, baseline=windows)

    assert why.startswith("a record of probe 'baseline' was made 7 min after the deployment began")
