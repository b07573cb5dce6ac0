"""What do failures at some of a name's addresses say of the whole, and which addresses do not count?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from probekit.model.measurement import Attempt
from probekit.model.verdict import Flag, Outcome, Situation, Verdict

Instances = Mapping[str, Sequence[Attempt]]


def counted(instances: Instances, situation: Situation) -> tuple[Instances, str]:
    """The instances that count and, in words, why others do not."""
    reasons = {name: why for name, attempts in instances.items() if (why := _why_uncounted(attempts, situation))}
    left = {name: attempts for name, attempts in instances.items() if name not in reasons}
    return left, ", ".join(dict.fromkeys(reasons.values()))


def _why_uncounted(attempts: Sequence[Attempt], situation: Situation) -> str | None:
    measurements = [one for attempt in attempts for one in (*attempt.measurements, *attempt.rechecks)]
    if not all(one.is_silent for one in measurements):
        return None
    return next((why for one in measurements if (why := situation.uncounted.get(one.address))), None)


def of_addresses(judged: Mapping[str, Verdict]) -> Mapping[str, Verdict]:
    """The verdicts on the addresses of one name: a failure at some of them is no outage of all, and so high at most."""
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
