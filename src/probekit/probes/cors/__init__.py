"""Measure which other origins may use an API, by the rules that browsers follow (Fetch standard, CORS protocol)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

from probekit.probe import Context, Exact, Kind, Metric, Readings, http_endpoint
from probekit.probes.cors import rules
from probekit.probes.cors.asking import ask_as_allowed, ask_as_foreign, require_access, require_route
from probekit.probes.cors.origins import look_alikes, own_origin, unknown_origin
from probekit.probes.cors.settings import CorsProbe

_SHOWN: Final = 12  # violations in one summary


async def measure(config: CorsProbe, context: Context) -> Readings:
    """Send requests as every allowed origin and as foreign ones, by preflight and by GET, and compare the answers."""
    own = own_origin(config.target(context.base_url))
    allowed = (unknown_origin(),) if config.is_public else config.named_origins
    foreign = look_alikes((own,) if config.is_closed else config.named_origins, config.foreign_origins, own=own)
    to_allowed = [reply for origin in allowed for reply in await ask_as_allowed(config, context, origin)]
    to_foreign = [reply for origin in foreign for reply in await ask_as_foreign(config, context, origin)]
    replies = [*to_allowed, *to_foreign]
    await require_access(config, context, replies)
    require_route(config, replies)
    admitted = rules.foreign_admitted(config, to_foreign)
    surplus = [*rules.surplus(config, to_allowed, admitted)]
    violations = [
        *rules.admitted(foreign, admitted),
        *chain.from_iterable(rules.refusals(config, reply) for reply in to_allowed),
        *rules.wildcard(replies),
        *rules.unvaried(replies),
        *rules.undeclared(config, replies, (*allowed, *foreign, own)),
        *(surplus if config.strict else ()),
    ]
    return Readings(
        "; ".join(_cut(violations)) or _good(config, foreign),
        {"tried": ", ".join(foreign)} | ({"beyond_declared": "; ".join(_cut(surplus))} if surplus else {}),
        violations=Exact(len(violations)),
        foreign_with_credentials=Exact(len(admitted.with_credentials)),
    )


def _good(config: CorsProbe, foreign: Sequence[str]) -> str:
    if config.is_public:
        return "every origin is allowed as declared, none with credentials"
    allowed = "no origin is allowed" if config.is_closed else f"allowed as declared: {', '.join(config.named_origins)}"
    return f"{allowed}; {len(foreign)} foreign origins are refused"


def _cut(summary: Sequence[str]) -> list[str]:
    return [*summary[:_SHOWN], *([f"{len(summary) - _SHOWN} more"] if len(summary) > _SHOWN else [])]


KIND = Kind(
    config=CorsProbe,
    fills=("cors",),
    layer="edge",
    default_limits=lambda _: ("violations == 0", "foreign_with_credentials == 0"),
    metrics=(
        Metric(
            name="violations",
            unit="",
            help="Violations of the declared rules: allowed origins that a browser would refuse, foreign origins that "
            "it would allow, a wildcard with credentials, a missing Vary, undeclared origins in answers, and with "
            "strict = true undeclared permissions in preflights.",
        ),
        Metric(
            name="foreign_with_credentials",
            unit="",
            help="Foreign origins, null included, whose requests with cookies or a login are allowed.",
        ),
    ),
    measure=measure,
    endpoint=http_endpoint,
    each_address=True,
    requests=81,  # eight origins with three preflights and a request, 24 foreign ones with two, one without; 18 for one
    example="""\
kind = "cors"
path = "/api/version"
origins = ["https://app.example.com"]  # allowed in browsers; "none" or "*" instead
""",
)
