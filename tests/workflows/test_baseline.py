"""Which windows of a baseline a run is compared with, what its rows prove together, and how windows are captured."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from probekit.cli import baseline_command, verify_command
from probekit.history.store import RunSummary, Store
from probekit.judging.baseline import baseline_reference, drifts
from probekit.judging.judge import judge_item
from probekit.model.history import BaselineWindow, Deployment, History, Recorded, TargetKey
from probekit.model.ledger import PastRun
from probekit.model.limit import Limit
from probekit.model.measurement import InstanceKey
from probekit.model.readings import BaselineValues
from probekit.model.verdict import Flag, Outcome
from probekit.reports.json.read import ReportError, window_document, window_of

SOURCE = ("health", "", "first_byte")
PRINT = "0123456789abcdef"
OVER = Limit(metric="first_byte", op="<=", value=10, unit="ms", of="baseline", floor=1.0)


@pytest.fixture
def window(make):
    def one(value=100.0, *, age=timedelta(hours=1), vantage="ci-7", fingerprint=PRINT, source=SOURCE, rows=7):
        values = {source: Recorded(value=value, fingerprint=fingerprint)}
        return BaselineWindow(taken=make.now - age, release="2.3.0", vantage=vantage, values=values, rows=rows)

    return one


@pytest.fixture
def judged(make):
    """A function from windows on record and a value of now to the verdict of the rows together."""

    def judged(*windows, now=100.0, rows=None, deployment=None):
        row = make.item(id="baseline.rows.api-p95", title="api-p95", expect=(OVER,))
        item = make.item(
            "outside_tolerance == 0", id="post.immediate.metrics-stable", probe="baseline", compares_baseline=True
        )
        rows = (row,) if rows is None else rows
        plan = make.plan(item, baseline_items=rows, fingerprints={InstanceKey("health", ""): PRINT}, vantage="ci-7")
        situation = make.situation(history=History(baseline=windows, deployment=deployment))
        return judge_item(
            item, plan, {InstanceKey("health", ""): (make.attempt(make.measurement(first_byte=now)),)}, situation
        )

    return judged


@pytest.mark.parametrize(
    ("now", "outcome", "count"), [(100.0, Outcome.PASS, 0), (150.0, Outcome.FAIL, 1), (110.0, Outcome.INCONCLUSIVE, 0)]
)
def test_the_worst_row_is_the_answer(judged, window, now, outcome, count) -> None:
    verdict = judged(*[window() for _ in range(8)], now=now)

    assert (verdict.outcome, verdict.observed) == (outcome, count)
    assert verdict.because.startswith("api-p95: ")
    assert f"x{now / 100:.3g} of 8 baseline windows" in verdict.because


def test_rows_that_a_program_reports_are_told_as_such(window, make) -> None:
    row = make.item(id="baseline.rows.api-p95", title="api-p95", expect=(OVER,))
    item = make.item("outside_tolerance == 0", probe="baseline", compares_baseline=True)
    plan = make.plan(
        item,
        baseline_items=(row,),
        steps=(make.step(reported=True),),
        fingerprints={InstanceKey("health", ""): PRINT},
        vantage="ci-7",
    )
    situation = make.situation(history=History(baseline=tuple(window() for _ in range(8))))
    attempts = {InstanceKey("health", ""): (make.attempt(make.measurement(first_byte=100.0)),)}

    assert Flag.REPORTED in judge_item(item, plan, attempts, situation).flags


def test_what_is_below_the_floor_now_and_before_is_no_difference_and_says_so(judged, window, make) -> None:
    row = make.item(id="baseline.rows.api-p95", title="api-p95", expect=(replace(OVER, floor=500.0),))

    verdict = judged(*[window() for _ in range(8)], now=300.0, rows=(row,))

    assert verdict.outcome is Outcome.PASS
    assert "below the floor of 500 ms, as are all 8 baseline windows" in verdict.because


def test_a_row_that_nothing_measures_is_unproven(judged, window, make) -> None:
    plain = make.item("used <= 80 %", id="baseline.rows.disk-used", title="disk-used", probe="host")
    row = make.item(id="baseline.rows.api-p95", title="api-p95", expect=(OVER,))

    assert judged(*[window() for _ in range(8)], rows=(row, plain)).outcome is Outcome.ERROR
    assert judged(*[window() for _ in range(8)], rows=()).outcome is Outcome.INCONCLUSIVE


def test_an_improvement_is_told_and_no_failure(judged, window) -> None:
    verdict = judged(*[window() for _ in range(8)], now=50.0)

    assert verdict.outcome is Outcome.PASS
    assert "an improvement" in verdict.because


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ([], "no baseline on record"),
        ([{"age": timedelta(hours=25)}] * 8, "25 h old"),
        ([{"vantage": "laptop"}] * 8, "another vantage, 'laptop'"),
        ([{"fingerprint": "0" * 16}] * 8, "other settings"),
        ([{"source": ("health", "b", "first_byte")}] * 8, "other instances"),
        ([{}] * 2, "baseline too small: 2 of 3 windows"),
    ],
)
def test_what_cannot_be_compared_is_unproven_and_says_why(judged, window, changes, told) -> None:
    verdict = judged(*[window(**change) for change in changes])

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert told in verdict.because


@pytest.fixture
def drifted(make, window):
    """A function from the levels of releases, three windows each, to what is told of their drift."""

    def drifted(*levels, **changes):
        row = make.item(id="baseline.rows.api-p95", title="api-p95", expect=(OVER,))
        windows = [
            replace(window(level + wave, **changes), release=f"1.{number}")
            for number, level in enumerate(levels)
            for wave in (-1.0, 0.0, 1.0)
        ]
        return drifts((row,), windows)

    return drifted


def test_small_steps_that_add_up_are_told(drifted) -> None:
    (told,) = drifted(100.0, 108.0, 117.0, 126.0)

    assert told == "api-p95 has drifted step by step: x1.26 of the first baseline (2026-11-23, release 1.0)"


@pytest.mark.parametrize("levels", [(), (100.0,), (100.0, 102.0), (100.0, 60.0)])
def test_no_drift_is_told_where_there_is_none(drifted, levels) -> None:
    assert drifted(*levels) == ()


def test_what_is_not_compared_has_no_drift(drifted) -> None:
    assert drifted(100.0, 200.0, source=("health", "", "other")) == ()


def test_only_windows_before_the_deployment_count_and_their_age_is_taken_there(judged, window, make) -> None:
    deployment = Deployment(release="2", started=make.now - timedelta(hours=30))
    old = [window(age=timedelta(hours=31)) for _ in range(8)]
    after = [window(value=150.0) for _ in range(8)]

    assert judged(*old, *after, now=150.0, deployment=deployment).outcome is Outcome.FAIL
    assert judged(*after, deployment=deployment).outcome is Outcome.INCONCLUSIVE


def test_a_limit_is_compared_with_the_windows_of_its_instance(make, window) -> None:
    item = make.item("first_byte within 50 % of baseline", "status == 200")
    plan = make.plan(item, fingerprints={InstanceKey("health", ""): PRINT}, vantage="ci-7")
    situation = make.situation(history=History(baseline=tuple(window() for _ in range(3))))

    reference = baseline_reference(item.expect[0], InstanceKey("health", ""), plan, situation)

    assert reference.baseline == BaselineValues((100.0,) * 3)


def test_a_window_comes_back_as_it_was(window) -> None:
    one = window()
    counted = replace(
        one, values={SOURCE: Recorded(value=1.0, fingerprint=PRINT, requests=52.5, addresses=("192.0.2.1:443",))}
    )

    assert window_of(window_document(one)) == one
    assert window_of(window_document(counted)) == counted


def test_a_window_that_was_kept_before_requests_were_is_read_too(window) -> None:
    one = window()
    document = window_document(one)

    assert window_of(document | {"values": [row[:5] for row in document["values"]]}) == one


def test_what_the_target_counted_of_requests_is_known_beside_the_windows(window, make) -> None:
    windows = [
        replace(window(), values={SOURCE: Recorded(value=100.0, fingerprint=PRINT, requests=requests)})
        for requests in (50.0, 52.0, None, 48.0)
    ]
    item = make.item("first_byte < 200 ms")
    plan = make.plan(item, fingerprints={InstanceKey("health", ""): PRINT}, vantage="ci-7")
    situation = make.situation(history=History(baseline=tuple(windows)))

    reference = baseline_reference(OVER, InstanceKey("health", ""), plan, situation)

    assert reference.traffic == BaselineValues((50.0, 52.0, 48.0))


@pytest.mark.parametrize("change", [{"taken": "soon"}, {"values": [["a", "b", "c"]]}, {"values": 3}, {"rows": None}])
def test_a_window_that_is_none_is_refused(window, change) -> None:
    with pytest.raises(ReportError, match="damaged"):
        window_of(window_document(window()) | change)


# ---------------------------------------------------------------- the commands


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"version": "2.3.0"}'
        self.send_response(404 if "probekit" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["post.immediate.metrics-stable"]
throttle = {{ requests = 1000, per = "1s" }}
block = "0.05s"
window = "0.3s"
vantage = "ci-7"

[env.prod.probes.release]
kind = "release"
path = "/version"

[env.prod.probes.api]
kind = "latency"
rate = 100
routes = [{{ path = "/" }}]
"""
STATE = "state.sqlite3"


@pytest.fixture
def place(tmp_path, monkeypatch) -> Iterator[TargetKey]:
    """A target that answers, in a folder with its configuration."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROBEKIT_STATE", STATE)
    (tmp_path / "probes.toml").write_text(CONFIG.format(port=server.server_port))
    yield TargetKey(environment="prod", base_url=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


def call(command, *words):
    result = CliRunner().invoke(command, ["--env", "prod", *words], standalone_mode=False)
    assert result.exception is None, result.exception
    return result.return_value, result.stdout, result.stderr


def test_windows_are_captured_shown_and_compared(place) -> None:
    code, told, said = call(baseline_command.capture_, "--windows", "3", "--every", "1ms")

    assert code == 0, said
    assert "window 3 of 3 recorded: 3 metrics" in said
    assert "host-load" in said  # what is not configured is told
    assert "recorded without a preceding go" in told.splitlines()[0]
    assert told.splitlines()[1].startswith("the windows span less than an hour")
    assert any(
        line.startswith("api p95: 3 windows, mean ") and "detects slowdowns of " in line for line in told.splitlines()
    )
    assert call(baseline_command.show)[:2] == (0, told)

    code, told, _ = call(baseline_command.compare)
    assert code == 10  # what is not measured is not within its tolerance
    assert "3 baseline windows" in " ".join(told.split())
    with Store(Path(STATE)) as store:
        (*_, newest) = map(window_of, store.windows(place, datetime.now(UTC)))
    assert (newest.release, newest.rows) == ("2.3.0", 3)


@pytest.mark.usefixtures("place")
def test_a_run_fills_the_table_of_the_document_and_names_the_place_of_its_probe() -> None:
    call(baseline_command.capture_, "--windows", "3", "--every", "1ms")

    call(verify_command.command, "--no-settle", "--report", "json=report.json", "--report", "markdown=report.md")

    document = json.loads(Path("report.json").read_text())
    rows = {row["id"]: row for row in document["baseline"]}
    assert all(rows["api-p95"][name] > 0 for name in ("before", "after"))
    assert (rows["api-p95"]["windows"], rows["api-p95"]["unit"]) == (3, "ms")
    assert rows["error-rate"]["after"] == 0
    assert (rows["cpu-avg"]["before"], rows["cpu-avg"]["after"]) == (None, None)
    assert re.search(r"\| API response time \(p95\) \| [\d.]+ ms \| [\d.]+ ms \| [+-]?[\d.]+ % \|",
                     Path("report.md").read_text())  # fmt: skip
    places = {place["probe"]: (place["file"], place["keys"]) for place in document["places"]}
    assert places["api"] == ("probes.toml", ["env", "prod", "probes", "api"])
    assert places[""] == ("probes.toml", ["env", "prod"])


def test_windows_in_the_future_are_told_and_left_out(place, window) -> None:
    with Store(Path(STATE)) as store:
        for days in (-1, 2, 3):
            one = replace(window(), taken=datetime.now(UTC) + timedelta(days=days))
            store.add_window(place, one.taken, window_document(one))

    code, told, said = call(baseline_command.show)

    assert (code, told.startswith("1 window, ")) == (0, True)
    assert "warning: 2 baseline windows on record lie in the future by this machine's clock, and are ignored" in said


def test_what_is_shown_of_values_below_the_floor_counts_the_floor(place, window) -> None:
    with Store(Path(STATE)) as store:
        for hours, value in enumerate((3.0, 3.5, 4.0, 3.3)):
            one = window(value, age=timedelta(hours=hours), source=("api", "", "p95"))
            store.add_window(place, one.taken, window_document(one))

    _, told, _ = call(baseline_command.show)

    (line,) = (line for line in told.splitlines() if line.startswith("api p95: "))
    assert "tolerance +10 % or 10 ms; detects slowdowns of " in line
    ratio = 1 + float(line.rpartition("slowdowns of ")[2].removesuffix(" % or more")) / 100
    assert 20 / 3.45 < ratio < 30 / 3.45  # twice the floor, and the noise of any service


def test_a_later_baseline_takes_only_a_release_that_went_go(place, window) -> None:
    older = BaselineWindow(taken=window().taken, release="2.2.0", vantage="ci-7", values={}, rows=0)
    with Store(Path(STATE)) as store:
        store.add_window(place, older.taken, window_document(older))

    code, told, said = call(baseline_command.capture_)
    assert (code, told) == (64, "")
    assert "release 2.3.0 has no go on record, which a further baseline needs" in said

    facts = {"started": window().taken, "release": "2.3.0", "action": "go", "exit_code": 0, "partial": False}
    went = {"action": "go", "partial": False}
    gate = PastRun(id="a0", ended=window().taken, subject="2.4.0", stage="before", phase="pre", **went)
    with Store(Path(STATE)) as store:
        store.record(RunSummary(id="a0", target=place, ledger=gate, **facts), {})
    assert call(baseline_command.capture_)[0] == 64  # the gate of the next release read 2.3.0, and approves 2.4.0

    with Store(Path(STATE)) as store:
        store.record(RunSummary(id="a1", target=place, **facts), {})
    assert call(baseline_command.capture_)[0] == 0


def test_another_release_than_expected_is_no_window(place, tmp_path) -> None:
    text = (tmp_path / "probes.toml").read_text()
    (tmp_path / "probes.toml").write_text(text.replace('path = "/version"', 'path = "/version"\nexpect = "2.4.0"'))

    code, told, said = call(baseline_command.capture_)

    assert (code, told) == (64, "")
    assert "no window was recorded: 2.3.0 is served, 2.4.0 expected" in said
    with Store(Path(STATE)) as store:
        assert store.windows(place, datetime.now(UTC)) == ()


def test_without_a_baseline_there_is_nothing_to_show(place) -> None:
    code, told, said = call(baseline_command.show)

    assert (code, told) == (64, "")
    assert "no baseline of 'prod' is on record" in said


def test_a_target_without_what_is_compared_has_no_baseline(place, tmp_path) -> None:
    text = (tmp_path / "probes.toml").read_text()
    (tmp_path / "probes.toml").write_text(text[: text.index("[env.prod.probes.api]")])

    code, _, said = call(baseline_command.capture_)

    assert code == 64
    assert (
        "'prod' has none of the probes that a baseline compares; configure one of: api, database-load, host, host-load"
        in said
    )


def test_own_checks_that_nothing_compares_have_no_baseline(place, tmp_path) -> None:
    text = 'checklist = "none"\n[env.prod]\nbase_url = "http://127.0.0.1:1"\n'
    (tmp_path / "probes.toml").write_text(text + '[env.prod.probes.shop]\nkind = "http"\npath = "/shop"\n')

    code, _, said = call(baseline_command.capture_)

    assert code == 64
    assert "'prod' has no limit that compares with a baseline; write one, such as" in said


def test_what_lacks_in_every_window_is_told_once(place) -> None:
    _, _, said = call(baseline_command.capture_, "--windows", "2", "--every", "1ms")

    lines = [line for line in said.splitlines() if line.startswith("probekit: ")]
    assert lines
    assert len(lines) == len({*lines})


@pytest.mark.parametrize(
    "limits", [["p95 within 10 % of baseline", "p95 < 0.001 ms"], ["p95 < 0.001 ms", "p95 within 10 % of baseline"]]
)
def test_a_number_beyond_its_own_limit_is_none_of_a_baseline(place, tmp_path, limits) -> None:
    with (tmp_path / "probes.toml").open("a") as file:
        file.write(
            f'[env.prod.probes.shop]\nkind = "latency"\nrate = 100\nroutes = [{{ path = "/" }}]\nexpect = {limits}\n'
        )

    _, _, said = call(baseline_command.capture_)

    assert said.count("shop p95: ") == 1
    assert "shop p95: it misses its own limit, p95 < 0.001 ms" in said
    with Store(Path(STATE)) as store:
        (document,) = store.windows(place, datetime.now(UTC))
    assert "shop" not in {source.probe for source in window_of(document).values}
