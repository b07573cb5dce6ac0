"""Write the health probe: complete, to be completed, or the paths that were tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from probekit.probes._support.suggestion import Claim
from probekit.toml_file.write import inline, quoted
from probekit.workflows.discover.found import Discovery, HealthFound, Standing
from probekit.workflows.first_file.toml import array, comment, commented, quotation, setting

_QUOTED: Final = 4  # quoted lines of a body
_LONGEST_NAME: Final = 70  # characters of a component's name that fits a line
_NAMED: Final = 20  # components
_FOR_GO: Final = "A go is impossible until this probe is complete."


def health_probe(found: Discovery, env: str) -> Iterator[str]:
    """Yield the table of the health probe."""
    if found.health is None:
        yield from _without(found, env)
        return
    yield from (f"[{env}.probes.health]", 'kind = "http"', *setting("path", found.health.path))
    yield from _rest(found.health)


def assertions(claims: Iterable[Claim]) -> Iterator[str]:
    """Yield the setting `assertions` of kind http."""
    yield from array("assertions", [inline(claim) for claim in claims])


def _without(found: Discovery, env: str) -> Iterator[str]:
    if found.refusal:
        yield from comment(f"Every path needs credentials: {found.refusal}. See connect above. {_FOR_GO}")
    else:
        yield from comment(f"No usual path has a health answer. {_FOR_GO}")
    yield from commented((f"[{env}.probes.health]", 'kind = "http"', 'path = "/..."'))
    yield from comment(f"Tried: {', '.join(found.tried)}")


def _rest(health: HealthFound) -> Iterator[str]:
    """Yield what follows the path: assertions, and what to do."""
    match health.standing:
        case Standing.UNDERSTOOD:
            if health.doubt:
                yield from comment(f"Not healthy now: {health.doubt}. The answer is understood.")
            if health.claims:
                yield from assertions(health.claims)
        case Standing.MIXED:
            yield from comment(f"Does not pass: {health.doubt}")
            yield from comment("Ignore only parts that say nothing about its health:")
            names = [name for name in map(quoted, health.ignorable) if len(name) <= _LONGEST_NAME]
            yield from commented(array("ignore", names[:_NAMED]))
        case Standing.WEAK:
            text = "Weak: this assertion shows that the process responds, not that it is healthy."
            yield from comment(f"{text} Use a path that says more if there is one.")
            yield from assertions(health.claims)
        case Standing.DENIED:
            yield from comment(f"It needs credentials: {health.doubt}. See connect above. {_FOR_GO}")
        case Standing.UNREAD | Standing.PAGE | Standing.FAILING:
            yield from _unread(health)


def _unread(health: HealthFound) -> Iterator[str]:
    is_failing = health.standing is Standing.FAILING
    yield from comment(f"{'Not healthy now' if is_failing else 'Found but not understood'}: {health.doubt}.")
    if health.body.strip():
        yield from comment(f"Its answer with status {health.status} begins:")
        yield from quotation(health.body, _QUOTED)
    if is_failing:
        yield from comment(
            "Run init again when it is healthy. An answer that says nothing about health needs an assertion:"
        )
    else:
        yield from comment(f"Complete the assertion so that only a healthy answer passes it. {_FOR_GO}")
    yield from commented(assertions((health.suggestion,)))
