"""What a report repeats of the checklist's document and of the configuration."""

from __future__ import annotations

from probekit.config.target import Config, Target
from probekit.judging.baseline_rows import compared_rows
from probekit.judging.judge import AttemptsByInstance
from probekit.model.document import BaselineComparison, Place
from probekit.model.plan import Plan
from probekit.model.verdict import Situation
from probekit.planning.baseline import baseline_items, empty_comparisons


def baseline_table(
    target: Target, planned: Plan[object], attempts: AttemptsByInstance, situation: Situation
) -> tuple[BaselineComparison, ...]:
    """Return the baseline table of the document, filled."""
    rows, items = empty_comparisons(target.checklist), baseline_items(target.checklist)
    return compared_rows(rows, items, planned, attempts, situation)


def places_of(config: Config, target: Target) -> dict[str, Place]:
    """Return the table of each configured probe, and under "" that of the environment."""
    found: dict[str, tuple[str, ...]] = {"": ("env", target.name)}
    found |= {one.probe: ("env", target.name, "probes", one.probe) for one in target.probes}
    origins = {probe: config.origins.of(keys) for probe, keys in found.items()}
    return {probe: Place(file=str(one.file), keys=one.keys) for probe, one in origins.items()}
