"""Judge failures at some of a name's addresses, and leave out the addresses that do not count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from probekit.model.measurement import Attempt
from probekit.model.verdict import Flag, Outcome, Situation, Verdict

Instances = Mapping[str, Sequence[Attempt]]


def counted(instances: Instances, situation: Situation) -> tuple[Instances, str]:
    """Return the instances that count and, in words, why the others do not."""
    reasons = {name: why for name, attempts in instances.items() if (why := _why_uncounted(attempts, situation))}
    left = {name: attempts for name, attempts in instances.items() if name not in reasons}
    return left, ", ".join(dict.fromkeys(reasons.values()))


def _why_uncounted(attempts: Sequence[Attempt], situation: Situation) -> str | None:
    measurements = [one for attempt in attempts for one in (*attempt.measurements, *attempt.rechecks)]
    if not all(one.is_silent for one in measurements):
        return None
    return next((why for one in measurements if (why := situation.uncounted.get(one.address))), None)


def of_addresses(judged: Mapping[str, Verdict], declared: Collection[str]) -> Mapping[str, Verdict]:
    """Return the verdicts, each with the share of the addresses of its name that fail.

    A failure at some addresses of a name is not an outage of all, and so high at most. Instances that a configuration
    declares are separate services: one does not affect the verdict on another.

    Args:
        judged: by instance: a declared one, or an address of it.
        declared: the instances that the configuration declares; an empty one is a probe without instances.
    """
    groups: dict[str, dict[str, Verdict]] = defaultdict(dict)
    for name, verdict in judged.items():
        groups[_declared(name, declared)][name] = verdict
    found = {name: verdict for group in groups.values() for name, verdict in _of_one_name(group).items()}
    return {name: found[name] for name in judged}


def _declared(name: str, declared: Collection[str]) -> str:
    """Return the declared instance that an instance of a run is, or is an address of: `eu` of `eu 192.0.2.1:443`."""
    owners = [one for one in declared if name == one or name.startswith(f"{one} ".lstrip())]
    return max(owners, key=len, default="")


def _of_one_name(judged: Mapping[str, Verdict]) -> Mapping[str, Verdict]:
    failed = {name for name, verdict in judged.items() if verdict.outcome is Outcome.FAIL}
    if len(failed) in (0, len(judged)):
        return judged
    share = f"it fails at {len(failed)} of {len(judged)} addresses"
    return {
        name: replace(verdict, because=f"{verdict.because}; {share}", flags=verdict.flags | {Flag.SOME_ADDRESSES})
        if name in failed
        else verdict
        for name, verdict in judged.items()
    }
