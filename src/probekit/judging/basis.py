"""State what a go rests on: the layers of the target that were read, and whether any was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from probekit.model.layer import Layer
from probekit.model.numbers import count
from probekit.model.verdict import Flag, Outcome, Situation, Verdict

EXEMPT: Final = (Outcome.WAIVED, Outcome.NOT_APPLICABLE)
_NOTHING: Final = "nothing of the target was measured"
_PLAN: Final = "probekit plan shows what each needs"
_VERIFIED: Final = (Outcome.PASS, Outcome.ATTESTED)


def nothing_read(verdicts: Sequence[Verdict]) -> str | None:
    """Return why a go would rest on no reading; None where the target was read, or no item in scope reads it.

    Where items of the application are in scope, one of them must have passed.
    """
    asked = _layers(verdicts)
    if "application" in asked and "application" not in _read(verdicts):
        return f"{_NOTHING}: no item of the application passed; {_PLAN}"
    if asked and not _read(verdicts):
        return f"{_NOTHING}: no item of its {_named(asked)} passed; {_PLAN}"
    if not any(verdict.outcome in _VERIFIED for verdict in verdicts):
        return f"nothing was verified: no item passed or is attested; {_PLAN}"
    return None


def basis(verdicts: Sequence[Verdict], situation: Situation) -> str:
    """Return how many items are verified, and by which layers where the application is not one of them."""
    verified = sum(verdict.outcome in _VERIFIED for verdict in verdicts)
    later = sum(not verdict.outcome.is_settled for verdict in verdicts)
    exempt = sum(verdict.outcome in EXEMPT for verdict in verdicts)
    text = f"{count(verified, 'item')} verified"
    text += f", {later} to follow up" if later else ""
    text += f", {exempt} not applicable or waived" if exempt else ""
    read = _read(verdicts)
    if "application" in read:
        return text
    if read:
        return f"only the {_named(read)} of the target was read, not the application: {text}"
    release = situation.identity.release or " or ".join(situation.release.expected) or "an unnamed release"
    return f"records and people only, for {release}; nothing of the target was read: {text}"


def _layers(verdicts: Sequence[Verdict]) -> list[Layer]:
    """Return the layers of the target that the items in scope cover."""
    asked = (verdict.layer for verdict in verdicts if verdict.outcome not in EXEMPT)
    return sorted(set(asked) - {"record"})


def _read(verdicts: Sequence[Verdict]) -> list[Layer]:
    """Return the layers of which an item passed, by a measurement or by a trusted program."""
    passed = [verdict for verdict in verdicts if verdict.outcome is Outcome.PASS]
    return _layers([verdict for verdict in passed if Flag.UNTRUSTED not in verdict.flags])


def _named(layers: Sequence[Layer]) -> str:
    return ", ".join(layers)
