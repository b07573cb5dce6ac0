"""The probe instances that can measure an item, or the reason why none can."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from probekit import probes
from probekit.checklist import Checklist
from probekit.config.target import Configured, Target
from probekit.model.checklist import Item
from probekit.probe import ANY_PROBE

NOT_BUILT: Final = "not built"  # label of an item or probe that no kind fills yet


def instances(probe: str, target: Target) -> list[Configured]:
    """Return the probe's configured instances, else one of its default kind if that can run without a table."""
    if found := [one for one in target.probes if one.probe == probe]:
        return found
    default = target.checklist.probes[probe].default_kind
    if default is None or not probes.is_kind_installed(default):
        return []
    kind = probes.load_kind(default)
    if kind.enabled_by_default is None or not kind.enabled_by_default(target.environment.base_url):
        return []
    return [Configured(probe=probe, instance="", source=kind.configure({"kind": default}))]


def lacks_https(probe: str, target: Target) -> bool:
    """Return whether the probe's default kind would run without a table if base_url were https instead of http."""
    base_url = target.environment.base_url
    kind = target.checklist.probes[probe].default_kind if probe in target.checklist.probes else None
    if not (kind and base_url.startswith("http://") and probes.is_kind_installed(kind)):
        return False
    enabled = probes.load_kind(kind).enabled_by_default
    return enabled is not None and not enabled(base_url) and enabled(f"https{base_url.removeprefix('http')}")


def why_uncovered(item: Item, configured: Sequence[Configured], checklist: Checklist) -> str | None:
    """Return why no probe can measure the item; None if one can."""
    probe = item.probe or ""
    if not configured:
        own = [one.probe or "" for one in checklist.items if one.is_own]
        close = "".join(
            f" (your own check '{name}' is a different probe)" for name in get_close_matches(probe, own, n=1)
        )
        return (
            f"no probe named '{probe}' is configured{close}; probekit explain {probe} names the kinds that can fill it"
        )
    lacking = [(one, missing) for one in configured if (missing := missing_metrics(item, one))]
    parts = checklist.probes[probe].parts  # each instance covers a part: one that can is enough
    if lacking and not (parts and len(lacking) < len(configured)):
        one, missing = lacking[0]
        return f"kind {one.source.name} of probe '{probe}' does not provide {', '.join(missing)}"
    return None


def missing_metrics(item: Item, one: Configured) -> list[str]:
    """Return the metrics of the item's limits that this instance does not provide."""
    if item.compares_baseline or item.is_go_of_phase:
        return []  # it is judged by the rows of the baseline, or by other verdicts
    return [limit.metric for limit in item.expect if limit.metric not in one.source.provided]


def kinds_for(probe: str, checklist: Checklist) -> tuple[str, ...]:
    """Return the installed kinds that fill a probe and provide all metrics of at least one of its items."""
    needs = [{limit.metric for limit in item.expect} for item in checklist.items if item.probe == probe]
    return _kinds_with(probe, needs or [set(checklist.probes[probe].metrics)], checklist)


def kinds_for_item(item: Item, checklist: Checklist) -> tuple[str, ...]:
    """Return the installed kinds that provide all metrics of an item; none if a person answers it."""
    return _kinds_with(item.probe, [{limit.metric for limit in item.expect}], checklist) if item.probe else ()


def _kinds_with(probe: str, needs: Sequence[set[str]], checklist: Checklist) -> tuple[str, ...]:
    """Return the installed kinds that fill a probe and provide all metrics of at least one of the needs."""
    compared = {checklist.probes[probe].compares_baseline, checklist.probes[probe].go_of_phase}

    def fills(name: str) -> bool:
        kind = probes.load_kind(name)
        return probe in kind.fills and any(need - compared <= kind.metric_names for need in needs)

    return tuple(name for name in probes.kind_names() if fills(name))


def kinds_for_any() -> tuple[str, ...]:
    """Return the installed kinds whose settings name their metrics, so that they can fill any probe."""
    return tuple(name for name in probes.kind_names() if ANY_PROBE in probes.load_kind(name).fills)
