"""A configuration in several files: which of them wins, which line is wrong, and what cannot be included."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
import pytest

from probekit import cli
from probekit.cli import complete
from probekit.config.loader import load
from probekit.toml_file import ConfigError

HEALTH = "deploy.services.health-endpoint"
PROD = f'[env.prod]\nbase_url = "https://app.example.com"\nscope = ["{HEALTH}"]\n'
PROBE = '[probes.health]\nkind = "http"\npath = "/health"\n'


@pytest.fixture
def files(tmp_path):
    """Write files, by their names and texts or bytes; the path of probes.toml."""

    def of(**texts: str | bytes) -> Path:
        for name, text in texts.items():
            file = tmp_path / f"{name.replace('__', '/')}.toml"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / "probes.toml"

    return of


@pytest.fixture
def told(files, tmp_path):
    """What is wrong with a configuration of these files."""

    def of(**texts: str | bytes) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(files(**texts))
        return [str(one).replace(f"{tmp_path}/", "") for one in caught.value.problems]

    return of


def including(*names: str) -> str:
    return f"include = {json.dumps(names)}\n"


def test_later_files_override_earlier_ones_and_the_file_itself_all(files) -> None:
    common = '[defaults]\ntimeout = "1s"\nsettle = "1s"\nspread = "1s"\n'
    later = '[defaults]\nsettle = "2s"\nspread = "2s"\n'
    path = files(
        probes=f'{including("common.toml", "later.toml")}[defaults]\nspread = "3s"\n{PROD}{PROBE}',
        common=common,
        later=later,
    )

    environment = load(path).targets["prod"].environment

    assert (environment.timeout, environment.settle, environment.spread) == (1, 2, 3)


def test_an_included_file_may_hold_everything_and_include_from_its_own_folder(files) -> None:
    path = files(
        probes=f'{including("parts/common.toml")}[env.prod]\nbase_url = "https://app.example.com"\n',
        parts__common=f'{including("probes.toml")}checklist = "softfactory"\n[env.prod]\nscope = ["{HEALTH}"]\n',
        parts__probes=PROBE,
    )

    target = load(path).targets["prod"]

    assert [(one.probe, one.source.name) for one in target.probes] == [("health", "http")]
    assert [item.id for item in target.items] == [HEALTH]


def test_paths_in_an_included_file_count_from_the_main_file_s_folder(files, tmp_path) -> None:
    checklist = (Path(__file__).parents[1] / "data" / "checklist.toml").read_text("utf-8")
    path = files(
        probes=including("parts/common.toml") + PROD, parts__common='checklist = "mine.toml"\n' + PROBE, mine=checklist
    )

    assert load(path).checklist.name == "small"


def test_a_file_may_be_included_on_two_ways(files) -> None:
    path = files(
        probes=including("a.toml", "b.toml") + PROD, a=including("base.toml"), b=including("base.toml"), base=PROBE
    )

    assert load(path).targets["prod"].probes


def test_the_hash_changes_with_an_included_file_and_not_with_its_comments(files) -> None:
    whole = including("common.toml") + PROD
    first = load(files(probes=whole, common=PROBE)).digest

    assert load(files(probes=whole, common=f"# said otherwise\n{PROBE}")).digest == first
    assert load(files(probes=whole, common=PROBE.replace("/health", "/up"))).digest != first


def test_every_mistake_names_the_file_and_the_line_that_it_is_in(told) -> None:
    found = told(
        probes=including("common.toml") + PROD,
        common='[defaults]\ntimeout = 3\n[probes.health]\nkind = "http"\n',
    )
    assert [one[:32] for one in found] == ["common.toml:2: defaults.timeout:"]

    (one,) = told(probes=including("common.toml") + PROD, common='[probes.health]\nkind = "http"\npath = "health"\n')
    assert one.startswith("common.toml:3: probes.health.path: wrong format")

    (one,) = told(probes=including("common.toml") + PROD, common="[probes.health\n")
    assert one.startswith("common.toml:1: TOML syntax error, column 15")


def test_a_mistake_in_a_shared_file_is_told_once_for_all_environments(told) -> None:
    other = PROD.replace("prod", "test")

    found = told(probes=including("c.toml") + PROD + other, c=PROBE.replace("http", "htpt"))

    assert [one.partition(", expected")[0] for one in found] == ["c.toml:2: probes.health.kind: unknown kind 'htpt'"]


BAD = {
    "absent": (
        "probes.toml:2: include.0: 'x.toml': cannot be read: No such file or directory; "
        "paths are relative to the folder of the file that contains them"
    ),
    "folder": "probes.toml:2: include.0: 'x.toml': cannot be read: not a regular file; name another one",
    "pipe": "probes.toml:2: include.0: 'x.toml': cannot be read: not a regular file; name another one",
    "huge": "probes.toml:2: include.0: 'x.toml': cannot be read: larger than 1 MiB",
    "latin": "probes.toml:2: include.0: 'x.toml': not UTF-8, line 2",
    "itself": ("x.toml:1: include.0: 'probes.toml': circular include (probes.toml -> x.toml -> probes.toml)"),
    "link": ("probes.toml:2: include.0: 'x.toml': circular include (probes.toml -> x.toml)"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_included_is_told_with_the_line_that_names_it(told, tmp_path, what) -> None:
    file = tmp_path / "x.toml"
    make = {
        "absent": lambda: None,
        "folder": file.mkdir,
        "pipe": lambda: os.mkfifo(file),
        "huge": lambda: file.write_text("#" * ((1 << 20) + 1)),
        "latin": lambda: file.write_bytes(b"# \n# \xff\n"),
        "itself": lambda: file.write_text(including("probes.toml")),
        "link": lambda: file.symlink_to("probes.toml"),
    }
    make[what]()

    assert told(probes=f"# first\n{including('x.toml')}{PROD}{PROBE}") == [BAD[what]]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ('"x.toml"', 'include: not a list, expected a list of paths, as in include = ["common.toml"]'),
        ("3", 'include: not a list, expected a list of paths, as in include = ["common.toml"]'),
        ("[3]", 'include.0: not a path, expected a list of paths, as in include = ["common.toml"]'),
        ('[""]', 'include.0: not a path, expected a list of paths, as in include = ["common.toml"]'),
        ('["${DIR}/x.toml"]', "include.0: a variable is not allowed here, expected a path without variables"),
        ('["x\\u0000.toml"]', r"include.0: 'x\x00.toml': invalid file name"),
    ],
)
def test_a_wrong_include_is_told(told, written, found) -> None:
    assert told(probes=f"include = {written}\n{PROD}{PROBE}") == [f"probes.toml:1: {found}"]


@pytest.mark.parametrize("line", ['include = ["x.toml"]', 'checklist = "softfactory"'])
@pytest.mark.parametrize("table", [PROD, f"{PROD}[env.prod.connect]\n", PROD + PROBE, f"{PROD}{PROBE}[defaults]\n"])
def test_a_key_of_the_file_below_its_first_table_is_told_where_it_belongs(told, table, line) -> None:
    (one,) = told(probes=f"{table}{line}\n")

    assert one.startswith(f"probes.toml:{table.count(chr(10)) + 1}: ")
    assert one.endswith(f"; write '{line.partition(' ')[0]}' before the first table of the file")


def test_a_wrong_key_of_the_file_that_stands_where_it_belongs_is_not_sent_elsewhere(told) -> None:
    (one,) = told(probes=f"checklist = 3\n{PROD}{PROBE}")

    assert one.startswith("probes.toml:1: checklist: a number, expected a text (")
    assert "before the first table" not in one


def test_too_many_files_and_too_deep_ones_are_refused(told) -> None:
    deep = {f"f{number}": including(f"f{number + 1}.toml") for number in range(9)}
    (one,) = told(probes=including("f0.toml") + PROD + PROBE, **deep)
    assert one == "f7.toml:1: include.0: 'f8.toml': included files are nested more than 8 levels deep"

    many = including(*["empty.toml"] * 33)
    (one,) = told(probes=many + PROD + PROBE, empty="")
    assert one == "probes.toml:1: include.32: 'empty.toml': more than 32 included files"


def test_files_that_include_the_next_one_twice_end_soon(told) -> None:
    twice = {f"f{number}": including(*[f"f{number + 1}.toml"] * 2) for number in range(7)}

    found = told(probes=including("f0.toml") + PROD + PROBE, f7="", **twice)

    assert "more than 32 included files" in found[0]


def test_commands_read_what_is_included(files, tmp_path, monkeypatch, capsys) -> None:
    files(probes=including("common.toml"), common=f"{PROD}{PROBE}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    assert cli.run(["list", "envs"]) == 0
    assert capsys.readouterr().out == "prod  1 item  https://app.example.com\n"
    assert cli.run(["plan", "--env", "prod"]) == 0
    assert "health  http" in capsys.readouterr().out
    assert cli.run(["list", "probes"]) == 0


@pytest.mark.parametrize(("common", "names"), [(PROD, ["prod"]), ("[env.prod\n", [])])
def test_the_shell_completes_environments_of_included_files(files, common, names) -> None:
    path = files(probes=f"{including('common.toml')}[env.test]\n", common=common)
    context = click.Context(click.Command("plan"))
    context.params["config"] = path

    assert complete.environments(context, click.Option(["--env"]), "p") == names
