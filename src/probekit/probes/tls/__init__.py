"""Measure the certificates that an address serves, whether they are trusted, and its protocols."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from math import inf

from probekit.probe import Context, Exact, Failure, Kind, Metric, ProbeFailedError, Readings, Reason
from probekit.probes.tls.certificates import days_left, fingerprint_of, is_weak_key, is_weak_signature
from probekit.probes.tls.difference import difference
from probekit.probes.tls.families import shown_at
from probekit.probes.tls.handshakes import Door
from probekit.probes.tls.protocols import modern_protocol
from probekit.probes.tls.settings import TlsProbe, endpoint
from probekit.probes.tls.starttls import upgrade
from probekit.probes.tls.verification import Served, summaries, verified

__all__ = ["KIND", "TlsProbe", "endpoint", "measure"]


async def measure(config: TlsProbe, context: Context) -> Readings:
    """Read the certificates without verification, then let OpenSSL verify path, dates and name."""
    if context.address is None:
        raise ProbeFailedError(Reason.BUG, "the tls kind needs an address")
    begin = partial(upgrade, protocol=config.starttls) if config.starttls else None
    door = Door(context, context.address, begin)
    shown = await shown_at(door)
    now = context.now()
    served = [await verified(door, seen, now) for seen in shown.certificates]
    differs = await difference(config, door, served)
    preferred = shown.certificates[0]
    wanted = context.wanted or KIND.metric_names
    modern = {"modern_protocol": await modern_protocol(door, preferred)} if "modern_protocol" in wanted else {}
    return Readings(
        "; ".join(filter(None, (*summaries(served, now), shown.unasked, differs))),
        {"protocol": preferred.protocol, "fingerprint": ", ".join(fingerprint_of(one.leaf) for one in served)},
        **modern,
        **_of_all(served, now),
        different_certificates=Exact(bool(differs)),
    )


def _of_all(served: Sequence[Served], now: datetime) -> dict[str, Exact | Failure]:
    """Return the worst readings of all served certificates: clients of every signature family count."""
    leaves = [one.leaf for one in served]
    certificates = {certificate for one in served for certificate in one.certificates}
    return {
        "time_left": Exact(min(days_left(certificate, now) for certificate in certificates)),
        "trusted": Exact(all(one.trusted for one in served)),
        "host_matches": _worst([one.host_matches for one in served]),
        "chain_complete": _worst([one.chain_complete for one in served]),
        "self_signed": Exact(any(leaf.issuer == leaf.subject for leaf in leaves)),
        "weak_keys": Exact(sum(map(is_weak_key, certificates))),
        "weak_signatures": Exact(sum(map(is_weak_signature, certificates))),
    }


def _worst(readings: Sequence[Exact | Failure]) -> Exact | Failure:
    """Return the worst reading: 0, then a failure, then 1."""
    return min(readings, key=lambda one: 0.5 if isinstance(one, Failure) else one.value)


def _unread(config: TlsProbe, base_url: str) -> dict[str, str]:
    """Return every metric as unread, where only an http:// base_url is known."""
    if config.host or config.port or not base_url.startswith("http://"):
        return {}
    return dict.fromkeys(KIND.metric_names, "needs 'host', because an http:// base_url has no certificate")


KIND = Kind(
    config=TlsProbe,
    fills=("certificate",),
    layer="certificate",
    default_limits=lambda _: (
        "trusted == 1",
        "host_matches == 1",
        "chain_complete == 1",
        "modern_protocol == 1",
        "time_left > 30 d",
    ),
    metrics=(
        Metric(
            name="time_left",
            unit="d",
            low=-inf,
            help="Shortest time left of all served certificates and their verified paths; negative: expired.",
        ),
        Metric(
            name="trusted",
            unit="",
            high=1,
            help="1: a path to a trusted root verifies, dates included.",
        ),
        Metric(name="host_matches", unit="", high=1, help="1: a subjectAltName matches the requested host."),
        Metric(name="chain_complete", unit="", high=1, help="1: every intermediate certificate of the path was sent."),
        Metric(
            name="different_certificates",
            unit="",
            help="1: the fingerprint or issuer differs from the declared one or, with same_everywhere, the certificate "
            "from the first address's.",
        ),
        Metric(
            name="modern_protocol",
            unit="",
            high=1,
            help="1: TLS 1.2 or newer was negotiated, and a hello of TLS 1.1 is refused.",
        ),
        Metric(name="self_signed", unit="", high=1, help="1: the leaf certificate is its own issuer."),
        Metric(name="weak_keys", unit="", help="Number of keys of the path with less than 112 bits of security."),
        Metric(name="weak_signatures", unit="", help="Number of certificates of the path signed with MD5 or SHA-1."),
    ),
    measure=measure,
    is_http=False,
    endpoint=endpoint,
    each_address=True,
    enabled_by_default=lambda base_url: base_url.startswith("https://"),
    unread=_unread,
    requests=lambda config: 13 if config.same_everywhere else 10,  # for two certificates, both untrusted
    example="""\
kind = "tls"
host = "app.example.com"  # omit it for base_url's own certificate
port = 443
""",
)
