"""A deployment is marked once for each release, with what the release is; its end may be a failure or a rollback."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from probekit import cli
from probekit.cli.deployment_command import command
from probekit.config import release as release_table
from probekit.history.store import Store
from probekit.model.history import TargetKey
from probekit.model.record import Identity

PLACE = TargetKey(environment="prod", base_url="https://app.example.com")
CONFIG = f"""
[env.prod]
base_url = "{PLACE.base_url}"
scope = ["deploy.services.health-endpoint"]
"""
COMMIT, OTHER = "a" * 40, "b" * 40
DIGEST = f"sha256:{'c' * 64}"
NOW = datetime.now(UTC).replace(microsecond=0)  # of the whole module: two moments of one test must not differ
START = ("start", "--release", "2.3.1")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "probes.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROBEKIT_STATE", "state.sqlite3")
    return tmp_path


@pytest.fixture
def deployment(folder):
    """A function from the words of a mark to its exit code, stdout and stderr."""

    def call(*words, at="now"):
        at = f"{at:%Y-%m-%dT%H:%M:%SZ}" if isinstance(at, datetime) else at
        result = CliRunner().invoke(command, [*words, "--at", at], standalone_mode=False)
        assert result.exception is None, result.exception
        return result.return_value, result.stdout, result.stderr

    return call


@pytest.fixture
def marks(folder):
    """A function that reads all deployments on record, the latest first."""

    def read():
        with Store(folder / "state.sqlite3") as store:
            return store.deployments(PLACE)

    return read


def ago(minutes):
    return NOW - timedelta(minutes=minutes)


def test_a_start_records_what_the_release_is(deployment, marks) -> None:
    code, told, _ = deployment(
        *START, "--commit", COMMIT.upper(), "--image", f"app={DIGEST}", "--previous", "2.3.0", at=ago(1)
    )

    assert code == 0
    assert told.startswith(
        "prod: the deployment of 2.3.1 (commit aaaaaaaaaaaa, image app sha256:cccccccccccc) started at "
    )
    assert [one.identity for one in marks()] == [
        Identity(release="2.3.1", commit=COMMIT, images={"app": DIGEST}, previous="2.3.0")
    ]


def test_what_is_not_given_comes_from_the_configuration(deployment, marks, folder, monkeypatch) -> None:
    facts = 'version = { env = "VERSION" }\ncommit = { file = "COMMIT" }\nprevious = { env = "OLD" }\n'
    (folder / "probes.toml").write_text(f"{CONFIG}[env.prod.release]\n{facts}")
    (folder / "COMMIT").write_text(COMMIT)
    monkeypatch.setenv("VERSION", "2.3.1")

    code, _, said = deployment("start")

    assert (code, marks()[0].identity) == (0, Identity(release="2.3.1", commit=COMMIT))
    assert said == "probekit: warning: release.previous is not known: variable OLD is not set\n"
    code, told, said = deployment("start", "--release", "2.4.0")
    assert (code, told) == (64, "")
    assert "the command line names release 2.4.0, and [env.prod.release] has 2.3.1: correct one of them" in said
    (folder / "COMMIT").write_text("main")
    code, _, said = deployment("start")
    assert code == 64
    assert "release.commit: file COMMIT: expected a commit of 7 to 64 hexadecimal digits" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--commit", "main"), "expected a commit of 7 to 64 hexadecimal digits"),
        (("--image", "app"), "expected NAME=sha256:..."),
        (("--image", "app=latest"), "expected NAME=sha256:..."),
        (("--image", f"={DIGEST}"), "expected NAME=sha256:..."),
        (("--image", f"app={DIGEST}", "--image", f"app={DIGEST}"), "image app is given more than once"),
        (("--release", "2.3\x1b[2J"), "is not one line"),
    ],
)
def test_a_fact_of_another_form_is_refused(folder, words, message) -> None:
    result = CliRunner().invoke(command, ["start", *words])

    assert result.exit_code != 0
    assert message in result.output
    assert not (folder / "state.sqlite3").exists()


def test_a_second_start_of_the_release_resumes_it_and_says_so(deployment, marks) -> None:
    deployment(*START, at=ago(30))

    code, told, _ = deployment(*START, "--commit", COMMIT, at=ago(20))

    assert (code, len(marks())) == (0, 1)
    assert f"already started at {ago(30):%Y-%m-%d %H:%M}" in told
    assert "which is unchanged; when it is finished, run: probekit deployment finish --env prod" in told
    assert (marks()[0].commit, marks()[0].started) == (COMMIT, ago(30))  # it lacked the commit


def test_a_contradiction_to_the_deployment_on_record_is_refused(deployment, marks) -> None:
    deployment(*START, "--commit", COMMIT, at=ago(30))

    code, told, said = deployment(*START, "--commit", OTHER, at=ago(20))

    assert (code, told, marks()[0].commit) == (64, "", COMMIT)
    assert f"the deployment of 2.3.1 is on record with commit {COMMIT}, not {OTHER}" in said


@pytest.mark.parametrize(
    ("between", "again", "count"),
    [
        ([], 20, 1),  # it is under way
        ([(("finish",), 25)], 20, 1),  # the pipeline runs again
        ([(("finish", "--failed"), 25)], 20, 1),
        ([(("finish",), 190)], 60, 2),  # hours later it is another deployment of the same release
        ([(("finish",), 25), (("rolled-back",), 24)], 20, 2),
        ([(("rolled-back",), 24)], 20, 2),
        ([(("finish",), 28), (("start", "--release", "2.4.0"), 27), (("finish",), 26)], 20, 3),
    ],
)
def test_which_start_resumes_the_deployment_on_record(deployment, marks, between, again, count) -> None:
    deployment(*START, at=ago(200))
    for words, minutes in between:
        assert deployment(*words, at=ago(minutes))[0] == 0

    code, told, _ = deployment(*START, at=ago(again))

    found = marks()
    assert (code, len(found), found[0].release) == (0, count, "2.3.1")
    assert found[0].is_under_way
    assert not found[0].failed
    assert found[0].started == ago(200 if count == 1 else again)
    assert ("which is unchanged" in told) is (count == 1)


def test_a_release_without_a_name_is_resumed_only_while_it_is_under_way(deployment, marks) -> None:
    deployment("start", at=ago(30))
    deployment("start", at=ago(29))
    deployment("finish", at=ago(20))
    deployment("start", at=ago(10))

    assert [one.started for one in marks()] == [ago(10), ago(30)]


def test_a_second_finish_names_the_first(deployment) -> None:
    deployment("start", "--release", "2.3.1", at=ago(25))
    deployment("finish", "--failed", at=ago(20))

    code, _, error = deployment("finish")

    assert code == 64
    assert "no deployment of 'prod' is under way; that of 2.3.1 was marked as failed at " in error


def test_a_deployment_may_end_as_failed(deployment, marks) -> None:
    deployment(*START, at=ago(30))

    code, told, _ = deployment("finish", "--failed", at=ago(20))

    assert (code, told) == (0, "prod: the deployment of 2.3.1 failed; it took 10 min\n")
    assert (marks()[0].failed, marks()[0].finished) == (True, ago(20))


def test_a_file_of_the_release_is_read_once_as_a_pipe_must_be(deployment, marks, folder, monkeypatch, capfd) -> None:
    (folder / "probes.toml").write_text(f'{CONFIG}[env.prod.release]\ncommit = {{ file = "COMMIT" }}\n')
    (folder / "COMMIT").write_text(COMMIT)
    reads = []
    read_file = release_table.read_file

    def counted(*path, **how):
        reads.append(path)
        return read_file(*path, **how)

    monkeypatch.setattr(release_table, "read_file", counted)

    deployment(*START)
    assert (marks()[0].commit, len(reads)) == (COMMIT, 1)
    reads.clear()
    cli.run(["verify", "--env", "prod", "--deployed", "now", "--release", "2.3.2", "--report", "json", "--no-settle"])
    assert json.loads(capfd.readouterr().out)["situation"]["identity"]["commit"] == COMMIT
    assert len(reads) == 1


def test_a_wrong_file_of_the_release_loses_no_finish(deployment, marks, folder) -> None:
    deployment(*START, at=ago(30))
    (folder / "probes.toml").write_text(f'{CONFIG}[env.prod.release]\ncommit = {{ file = "COMMIT" }}\n')
    (folder / "COMMIT").write_text("main")

    code, _, said = deployment("finish")

    assert (code, marks()[0].is_under_way) == (0, False)
    assert "warning: nothing was read at this mark: " in said
    assert "release.commit: file COMMIT: expected a commit" in said


def test_a_rollback_is_marked_once_and_names_what_is_expected_again(deployment, marks) -> None:
    code, _, said = deployment("rolled-back")
    assert code == 64
    assert "no deployment of 'prod' is on record" in said

    for release, minutes in (("2.3.0", 60), ("2.3.1", 30)):
        deployment("start", "--release", release, at=ago(minutes))
        deployment("finish", at=ago(minutes - 5))
    code, told, _ = deployment("rolled-back", at=ago(10))
    assert (code, told) == (0, "prod: the deployment of 2.3.1 is rolled back; 2.3.0 is expected again\n")
    assert (marks()[0].rolled_back, marks()[0].mark) == (ago(10), ago(10))

    code, _, said = deployment("rolled-back")
    assert code == 64
    assert "the deployment of 2.3.1 was rolled back at " in said
    code, _, said = deployment("rolled-back", at=ago(50))
    assert code == 64


def test_a_failed_or_rolled_back_release_is_no_previous_one(deployment, folder, marks) -> None:
    for release, minutes, words in (
        ("1", 90, ("finish",)),
        ("2", 60, ("finish", "--failed")),
        ("3", 40, ("rolled-back",)),
        ("4", 20, ("finish",)),
    ):
        deployment("start", "--release", release, at=ago(minutes))
        deployment(*words, at=ago(minutes - 5))

    with Store(folder / "state.sqlite3") as store:
        assert store.previous(PLACE, marks()[0]).release == "1"
