"""Where init looks: a named path first, below a prefix, where `/` leads to; and what cannot be looked at."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from probekit.config.loader import load

OK = (200, "application/json", '{"status": "ok"}')
PAGE = (200, "text/html", "<html>app</html>")
UNKNOWN = (200, "application/json", '{"phase": "steady"}')


def paths(server) -> list[str]:
    return [path for path, _ in server.requests if "probekit-" not in path]


def test_a_named_path_is_looked_at_first_and_the_base_url_is_the_origin(init, site) -> None:
    server = site({"/": PAGE, "/internal/state": OK, "/health": OK})

    assert init(f"{server.url}/internal/state").returncode == 0

    assert paths(server)[:2] == ["/", "/internal/state"]
    assert "/health" not in paths(server)
    text = Path("probes.toml").read_text()
    assert f'base_url = "{server.url}"' in text
    assert 'path = "/internal/state"' in text


@pytest.mark.parametrize("answer", [UNKNOWN, (503, "text/plain", "busy"), (200, "application/json", "{}")])
def test_a_named_path_is_taken_although_another_says_more(health_table, answer) -> None:
    assert 'path = "/state"' in health_table({"/state": answer, "/health": OK}, path="/state")


@pytest.mark.parametrize("status", [400, 503])
def test_a_named_path_that_is_not_well_is_taken_with_its_status(health_table, status) -> None:
    lines = health_table({"/ready": (status, "text/plain", ""), "/live": OK, "/health": OK}, path="/ready")

    assert lines[2:4] == ['path = "/ready"', f"# Not healthy now: it answers {status}."]
    assert lines[-1] == "# assertions = [{ status = 200 }]"


def test_a_named_path_is_taken_where_every_path_answers_503(health_table) -> None:
    lines = health_table({"everything": (503, "text/html", "<h1>503 Service Unavailable</h1>")}, path="/up")

    assert lines[2:4] == ['path = "/up"', "# Not healthy now: it answers 503."]
    assert "made-up paths also answer 503" in health_table.stderr


@pytest.mark.parametrize("status", [408, 429, 472, 501])
def test_a_named_path_with_a_status_of_its_own_is_taken(health_table, status) -> None:
    """429 and 472 are standbys of Vault, 408 is Elasticsearch without a green cluster."""
    lines = health_table({"/v1/state": (status, "application/json", '{"sealed": false}')}, path="/v1/state")

    assert lines[2:4] == ['path = "/v1/state"', f"# Not healthy now: it answers {status}."]
    assert '#   {"sealed": false}' in lines


@pytest.mark.parametrize("path", ["", "/health"])
def test_a_path_whose_answer_cannot_be_read_is_told_and_taken(health_table, path) -> None:
    unreadable = (200, "application/json", "x", {"Content-Encoding": "br"})

    lines = health_table({"/health": unreadable, "/ping": (200, "text/plain", "pong")}, path=path)

    assert lines[2] == 'path = "/health"'
    assert lines[3].startswith("# Found but not understood: the body has the content coding 'br'")


def test_a_path_that_hangs_is_told_and_taken(health_table, monkeypatch) -> None:
    monkeypatch.setattr("probekit.cli.init_command._TIMEOUT", 0.3)
    broken = (200, "text/plain", "ok", {"Content-Length": "9"})  # seven bytes never come

    lines = health_table({"/health": broken, "/ping": (200, "text/plain", "pong")})

    assert lines[2] == 'path = "/health"'
    assert re.match(r"# Not healthy now: 127\.0\.0\.1:\d+ closed the connection before the end of", lines[3])
    assert "health: /health was found but not understood; not healthy now: 127.0.0.1:" in health_table.stderr


def test_an_unreadable_path_beside_a_health_answer_is_told(health_table) -> None:
    pages = {"/health": (200, "text/plain", "x", {"Content-Encoding": "br"}), "/healthz": OK}

    assert 'path = "/healthz"' in health_table(pages)
    assert "/health: the body has the content coding 'br'" in health_table.stderr


@pytest.mark.parametrize(("path", "leads"), [("/health", "/health/"), ("/health", "health/"), ("/health/", "/health")])
@pytest.mark.parametrize("is_named", [True, False])
def test_a_path_that_leads_to_itself_with_a_slash_is_followed(health_table, path, leads, is_named) -> None:
    pages = {path: (301, "text/plain", "", {"Location": leads}), f"/{leads.lstrip('/')}": OK}
    if not is_named and path == "/health/":
        pages |= {"/health": OK}

    lines = health_table(pages, path=path.rstrip("/") if is_named else "")

    assert 'path = "/health' in lines[2]
    assert len(lines) == 3
    assert "no readable health answer" not in health_table.stderr


@pytest.mark.parametrize("leads", ["/health", "/", "/home", "https://elsewhere.example.net/health/", "//[bad"])
def test_no_other_redirect_of_a_health_path_is_followed(health_table, leads) -> None:
    health = (301, "text/plain", "", {"Location": leads})
    pages = {"/health": health, "/health/": (301, "text/plain", "", {"Location": "/health"}), "/home": OK}

    assert '# path = "/..."' in health_table(pages)


def test_two_paths_that_lead_to_each_other_end(health_table) -> None:
    pages = {
        path: (301, "text/plain", "", {"Location": leads})
        for path, leads in [("/health", "/health/"), ("/health/", "/health")]
    }

    assert '# path = "/..."' in health_table(pages)


def test_what_a_named_path_leads_to_counts_as_named(health_table) -> None:
    pages = {"/state": (301, "text/plain", "", {"Location": "/state/"}), "/state/": (429, "text/plain", "")}

    assert health_table(pages, path="/state")[2:4] == ['path = "/state/"', "# Not healthy now: it answers 429."]


def test_a_named_path_that_denies_access_as_all_others_do_is_taken(health_table) -> None:
    lines = health_table({"everything": (401, "text/plain", "no")}, path="/state")

    assert 'path = "/state"' in lines
    assert "# It needs credentials: it answers 401. See connect above. A go is impossible" in lines


def test_a_named_path_that_is_not_there_is_told(health_table) -> None:
    assert 'path = "/health"' in health_table({"/health": OK}, path="/stat")
    assert "/stat has no readable health answer: /health is used instead" in health_table.stderr


def test_below_a_named_prefix_is_looked_before_another_application_of_the_host(health_table) -> None:
    pages = {"/shop": PAGE, "/shop/actuator/health": OK, "/health": OK}

    assert 'path = "/shop/actuator/health"' in health_table(pages, path="/shop")


def test_a_slash_alone_is_no_named_path(health_table) -> None:
    assert 'path = "/health"' in health_table({"/": PAGE, "/health": OK}, path="/")
    assert "no readable health answer" not in health_table.stderr


@pytest.mark.parametrize("leads", ["/ui/", "ui/", "/ui/?tab=1"])
def test_below_the_page_that_the_root_leads_to_is_looked_last(health_table, leads) -> None:
    pages = {"/": (302, "text/plain", "", {"Location": leads}), "/ui/": PAGE, "/ui/healthz": OK}

    assert 'path = "/ui/healthz"' in health_table(pages)


def test_the_usual_paths_come_before_those_below_the_page_of_the_root(health_table) -> None:
    pages = {"/": (302, "text/plain", "", {"Location": "/ui/"}), "/ui/": PAGE, "/ui/health": OK}

    assert 'path = "/health"' in health_table({**pages, "/health": OK})


def test_a_root_that_leads_elsewhere_is_told_and_not_followed(init, site) -> None:
    other = site({"everything": OK})
    server = site({"/": (302, "text/plain", "", {"Location": f"{other.url}/x?token=1"})})

    stderr = " ".join(init(server.url).stderr.split())
    hint = "which is another origin and not followed; if that is the system, give its URL instead"
    assert f"/ redirects to {other.url}/x, {hint}" in stderr
    assert other.requests == []


def test_a_root_that_leads_nowhere_is_no_crash(health_table) -> None:
    assert 'path = "/health"' in health_table({"/": (302, "text/plain", "", {"Location": "//[bad"}), "/health": OK})


def test_the_page_that_the_root_leads_to_is_the_one_whose_headers_are_read(init, site, certified) -> None:
    authority, context = certified
    pages = {"/": (302, "text/plain", "", {"Location": "/ui/"}), "/ui/": PAGE, "/health": OK}
    server = site(pages, tls=context)

    assert init(server.url, "--ca", str(authority)).returncode == 0

    assert 'kind = "security_headers"\npages = ["/ui/"]' in Path("probes.toml").read_text()
    assert load(Path("probes.toml")).targets["prod"].environment.connect.ca == authority


def test_an_unreadable_root_does_not_hide_a_health_path(health_table) -> None:
    unreadable = (200, "text/html", "x", {"Content-Encoding": "br"})

    assert 'path = "/health"' in health_table({"/": unreadable, "/health": OK})
    assert "/ cannot be read: the body has the content coding 'br'" in health_table.stderr


@pytest.fixture
def certified(tmp_path):
    """The file of an authority that nobody knows, and a server's context with a certificate of it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem", context


@contextmanager
def listening(answer: bytes | None) -> Iterator[str]:
    """The URL of a server that says these bytes to whoever connects; None: nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                kept.append(connection)
                if answer is not None:
                    connection.recv(4096)
                    connection.sendall(answer)
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in kept:
                connection.close()


def refused(result, words: str) -> None:
    assert (result.returncode, result.stdout) == (64, "")
    assert "nothing was written: " in result.stderr
    assert words in result.stderr
    assert not Path("probes.toml").exists()


def test_a_dead_host_leaves_no_file(init) -> None:
    refused(init("http://127.0.0.1:1"), "connection refused by 127.0.0.1:1")


def test_a_name_that_does_not_resolve_leaves_no_file(init) -> None:
    refused(init("http://nowhere.invalid"), "nowhere.invalid")


def test_a_host_that_never_answers_leaves_no_file(init, monkeypatch) -> None:
    monkeypatch.setattr("probekit.cli.init_command._TIMEOUT", 0.2)
    with listening(None) as url:
        refused(init(url), "no response from 127.0.0.1")


@pytest.mark.parametrize(
    "answer", [b"220 mail.example.com ESMTP\r\n", b"-ERR unknown command 'GET'\r\n", b"\x16\x03\x01"]
)
def test_what_does_not_speak_http_leaves_no_file(init, answer) -> None:
    with listening(answer) as url:
        refused(init(url), "does not speak HTTP/1.1")


def test_an_untrusted_certificate_leaves_no_file(init, site, certified) -> None:
    server = site({"/health": OK}, tls=certified[1])

    result = init(server.url)

    refused(result, "certificate verification failed")
    assert "--ca" in result.stderr


def test_https_asked_of_plain_http_leaves_no_file(init, site) -> None:
    result = init(site({"/health": OK}).url.replace("http://", "https://"))

    refused(result, "TLS handshake with 127.0.0.1")
    assert "the answer is not valid TLS: check scheme and port" in result.stderr


def test_plain_http_asked_of_https_leaves_no_file(init, site) -> None:
    nginx = (400, "text/html", "<center>The plain HTTP request was sent to HTTPS port</center>")

    refused(init(site({"everything": nginx}).url), "the port requires https")


def test_a_site_that_wants_fewer_requests_leaves_no_file(init, site) -> None:
    refused(init(site({"everything": (429, "text/plain", "slow down")}).url), "rate limited (429")


@pytest.mark.parametrize("output", ["missing/probes.toml", "/dev/null/probes.toml"])
def test_a_file_that_cannot_be_written_is_told(init, site, output) -> None:
    result = init(site({"/health": OK}).url, "--output", output)

    assert result.returncode == 64
    assert f"{output} cannot be written" in result.stderr


def test_versions_are_found_where_programs_tell_them(init, site) -> None:
    pages = {"/": (200, "application/json", json.dumps({"name": "n", "version": {"number": "8.1.0"}}))}

    assert "version: 8.1.0 at /\n" in init(site(pages).url).stderr
    assert 'at = "$.version.number"' in Path("probes.toml").read_text()
