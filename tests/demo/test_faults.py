from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl

import httpx
import pytest
from cryptography import x509

from probekit.demo.errors import DemoError
from probekit.demo.target import FAULTS, Target

OTHERS = {
    "/": 200,
    "/api/version": 200,
    "/api/orders": 200,
    "/api/search?q=lamp": 200,
    "/api/infrastructure/health": 200,
    "/api/me": 401,
    "/metrics": 200,
    "/nope": 404,
}


def statuses(client: httpx.Client, count: int) -> list[int]:
    return [client.get("/health").status_code for _ in range(count)]


def certificate(target: Target) -> x509.Certificate:
    """The certificate that a new connection gets, believed or not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    port = httpx.URL(target.base_url).port or 0
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as secured,
    ):
        return x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")


def test_the_good_certificate_lasts(target: Target) -> None:
    served = certificate(target)

    assert served.not_valid_after_utc > dt.datetime.now(dt.UTC) + dt.timedelta(days=300)
    assert names(served) == ["localhost"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_leaves_all_other_routes_alone(fault: str, target: Target, client: httpx.Client) -> None:
    client.get("/")  # faults of certificates show on new connections
    target.plant(fault)

    seen = {path: client.get(path).status_code for path in OTHERS}

    assert seen == OTHERS


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"old-version"}))
def test_every_other_fault_leaves_the_version_alone(fault: str, target: Target, client: httpx.Client) -> None:
    client.get("/")
    target.plant(fault)

    answer = client.get("/api/version")

    assert answer.json() == {"version": target.version}


@pytest.mark.parametrize("fault", ["old-version", "half-broken", "one-stray-error", "hang"])
def test_a_fault_that_is_not_about_certificates_leaves_them_alone(fault: str, target: Target) -> None:
    before = certificate(target)

    target.plant(fault)

    assert certificate(target) == before


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_hang_accepts_the_request_and_never_answers(method: str, target: Target, client: httpx.Client) -> None:
    target.plant("hang")

    with pytest.raises(httpx.ReadTimeout):
        client.request(method, "/health", timeout=0.3)


def test_expired_cert_is_for_localhost_and_ran_out_yesterday(target: Target, client: httpx.Client) -> None:
    target.plant("expired-cert")

    with pytest.raises(httpx.ConnectError, match="certificate has expired"):
        client.get("/health")
    served = certificate(target)
    age = dt.datetime.now(dt.UTC) - served.not_valid_after_utc
    assert dt.timedelta(days=1) <= age < dt.timedelta(days=1, hours=1)
    assert names(served) == ["localhost"]


def test_wrong_host_cert_is_valid_for_another_host(target: Target, client: httpx.Client) -> None:
    target.plant("wrong-host-cert")

    with pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
        client.get("/health")
    served = certificate(target)
    assert served.not_valid_after_utc > dt.datetime.now(dt.UTC) + dt.timedelta(days=30)
    assert names(served) == ["other.example.test"]


def test_no_session_can_be_resumed_past_a_planted_certificate(target: Target) -> None:
    context = ssl.create_default_context(cafile=target.ca_file)
    port = httpx.URL(target.base_url).port or 0
    key = target.key_file.read_bytes().strip()

    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Demo-Key: %s\r\n\r\n" % key)
        while secured.recv(4096):
            pass

        assert secured.session is None or not secured.session.has_ticket


def test_old_version_says_so(target: Target, client: httpx.Client) -> None:
    target.plant("old-version")

    assert client.get("/api/version").json() == {"version": "2.3.0"}
    assert statuses(client, 4) == [200] * 4


def test_half_broken_fails_every_second_health(target: Target, client: httpx.Client) -> None:
    target.plant("half-broken")

    assert statuses(client, 6) == [200, 503, 200, 503, 200, 503]


def test_half_broken_counts_gets_only(target: Target, client: httpx.Client) -> None:
    target.plant("half-broken")

    seen = [client.request(method, "/health").status_code for method in ("GET", "HEAD", "GET")]

    assert seen == [200, 200, 503]


def test_one_stray_error_is_the_third_health_from_planting_on(target: Target, client: httpx.Client) -> None:
    statuses(client, 2)
    target.plant("one-stray-error")

    assert statuses(client, 8) == [200, 200, 503, 200, 200, 200, 200, 200]


def test_mending_takes_a_fault_back(target: Target, client: httpx.Client) -> None:
    for fault in FAULTS:
        target.plant(fault)

    target.mend()

    assert statuses(client, 4) == [200] * 4
    assert client.get("/api/version").json() == {"version": target.version}


def test_an_unknown_fault_is_refused_with_those_that_exist(target: Target) -> None:
    with pytest.raises(DemoError, match="there is no fault 'flood'; there are hang, expired-cert,"):
        target.plant("flood")


def test_a_hang_is_not_ended_by_another_client(target: Target, client: httpx.Client) -> None:
    target.plant("hang")
    with contextlib.suppress(httpx.ReadTimeout):
        client.get("/health", timeout=0.1)

    answer = client.get("/api/version", timeout=1)

    assert answer.status_code == 200


def names(served: x509.Certificate) -> list[str]:
    found = served.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return found.get_values_for_type(x509.DNSName)
