"""The certificate is read whatever it is; trust, name, dates, chain and protocol are separate claims."""

from __future__ import annotations

import socket
import ssl
import struct
import warnings
from contextlib import suppress
from datetime import timedelta
from itertools import chain, count, repeat
from pathlib import Path

import pytest
import trustme
from client_certificates import VERSIONS, Mutual
from pydantic import ValidationError
from tls_servers import NOW, issued, numbers, quiet, serving, tls_readings

from probekit.model.measurement import Failure, ProbeFailedError, Reason
from probekit.model.readings import Exact
from probekit.probes.tls import KIND, TlsProbe, endpoint
from probekit.probes.tls.handshakes import OLD, Hello
from probekit.transport.trust import Trust
from probekit.transport.urls import Endpoint


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def trusted_file(authority, tmp_path):
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return file


def server_context(leaf, *, chain=True):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    if not chain:
        with leaf.private_key_and_cert_chain_pem.tempfile() as file:
            text = Path(file).read_text("ascii")
        end = "-----END CERTIFICATE-----\n"
        with trustme.Blob((text[: text.index(end)] + end).encode()).tempfile() as only_leaf:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(only_leaf)
    return context


@pytest.fixture
def read(serve, trusted_file):
    """What the kind reads of a server with this context."""

    async def one(context, *, ca=trusted_file, trust=None, act=None, **settings):
        port, _ = await serve(act=act or quiet, tls=context)
        return await tls_readings(port, trust=trust or Trust(ca=ca), **settings)

    return one


async def test_a_good_certificate_passes_every_claim(authority, read) -> None:
    leaf = authority.issue_cert("app.test", not_after=NOW + timedelta(days=90, hours=12))

    readings = await read(server_context(leaf))

    assert set(readings.values) == KIND.metric_names
    found = numbers(readings)
    assert found.pop("time_left") == pytest.approx(90.5, abs=0.001)  # exact, not whole days
    assert found == {
        "trusted": 1,
        "host_matches": 1,
        "chain_complete": 1,
        "different_certificates": 0,
        "modern_protocol": 1,
        "self_signed": 0,
        "weak_keys": 0,
        "weak_signatures": 0,
    }
    assert readings.notes["protocol"] == "TLSv1.3"
    assert "certificate of app.test, issued by" in readings.summary


async def test_old_protocols_are_asked_for_only_where_that_is_wanted(authority, read) -> None:
    readings = await read(server_context(authority.issue_cert("app.test")), wanted=frozenset({"time_left"}))

    assert set(readings.values) == KIND.metric_names - {"modern_protocol"}


async def test_another_host_s_certificate_is_trusted_and_does_not_match(authority, read) -> None:
    readings = await read(server_context(authority.issue_cert("other.test")))

    found = numbers(readings)
    assert (found["trusted"], found["host_matches"], found["chain_complete"]) == (1, 0, 1)
    assert "refused: Hostname mismatch" in readings.summary


async def test_a_certificate_of_an_unknown_authority_is_not_trusted_and_its_name_is_judged_on_its_own(read) -> None:
    stranger = trustme.CA()

    right = await read(server_context(stranger.issue_cert("app.test")))
    wrong = await read(server_context(stranger.issue_cert("other.test")))

    assert (numbers(right)["trusted"], numbers(right)["host_matches"]) == (0, 1)
    assert (numbers(wrong)["trusted"], numbers(wrong)["host_matches"]) == (0, 0)
    assert isinstance(right.values["chain_complete"], Failure)
    assert right.values["chain_complete"].reason is Reason.BAD_RESPONSE


async def test_a_common_name_names_no_host(authority, read) -> None:
    leaf = authority.issue_cert("other.test", common_name="app.test")

    assert numbers(await read(server_context(leaf)))["host_matches"] == 0


@pytest.mark.parametrize(
    ("name", "host", "matches"),
    [
        ("*.app.test", "www.app.test", 1),
        ("*.app.test", "app.test", 0),
        ("*.app.test", "a.b.app.test", 0),
        ("127.0.0.1", "127.0.0.1", 1),
    ],
)
async def test_names_match_as_a_browser_matches_them(authority, read, name, host, matches) -> None:
    assert numbers(await read(server_context(authority.issue_cert(name)), host=host))["host_matches"] == matches


async def test_a_certificate_that_changes_between_two_handshakes_proves_nothing(authority, serve, trusted_file) -> None:
    first, then = (server_context(authority.issue_cert("app.test")) for _ in range(2))
    contexts = chain([first], repeat(then))

    class Alternating:
        async def __call__(self, reader, writer):
            with suppress(ssl.SSLError):
                await writer.start_tls(next(contexts))
                await reader.read()

    port, _ = await serve(act=Alternating())

    with pytest.raises(ProbeFailedError, match="more than one certificate"):
        await tls_readings(port, trust=Trust(ca=trusted_file))


async def test_a_missing_intermediate_leaves_no_trusted_path(read, tmp_path) -> None:
    root = trustme.CA()
    leaf = root.create_child_ca().issue_cert("app.test")
    file = tmp_path / "root.pem"
    root.cert_pem.write_to_path(file)

    whole = numbers(await read(server_context(leaf), ca=file))
    lacking = numbers(await read(server_context(leaf, chain=False), ca=file))

    assert (whole["trusted"], whole["chain_complete"]) == (1, 1)
    assert lacking["trusted"] == 0


async def test_an_intermediate_that_only_we_know_does_not_make_the_chain_complete(read, tmp_path) -> None:
    root = trustme.CA()
    middle = root.create_child_ca()
    leaf = middle.issue_cert("app.test")
    file = tmp_path / "both.pem"
    file.write_bytes(root.cert_pem.bytes() + middle.cert_pem.bytes())

    found = numbers(await read(server_context(leaf, chain=False), ca=file))

    assert (found["trusted"], found["chain_complete"]) == (1, 0)


async def test_weak_keys_and_self_signing_are_told(read) -> None:
    found = numbers(await read(serving(*issued("app.test", days=90, bits=1024))))

    assert (found["self_signed"], found["weak_keys"], found["trusted"], found["chain_complete"]) == (1, 1, 0, 1)
    assert found["host_matches"] == 1


async def test_an_old_protocol_is_told_and_the_certificate_read_all_the_same(authority, read) -> None:
    context = server_context(authority.issue_cert("app.test", key_type=trustme.KeyType.RSA))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the point of this test
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")

    readings = await read(context)

    assert numbers(readings)["modern_protocol"] == 0
    assert readings.notes["protocol"] == "TLSv1.1"
    assert numbers(readings)["time_left"] > 0


async def test_a_server_that_speaks_both_can_be_talked_down(authority, read) -> None:
    context = server_context(authority.issue_cert("app.test"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of ssl.TLSVersion.TLSv1
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")

    readings = await read(context)

    assert readings.notes["protocol"] == "TLSv1.3"
    assert readings.values["modern_protocol"] == Exact(0)


ALERT = b"\x15\x03\x01\x00\x02\x02"


@pytest.fixture
def asked_for_old(authority, serve, trusted_file):
    """A function from the bytes that answer a hello of TLS 1.1 to what they say; what is asked before it is served."""
    leaf = server_context(authority.issue_cert("app.test"))

    async def asked(answer):
        connections = count(1)

        async def act(reader, writer):
            if (
                next(connections) <= 4
            ):  # the certificate is read, another family and its own are asked for, and verified
                with suppress(ssl.SSLError):
                    await writer.start_tls(leaf)
                    await reader.read()
            elif answer is not None:
                await reader.read(4096)
                writer.write(answer)
                await writer.drain()
            else:
                await reader.read()

        port, _ = await serve(act=act)
        return (await tls_readings(port, trust=Trust(ca=trusted_file), timeout=1)).values

    return asked


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (ALERT + b"\x46", Exact(1)),  # protocol_version
        (ALERT + b"\x28", Exact(1)),  # handshake_failure
        (b"", Exact(1)),  # closed
        (ALERT + b"\x70", None),  # unrecognized_name
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", None),
        (b"\x16\x03\x01\xff\xff" + bytes(100), None),
        (b"\x15\x03\x01\x00\x00", None),
    ],
)
async def test_only_a_refusal_says_that_old_protocols_are_refused(asked_for_old, answer, found) -> None:
    reading = (await asked_for_old(answer))["modern_protocol"]

    assert reading == found if found else isinstance(reading, Failure)


async def test_a_machine_that_may_not_speak_old_protocols_has_no_reading(asked_for_old, monkeypatch) -> None:
    ours = Hello.unverifying

    def forbidden():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the point of this test
            context.options |= ssl.OP_NO_TLSv1_3
        return context

    monkeypatch.setattr(Hello, "unverifying", lambda hello, trust: forbidden() if hello == OLD else ours(hello, trust))

    reading = (await asked_for_old(b""))["modern_protocol"]

    assert isinstance(reading, Failure)
    assert "NO_PROTOCOLS_AVAILABLE" in reading.detail


async def test_a_hello_that_is_not_answered_leaves_it_open(asked_for_old) -> None:
    values = await asked_for_old(None)

    assert values["trusted"] == Exact(1)
    assert values["modern_protocol"].reason is Reason.TIMEOUT


# ---------------------------------------------------------------- servers that demand a client certificate


@pytest.fixture
def mutual(tmp_path_factory):
    return Mutual(tmp_path_factory.mktemp("mutual"))


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_server_that_takes_the_client_certificate_is_read_as_any_other(mutual, read, version) -> None:
    readings = await read(mutual.server(version), trust=mutual.trust("right"))

    assert set(readings.values) == KIND.metric_names
    found = numbers(readings)
    assert (found["trusted"], found["host_matches"], found["modern_protocol"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("certificate", "told"),
    [(None, "received none; configure connect.client_cert"), ("wrong", "rejected that of connect.client_cert")],
)
async def test_with_tls_1_2_a_demanded_certificate_denies_the_handshake(mutual, read, certificate, told) -> None:
    with pytest.raises(ProbeFailedError) as failed:
        await read(mutual.server(ssl.TLSVersion.TLSv1_2), trust=mutual.trust(certificate))

    assert failed.value.reason is Reason.ACCESS_DENIED
    assert told in failed.value.detail


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_handshake_may_be_denied_without_a_word(mutual, read, how) -> None:
    with pytest.raises(ProbeFailedError) as failed:
        await read(None, act=mutual.ends(ssl.TLSVersion.TLSv1_2, how), trust=mutual.trust(None))

    assert failed.value.reason is Reason.ACCESS_DENIED
    assert "configure connect.client_cert" in failed.value.detail


@pytest.mark.parametrize("certificate", [None, "wrong"])
async def test_with_tls_1_3_the_certificate_was_shown_before_the_refusal_and_is_read(mutual, read, certificate) -> None:
    found = numbers(await read(mutual.server(), trust=mutual.trust(certificate)))

    assert (found["trusted"], found["host_matches"], found["modern_protocol"]) == (1, 1, 1)
    assert found["time_left"] > 0


@pytest.mark.parametrize("certificate", [None, "right"])
async def test_a_server_that_speaks_old_tls_and_then_asks_for_a_certificate_speaks_it(
    mutual, read, certificate
) -> None:
    context = mutual.server()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of ssl.TLSVersion.TLSv1
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")

    readings = await read(context, trust=mutual.trust(certificate))

    assert readings.values["modern_protocol"] == Exact(0)


# ---------------------------------------------------------------- STARTTLS


@pytest.fixture
def begun(serve, trusted_file):
    """A function from what a server says and does before its handshake to the kind's readings."""

    async def begun(context, protocol, talk, **settings):
        async def act(reader, writer):
            if await talk(reader, writer):
                with suppress(ssl.SSLError):  # of a hello for another family
                    await writer.start_tls(context)
                    await reader.read()

        port, _ = await serve(act=act)
        return await tls_readings(port, trust=Trust(ca=trusted_file), starttls=protocol, **settings)

    return begun


def postgres(answer):
    async def talk(reader, writer):
        assert await reader.readexactly(8) == b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
        writer.write(answer)
        await writer.drain()
        return answer == b"S"

    return talk


def smtp(*answers):
    async def talk(reader, writer):
        for answer in answers:
            writer.write(answer)
            await writer.drain()
            if answer is not answers[-1]:
                await reader.readline()
        return answers[-1] == GO

    return talk


GREETING, GO = b"220 mail.test ESMTP\r\n", b"220 go ahead\r\n"
OFFER = b"250-mail.test\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"


@pytest.mark.parametrize(("protocol", "talk"), [("postgres", postgres(b"S")), ("smtp", smtp(GREETING, OFFER, GO))])
async def test_tls_may_begin_on_a_plain_connection(authority, begun, protocol, talk) -> None:
    readings = await begun(server_context(authority.issue_cert("app.test")), protocol, talk)

    found = numbers(readings)
    assert (found["trusted"], found["host_matches"], found["modern_protocol"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("protocol", "talk", "told"),
    [
        ("postgres", postgres(b"N"), "offers no TLS"),
        ("postgres", postgres(b"E"), "does not answer as PostgreSQL"),
        ("postgres", postgres(b""), "does not answer as PostgreSQL"),
        ("postgres", postgres(b"S" + b"early"), "sent unexpected data"),
        ("smtp", smtp(b"SSH-2.0-OpenSSH\r\n"), "does not answer as SMTP"),
        ("smtp", smtp(b"450x no reply\r\n"), "does not answer as SMTP"),
        ("smtp", smtp(b"220-mail.test\r\n454 no\r\n"), "does not answer as SMTP"),
        ("smtp", smtp(GREETING, b"250 mail.test\r\n"), "offers no STARTTLS"),
        ("smtp", smtp(GREETING, OFFER, b"250 fine\r\n"), "does not answer as SMTP"),
        ("smtp", smtp(GREETING, OFFER, GO + b"250 early\r\n"), "sent unexpected data"),
        ("smtp", smtp(b"220-more\r\n" * 80), "more than 50 lines"),
        ("smtp", smtp(b"220 " + b"x" * 200_000), "closed the connection or sent too long a line"),
        ("smtp", smtp(b"220 no end"), "closed the connection or sent too long a line"),
    ],
)
async def test_what_is_no_way_to_tls_is_no_reading(authority, begun, protocol, talk, told) -> None:
    with pytest.raises(ProbeFailedError) as failed:
        await begun(server_context(authority.issue_cert("app.test")), protocol, talk)

    assert failed.value.reason is Reason.BAD_RESPONSE
    assert told in failed.value.detail


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ((GREETING, OFFER, b"454 TLS not available\r\n"), "declined TLS temporarily: 454 to STARTTLS; try again later"),
        ((GREETING, OFFER, b"454-one\r\n454 two\r\n"), "declined TLS temporarily: 454 to STARTTLS; try again later"),
        ((GREETING, b"421 busy\r\n"), "declined TLS temporarily: 421 to EHLO; try again later"),
        ((b"421\r\n",), "declined TLS temporarily: 421 as its greeting; try again later"),
        ((GREETING, OFFER, b"501 no\r\n"), "refused TLS: 501 to STARTTLS"),
        ((b"554 no\r\n",), "refused TLS: 554 as its greeting"),
    ],
)
async def test_a_refusal_in_smtp_s_own_words_is_no_protocol_error(authority, begun, answers, told) -> None:
    with pytest.raises(ProbeFailedError) as failed:
        await begun(server_context(authority.issue_cert("app.test")), "smtp", smtp(*answers))

    assert failed.value.reason is Reason.ACCESS_DENIED
    assert failed.value.detail.endswith(f" {told}")


async def test_a_reset_before_the_hello_refuses_no_protocol(authority, begun) -> None:
    connections = count(1)

    async def talk(reader, writer):
        if next(connections) <= 4:  # what is asked before TLS 1.1
            return await smtp(GREETING, OFFER, GO)(reader, writer)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    readings = await begun(server_context(authority.issue_cert("app.test")), "smtp", talk)

    assert isinstance(readings.values["modern_protocol"], Failure)
    assert "reset the connection" in readings.values["modern_protocol"].detail


def test_a_protocol_has_a_port_of_its_own() -> None:
    assert endpoint(TlsProbe(host="db.test", starttls="postgres"), "https://app.test") == Endpoint("db.test", 5432)
    assert endpoint(TlsProbe(starttls="smtp"), "https://app.test") == Endpoint("app.test", 25)


@pytest.fixture
def pair(authority, serve, read):
    """Two addresses with two good certificates: what is read of the first and of the second."""
    leaves = [authority.issue_cert("app.test") for _ in range(2)]

    async def pair(**settings):
        first = await read(server_context(leaves[0]), **settings)
        port, _ = await serve(act=quiet, tls=server_context(leaves[0]))
        return first, await read(server_context(leaves[1]), others=(port,), **settings)

    return pair


async def test_two_addresses_may_serve_two_good_certificates(pair) -> None:
    readings = await pair()

    assert [numbers(one)["different_certificates"] for one in readings] == [0, 0]
    assert [numbers(one)["trusted"] for one in readings] == [1, 1]
    assert readings[0].notes["fingerprint"] != readings[1].notes["fingerprint"]


async def test_two_certificates_differ_where_one_is_declared_for_every_address(pair) -> None:
    readings = await pair(same_everywhere=True)

    assert [numbers(one)["different_certificates"] for one in readings] == [0, 1]
    assert "serves another certificate" in readings[1].summary
    assert numbers(readings[1])["trusted"] == 1


async def test_an_address_without_the_declared_certificate_fails_alone(pair) -> None:
    fingerprint = (await pair())[0].notes["fingerprint"]

    readings = await pair(fingerprint=fingerprint)

    assert [numbers(one)["different_certificates"] for one in readings] == [0, 1]


async def test_one_certificate_at_every_address_is_the_same_everywhere(authority, serve, read) -> None:
    context = server_context(authority.issue_cert("app.test"))
    first, _ = await serve(act=quiet, tls=context)

    found = numbers(await read(context, others=(first,), same_everywhere=True))

    assert found["different_certificates"] == 0


@pytest.mark.parametrize(
    ("declared", "different", "told"),
    [
        (lambda leaf: {"fingerprint": leaf.upper()}, 0, ""),
        (lambda leaf: {"fingerprint": leaf, "same_everywhere": True}, 0, ""),
        (lambda _: {"fingerprint": "0" * 64}, 1, "; the fingerprint differs from the declared one"),
        (lambda _: {"issuer": "another"}, 1, "; the issuer differs from the declared one"),
    ],
)
async def test_a_declared_fingerprint_or_issuer_is_held_against_the_leaf(
    authority, read, declared, different, told
) -> None:
    context = server_context(authority.issue_cert("app.test"))
    fingerprint = (await read(context)).notes["fingerprint"]

    readings = await read(context, **declared(fingerprint))

    assert numbers(readings)["different_certificates"] == different
    assert readings.summary.endswith(told)


@pytest.mark.parametrize(
    ("silent", "settings", "told"),
    [
        (True, {}, "TLS handshake timeout: 127.0.0.1:{} accepted the connection and did not finish within 0.5 s"),
        (True, {"starttls": "smtp"}, "STARTTLS timeout: 127.0.0.1:{} accepted the connection"),
        (True, {"starttls": "postgres"}, "STARTTLS timeout: 127.0.0.1:{} accepted the connection"),
        (False, {}, "TLS handshake with 127.0.0.1:{} failed"),
    ],
)
async def test_where_no_tls_is_spoken_there_is_no_reading(serve, silent, trusted_file, settings, told) -> None:
    async def no_tls(reader, writer):
        if silent:
            await reader.read()
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        await writer.drain()

    port, _ = await serve(act=no_tls)

    with pytest.raises(ProbeFailedError) as caught:
        await tls_readings(port, trust=Trust(ca=trusted_file), host="127.0.0.1", timeout=0.5, **settings)

    assert caught.value.reason is Reason.UNREACHABLE
    assert caught.value.detail.startswith(told.format(port))


def test_host_and_port_are_those_of_the_base_url_where_nothing_is_said() -> None:
    assert endpoint(TlsProbe(), "https://app.test:8443/x") == Endpoint("app.test", 8443)
    assert endpoint(TlsProbe(host="mail.test"), "https://app.test:8443") == Endpoint("mail.test", 443)
    assert KIND.enabled_by_default("https://app.test")
    assert not KIND.enabled_by_default("http://app.test")


def test_a_fingerprint_is_64_hex_digits() -> None:
    with pytest.raises(ValidationError, match="must be a SHA-256 in hex"):
        TlsProbe(fingerprint="abc")
