"""`probekit plan --show-config`: every value with its origin, and the same configuration when it is read again."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from probekit import checklist, cli, probes
from probekit.cli import kind_facts
from probekit.config.loader import load

ROOT = Path(__file__).parents[2]
PLANTED = "planted-5ecret"


@pytest.fixture
def show(tmp_path, monkeypatch, capfd):
    """What is shown of an environment of these files, read in their folder."""
    monkeypatch.chdir(tmp_path)

    def of(env: str, **texts: str) -> str:
        for name, text in texts.items():
            Path(f"{name}.toml").write_text(text, "utf-8")
        capfd.readouterr()
        assert cli.run(["plan", "--env", env, "--show-config"]) == 0
        out, err = capfd.readouterr()
        assert err == ""
        return out

    return of


def settings_of(path: Path, env: str):
    """What a run would read of a file."""
    config = load(path)
    target = config.targets[env]
    return (
        target.environment.model_dump(exclude={"inherits", "without_probes"}),
        [(one.probe, one.instance, one.source.config) for one in target.probes],
        target.items,
        config.checklist.name,
    )


FILE = """
[env.prod]
base_url = "https://app.example.com"
scope = ["deploy.services.health-endpoint"]
{settings}
[env.prod.probes.health]
kind = "http"
path = "/health"
"""


@pytest.mark.parametrize("env", ["prod", "staging", "demo"])
def test_the_example_is_shown_and_read_again_as_the_same(show, tmp_path, env) -> None:
    text = (ROOT / "probes.toml").read_text("utf-8")

    shown = show(env, probes=text)

    (tmp_path / "again.toml").write_text(shown, "utf-8")
    assert settings_of(tmp_path / "again.toml", env) == settings_of(ROOT / "probes.toml", env)
    texts = [line for line in shown.splitlines() if len(line) > 80]
    assert all(line.count('"') >= 2 for line in texts)  # one text that is longer itself
    assert show(env, probes=text) == shown


@pytest.mark.parametrize("name", probes.kind_names())
def test_every_kind_s_table_is_shown_and_read_again(show, tmp_path, name) -> None:
    table = kind_facts.table(probes.load_kind(name), checklist.load("softfactory"))
    text = f'[env.prod]\nbase_url = "https://a.test"\nscope = ["deploy"]\n{table}'

    (tmp_path / "again.toml").write_text(show("prod", probes=text), "utf-8")

    assert settings_of(tmp_path / "again.toml", "prod") == settings_of(tmp_path / "probes.toml", "prod")


def test_each_value_has_its_file_and_line_and_defaults_are_comments(show) -> None:
    common = '[defaults]\ntimeout = "3s"\n[defaults.connect]\nfamily = "ipv4"\nheaders = { X = { env = "KEY" } }\n'
    shown = show("prod", probes='include = ["common.toml"]\n' + FILE.format(settings=""), common=common).splitlines()

    for line in (
        '# checklist = "softfactory"  (default)',
        'base_url = "https://app.example.com"  # probes.toml:4',
        'timeout = "3s"  # common.toml:2',
        'family = "ipv4"  # common.toml:4',
        'X = { env = "KEY" }  # common.toml:5',
        '# settle = "30s"  (default)',
        '# throttle = { requests = 20, per = "1s" }  (default)',
        "# not set: keep, deployed_by, reviewed_by, deployment_window, archive,",
        "#   report_mode, release",
        "# repeat = 8  (default)",
        "# not set: body, json, url",
    ):
        assert line in shown


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PLACE", "eu-west-1", 'vantage = "eu-west-1"  # probes.toml:5, $PLACE'),
        ("PLACE", "a b.c:1/d", 'vantage = "a b.c:1/d"  # probes.toml:5, $PLACE'),
        ("PLACE", f"https://u:{PLANTED}@h", 'vantage = "${PLACE}"  # probes.toml:5, $PLACE, value not shown'),
        ("PLACE", f"x?t={PLANTED}", 'vantage = "${PLACE}"  # probes.toml:5, $PLACE, value not shown'),
        ("PLACE", "x\x1b[2J\n", 'vantage = "${PLACE}"  # probes.toml:5, $PLACE, value not shown'),
        ("API_TOKEN", PLANTED, 'vantage = "${API_TOKEN}"  # probes.toml:5, $API_TOKEN, value not shown'),
        ("PLACE", f"in {PLANTED}", 'vantage = "${PLACE}"  # probes.toml:5, $PLACE, value not shown'),  # SECRET's value
    ],
)
def test_what_a_variable_stands_for_is_shown_only_where_it_is_no_secret(show, monkeypatch, name, value, line) -> None:
    monkeypatch.setenv("SECRET", PLANTED)
    monkeypatch.setenv(name, value)
    settings = f'vantage = "${{{name}}}"\nconnect = {{ headers = {{ X = {{ env = "SECRET" }} }} }}'

    shown = show("prod", probes=FILE.format(settings=settings))

    assert line in shown.splitlines()
    assert PLANTED not in shown
    assert "\x1b" not in shown


def test_an_argument_of_a_program_is_not_shown(show, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PLACE", PLANTED)
    program = '[env.prod.probes.stock]\nkind = "command"\nargv = ["true", "${PLACE}"]\nmetrics = { n = "$.n" }\n'
    shown = show("prod", probes=FILE.format(settings="") + program + 'expect = ["n == 0"]\n')

    assert 'argv = ["true", "${PLACE}"]  # probes.toml:11, $PLACE, value not shown' in shown.splitlines()
    (tmp_path / "again.toml").write_text(shown, "utf-8")
    assert settings_of(tmp_path / "again.toml", "prod") == settings_of(tmp_path / "probes.toml", "prod")


def test_own_checks_and_instances_are_shown_and_read_again(show, tmp_path) -> None:
    tables = """
[env.prod.limits]
"deploy.services.health-endpoint" = { expect = ["response_time < 400 ms"], reason = "our $${contract}" }
[env.prod.probes.shop]
severity = "low"
[env.prod.probes.shop.one]
kind = "http"
path = "/1"
[env.prod.probes.shop.two]
kind = "http"
path = "/$${x}"
"""
    shown = show("prod", probes=FILE.format(settings="") + tables)

    (tmp_path / "again.toml").write_text(shown, "utf-8")
    assert settings_of(tmp_path / "again.toml", "prod") == settings_of(tmp_path / "probes.toml", "prod")
    assert "# confirm" not in shown
    assert "# rollback = false  (default)" in shown
    tomllib.loads(shown)


def test_json_beside_it_is_refused(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("probes.toml").write_text(FILE.format(settings=""))

    assert cli.run(["plan", "--env", "prod", "--show-config", "--json"]) == 64
    assert (
        capsys.readouterr().err
        == "probekit: --show-config prints TOML and cannot be combined with --json: remove one of them\n"
    )
