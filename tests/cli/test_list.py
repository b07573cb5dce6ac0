"""`probekit list`: one line for each entry in a pipe, a table on a terminal, and the same as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from probekit import checklist as checklists, cli
from probekit.history.store import RunSummary, Store
from probekit.model.history import TargetKey

CONFIG = """
[env.prod]
base_url = "https://a.example.com"
scope = ["deploy.services"]
[env.prod.probes.till]
kind = "http"
path = "/till"
[env.staging]
base_url = "https://b.example.com"
scope = ["deploy.services.health-endpoint"]
"""
HEALTH, SETTLED = "deploy.services.health-endpoint", "deploy.services.settle-time"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command line in an empty folder; its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name in ("PROBEKIT_CONFIG", "PROBEKIT_STATE", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(["list", *arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def config(tmp_path):
    (tmp_path / "probes.toml").write_text(CONFIG, "utf-8")


@pytest.fixture
def terminal(monkeypatch):
    """Have stdout be a terminal of so many columns."""

    def of(columns: int) -> None:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("NO_COLOR", "1")

    return of


@pytest.fixture
def record(tmp_path):
    """Put a run on record; the file of the record."""
    file = tmp_path / "state.sqlite3"

    def record(outcomes: dict[str, str], *, run: str = "3f2a", environment: str = "prod", base: str = "a") -> str:
        target = TargetKey(environment=environment, base_url=f"https://{base}.example.com")
        began = datetime.now(UTC) - timedelta(minutes=5)
        past = RunSummary(
            id=run, target=target, started=began, release=None, action="no_go", exit_code=21, partial=False
        )
        verdicts = [{"item": item, "outcome": outcome} for item, outcome in outcomes.items()]
        with Store(file) as store:
            store.record(past, {"verdicts": verdicts})
        return str(file)

    return record


def test_a_pipe_has_each_item_whole_on_one_line_without_titles(run) -> None:
    code, out, _ = run("items")

    items = checklists.load("softfactory").items
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [item.id for item in items]
    assert all(line.endswith(item.title) for line, item in zip(out.splitlines(), items, strict=True))
    assert "\x1b" not in out


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_terminal_has_sections_and_every_word_whole_within_its_width(run, terminal, columns) -> None:
    terminal(columns)

    _, out, _ = run("items")

    lines = out.splitlines()
    assert max(map(len, lines)) <= columns
    assert lines[0] == "pre.review: Code Review & Verification"
    assert lines[1].split()[0] == "pre.review.release-commit-on-main"
    for item in checklists.load("softfactory").items:
        assert item.id in out.split()
        assert item.title in " ".join(out.split()) or columns == 120


def test_colour_is_on_a_terminal_only_and_no_color_takes_it(run, terminal, monkeypatch) -> None:
    terminal(80)
    assert "\x1b" not in run("items")[1]
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[1;31mcritical" in run("items")[1]


def test_sections_choose_by_whole_words(run) -> None:
    _, out, _ = run("items", "--section", "deploy.services", "--section", "signoff")

    ids = [line.split()[0] for line in out.splitlines()]
    assert HEALTH in ids
    assert {name.rpartition(".")[0].partition(".")[0] for name in ids} == {"deploy", "signoff"}
    code, out, err = run("items", "--section", "deploy.serv")
    assert (code, out) == (64, "")
    assert "no section 'deploy.serv'; did you mean 'deploy.services'?" in err


def test_outcomes_are_those_of_the_latest_run_of_that_environment(run, config, record) -> None:
    record({HEALTH: "pass", SETTLED: "fail"}, run="0001")
    record({HEALTH: "inconclusive"}, run="0002", environment="staging", base="b")
    state = record({HEALTH: "fail", SETTLED: "error", "own.checks.till": "fail"}, run="0003")

    code, out, _ = run("items", "--env", "prod", "--state", state, "--outcome", "fail")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [HEALTH, "own.checks.till"]
    _, out, _ = run("items", "--env", "prod", "--state", state, "--outcome", "error", "--outcome", "fail", "--json")
    assert {one["id"]: one["outcome"] for one in json.loads(out)} == {
        HEALTH: "fail",
        SETTLED: "error",
        "own.checks.till": "fail",
    }
    assert run("items", "--env", "prod", "--state", state, "--outcome", "waived") == (0, "", "")


def test_a_terminal_names_the_run(run, config, record, terminal) -> None:
    state = record({HEALTH: "fail"})
    terminal(80)

    _, out, _ = run("items", "--env", "prod", "--state", state, "--outcome", "fail")

    assert out.startswith("run 3f2a of prod, 5 min ago (no go): 1 item with outcome fail\n\ndeploy.services: ")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("items", "--env", "prod", "--outcome", "fail", "--state", "absent.db"), 64, "no run of 'prod' is on record"),
        (("items", "--env", "prod", "--outcome", "fail", "--state", "none"), 64, "replace --state none by a file"),
        (("items", "--outcome", "fail"), 64, "name the environment with --env"),
        (("items", "--env", "nowhere"), 64, "no environment 'nowhere'"),
        (("items", "--env", "prod", "--outcome", "fail", "--state", "probes.toml"), 78, "probes.toml"),
        (("kinds", "--section", "deploy"), 64, "remove them from 'list kinds'"),
        (("items", "--outcome", "good"), 64, "'good' is not one of 'pass', 'fail'"),
    ],
)
def test_what_cannot_be_listed_is_refused_with_what_to_do(run, config, tmp_path, words, code, told) -> None:
    found, out, err = run(*words)

    assert (found, out) == (code, "")
    assert told in " ".join(err.split())
    assert not (tmp_path / "absent.db").exists()


def test_an_environment_s_items_are_those_of_its_scope_with_its_own_checks(run, config) -> None:
    _, out, _ = run("items", "--env", "staging")
    assert [line.split()[0] for line in out.splitlines()] == [HEALTH]
    _, out, _ = run("items", "--env", "prod")
    assert out.splitlines()[-1].split()[0] == "own.checks.till"


FIELDS = {
    "items": {"id", "title", "section", "severity", "probe", "answered_by", "kinds", "outcome"},
    "probes": {"name", "help", "is_own", "kinds", "metrics"},
    "kinds": {"name", "safety", "fills", "metrics"},
    "envs": {"name", "base_url", "items", "probes", "unset"},
}


@pytest.mark.parametrize("what", FIELDS)
def test_json_is_an_array_with_the_documented_fields(run, config, what) -> None:
    code, out, err = run(what, "--json")

    assert (code, err) == (0, "")
    assert out.isascii()
    assert {frozenset(one) for one in json.loads(out)} == {frozenset(FIELDS[what])}


@pytest.mark.parametrize("what", FIELDS)
@pytest.mark.parametrize("columns", [80, 120])
def test_every_list_fits_a_terminal(run, config, terminal, what, columns) -> None:
    terminal(columns)

    assert max(map(len, run(what)[1].splitlines())) <= columns
