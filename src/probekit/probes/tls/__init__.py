"""Which certificate does an address serve, and who would believe it?"""

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
    """Read the certificate without verifying it, then ask OpenSSL who believes it; each claim is its own reading."""
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
        **modern,  # a hello more
        **_of_all(served, now),
        different_certificates=Exact(bool(differs)),
    )


def _of_all(served: Sequence[Served], now: datetime) -> dict[str, Exact | Failure]:
    """The worst of all certificates that are served: a client of any signature family counts."""
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
    """A 0 before what is not known, and that before a 1."""
    return min(readings, key=lambda one: 0.5 if isinstance(one, Failure) else one.value)


def _unread(config: TlsProbe, base_url: str) -> dict[str, str]:
    """Every metric, where the port of an http:// base_url is all that the settings lead to."""
    if config.host or config.port or not base_url.startswith("http://"):
        return {}
    return dict.fromkeys(KIND.metric_names, "needs 'host', for an http:// base_url has no certificate")


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
            help="least time left of every certificate served and its validated path, exactly; negative once expired",
        ),
        Metric(
            name="trusted",
            unit="",
            high=1,
            help="1: a path to a trusted root verifies, its dates included",
        ),
        Metric(name="host_matches", unit="", high=1, help="1: a subjectAltName is the host asked for"),
        Metric(name="chain_complete", unit="", high=1, help="1: every intermediate of the path was sent"),
        Metric(
            name="different_certificates",
            unit="",
            help="1: another fingerprint or issuer than declared, or, with same_everywhere, than the first address's",
        ),
        Metric(
            name="modern_protocol",
            unit="",
            high=1,
            help="1: TLS 1.2 or newer was negotiated, and a hello of TLS 1.1 is refused",
        ),
        Metric(name="self_signed", unit="", high=1, help="1: the leaf is its own issuer"),
        Metric(name="weak_keys", unit="", help="keys of the path under 112 bits of security"),
        Metric(name="weak_signatures", unit="", help="certificates of the path signed with MD5 or SHA-1"),
    ),
    measure=measure,
    is_http=False,
    endpoint=endpoint,
    each_address=True,
    enabled_by_default=lambda base_url: base_url.startswith("https://"),
    unread=_unread,
    requests=lambda config: 13 if config.same_everywhere else 10,  # of two certificates, both not trusted
    example="""\
kind = "tls"
host = "app.example.com"  # none is needed for base_url's own certificate
port = 443
""",
)
