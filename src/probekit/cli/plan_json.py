"""A plan as a JSON document."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from probekit.cli.plan_text import most_requests
from probekit.config.target import Config, Target
from probekit.model.checklist import Item
from probekit.model.plan import Plan, Step
from probekit.planning.obstacle import Feasibility, Obstacle, is_required
from probekit.planning.samples import ShortSample
from probekit.probe import ConfiguredKind
from probekit.reports.json.people import period_document

SCHEMA: Final = "probekit.plan/1"


def render(config: Config, target: Target, planned: Plan[ConfiguredKind], found: Feasibility, now: datetime) -> str:
    """Return one JSON document in ASCII, which ends with a newline."""
    document = {
        "schema": SCHEMA,
        "environment": target.name,
        "base_url": target.environment.base_url,
        "config_file": str(config.path),
        "partial": planned.partial,
        "in_scope": planned.in_scope,
        "phase": planned.phase,
        "unknown_facts": [
            {"name": one.name, "question": one.question, "remedy": one.remedy, "items": list(one.items)}
            for one in planned.unknown_facts
        ],
        "unasked": list(planned.unasked),
        "possible_scope": list(found.scope),
        "go_possible": found.go_possible,
        "requests": most_requests(planned),
        "maintenance": [
            period_document(one.period) | {"open": one.period.covers(now)} for one in target.environment.maintenance
        ],
        "expected_versions": list(planned.versions.expected),
        "obstacles": [_obstacle(one) for one in found.obstacles],
        "follow_ups": [_obstacle(one) for one in found.follow_ups],
        "shortages": [_shortage(one) for one in found.shortages],
        "items": [_item(item, planned) for item in planned.items],
        "steps": [_step(step, "release guard") for step in planned.release_guards]
        + [_step(step, step.turn) for step in planned.steps],
    }
    return json.dumps(document, indent=1) + "\n"


def _obstacle(one: Obstacle) -> dict[str, Any]:
    return {"cause": one.cause, "what": one.what, "remedy": one.remedy, "items": [item.id for item in one.items]}


def _shortage(one: ShortSample) -> dict[str, Any]:
    return {
        "probe": one.probe,
        "item": one.item.id,
        "limit": str(one.limit),
        "requests": one.has,
        "windows": one.windows,
        "needed": one.needs,
        "runs": one.runs,
    }


def _item(item: Item, planned: Plan[ConfiguredKind]) -> dict[str, Any]:
    reason = planned.not_applicable.get(item.id) or planned.uncovered.get(item.id)
    if item.id in planned.not_applicable:
        state = "not_applicable"
    elif item.probe is None:
        state = "for_people"
    else:
        state = "uncovered" if item.id in planned.uncovered else "covered"
    return {
        "id": item.id,
        "severity": item.severity.value,
        "required": is_required(item),
        "probe": item.probe,
        "state": state,
        "reason": reason,
        "limits": [str(limit) for limit in item.expect],
    }


def _step(step: Step[ConfiguredKind], turn: str) -> dict[str, Any]:
    return {
        "name": step.name,
        "kind": step.kind,
        "turn": turn,
        "measurements": step.repeat,
        "attempts": step.attempts,
        "window": step.window or None,
        "windows": step.windows,
        "requests": step.cost * (2 if turn == "release guard" else 1),
        "longest": step.longest,
    }
