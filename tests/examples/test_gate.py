"""examples/gate.sh goes on only after a go, rolls back only where probekit orders it, and hides no failure."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from command_lines import parse
from pipelines import EXAMPLES, Pipeline

from probekit.cli.codes import MEANINGS

GATE = EXAMPLES / "gate.sh"
ARGUMENTS = ("prod", "2.4.0", "./rollback.sh", "./deploy.sh", "2.4.0")
DEPLOYED = ["gate", "deployment start", "deployment log", "deploy.sh"]
FINISHED = [*DEPLOYED, "deployment finish", "verify"]
FAILED = [*DEPLOYED, "deployment finish --failed", "verify"]
ROLLED_BACK = ["rollback.sh", "deployment rolled-back", "verify rolled-back"]
CODES = sorted({1, 2, 127, *MEANINGS} - {0})
BEFORE, AFTER = "--stage before", "--deployed now"
# exit codes by words of a call; the exit code of the gate; the calls
TABLE = {
    "go": ({}, 0, FINISHED),
    **{f"the gate answers {code}": ({BEFORE: code}, code, ["gate"]) for code in CODES},
    "the start is not recorded": ({"deployment start": 78}, 78, DEPLOYED[:2]),
    "the log is not recorded": ({"deployment log": 78}, 0, FINISHED),
    "the end is not recorded": ({"deployment finish": 78}, 0, FINISHED),
    **{f"the verification answers {code}": ({AFTER: code}, code, FINISHED) for code in CODES if code != 20},
    "a rollback is ordered": ({AFTER: 20}, 20, [*FINISHED, *ROLLED_BACK]),
    "the rollback fails": ({AFTER: 20, " rollback.sh ": 3}, 1, [*FINISHED, "rollback.sh"]),
    "the rollback is not recorded": ({AFTER: 20, "deployment rolled-back": 78}, 20, [*FINISHED, *ROLLED_BACK]),
    "after the rollback it is not go": ({AFTER: 20, "--stage rolled-back": 10}, 20, [*FINISHED, *ROLLED_BACK]),
    "the deployment fails": ({" deploy.sh ": 3}, 1, FAILED),
    "the deployment fails with a rollback's code": ({" deploy.sh ": 20}, 1, FAILED),
    "the deployment fails, investigate": ({" deploy.sh ": 3, AFTER: 10}, 1, FAILED),
    "the deployment fails, and a rollback is ordered": (
        {" deploy.sh ": 3, AFTER: 20},
        20,
        [*FAILED, *ROLLED_BACK],
    ),
}


@pytest.mark.parametrize(("codes", "code", "calls"), TABLE.values(), ids=TABLE)
def test_the_gate_takes_the_way_of_the_table(tmp_path, codes, code, calls) -> None:
    done = Pipeline(tmp_path, codes).run("sh", GATE, *ARGUMENTS)

    assert (done.code, done.names) == (code, calls), done.errors
    assert all(parse(call[1:]) for call in done.calls if call[0] == "probekit")


def options_of(folder, codes=None, **variables):
    """The options of each call of probekit, by its name."""
    folder.mkdir(exist_ok=True)
    done = Pipeline(folder, codes).run("sh", GATE, *ARGUMENTS, **variables)
    called = zip(done.names, done.calls, strict=True)
    return {name: parse(call[1:]).params for name, call in called if call[0] == "probekit"}


def test_the_release_is_named_before_and_after_and_not_after_its_rollback(tmp_path) -> None:
    options = options_of(tmp_path, {AFTER: 20})

    assert {one["environment"] for one in options.values()} == {"prod"}
    assert (options["gate"]["phase"], options["gate"]["release"]) == ("pre", "2.4.0")
    assert (options["verify"]["phase"], options["verify"]["release"]) == (None, "2.4.0")
    assert (options["verify rolled-back"]["release"], options["verify rolled-back"]["deployed"]) == (None, None)
    assert options["deployment start"]["release"] == "2.4.0"


def test_it_waits_for_the_release_unless_its_deployment_failed(tmp_path) -> None:
    assert options_of(tmp_path / "default")["verify"]["wait_release"] == 300
    assert options_of(tmp_path / "given", WAIT_RELEASE="20m")["verify"]["wait_release"] == 1200
    assert options_of(tmp_path / "failed", {" deploy.sh ": 3})["verify"]["wait_release"] == 0


def test_the_commit_is_recorded_where_it_is_given(tmp_path) -> None:
    assert options_of(tmp_path / "default")["deployment start"]["commit"] is None
    assert options_of(tmp_path / "given", COMMIT="3f2a9c1")["deployment start"]["commit"] == "3f2a9c1"


def test_each_verification_writes_reports_of_its_own(tmp_path) -> None:
    options = options_of(tmp_path, {AFTER: 20}, REPORTS="out of/the way")
    names = {"gate": "before", "verify": "after", "verify rolled-back": "rolled-back"}
    endings = {"json": "json", "junit": "xml", "markdown": "md", "html": "html"}

    for call, name in names.items():
        expected = {form: Path(f"out of/the way/{name}.{ending}") for form, ending in endings.items()}
        assert dict(options[call]["reports"]) == expected


def test_reports_of_an_earlier_run_are_not_taken_for_those_of_this_one(tmp_path) -> None:
    reports = tmp_path / "reports"
    reports.mkdir()
    for name in ("before.json", "after.json", "rolled-back.md", "deploy.result", "notes.txt"):
        (reports / name).write_text("succeeded", "utf-8")

    done = Pipeline(tmp_path, {" deploy.sh ": 3}).run("sh", GATE, *ARGUMENTS)

    assert (done.code, done.names) == (1, FAILED)
    assert sorted(one.name for one in reports.iterdir()) == ["deploy.log", "notes.txt"]


def test_the_output_of_the_deployment_is_shown_and_kept(tmp_path) -> None:
    done = Pipeline(tmp_path).run("sh", GATE, *ARGUMENTS[:3], "sh", "-c", "echo one; echo two >&2")

    assert "one\ntwo\n" in done.output
    assert (tmp_path / "reports" / "deploy.log").read_text("utf-8") == "one\ntwo\n"


def test_the_log_exists_before_it_is_noted(tmp_path) -> None:
    pipeline = Pipeline(tmp_path)
    (pipeline.programs / "probekit").write_text('#!/bin/sh\n[ "$2" != log ] || ls "$3"\n', "utf-8")

    assert "reports/deploy.log\n" in pipeline.run("sh", GATE, *ARGUMENTS).output


def test_a_log_that_cannot_be_written_does_not_keep_the_release_from_being_verified(tmp_path) -> None:
    pipeline = Pipeline(tmp_path)
    (pipeline.programs / "tee").write_text("#!/bin/sh\ncat\nexit 1\n", "utf-8")
    (pipeline.programs / "tee").chmod(0o755)

    done = pipeline.run("sh", GATE, *ARGUMENTS)

    assert (done.code, done.names) == (0, FINISHED)


def test_the_rollback_is_a_line_of_the_shell(tmp_path) -> None:
    line = "./rollback.sh 'two words' && ./rollback.sh again"

    done = Pipeline(tmp_path, {AFTER: 20}).run("sh", GATE, "prod", "2.4.0", line, "./deploy.sh")

    assert [call[1:] for call in done.calls if call[0] == "rollback.sh"] == [["two words"], ["again"]]


@pytest.mark.parametrize("release", ["2.4.0 rc", "$(touch harm)", "`touch harm`", "'; touch harm; '", '"', "*"])
def test_a_release_is_one_word_and_no_part_of_the_script(tmp_path, release) -> None:
    done = Pipeline(tmp_path, {AFTER: 20}).run("sh", GATE, "prod", release, "./rollback.sh", "./deploy.sh", release)

    assert done.names == [*FINISHED, *ROLLED_BACK]
    assert done.calls[3] == ["deploy.sh", release]
    assert done.errors.count(f"gate: roll back {release}\n") == 1
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("count", range(4))
def test_without_a_command_to_deploy_nothing_runs(tmp_path, count) -> None:
    done = Pipeline(tmp_path).run("sh", GATE, *ARGUMENTS[:count])

    assert (done.code, done.names) == (64, [])
    assert done.errors.startswith("usage: gate.sh ")


def test_without_a_folder_for_the_reports_nothing_runs(tmp_path) -> None:
    (tmp_path / "reports").write_text("a file", "utf-8")

    done = Pipeline(tmp_path).run("sh", GATE, *ARGUMENTS)

    assert done.code not in {0, 20}
    assert done.names == []


def test_without_probekit_nothing_is_deployed(tmp_path) -> None:
    pipeline = Pipeline(tmp_path)
    (pipeline.programs / "probekit").unlink()

    done = pipeline.run("sh", GATE, *ARGUMENTS)

    assert (done.code, done.names) == (127, [])


def test_without_room_for_the_result_the_deployment_does_not_count_as_successful(tmp_path) -> None:
    """/dev/full takes no byte: the command succeeds, and the file that shows it stays empty."""
    reports = tmp_path / "reports"
    done = Pipeline(tmp_path).run(
        "sh", GATE, *ARGUMENTS[:3], "sh", "-c", f"ln -s /dev/full {reports}/deploy.result; ./deploy.sh 2.4.0"
    )

    assert (done.code, done.names) == (1, FAILED)


@pytest.mark.parametrize(
    ("old", "new"),
    [("--stage before", "--stages before"), ("--phase pre", "--phase"), ("html=", "htm="), ("--wait 15m", "--wait 15")],
)
def test_a_wrong_option_is_found(tmp_path, old, new) -> None:
    text = GATE.read_text("utf-8")
    assert old in text
    (tmp_path / "gate.sh").write_text(text.replace(old, new), "utf-8")

    with pytest.raises(click.UsageError):
        assert [parse(call[1:]) for call in Pipeline(tmp_path).run("sh", "gate.sh", *ARGUMENTS).calls]
