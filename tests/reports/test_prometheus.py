"""Metrics of a report: what Prometheus, node exporter and a Pushgateway read of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from math import inf, nan
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from probekit import reports
from probekit.model.checklist import Severity
from probekit.model.limit import Limit
from probekit.model.record import Identity
from probekit.model.verdict import Action, Decision, Flag, Outcome, Release, Served, Verdict
from probekit.reports._support.labels import label
from probekit.reports.json.report import report_from
from probekit.reports.prometheus import FORMAT, render

DOCUMENT = Path(__file__).parents[2] / "docs/reports.md"
ITEM = {"item": "deploy.services.health", "section": "deploy.services", "severity": "critical"}
HOSTILE = [
    "back\\slash \\n \\\\",
    'quotes "\' and more"',
    'x",item="y"} 1\nprobekit_decision{action="go"} 1\n# HELP',
    "<script>alert(1)</script> & `tick` | pipe",
    "line\nbreak\rand\ttab and \x00 NUL",
    "\x1b[31mred",
    "\u202eltr \u2066isolate\u2069 \u2028 \x85",
    "]]> ::error:: %0A @name #1 ![x](y)",
    "smile \U0001f600 \u00e9",
    "\ud800 surrogate \ufffe",
    "y" * 100_000,
    "",
]


@pytest.fixture
def verdict(make):
    def build(
        limit="first_byte < 200 ms",
        observed=None,
        *,
        outcome=Outcome.PASS,
        name="deploy.services.health",
        severity=Severity.CRITICAL,
        flags=(),
        **fields,
    ):
        item = make.item(limit, id=name, severity=severity, **fields)
        return Verdict(
            item=item,
            outcome=outcome,
            because="because",
            observed=observed,
            limit=item.expect[0] if observed is not None else None,
            flags=frozenset(flags),
            layer="application",
        )

    return build


def samples(report) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Each sample by its name and its labels, those of every sample left out; a series occurs once."""
    return series(render(report), leave_out=("environment", "phase"))


def series(text: str, *, leave_out: tuple[str, ...] = ()) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    known = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name not in leave_out}
            assert sample.timestamp is None
            assert known.setdefault((sample.name, frozenset(labels.items())), sample.value) is sample.value
    return known


def of(report, name: str, **labels: str) -> float | None:
    return samples(report).get((f"probekit_{name}", frozenset(labels.items())))


def named(report, name: str) -> dict[str, float]:
    """The samples of one metric by the only label that they have."""
    found = [(dict(labels), value) for (one, labels), value in samples(report).items() if one == f"probekit_{name}"]
    return {next(iter(labels.values())): value for labels, value in found}


# ---------------------------------------------------------------- the decision and the run


@pytest.mark.parametrize("action", list(Action))
def test_the_action_of_the_decision_is_1_and_every_other_is_0(report_of, verdict, action) -> None:
    decided = replace(report_of(verdict()), decision=Decision(action=action, minutes=None, because=("because",)))

    assert named(decided, "decision") == {one.word: float(one is action) for one in Action}
    assert of(decided, "exit_code") == action.exit_code


def test_what_rules_out_a_go_although_every_item_passes_is_no_go(report_of, verdict) -> None:
    other = Release(expected=("2",), answers={"1": 8}, served=Served.OTHER, because="1 is served, expected 2")
    report = report_of(verdict("up == 1", 1.0), release=other)

    assert of(report, "item_bars_go", **ITEM) == 0
    assert (named(report, "decision")["go"], named(report, "decision")["investigate"]) == (0, 1)


def test_an_interrupted_run_has_the_exit_code_of_its_signal(report_of, verdict) -> None:
    assert of(report_of(verdict(), complete=False, run={"ended_by": "SIGINT"}), "exit_code") == 130


def test_times_are_unix_times(report_of, make, verdict) -> None:
    late = verdict("p95 < 500 ms", 900.0, outcome=Outcome.FAIL, severity=Severity.HIGH)
    since = make.now - timedelta(minutes=4)
    report = report_of(replace(late, since=since))
    report = replace(report, run=replace(report.run, started=make.now - timedelta(hours=1)))
    labels = {**ITEM, "severity": "high"}

    assert of(report, "run_timestamp_seconds") == make.now.timestamp() - 3600 + 1.5
    assert of(report, "run_duration_seconds") == 1.5
    assert of(report, "decision_deadline_timestamp_seconds") == make.now.timestamp() + 360
    assert of(report, "item_failing_since_timestamp_seconds", **labels) == since.timestamp()
    assert of(report, "item_deadline_timestamp_seconds", **labels) == since.timestamp() + 600


def test_an_item_that_passes_again_fails_since_no_time(report_of, make, verdict) -> None:
    report = report_of(replace(verdict("up == 1", 1.0), since=make.now))

    assert of(report, "item_failing_since_timestamp_seconds", **ITEM) is None


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.INVESTIGATE])
def test_only_an_investigation_has_a_deadline(report_of, verdict, action) -> None:
    decided = replace(report_of(verdict()), decision=Decision(action=action, minutes=5.0, because=("because",)))

    assert of(decided, "decision_deadline_timestamp_seconds") is None
    assert of(decided, "item_deadline_timestamp_seconds", **ITEM) is None


def test_the_run_is_described_by_labels(report_of, verdict) -> None:
    identity = Identity(
        release="2.3.1", commit="a" * 40, images={"shop": "sha256:b", "jobs": "sha256:c"}, previous="2.3.0"
    )
    release = Release(expected=("2.3.1", "2.3.2"), answers={"2.3.1": 8}, served=Served.EXPECTED)
    report = report_of(
        verdict("up == 1", 0.0, outcome=Outcome.FAIL), identity=identity, release=release, run={"phase": "post"}
    )

    (labels,) = [dict(labels) for name, labels in series(render(report)) if name == "probekit_run_info"]
    assert labels == {
        "environment": "prod",
        "phase": "post",
        "run": "0123456789ab",
        "decision": "INVESTIGATE NOW",
        "reason": "prod, phase post: health failed: no response",
        "target": "https://app.example.com",
        "stage": "after",
        "vantage": "ci-7",
        "checklist": "a list",
        "config_file": "probes.toml",
        "config_sha256": "0" * 64,
        "version": "0.1.0",
        "release": "2.3.1",
        "commit": "a" * 40,
        "expected": "2.3.1 or 2.3.2",
        "served": "2.3.1",
        "previous": "2.3.0",
    }
    assert of(report, "release_image_info", image="shop", digest="sha256:b") == 1
    assert of(report, "release_image_info", image="jobs", digest="sha256:c") == 1


# ---------------------------------------------------------------- items


def test_the_account_adds_up_and_leaves_own_checks_out(report_of, verdict) -> None:
    report = report_of(
        verdict(),
        verdict(name="pre.infra.tls", outcome=Outcome.NOT_CONFIGURED),
        verdict(name="own.checks.shop", is_own=True, outcome=Outcome.FAIL),
    )

    account = named(report, "items")
    assert sum(account.values()) == 203
    assert {name: some for name, some in account.items() if some} == {
        "pass": 1,
        "not_configured": 1,
        "out_of_scope": 201,
    }
    assert {name: some for name, some in named(report, "own_checks").items() if some} == {"fail": 1}
    assert named(report_of(verdict()), "own_checks") == {}


@pytest.mark.parametrize(
    ("outcome", "follow_up", "strict"), list(product(Outcome, (False, True), (False, True))), ids=str
)
def test_each_item_has_its_outcome_and_whether_it_bars_a_go(report_of, verdict, outcome, follow_up, strict) -> None:
    graded = Severity.LOW if follow_up else Severity.CRITICAL
    one = verdict(outcome=outcome, severity=graded, holds_if_pending=not follow_up)
    report = report_of(one, verdict("up == 1", 1.0, name="pre.infra.tls"), strict=strict, in_scope=2)
    labels = {**ITEM, "severity": graded.value}

    outcomes = [dict(key) for name, key in samples(report) if name == "probekit_item_outcome"]
    assert {**labels, "outcome": outcome.value} in outcomes
    assert len(outcomes) == 2
    assert of(report, "item_bars_go", **labels) == report.bars_go(one)
    assert report.bars_go(one) == (named(report, "decision")["go"] == 0)


def test_what_a_program_reported_is_marked(report_of, verdict) -> None:
    report = report_of(verdict(flags=[Flag.REPORTED]), verdict(name="deploy.services.other"))

    assert of(report, "item_reported", **ITEM) == 1
    assert of(report, "item_reported", **{**ITEM, "item": "deploy.services.other"}) == 0


@pytest.mark.parametrize(
    ("limit", "observed", "unit", "number", "bound"),
    [
        ("first_byte < 200 ms", 23.5, "_seconds", 0.0235, 0.2),
        ("settled >= 30 s", 5.037, "_seconds", 5.037, 30.0),
        ("age <= 1.1 min", 0.1, "_seconds", 6.0, 66.0),
        ("age < 2 h", 0.5, "_seconds", 1800.0, 7200.0),
        ("time_left > 30 d", 364.5, "_seconds", 31_492_800.0, 2_592_000.0),
        ("error_rate < 0.1 %", 4.8, "_ratio", 0.048, 0.001),
        ("error_rate < 1.1 %", 2.3, "_ratio", 0.023, 0.011),  # not 0.011000000000000001
        ("memory < 512 MB", 1.5, "_bytes", 1_500_000.0, 512_000_000.0),
        ("violations == 0", 3.0, "", 3.0, 0.0),
        ("age < 2 h", inf, "_seconds", inf, 7200.0),
        ("violations == 0", -inf, "", -inf, 0.0),
    ],
)
def test_numbers_and_limits_are_in_base_units(report_of, verdict, limit, observed, unit, number, bound) -> None:
    report = report_of(verdict(limit, observed))
    metric, operator, _ = limit.split(" ", 2)
    labels = {"item": "deploy.services.health", "metric": metric}

    found = {key: value for key, value in samples(report).items() if "reading" in key[0] or "limit" in key[0]}
    assert found == {
        (f"probekit_item_reading{unit}", frozenset(labels.items())): number,
        (f"probekit_item_limit{unit}", frozenset({**labels, "operator": operator}.items())): bound,
    }


def test_an_item_without_a_number_has_no_reading(report_of, verdict) -> None:
    report = report_of(
        verdict(outcome=Outcome.ERROR),
        verdict("up == 1", nan, name="pre.infra.nan"),
        replace(verdict("up == 1", 1.0, name="pre.infra.none"), observed=None),
    )

    assert [key for key in samples(report) if "reading" in key[0]] == []
    assert [dict(key[1])["item"] for key in samples(report) if "limit" in key[0]] == ["pre.infra.nan", "pre.infra.none"]


@pytest.mark.parametrize("operator", ["within", "<="])
def test_a_tolerance_is_no_limit_of_the_number_which_has_no_known_unit(report_of, verdict, operator) -> None:
    tolerance = Limit(metric="p95", op=operator, value=10.0, unit="%", of="baseline")
    report = report_of(replace(verdict(observed=212.5), limit=tolerance))
    labels = {"item": "deploy.services.health", "metric": "p95"}

    assert of(report, "item_reading", **labels) == 212.5
    assert of(report, "item_tolerance_ratio", **labels, operator=operator) == 0.1
    assert [name for name, _ in samples(report) if "limit" in name] == []


# ---------------------------------------------------------------- the form


def full(report_of, verdict, **facts):
    """A report with a sample of every metric."""
    return report_of(
        verdict("p95 < 500 ms", 900.0, outcome=Outcome.FAIL, severity=Severity.HIGH, flags=[Flag.REPORTED]),
        verdict("error_rate < 1 %", 0.5, name="post.a.b"),
        verdict("memory < 512 MB", 5.0, name="post.a.c"),
        verdict("up == 1", 1.0, name="own.checks.shop", is_own=True),
        replace(verdict("p95 within 10 % of baseline", 212.5, name="post.a.d")),
        **facts,
    )


def test_every_metric_has_help_a_type_and_a_name_with_a_base_unit(report_of, make, verdict) -> None:
    report = full(report_of, verdict, identity=Identity(images={"shop": "sha256:b"}))
    report = replace(report, verdicts=(replace(report.verdicts[0], since=make.now), *report.verdicts[1:]))

    text = render(report)
    heads = re.findall(r"^# (HELP|TYPE) (\S+) (.+)$", text, re.MULTILINE)

    assert text.endswith("\n")
    assert [name for kind, name, _ in heads if kind == "HELP"] == [name for kind, name, _ in heads if kind == "TYPE"]
    assert {kind for word, _, kind in heads if word == "TYPE"} == {"gauge"}
    assert len(heads) == 2 * 23
    assert [name for _, name, _ in heads if not re.fullmatch(r"probekit_[a-z]+(_[a-z]+)*", name)] == []
    assert [name for _, name, _ in heads if name.endswith(("_total", "_created", "_count", "_sum", "_bucket"))] == []
    assert Counter(name for word, name, _ in heads if word == "HELP").most_common(1)[0][1] == 1


def test_every_sample_has_the_environment_and_the_phase(report_of, verdict) -> None:
    text = render(full(report_of, verdict, run={"phase": "post", "environment": "eu"}))

    assert {(dict(labels)["environment"], dict(labels)["phase"]) for _, labels in series(text)} == {("eu", "post")}


def test_two_environments_and_two_phases_share_help_and_no_series(report_of, verdict) -> None:
    runs = [{"environment": "eu"}, {"environment": "us"}, {"environment": "eu", "phase": "pre"}]
    texts = [render(full(report_of, verdict, run=run)) for run in runs]
    helps = [dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE)) for text in texts]

    assert helps[0] == helps[1] == helps[2]
    assert len({key for text in texts for key in series(text)}) == sum(len(series(text)) for text in texts)


def test_no_help_depends_on_the_report(report_of, verdict) -> None:
    little, much = (
        dict(re.findall(r"^# HELP (\S+) (.+)$", render(report), re.MULTILINE))
        for report in (report_of(), full(report_of, verdict))
    )

    assert {name: much[name] for name in little} == little


def test_the_same_report_has_the_same_bytes_and_no_metric_of_this_process(report_of, verdict) -> None:
    report = full(report_of, verdict)

    assert render(report) == render(report)
    assert {name.partition("_")[0] for name, _ in samples(report)} == {"probekit"}


def test_the_file_is_readable_for_the_collector() -> None:
    assert (FORMAT.is_collected, FORMAT.mode) == (True, 0o644)


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(text[:12]) for text in HOSTILE])
def test_a_hostile_text_is_the_value_of_its_label(report_of, verdict, text) -> None:
    def report(text):
        first = verdict("up == 1", 1.0, name=text, outcome=Outcome.FAIL)
        return report_of(
            replace(first, summary=text, because=text, limit=replace(first.limit, metric=text)),
            verdict("p95 < 500 ms", 3.0, name="post.a.b"),
            run=dict.fromkeys(("environment", "base_url", "vantage", "config_file", "version", "id", "phase"), text),
            identity=Identity(release=text, commit=text, images={text: text}, previous=text),
            release=Release(expected=(text,), answers={text: 1}, served=Served.OTHER, because=text),
        )

    written = render(report(text))
    found = series(written)

    assert written.replace("\n", "").isprintable()
    assert len(written.splitlines()) == len(render(report("harmless")).splitlines())
    assert Counter(name for name, _ in found) == Counter(name for name, _ in series(render(report("harmless"))))
    assert {dict(labels)["environment"] for _, labels in found} == {label(text)}
    assert ("probekit_item_reading", text) in {
        (name, text) for name, labels in found if dict(labels).get("item") == label(text)
    }
    assert max(map(len, written.splitlines())) < 15_000


def test_names_that_look_alike_stay_series_of_their_own(report_of, verdict) -> None:
    names = ["\x1b", "\\x1b", "y" * 300, "y" * 301, "same", "same"]

    found = samples(report_of(*(verdict("up == 1", 1.0, name=name) for name in names)))

    assert len([name for name, _ in found if name == "probekit_item_reading"]) == len(names)


def test_an_empty_report_has_the_decision_and_the_account(report_of) -> None:
    assert named(report_of(), "decision")["undecided"] == 1
    assert named(report_of(), "items")["out_of_scope"] == 203
    assert [name for name, _ in samples(report_of()) if name.startswith("probekit_item_")] == []


def test_ten_thousand_verdicts_have_a_series_each(report_of, verdict) -> None:
    report = report_of(*(verdict("up == 1", 1.0, name=f"post.a.{n % 5000}") for n in range(10_000)))

    assert render(report).count("\nprobekit_item_reading{") == 10_000


def test_a_report_that_an_older_version_stored_is_rendered(report_of, verdict) -> None:
    document = json.loads(reports.load_format("json").text(report_of(verdict("up == 1", 1.0))))
    for key in ("document", "lines", "places", "baseline"):
        document.pop(key, None)

    assert of(report_from(document), "item_reading", item="deploy.services.health", metric="up") == 1


def test_the_document_names_every_metric(report_of, make, verdict) -> None:
    page = DOCUMENT.read_text("utf-8")
    report = full(report_of, verdict, identity=Identity(images={"shop": "sha256:b"}))
    report = replace(report, verdicts=(replace(report.verdicts[0], since=make.now), *report.verdicts[1:]))

    names = {re.sub(r"(reading|limit)(_ratio|_bytes|)$", r"\1_seconds", name) for name, _ in samples(report)}
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


# ---------------------------------------------------------------- real programs (make test-services)


@pytest.fixture
def rules(tmp_path) -> Path:
    """The alert rules of the document, as a file."""
    (text,) = re.findall(r"<!-- alert rules -->\n```yaml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    file = tmp_path / "rules.yml"
    file.write_text(text, "utf-8")
    return file


def failing(report_of, verdict, **run):
    """A report with hostile texts, that failed an hour ago."""
    report = full(report_of, verdict, run={"started": datetime.now(UTC) - timedelta(hours=1), **run})
    named = [*report.verdicts, *(verdict("up == 1", inf, name=text, outcome=Outcome.FAIL) for text in HOSTILE)]
    return replace(report, verdicts=tuple(named))


def program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"install {name}"
    return found


@contextmanager
def running(*command: str, until: str) -> Iterator[None]:
    """A program that has written that line to stderr."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            assert any(until in line for line in process.stderr), f"{command[0]} ended"
            reader = threading.Thread(target=process.stderr.read)
            reader.start()
            yield
        finally:
            process.terminate()
        reader.join()


@pytest.mark.services
@pytest.mark.servers
def test_promtool_finds_nothing_wrong_with_the_metrics(report_of, verdict) -> None:
    for report in (report_of(), full(report_of, verdict), failing(report_of, verdict)):
        command = [program("promtool"), "check", "metrics"]
        checked = subprocess.run(command, input=render(report).encode(), capture_output=True, check=False)

        assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


@pytest.mark.services
@pytest.mark.servers
def test_promtool_finds_nothing_wrong_with_the_document_s_rules(rules) -> None:
    checked = subprocess.run(
        [program("promtool"), "check", "rules", rules], capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stderr) == (0, "")
    assert "3 rules found" in checked.stdout


class Pages:
    """A server on loopback with a page of metrics for each path, and how often each was read."""

    def __init__(self, pages: dict[str, str]) -> None:
        self.read: dict[str, threading.Semaphore] = {path: threading.Semaphore(0) for path in pages}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = pages[self.path].encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                outer.read[self.path].release()

            def log_message(self, *_: object) -> None:
                """Write nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"


class Prometheus:
    """The interface of a Prometheus on loopback."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str, **query: str) -> dict:
        answer = httpx.get(f"http://{self.address}/api/v1/{path}", params=query, trust_env=False).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, text: str) -> list[dict]:
        return self.get("query", query=text)["result"]


@pytest.fixture
def prometheus(report_of, verdict, rules, tmp_path, unused_tcp_port) -> Iterator[Prometheus]:
    """A Prometheus that has read two environments and the document's rules."""
    good = report_of(verdict("up == 1", 1.0), run={"environment": "staging", "started": datetime.now(UTC)}, in_scope=1)
    pages = Pages({"/prod": render(failing(report_of, verdict)), "/staging": render(good)})
    jobs = [
        {"job_name": path, "metrics_path": path, "static_configs": [{"targets": [pages.address]}]}
        for path in pages.read
    ]
    often = {"scrape_interval": "200ms", "scrape_timeout": "200ms"}
    config = tmp_path / "prometheus.yml"
    config.write_text(json.dumps({"global": often, "rule_files": [str(rules)], "scrape_configs": jobs}), "utf-8")
    here = f"127.0.0.1:{unused_tcp_port}"
    options = [f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address={here}"]
    serving = threading.Thread(target=pages.server.serve_forever)
    serving.start()
    try:
        with running(program("prometheus"), *options, until="ready to receive web requests"):
            for read in pages.read.values():
                for _ in range(2):  # with the second one begun, the first one is stored
                    assert read.acquire(timeout=30)
            yield Prometheus(here)
    finally:
        pages.server.shutdown()
        serving.join()
        pages.server.server_close()


@pytest.mark.services
@pytest.mark.servers
def test_a_real_prometheus_reads_every_series_with_its_value(prometheus, report_of, verdict) -> None:
    report = failing(report_of, verdict)
    stored = prometheus.query('{__name__=~"probekit_.*", environment="prod"}')
    own = ("__name__", "instance", "job")

    assert prometheus.query("min(up)")[0]["value"][1] == "1"
    assert len(stored) == len(series(render(report)))
    known = {
        (
            one["metric"]["__name__"],
            frozenset((key, text) for key, text in one["metric"].items() if key not in own),
        ): float(one["value"][1])
        for one in stored
        if "timestamp" not in one["metric"]["__name__"]
    }
    expected = {
        (name, frozenset((key, text) for key, text in labels if text)): value
        for (name, labels), value in series(render(report)).items()
        if "timestamp" not in name
    }
    assert known == expected
    items = prometheus.query('probekit_item_bars_go{environment="prod"}')
    assert {label(text) for text in HOSTILE if text} <= {one["metric"].get("item") for one in items}


@pytest.mark.services
@pytest.mark.servers
def test_the_document_s_rules_alert_for_the_bad_environment_alone(prometheus) -> None:
    (group,) = prometheus.get("rules")["groups"]
    found = {rule["name"]: [one["metric"] for one in prometheus.query(rule["query"])] for rule in group["rules"]}

    assert {name: {one["environment"] for one in metrics} for name, metrics in found.items()} == {
        "ReleaseNotGo": {"prod"},
        "VerificationStale": {"prod"},
        "ItemFails": {"prod"},
    }
    assert {one.get("item") for one in found["ItemFails"]} >= {"deploy.services.health"}
    assert not [one for one in found["ItemFails"] if one.get("item") == "post.a.b"]


@pytest.mark.services
@pytest.mark.servers
def test_a_real_node_exporter_reads_the_files_of_several_environments(
    report_of, verdict, tmp_path, unused_tcp_port
) -> None:
    runs = [{"environment": "eu"}, {"environment": "us"}, {"environment": "eu", "phase": "pre"}]
    texts = [render(failing(report_of, verdict, **run)) for run in runs]
    for number, text in enumerate(texts):
        (tmp_path / f"probekit-{number}.prom").write_text(text, "utf-8")
    here = f"127.0.0.1:{unused_tcp_port}"
    options = ("--collector.disable-defaults", "--collector.textfile", f"--collector.textfile.directory={tmp_path}")

    with running(program("prometheus-node-exporter"), *options, f"--web.listen-address={here}", until="Listening on"):
        page = httpx.get(f"http://{here}/metrics", trust_env=False)

    assert page.status_code == 200
    found = series(page.text)
    assert found["node_textfile_scrape_error", frozenset()] == 0
    assert {key: value for key, value in found.items() if key[0].startswith("probekit_")} == {
        key: value for text in texts for key, value in series(text).items()
    }


@pytest.mark.services
@pytest.mark.servers
def test_a_real_pushgateway_takes_the_metrics_and_replaces_those_of_the_run_before(
    report_of, verdict, unused_tcp_port
) -> None:
    here = f"127.0.0.1:{unused_tcp_port}"
    good = render(report_of(verdict("up == 1", 1.0), in_scope=1))
    address = f"http://{here}/metrics/job/probekit-prod"

    with running(program("prometheus-pushgateway"), f"--web.listen-address={here}", until="Listening on"):
        answers = [
            httpx.put(address, content=text.encode(), trust_env=False)
            for text in (render(failing(report_of, verdict)), good)
        ]
        page = httpx.get(f"http://{here}/metrics", trust_env=False).text

    assert [(answer.status_code, answer.text) for answer in answers] == [(200, ""), (200, "")]
    kept = {key for key in series(page, leave_out=("job", "instance")) if key[0].startswith("probekit_")}
    assert kept == set(series(good))
