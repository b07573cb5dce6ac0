"""Which other origins may use the API, as a browser decides it?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

from probekit.probe import Context, Exact, Kind, Metric, Readings, http_endpoint
from probekit.probes.cors import rules
from probekit.probes.cors.asking import ask_as_allowed, ask_as_foreign, require_access, require_route
from probekit.probes.cors.origins import look_alikes, own_origin, stranger
from probekit.probes.cors.settings import CorsProbe

_TOLD: Final = 12  # violations in one sentence


async def measure(config: CorsProbe, context: Context) -> Readings:
    """Ask as every allowed origin and as foreign ones, by preflight and by GET, and judge as a browser would."""
    own = own_origin(config.target(context.base_url))
    allowed = (stranger(),) if config.is_public else config.named_origins
    foreign = look_alikes((own,) if config.is_closed else config.named_origins, config.foreign_origins, own=own)
    ours = [reply for origin in allowed for reply in await ask_as_allowed(config, context, origin)]
    theirs = [reply for origin in foreign for reply in await ask_as_foreign(config, context, origin)]
    replies = [*ours, *theirs]
    await require_access(config, context, replies)
    require_route(config, replies)
    admitted = rules.foreign_admitted(config, theirs)
    surplus = [*rules.surplus(config, ours, admitted)]
    violations = [
        *rules.admitted(foreign, admitted),
        *chain.from_iterable(rules.refusals(config, reply) for reply in ours),
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
        return "every origin is let in as declared, none with credentials"
    allowed = "nobody is let in" if config.is_closed else f"let in as declared: {', '.join(config.named_origins)}"
    return f"{allowed}; {len(foreign)} foreign origins are refused"


def _cut(summary: Sequence[str]) -> list[str]:
    return [*summary[:_TOLD], *([f"{len(summary) - _TOLD} more"] if len(summary) > _TOLD else [])]


KIND = Kind(
    config=CorsProbe,
    fills=("cors",),
    layer="edge",
    default_limits=lambda _: ("violations == 0", "foreign_with_credentials == 0"),
    metrics=(
        Metric(
            name="violations",
            unit="",
            help="allowed origins that a browser would refuse, foreign ones it would let in, a wildcard with "
            "credentials, a missing Vary, origins that answers name undeclared, and if strict what preflights grant "
            "beyond the declared",
        ),
        Metric(
            name="foreign_with_credentials",
            unit="",
            help="foreign origins, null among them, whose requests with cookies or a login are let in",
        ),
    ),
    measure=measure,
    endpoint=http_endpoint,
    each_address=True,
    requests=81,  # eight origins with three preflights and a request, 24 foreign ones with two, one without; 18 for one
    example="""\
kind = "cors"
path = "/api/version"
origins = ["https://app.example.com"]  # who may use it from a browser
""",
)
