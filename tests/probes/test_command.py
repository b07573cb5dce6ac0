"""A program's numbers: read within bounds, with nothing around it that was not named, and nothing left behind."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from probekit.config.loader import load
from probekit.model.history import Deployment, History
from probekit.model.measurement import Reason
from probekit.model.readings import Exact, Summary
from probekit.model.record import Identity, Record
from probekit.planning.plan import plan
from probekit.probe import Context, ProbeFailedError
from probekit.probes.command import KIND
from probekit.transport.client import Http

SECRET = "correct-horse battery-staple nine-lives"


@pytest.fixture
def script(tmp_path):
    """A function from the text of a Python program to the words that run it."""

    def script(text):
        file = tmp_path / "program.py"
        file.write_text(text)
        return [sys.executable, str(file)]

    return script


@pytest.fixture
def plugin(script):
    """A function from an exit code and an output to the words of a monitoring plugin."""
    return lambda code, text: script(f"import sys; sys.stdout.write({text!r}); sys.exit({code})")


async def run(argv, *, known=None, **settings):
    given = {"kind": "command", "argv": argv} | settings
    context = Context(
        base_url="https://app.test",
        timeout=20,
        http=Http(run="test").probe_client(timeout=20),
        reveal=lambda kept: {"KEPT": SECRET}[kept.env or ""],
        now=lambda: datetime.now(UTC),
        **known or {},
    )
    return await KIND.measure(KIND.config.model_validate(given), context)


async def refusal(argv, **settings):
    with pytest.raises(ProbeFailedError) as failed:
        await run(argv, **{"nagios": True, **settings})
    return failed.value


async def test_numbers_are_read_from_json_each_at_its_place(script) -> None:
    argv = script("import json; print(json.dumps({'rows': {'orphans': 3, 'share': 0.5, 'ok': True, 'name': 'x'}}))")
    metrics = {
        "orphans": "$.rows.orphans",
        "share": {"at": "$.rows.share", "scale": 100},
        "ok": "$.rows.ok",
        "name": "$.rows.name",
        "missing": "$.nothing",
    }

    values = (await run(argv, metrics=metrics)).values

    assert {name: value for name, value in values.items() if isinstance(value, Exact)} == {
        "exit_code": Exact(0),
        "orphans": Exact(3),
        "share": Exact(50),
        "ok": Exact(1),
    }
    assert {values[name].reason for name in ("name", "missing")} == {Reason.BAD_RESPONSE}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nothing", "not valid JSON"),
        ("", "not valid JSON"),
        ("NaN", "not valid JSON"),
        ("\\xff", "not valid JSON"),
        ("[" * 50_000, "not valid JSON"),
    ],
)
async def test_output_that_is_no_json_gives_no_number(script, text, told) -> None:
    argv = script(f"import sys; sys.stdout.buffer.write(b'{text}')")

    values = (await run(argv, metrics={"a": "$.a"})).values

    assert (values["a"].reason, told in values["a"].detail) == (Reason.BAD_RESPONSE, True)


SIZED = {"at": "$.share", "n": "$.n"}


@pytest.mark.parametrize(
    ("metric", "printed", "reading"),
    [
        ("error_rate", {"share": 0.5, "n": 4000}, Summary(0.5, 4000)),
        ("p95", {"share": 240, "n": 4000}, Summary(240, 4000, 0.95)),
        ("p95_read", {"share": 240, "n": 4000}, Summary(240, 4000)),
        ("error_rate", {"share": 0, "n": 4000.0}, Summary(0, 4000)),
        ("error_rate", {"share": 0.5}, "n"),
        ("error_rate", {"share": 0.5, "n": 0}, "is not a sample size"),
        ("error_rate", {"share": 0.5, "n": 0.5}, "is not a sample size"),
        ("error_rate", {"share": 0.5, "n": -5}, "is not a sample size"),
        ("error_rate", {"share": 0.5, "n": 1e300}, "is not a sample size"),
        ("error_rate", {"share": 0.5, "n": "many"}, "expected a number"),
        ("error_rate", {"share": -0.5, "n": 40}, "negative"),
    ],
)
async def test_what_is_of_a_sample_comes_with_its_size(script, metric, printed, reading) -> None:
    seen = (await run(script(f"print({json.dumps(json.dumps(printed))})"), metrics={metric: SIZED})).values[metric]

    assert seen == reading if isinstance(reading, Summary) else reading in seen.detail


async def test_the_size_of_a_sample_is_found_in_performance_data_too(plugin) -> None:
    argv = plugin(0, "OK - fine|errors=0.5%;;;; requests=4000;;;;")
    metrics = {"error_rate": {"at": "errors", "unit": "%", "n": "requests"}}

    values = (await run(argv, nagios=True, metrics=metrics)).values

    assert values["error_rate"] == Summary(0.5, 4000)


def test_a_counter_is_of_no_sample() -> None:
    with pytest.raises(ValidationError, match="a counter does not have"):
        KIND.config.model_validate(
            {"kind": "command", "argv": ["x"], "metrics": {"a": {"at": "$.a", "n": "$.n", "counter": True}}}
        )


DEPLOYED = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("known", "facts"),
    [
        ({}, {}),
        (
            {
                "environment": "prod",
                "stage": "after",
                "release": "2.3.1",
                "identity": Identity(release="2.3.1", commit="3f2a9c1", images={"web": "sha256:2", "app": "sha256:1"}),
                "history": History(
                    deployment=Deployment(release="2.3.1", started=DEPLOYED), previous=Identity(release="2.3.0")
                ),
            },
            {
                "PROBEKIT_ENVIRONMENT": "prod",
                "PROBEKIT_STAGE": "after",
                "PROBEKIT_RELEASE": "2.3.1",
                "PROBEKIT_COMMIT": "3f2a9c1",
                "PROBEKIT_IMAGES": "app=sha256:1 web=sha256:2",
                "PROBEKIT_DEPLOYED": "2026-11-23T10:00:00+00:00",
                "PROBEKIT_PREVIOUS": "2.3.0",
            },
        ),
        (
            {"history": History(deployment=Deployment(release="2.3.1", started=DEPLOYED))},
            {"PROBEKIT_DEPLOYED": "2026-11-23T10:00:00+00:00"},
        ),
    ],
    ids=["nothing", "all", "a mark alone"],
)
async def test_a_program_knows_what_the_run_knows(script, tmp_path, known, facts) -> None:
    file = tmp_path / "seen.json"
    argv = script(f"import json, os; json.dump(dict(os.environ), open({str(file)!r}, 'w'))")

    await run(argv, known=known)

    seen = json.loads(file.read_text())
    assert {name: value for name, value in seen.items() if name.startswith("PROBEKIT_")} == facts


@pytest.mark.parametrize(
    ("printed", "settings", "record"),
    [
        ('{"n": 0}', {}, Record()),
        (
            '{"n": 0, "release": "2.3.1", "made": 1764324000}',
            {},
            Record(release="2.3.1", made=datetime(2025, 11, 28, 10, tzinfo=UTC)),
        ),
        (
            '{"n": 0, "by": "trivy", "place": "a.json", "commit": "3F2A9C1"}',
            {},
            Record(by="trivy", place="a.json", commit="3f2a9c1"),
        ),
        ('{"n": 0, "of": {"v": "2"}}', {"record": {"release": "$.of.v"}}, Record(release="2")),
        ('{"n": 0, "release": 2}', {}, Record(unreadable="release at $.release is 2, expected a text of one line")),
    ],
)
async def test_a_program_says_what_its_numbers_are_of(script, printed, settings, record) -> None:
    argv = script(f"print({printed!r})")

    readings = await run(argv, metrics={"n": "$.n"}, **settings)

    assert readings.values["n"] == Exact(0)
    assert readings.records == (replace(record, by=record.by or argv[0]),)


@pytest.mark.parametrize("body", ["print('no JSON')", 'import sys; print(\'{"n": 0, "release": "2"}\'); sys.exit(1)'])
async def test_output_without_a_number_is_no_record(script, body) -> None:
    assert (await run(script(body), metrics={"n": "$.n"})).records == ()


def test_a_plugin_has_no_record() -> None:
    with pytest.raises(ValidationError, match="a monitoring plugin prints no JSON: remove 'record'"):
        KIND.configure({"kind": "command", "argv": ["true"], "nagios": True, "record": {"made": "$.at"}})


async def test_a_number_that_grows_beyond_all_bounds_is_none(script) -> None:
    readings = await run(script("print('[1e308]')"), metrics={"a": {"at": "$[0]", "scale": 1000}})

    assert readings.values["a"].reason is Reason.BAD_RESPONSE


@pytest.mark.parametrize("code", [0, 1, 125])
async def test_an_exit_code_is_a_number_too(script, code) -> None:
    readings = await run(script(f"import sys; print('no head', file=sys.stderr); sys.exit({code})"))

    assert readings.values == {"exit_code": Exact(code)}
    assert ("no head" in readings.summary) is (code != 0)


async def test_output_of_which_nothing_is_read_may_be_of_any_length(script) -> None:
    readings = await run(script("print('CREATE TABLE x ();' * 10_000)"))

    assert readings.values == {"exit_code": Exact(0)}


@pytest.mark.parametrize("code", [126, 127, 137, 255])
async def test_a_shell_s_word_that_nothing_ran_is_no_exit_code_of_the_program(script, code) -> None:
    failed = await refusal(script(f"import sys; print('not found', file=sys.stderr); sys.exit({code})"), nagios=False)

    assert failed.reason is Reason.BAD_RESPONSE
    assert f"ended with exit code {code}: not found" in failed.detail


async def test_with_an_exit_code_that_was_not_declared_no_output_is_read(script) -> None:
    argv = script("import sys; print('{\"a\": 1}'); print('no route', file=sys.stderr); sys.exit(3)")

    values = (await run(argv, metrics={"a": "$.a"})).values

    assert values["exit_code"] == Exact(3)
    assert values["a"].reason is Reason.BAD_RESPONSE
    assert "ended with exit code 3" in values["a"].detail
    assert "no route" in values["a"].detail
    assert (await run(argv, metrics={"a": "$.a"}, expect_exit=[0, 3])).values["a"] == Exact(1)


@pytest.mark.parametrize(("code", "word"), [(0, "OK"), (1, "WARNING"), (2, "CRITICAL")])
async def test_a_monitoring_plugin_s_state_and_performance_data_are_read(plugin, code, word) -> None:
    text = "DISK fine | /=2643MB;5948;5958;0;5968 'half full'=50%;;80\nmore\nand more | time=0.05s bad=U\nlate=7c\n"
    metrics = {
        "disk": {"at": "/", "unit": "MB"},
        "share": {"at": "half full", "unit": "%"},
        "took": {"at": "time", "unit": "s", "scale": 1000},
        "late": "late",
        "bad": "bad",
    }

    readings = await run(plugin(code, text), nagios=True, metrics=metrics)

    numbers = {name: value.value for name, value in readings.values.items() if isinstance(value, Exact)}
    assert numbers == {"status": code, "disk": 2643, "share": 50, "took": 50, "late": 7}
    assert readings.values["bad"].reason is Reason.BAD_RESPONSE
    assert readings.summary == f"{word}: DISK fine"


@pytest.mark.parametrize(("unit", "due"), [("", "without a unit"), ("ms", "a number in 'ms'")])
async def test_a_number_in_another_unit_than_was_meant_is_no_reading(plugin, unit, due) -> None:
    readings = await run(plugin(0, "OK | time=0.05s"), nagios=True, metrics={"took": {"at": "time", "unit": unit}})

    assert readings.values["took"].reason is Reason.BAD_RESPONSE
    assert "'time' is 0.05s" in readings.values["took"].detail
    assert due in readings.values["took"].detail


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("took", 'the performance data has no label \'took\', only "size", "two words", "lost", "rate"'),
        ("lost", "the performance data at 'lost' cannot be read: the plugin could not determine it"),
        ("rate", "the performance data at 'rate' cannot be read: \"1,5\" is not a number"),
        ("size", "'size' is 1MiB, expected a number without a unit: set unit = \"MiB\" if the plugin is right"),
    ],
)
async def test_what_is_absent_is_told_from_what_cannot_be_read(plugin, at, told) -> None:
    output = "OK | size=1MiB 'two words'=2 lost=U rate=1,5"

    readings = await run(plugin(0, output), nagios=True, metrics={"metric": at})

    assert readings.values["metric"].reason is Reason.BAD_RESPONSE
    assert told in readings.values["metric"].detail


@pytest.mark.parametrize("unit", ["", "c"])
async def test_a_counter_is_a_number_without_a_unit_too(plugin, unit) -> None:
    readings = await run(plugin(0, "OK | a=7c"), nagios=True, metrics={"a": {"at": "a", "unit": unit}})

    assert readings.values["a"] == Exact(7)


@pytest.mark.parametrize(
    ("output", "seen"),
    [
        ("/=32067551232B;216442024755;243497277849;0;270552530944", pytest.approx(11.8526, abs=0.001)),
        ("/=42MiB;;;;84", 50),
        ("/=42MiB;;;;84MiB", 50),
        ("/=42MiB", "no maximum above 0"),
        ("/=42MiB;80;90;0;0", "no maximum above 0"),
        ("/=42MiB;;;;84GiB", "no maximum above 0 in its unit"),
        ("/=U;;;;84", "cannot be read"),
    ],
)
async def test_a_number_is_read_as_a_share_of_the_largest(plugin, output, seen) -> None:
    unit = "B" if "B;2" in output else "MiB"
    metrics = {"used": {"at": "/", "unit": unit, "of": "max", "scale": 100}}

    value = (await run(plugin(0, f"DISK OK | {output}"), nagios=True, metrics=metrics)).values["used"]

    assert seen in value.detail if isinstance(seen, str) else value.value == seen


@pytest.mark.parametrize(
    ("code", "told"),
    [(3, "reports UNKNOWN: cannot connect"), (4, "ended with exit code 4: cannot"), (127, "exit code 127: cannot")],
)
async def test_a_plugin_that_does_not_know_is_no_reading(plugin, code, told) -> None:
    failed = await refusal(plugin(code, "cannot connect"))

    assert (failed.reason, told in failed.detail) == (Reason.BAD_RESPONSE, True)


@pytest.mark.parametrize(
    "crash",
    ["1 / 0", "import argparse; argparse.ArgumentParser().parse_args(['--wrong'])", "print(); raise SystemExit(0)"],
)
async def test_a_plugin_that_crashed_or_says_nothing_is_no_reading(script, crash) -> None:
    failed = await refusal(script(crash))

    assert (failed.reason, "and no output" in failed.detail) == (Reason.BAD_RESPONSE, True)


async def test_a_plugin_s_bytes_need_not_be_text(script) -> None:
    argv = script("import sys; sys.stdout.buffer.write(b'\\xff\\x00 fine | a=1 \\xfe=2')")

    readings = await run(argv, nagios=True, metrics={"a": "a"})

    assert readings.values == {"status": Exact(0), "a": Exact(1)}


async def test_it_sees_no_variable_that_was_not_named(script, monkeypatch) -> None:
    monkeypatch.setenv("PLANTED", "planted")
    monkeypatch.setenv("NAMED", "named")
    argv = script("import os, json; print(json.dumps({name: 1 for name in os.environ}))")
    metrics = {name: f"$.{name}" for name in ("PLANTED", "NAMED", "PATH", "HOME")}

    readings = await run(argv, metrics=metrics, env=["NAMED"])

    seen = {name for name, value in readings.values.items() if isinstance(value, Exact)}
    assert seen == {"exit_code", "NAMED", "PATH"}


async def test_a_variable_that_is_named_but_not_set_is_our_own_error(script, monkeypatch) -> None:
    monkeypatch.delenv("PGHOST", raising=False)  # without it a client would ask another server

    failed = await refusal(script("print('{}')"), env=["PGHOST"])

    assert (failed.reason, "PGHOST" in failed.detail) == (Reason.MISSING_SETTING, True)


@pytest.mark.parametrize(("settings", "zone"), [({}, "UTC"), ({"env": ["TZ"]}, "Europe/Berlin")])
async def test_language_and_time_zone_are_the_same_everywhere_unless_they_are_named(
    script, monkeypatch, settings, zone
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    text = f"import os, json; print(json.dumps([os.environ['TZ'] == {zone!r}, os.environ['LC_ALL'] == 'C']))"

    readings = await run(script(text), metrics={"zone": "$[0]", "language": "$[1]"}, **settings)

    assert (readings.values["zone"], readings.values["language"]) == (Exact(1), Exact(1))


async def test_a_secret_is_handed_over_by_reference(script) -> None:
    argv = script("import os, json; print(json.dumps({'length': len(os.environ['TOKEN'])}))")

    readings = await run(argv, metrics={"length": "$.length"}, secrets={"TOKEN": {"env": "KEPT"}})

    assert readings.values["length"] == Exact(len(SECRET))


async def test_a_secret_in_the_output_is_taken_out_before_it_is_cut(script) -> None:
    argv = script("import os, sys; print('x' * 100, os.environ['TOKEN'], 'y' * 280); sys.exit(1)")

    seen = (await run(argv, secrets={"TOKEN": {"env": "KEPT"}})).summary
    crash = script("import os, sys; sys.exit(os.environ['TOKEN'] + 'y' * 290)")
    failed = await refusal(crash, secrets={"TOKEN": {"env": "KEPT"}})

    assert not [part for part in SECRET.split() if part in seen + failed.detail]


async def test_no_shell_reads_the_arguments_and_the_folder_is_empty(script, tmp_path) -> None:
    argv = script("import sys, os, json; print(json.dumps({'n': len(sys.argv), 'files': len(os.listdir())}))")

    readings = await run([*argv, "; touch planted", "$(id)", "*"], metrics={"n": "$.n", "files": "$.files"})

    assert readings.values == {"exit_code": Exact(0), "n": Exact(4), "files": Exact(0)}
    assert not (tmp_path / "planted").exists()


async def test_control_characters_stay_what_they_are_for_the_report_to_write_out(plugin) -> None:
    readings = await run(plugin(0, "fine\x1b[2J | a=1"), nagios=True)

    assert readings.summary == "OK: fine\x1b[2J"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"argv": []}, "at least 1"),
        ({"argv": ["./check"], "nagios": True}, "the whole path"),
        ({"argv": ["a\0b"], "nagios": True}, "NUL"),
        ({"argv": ["check"], "metrics": {"exit_code": "$.a"}}, "remove it from 'metrics'"),
        ({"argv": ["check"], "nagios": True, "metrics": {"status": "a"}}, "remove it from 'metrics'"),
        ({"argv": ["check"], "metrics": {"a": {"at": "$.a", "unit": "s"}}}, "performance data"),
        ({"argv": ["check"], "metrics": {"a": {"at": "$.a", "of": "max"}}}, "performance data"),
        ({"argv": ["check"], "nagios": True, "metrics": {"a": {"at": "a", "of": "max", "counter": True}}}, "a share"),
        ({"argv": ["check"], "nagios": True, "metrics": {"a": {"at": "a", "of": "min"}}}, "max"),
        ({"argv": ["check"], "timeout": "2h"}, "3600"),
        ({"argv": ["check"], "metrics": {"a": "no path"}}, "not a JSONPath"),
        ({"argv": "check -x", "nagios": True}, "tuple"),
        ({"argv": ["check"], "nagios": True, "env": ["A=B"]}, "pattern"),
        ({"argv": ["check"], "nagios": True, "secrets": {"TOKEN": "in clear"}}, "Secret"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(settings, told) -> None:
    with pytest.raises(ValidationError, match=told):
        KIND.config.model_validate({"kind": "command"} | settings)


def test_its_settings_say_which_metrics_it_gives() -> None:
    def given(**settings):
        return KIND.configure({"kind": "command", "argv": ["check"], **settings}).provided

    assert given() == {"exit_code"}
    assert given(metrics={"a": "$.b"}) == {"exit_code", "a"}
    assert given(nagios=True, metrics={"a": "b"}) == {"status", "a"}


DRY_RUN = "deploy.migrations.migration-dry-run"


@pytest.fixture
def planned(tmp_path):
    """A function from the settings of the dry run of migrations to its plan."""

    def planned(*lines):
        settings = "\n".join(lines)
        (tmp_path / "probes.toml").write_text(
            f'[env.prod]\nbase_url = "https://app.test"\nscope = ["{DRY_RUN}"]\ntimeout = "7s"\n'
            f'[env.prod.probes.migration-dry-run]\nkind = "command"\nargv = ["check"]\n{settings}\n'
        )
        return plan(load(tmp_path / "probes.toml").targets["prod"])

    return planned


@pytest.mark.parametrize(("lines", "seconds"), [((), 7), (('timeout = "20min"',), 1200)])
def test_the_plan_gives_it_the_time_it_asks_for(planned, lines, seconds) -> None:
    (step,) = planned(*lines).steps

    assert (step.timeout, step.repeat, step.cost) == (seconds, 1, 0)
    assert step.longest >= seconds


def test_an_item_whose_metric_its_settings_do_not_give_is_not_configured(planned) -> None:
    assert "does not provide exit_code" in planned("nagios = true").uncovered[DRY_RUN]


# ---------------------------------------------------------------- real plugins (make test-services)

PLUGINS = Path("/usr/lib/nagios/plugins")


@pytest.mark.services
async def test_a_real_plugin_s_disk() -> None:
    argv = [str(PLUGINS / "check_disk"), "-w", "1%", "-c", "0%", "-p", "/"]

    used = {"at": "/", "unit": "B"}

    readings = await run(argv, nagios=True, metrics={"used": used, "share": {**used, "of": "max", "scale": 100}})

    assert readings.values["status"] in (Exact(0), Exact(1), Exact(2))
    assert readings.values["used"].value > 0
    assert 0 < readings.values["share"].value <= 100


@pytest.mark.services
async def test_a_real_plugin_s_request(serve, http_reply) -> None:
    port, _ = await serve(http_reply())
    argv = [str(PLUGINS / "check_http"), "-I", "127.0.0.1", "-p", str(port), "-u", "/health"]
    metrics = {"took": {"at": "time", "unit": "s", "scale": 1000}, "bytes": {"at": "size", "unit": "B"}}

    good = await run(argv, nagios=True, metrics=metrics)
    bad = await run([*argv, "-e", "HTTP/1.1 503"], nagios=True)

    assert (good.values["status"], bad.values["status"]) == (Exact(0), Exact(2))
    assert 0 < good.values["took"].value < 10_000
    assert good.values["bytes"].value > 0


@pytest.mark.services
async def test_a_real_plugin_that_is_refused_says_critical() -> None:
    readings = await run([str(PLUGINS / "check_tcp"), "-H", "127.0.0.1", "-p", "1"], nagios=True)

    assert readings.values["status"] == Exact(2)
