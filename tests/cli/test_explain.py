"""What exists is told before it is tried: lists and explanations mark what no kind fills yet."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from probekit import checklist as checklists, cli
from probekit.cli import kind_facts
from probekit.config.loader import read
from probekit.planning.coverage import NOT_BUILT, kinds_for_item
from probekit.probes import kind_names, load_kind


@pytest.fixture
def probekit(tmp_path, monkeypatch, capsys):
    """Run the command line in an empty folder; its stdout."""

    def run(*arguments: str) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("PROBEKIT_CONFIG", raising=False)
        assert cli.run(list(arguments)) == 0
        return str(capsys.readouterr().out)

    return run


def test_each_item_is_marked_with_what_answers_it(probekit) -> None:
    known = checklists.load("softfactory")
    lines = {line.split()[0]: line for line in probekit("list", "items").splitlines()}

    assert len(lines) == len(known.items) == 203
    for item in known.items:
        kinds = kinds_for_item(item, known)
        assert (NOT_BUILT in lines[item.id]) == (item.probe is not None and not kinds), item.id
        assert all(kind in lines[item.id] for kind in kinds)
    assert "a person" in lines["signoff.approvals.team-lead"]


def test_an_item_that_no_kind_measures_says_so_and_how_a_program_can(probekit) -> None:
    text = probekit("explain", "containers")

    assert "filled by  no kind yet; " in text
    assert "[env.prod.probes.containers]" in text
    assert "not built yet" not in probekit("explain", "deploy.services.health-endpoint")


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_all_that_is_explained_fits_a_terminal_with_every_word_whole(probekit, monkeypatch, columns) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for name, value in {"COLUMNS": str(columns), "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)

    for name in ("deploy.performance.p95-latency", "certificate", *(f"kind:{kind}" for kind in kind_names())):
        lines = probekit("explain", name).splitlines()
        assert [line for line in lines if len(line) > columns and not line.startswith("    ")] == []
    text = " ".join(probekit("explain", "kind:http").split())
    for key, default, meaning in kind_facts.settings(load_kind("http")):
        assert key in text
        assert default in text
        assert meaning in text or columns > 60


def test_headings_are_strong_on_a_terminal_only(probekit, monkeypatch) -> None:
    assert "\x1b" not in probekit("explain", "kind:tls")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1msettings\x1b[0m" in probekit("explain", "kind:tls")


def test_a_kind_s_metrics_are_named_with_unit_and_meaning(probekit) -> None:
    text = " ".join(probekit("explain", "kind:tls").split())
    for metric in load_kind("tls").metrics:
        assert f"{metric.name} {metric.unit} {metric.help.split()[0]}".replace("  ", " ") in text


@pytest.mark.parametrize("probe", sorted(checklists.load("softfactory").probes))
def test_the_example_for_a_program_is_a_table_of_the_probe_asked_about(probekit, probe) -> None:
    text = probekit("explain", probe).partition("by a program of your own")[2].partition("\n")[2]
    table = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
    known = checklists.load("softfactory")
    scope = next(item.id for item in known.items if item.probe == probe)

    config = read(
        f'[env.prod]\nbase_url = "https://a.example.com"\nscope = ["{scope}"]\n{table}\n', Path("probes.toml")
    )

    (one,) = config.targets["prod"].probes
    (item,) = config.targets["prod"].items
    assert one.probe == probe
    assert {limit.metric for limit in item.expect} <= one.source.provided
    assert set(tomllib.loads(table)["env"]["prod"]["probes"]) == {probe}


@pytest.mark.parametrize(("probe", "is_bound"), [("vulnerabilities", True), ("health", False)])
def test_the_example_for_a_program_says_that_a_record_names_its_release(probekit, probe, is_bound) -> None:
    assert ('# it also prints "release", "commit" or "digest", and "made"' in probekit("explain", probe)) is is_bound


def test_own_checks_are_listed_and_explained(probekit, tmp_path) -> None:
    text = '[env.prod]\nbase_url = "https://a.example.com"\n[env.prod.probes.till]\nkind = "http"\npath = "/till"\n'
    (tmp_path / "probes.toml").write_text(text, "utf-8")

    assert "own.checks.till" in probekit("list", "items").splitlines()[-1]
    assert "your own" in probekit("list", "probes").splitlines()[-1]
    item = " ".join(probekit("explain", "own.checks.till").split())
    assert "a check of your own, measured by probe 'till'; it is not counted among the checklist's items" in item
    probe = probekit("explain", "till")
    assert "probekit explain own.checks.till" in probe
    assert "not built" not in probe
