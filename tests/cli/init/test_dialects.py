"""The health probe that init writes for the health answers of real programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from probekit import cli
from probekit.config.loader import load

JSON, TEXT, HTML = "application/json", "text/plain", "text/html"
CREDENTIALS = """\
# Access is denied. Name a header and the variable that holds its whole value
# (for HTTP Basic: the word Basic, and the base64 of USER:PASSWORD):"""
EXAMPLE = ["# [env.prod.connect]", '# headers = { Authorization = { env = "HEALTH_AUTHORIZATION" } }']
NOT_GO = "A go is impossible until this probe is complete."


@pytest.mark.parametrize(
    ("path", "answer", "claim"),
    [
        ("/health", (200, JSON, '{"status":"ok"}'), ""),
        ("/actuator/health", (200, "application/vnd.spring-boot.actuator.v3+json", '{"status":"UP"}'), ""),
        ("/health", (200, JSON, '{"health":"true","reason":""}'), '{ path = "$.health", equals = "true" }'),  # etcd
        ("/-/healthy", (200, TEXT, "Prometheus Server is Healthy.\n"), '{ contains = "is Healthy" }'),
        ("/-/ready", (200, TEXT, "Prometheus Server is Ready.\n"), '{ contains = "is Ready" }'),
        ("/ping", (200, TEXT, "Ok.\n"), ""),  # ClickHouse
        ("/ready", (200, TEXT, "ready\n"), ""),  # Loki
        ("/healthz", (200, TEXT, "healthz check passed"), '{ contains = "check passed" }'),  # Qdrant
        ("/_cluster/health", (200, JSON, '{"cluster_name":"c","status":"green","timed_out":false}'), ""),
        ("/_up", (200, JSON, '{"status":"ok","seeds":{}}'), ""),  # CouchDB
        ("/v2/health/live", (200, JSON, '{"live":true}'), ""),  # KServe
        ("/api/healthz", (200, JSON, '{"status":"pass","description":"Gitea"}'), ""),
        ("/", (200, TEXT, "Ollama is running"), '{ contains = "is running" }'),
        ("/up", (200, HTML, '<html><body style="background-color: green"></body></html>'),
         '{ contains = "background-color: green" }'),  # Rails
    ],
)  # fmt: skip
def test_a_known_dialect_is_written_as_it_passes(health_table, path, answer, claim) -> None:
    lines = health_table({path: answer})

    claims = [f"assertions = [{claim}]"] if claim else []
    assert lines == ["[env.prod.probes.health]", 'kind = "http"', f'path = "{path}"', *claims]
    assert f"health: {path} is understood infra" in health_table.stderr


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, '{"health":"true"}'),
        *((200, text) for text in ("Prometheus Server is Healthy.", "all shards are ready", "true", "{}", "pong", "")),
        (204, ""),
    ],
)
def test_the_claim_that_is_written_holds_when_it_is_verified(health_table, status, body) -> None:
    health_table({"/health": (status, TEXT, body)})
    text = Path("probes.toml").read_text().replace('settle = "30s"', 'settle = "0s"\nspread = "0s"')
    Path("probes.toml").write_text(text)

    assert cli.run(["verify", "--env", "prod", "--item", "deploy.services.health-endpoint"]) == 0


def test_vault_that_is_sealed_is_not_healthy_now_and_gets_its_claims(health_table) -> None:
    lines = health_table({"/v1/sys/health": (503, JSON, '{"initialized": true, "sealed": true, "standby": true}')})

    assert lines[2:] == [
        'path = "/v1/sys/health"',
        "# Not healthy now: it answers 503. The answer is understood.",
        "assertions = [",
        '    { path = "$.initialized", equals = true },',
        '    { path = "$.sealed", equals = false },',
        "]",
    ]


def test_the_version_of_a_model_server_is_above_its_health(health_table) -> None:
    health_table({"/v2/health/ready": (200, TEXT, ""), "/v2": (200, JSON, '{"name": "triton", "version": "2.41.0"}')})

    assert (
        '[env.prod.probes.release]\nkind = "release"\npath = "/v2"\nat = "$.version"' in Path("probes.toml").read_text()
    )


WEAK = [
    "# Weak: this assertion shows that the process responds, not that it is healthy.",
    "# Use a path that says more if there is one.",
]


@pytest.mark.parametrize(("path", "body"), [("/-/ping", "{}"), ("/ping", "pong")])
def test_an_answer_that_says_nothing_gets_its_exact_text_as_a_weak_claim(health_table, path, body) -> None:
    lines = health_table({path: (200, JSON, body)})

    claim = f'assertions = [{{ equals = "{body}" }}]'
    assert lines == ["[env.prod.probes.health]", 'kind = "http"', f'path = "{path}"', *WEAK, claim]
    assert f"health: {path} is weak" in health_table.stderr


@pytest.mark.parametrize(("path", "status"), [("/minio/health/live", 200), ("/ping", 204), ("/v2/health/ready", 200)])
def test_an_empty_answer_gets_its_status_as_a_weak_claim(health_table, path, status) -> None:
    lines = health_table({path: (status, TEXT, "")})

    claim = f'assertions = [{{ status = {status} }}, {{ equals = "" }}]'
    assert lines == ["[env.prod.probes.health]", 'kind = "http"', f'path = "{path}"', *WEAK, claim]


@pytest.mark.parametrize(("status", "doubt"), [(503, "it answers 503"), (200, 'health is "false"')], ids=["503", "200"])
def test_etcd_that_is_not_well_gets_the_claim_that_it_keeps_when_it_is(health_table, status, doubt) -> None:
    lines = health_table({"/health": (status, JSON, '{"health":"false"}')})

    assert lines[3:] == [
        f"# Not healthy now: {doubt}. The answer is understood.",
        'assertions = [{ path = "$.health", equals = "true" }]',
    ]


@pytest.mark.parametrize(
    ("answer", "doubt"),
    [
        ((503, JSON, '{"status":"DOWN"}'), "it answers 503"),
        ((503, TEXT, "starting"), "it answers 503"),
        ((500, JSON, '{"components":{"db":{"status":"DOWN"}}}'), "it answers 500"),
        ((200, JSON, '{"status":"DOWN"}'), 'its status is "DOWN"'),
        ((200, JSON, '{"status":"degraded"}'), 'its status is "degraded"'),
    ],
)
def test_an_answer_that_calls_itself_bad_is_understood_and_nothing_hides_it(health_table, answer, doubt) -> None:
    lines = health_table({"/health": answer, "/ping": (200, TEXT, "OK")})

    note = f"# Not healthy now: {doubt}. The answer is understood."
    assert lines == ["[env.prod.probes.health]", 'kind = "http"', 'path = "/health"', note]
    assert f"health: /health is understood; not healthy now: {doubt}" in health_table.stderr
    assert "ignore" not in Path("probes.toml").read_text()


def test_a_bad_part_beside_a_good_whole_is_named(health_table) -> None:
    lines = health_table({"/health": (200, JSON, '{"status": "ok", "checks": {"db": "ok", "mail": "degraded"}}')})

    assert '"mail" is "degraded"' in " ".join(lines)
    assert lines[-1] == '# ignore = ["mail"]'


def test_a_document_that_is_not_understood_is_half_filled_in(health_table) -> None:
    lines = health_table({"/health": (200, JSON, '{"queue": 3,\n "phase": "steady"}')})

    assert lines == [
        *("[env.prod.probes.health]", 'kind = "http"', 'path = "/health"'),
        '# Found but not understood: it has no status; the body\'s keys are "queue",',
        '# "phase".',
        "# Its answer with status 200 begins:",
        '#   {"queue": 3,',
        '#   "phase": "steady"}',
        "# Complete the assertion so that only a healthy answer passes it. A go is",
        "# impossible until this probe is complete.",
        '# assertions = [{ path = "$.phase", equals = "steady" }]',
    ]
    assert "health: /health was found but not understood" in health_table.stderr


def test_a_server_error_that_is_not_understood_is_not_healthy_now(health_table) -> None:
    text = "\n".join(health_table({"/health": (503, HTML, "<p>Service Unavailable</p>")}))

    assert "# Not healthy now: it answers 503." in text
    assert "#   <p>Service Unavailable</p>" in text
    assert "ignore" not in text
    assert "health: /health was found but not understood; not healthy now: it answers 503" in health_table.stderr


def test_a_server_error_beside_a_health_answer_is_told(health_table) -> None:
    pages = {"/-/ready": (503, TEXT, "Service Unavailable"), "/-/healthy": (200, TEXT, "Prometheus Server is Healthy.")}

    assert 'path = "/-/healthy"' in health_table(pages)
    assert "/-/ready answers 503" in health_table.stderr


def test_other_paths_that_deny_access_are_told(health_table) -> None:
    health_table({"/health": (401, TEXT, "no"), "/healthz": (403, TEXT, "no"), "/readyz": (200, TEXT, "ok")})

    assert "access is denied at /health, /healthz" in health_table.stderr


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ((200, TEXT, "OK"), (200, JSON, '{"phase": "steady"}')),
        ((200, JSON, '{"phase": "steady"}'), (200, JSON, "{}")),
        ((200, JSON, "{}"), (401, TEXT, "no")),
        ((401, TEXT, "no"), (200, HTML, "<p>fine</p>")),
    ],
)
def test_the_answer_that_says_most_is_taken_wherever_it_stands(health_table, better, worse) -> None:
    assert 'path = "/ping"' in health_table({"/health": worse, "/ping": better})


def test_without_a_health_answer_the_paths_that_were_tried_are_named(health_table) -> None:
    text = "\n".join(health_table({}))

    assert text.startswith("# No usual path has a health answer.")
    assert '# [env.prod.probes.health]\n# kind = "http"\n# path = "/..."\n# Tried: /health, /healthz,' in text
    assert "health: nothing found at the usual paths" in health_table.stderr


@pytest.mark.parametrize(
    "everything",
    [
        (303, TEXT, "", {"Location": "/login?next=/"}),
        (302, TEXT, "", {"Location": "https://elsewhere.example.net/"}),
        (200, HTML, "<html>app</html>"),
        (200, JSON, '{"status": "ok"}'),
        (200, TEXT, ""),
        (503, TEXT, "no"),
        (404, TEXT, "no"),
        (401, TEXT, "no"),
    ],
    ids=lambda page: f"{page[0]} {page[2]}",
)
def test_what_every_path_gets_is_no_health(health_table, everything) -> None:
    assert '# path = "/..."' in health_table({"everything": everything})


def test_a_health_path_that_needs_credentials_is_half_filled_in(health_table) -> None:
    pages = {"/api/health/checks/alarms": (401, TEXT, ""), "/": (200, HTML, "<html>RabbitMQ</html>")}
    lines = health_table(pages)

    assert lines == [
        *("[env.prod.probes.health]", 'kind = "http"', 'path = "/api/health/checks/alarms"'),
        "# It needs credentials: it answers 401. See connect above. A go is impossible",
        "# until this probe is complete.",
    ]
    assert "\n".join([CREDENTIALS, *EXAMPLE]) in Path("probes.toml").read_text()
    assert "health: /api/health/checks/alarms needs credentials: it answers 401" in health_table.stderr


def test_the_example_of_a_header_is_right_once_it_is_uncommented(health_table) -> None:
    health_table({"/health": (403, TEXT, "no")})

    text = Path("probes.toml").read_text()
    for line in EXAMPLE:
        text = text.replace(line, line.removeprefix("# "))
    Path("probes.toml").write_text(text)
    headers = load(Path("probes.toml")).targets["prod"].environment.connect.headers
    assert {name: str(value) for name, value in headers.items()} == {"Authorization": "$HEALTH_AUTHORIZATION"}


def test_an_api_that_denies_all_that_is_below_it_names_no_health_path(health_table) -> None:
    class Api(dict):
        def get(self, path, other=None):
            return (401, TEXT, "") if path.startswith("/api/") else super().get(path, other)

    assert '# path = "/..."' in health_table(Api())
    assert "every path needs credentials: it answers 401" in health_table.stderr


@pytest.mark.parametrize("pages", [{}, {"/health": (200, JSON, '{"phase": "steady"}')}, {"/health": (401, TEXT, "")}])
def test_what_is_not_complete_is_never_go(health_table, capfd, pages) -> None:
    health_table(pages)
    text = (
        Path("probes.toml")
        .read_text()
        .replace('settle = "30s"', 'settle = "0s"\nspread = "0s"\nattempt_interval = "0s"')
    )
    Path("probes.toml").write_text(text.replace('path = "/health"', 'path = "/health"\nrepeat = 2'))

    assert cli.run(["verify", "--env", "prod"]) in (10, 30)
    shown = capfd.readouterr().out
    assert "health-endpoint not verified" in shown or "health-endpoint is not" in shown
