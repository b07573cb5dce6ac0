"""A fact that is false exempts its items; a phase is a whole scope of its own; a rollback is asked for after one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from probekit.config.loader import read
from probekit.model.history import Deployment, History
from probekit.model.verdict import Stage
from probekit.planning.plan import NO_ROLLBACK, plan
from probekit.planning.release import ReleaseRequest
from probekit.planning.selection import Selection
from probekit.toml_file import ConfigError
from probekit.workflows.options import RunOptions, with_history

SCHEMA = "pre.schema.migration-rollback-plan"  # applies_if = "changes-schema"
UPLOAD = "deploy.smoke.upload-roundtrip"  # applies_if = "accepts-uploads"
HEALTH, TLS = "deploy.services.health-endpoint", "pre.infra.tls-deployed"
BACK = "rollback.steps.health-after-rollback"
TEXT = """
[env.prod]
base_url = "https://a.test"
scope = [{scope}]
{more}
[env.prod.probes.stock]
kind = "http"
path = "/stock"
"""
QUESTION = "Does this release change the database schema?"
MARK = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
DEPLOYED = Deployment(release="2", started=MARK, finished=MARK)
ROLLED_BACK = replace(DEPLOYED, rolled_back=MARK)


@pytest.fixture
def planned(tmp_path):
    def one(*scope, more="", **options):
        text = TEXT.format(scope=", ".join(f'"{item}"' for item in scope), more=more)
        return plan(read(text, tmp_path / "probes.toml").targets["prod"], **options)

    return one


@pytest.mark.parametrize(
    ("more", "given", "reason"),
    [
        ("", {}, None),
        ("facts = { changes-schema = true }", {}, None),
        ("facts = { changes-schema = false }", {}, f"'changes-schema' is false in [env.prod.facts] ({QUESTION})"),
        ("", {"changes-schema": False}, f"'changes-schema' is false by --fact ({QUESTION})"),
        (
            "facts = { changes-schema = true }",
            {"changes-schema": False},
            f"'changes-schema' is false by --fact ({QUESTION})",
        ),
        (
            "facts = { changes-schema = false }",
            {"changes-schema": False},
            f"'changes-schema' is false in [env.prod.facts] ({QUESTION})",
        ),
        ("facts = { changes-schema = false }", {"changes-schema": True}, None),
        ("facts = { accepts-uploads = false }", {"uses-cdn": False}, None),
        (
            f'not_applicable = {{ "{SCHEMA}" = "there is no database" }}\nfacts = {{ changes-schema = false }}',
            {},
            "there is no database",
        ),
    ],
)
def test_a_fact_that_is_false_exempts_its_items(planned, more, given, reason) -> None:
    found = planned(SCHEMA, HEALTH, more=more, facts=given)

    assert found.not_applicable == ({SCHEMA: reason} if reason else {})
    assert SCHEMA in {item.id for item in found.items}


def test_a_fact_that_is_not_stated_is_asked_for_where_it_concerns_an_item(planned) -> None:
    found = planned("pre.schema", UPLOAD, HEALTH, more="facts = { accepts-uploads = false }")

    (asked,) = found.unknown_facts
    assert (asked.name, asked.question, SCHEMA in asked.items) == ("changes-schema", QUESTION, True)
    stated = "write changes-schema = true, or false, in [env.prod.facts], or add --fact changes-schema=yes|no"
    assert asked.remedy == stated
    assert planned(HEALTH).unknown_facts == ()
    exempt = f'not_applicable = {{ "{UPLOAD}" = "there are none" }}'
    assert planned(UPLOAD, more=exempt).unknown_facts == ()
    assert planned(UPLOAD, facts={"accepts-uploads": True}).unknown_facts == ()


def test_a_fact_is_asked_for_within_the_phase_of_the_run(planned) -> None:
    found = planned("pre.schema", UPLOAD, HEALTH, selection=Selection(phase="deploy"))

    assert [(one.name, one.items) for one in found.unknown_facts] == [("accepts-uploads", (UPLOAD,))]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("facts = { changes-shema = false }", "unknown fact 'changes-shema'"),
        ("facts = { changes-shema = false }", "did you mean 'changes-schema'?"),
        ("facts = { changes-shema = false }", "probes.toml:5: env.prod.facts.changes-shema"),
        ("facts = { nothing-alike = true }", "expected a fact of the checklist: changes-schema, planned-downtime"),
        ('facts = { changes-schema = "no" }', "env.prod.facts.changes-schema"),
        ("facts = { changes-schema = 0 }", "env.prod.facts.changes-schema"),
        ("facts = false", "env.prod.facts"),
    ],
)
def test_a_mistake_in_the_facts_is_told(planned, more, message) -> None:
    with pytest.raises(ConfigError) as caught:
        planned(HEALTH, more=more)

    assert any(message in str(problem) for problem in caught.value.problems), caught.value.problems


@pytest.mark.parametrize(
    ("selection", "items", "in_scope", "is_partial"),
    [
        (Selection(), {HEALTH, TLS, BACK, "own"}, 4, False),
        (Selection(phase="pre"), {TLS, "own"}, 2, False),
        (Selection(phase="deploy"), {HEALTH, "own"}, 2, False),
        (Selection(phase="post"), {"own"}, 1, False),
        (Selection(phase="deploy", items=(HEALTH,)), {HEALTH}, 2, True),
        (Selection(phase="deploy", items=(TLS,)), set(), 2, True),
        (Selection(phase="deploy", quick=True), {HEALTH, "own"}, 2, True),
        (Selection(phase="pre", machine_only=True), {TLS, "own"}, 2, False),
    ],
)
def test_a_phase_is_a_whole_scope(planned, selection, items, in_scope, is_partial) -> None:
    found = planned(HEALTH, TLS, BACK, selection=selection)

    assert {"own" if item.is_own else item.id for item in found.items} == items
    assert (found.in_scope, found.partial, found.phase) == (in_scope, is_partial, selection.phase)


@pytest.mark.parametrize(
    ("request_", "is_asked"),
    [
        (None, False),
        (ReleaseRequest(), False),
        (ReleaseRequest(history=History(deployment=DEPLOYED)), False),
        (ReleaseRequest(history=History(deployment=ROLLED_BACK)), True),
        (ReleaseRequest(stage=Stage.ROLLED_BACK), True),
        (ReleaseRequest(stage=Stage.BEFORE, history=History(deployment=DEPLOYED)), False),
    ],
)
def test_the_rollback_phase_is_asked_for_after_a_rollback(planned, request_, is_asked) -> None:
    found = planned(HEALTH, BACK, release=request_)

    assert found.not_applicable == ({} if is_asked else {BACK: NO_ROLLBACK})


@pytest.mark.parametrize(
    ("deployment", "given", "stage"),
    [
        (None, None, Stage.AFTER),
        (DEPLOYED, None, Stage.AFTER),
        (ROLLED_BACK, None, Stage.ROLLED_BACK),
        (ROLLED_BACK, Stage.BEFORE, Stage.BEFORE),
        (ROLLED_BACK, Stage.AFTER, Stage.AFTER),
        (DEPLOYED, Stage.ROLLED_BACK, Stage.ROLLED_BACK),
    ],
)
def test_the_stage_follows_from_the_record_unless_it_is_given(deployment, given, stage) -> None:
    assert with_history(RunOptions(), History(deployment=deployment), given).stage is stage
