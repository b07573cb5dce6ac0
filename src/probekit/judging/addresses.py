"""Compare the addresses of this run with earlier ones: a name with other addresses may be another target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from probekit.judging.baseline import before_deployment
from probekit.judging.evidence import addresses_of, belongs
from probekit.model.measurement import Attempt, InstanceKey
from probekit.model.plan import Plan
from probekit.model.verdict import Situation

_NAMED: Final = 3  # addresses in a note


def notes_of_moves(
    plan: Plan[object], attempts: Mapping[InstanceKey, Sequence[Attempt]], situation: Situation
) -> Iterator[str]:
    """Yield a note for each instance that shares no address with its earlier windows or its baseline."""
    windows = before_deployment(situation)
    for source, some in attempts.items():
        now, print_ = addresses_of(some), plan.fingerprints.get(source)
        evidence = situation.history.evidence.get(source)
        if evidence and belongs(evidence, print_, situation) and _is_disjoint(now, evidence.addresses):
            yield _note(source, now, evidence.addresses, "the earlier windows of this release were")
        recorded = [one for key, one in (windows[-1].values if windows else {}).items() if key[:2] == source]
        known = next((one.addresses for one in recorded if one.fingerprint == print_), ())
        if _is_disjoint(now, known):
            yield _note(source, now, known, "the baseline was")


def _is_disjoint(now: Sequence[str], before: Sequence[str]) -> bool:
    return bool(now) and bool(before) and not set(now) & set(before)


def _note(source: InstanceKey, now: Sequence[str], before: Sequence[str], what: str) -> str:
    name = f"{source.probe}.{source.instance}" if source.instance else source.probe
    return f"{name} was measured at {_listed(now)}; {what} measured at {_listed(before)}, which are other addresses"


def _listed(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - _NAMED} more" if len(addresses) > _NAMED else ""
    return f"{', '.join(addresses[:_NAMED])}{more}"
