"""Digests of the limits and settings of each item, by which a later run recognises the same failure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from probekit.config.target import Configured, Target
from probekit.model.checklist import Deadline, Item
from probekit.model.limit import Limit
from probekit.model.plan import Versions
from probekit.planning.coverage import missing_metrics

_DIGITS = 16  # hexadecimal digits of a digest


def claims_of(
    items: Sequence[Item],
    configured: Mapping[str, Sequence[Configured]],
    target: Target,
    rows: Sequence[Item],
    versions: Mapping[str, Versions],
) -> dict[str, str]:
    """Return the digest of each item that a probe answers.

    Args:
        items: the items in scope.
        configured: the instances of each probe.
        target: the target, with its connection settings.
        rows: the baseline rows as items, which belong to each item that compares with the baseline.
        versions: the accepted versions, for each probe that reads which release is served.
    """
    way = target.environment.connect.model_dump_json(exclude_defaults=True)
    digests = {}
    for item in (one for one in items if one.probe):
        held = [part for one in (item, *(rows if item.compares_baseline else ())) for part in _held(one, configured)]
        expected = versions.get(item.probe or "")
        digests[item.id] = sha256(repr((held, way, expected)).encode()).hexdigest()[:_DIGITS]
    return digests


def _held(item: Item, configured: Mapping[str, Sequence[Configured]]) -> Iterator[object]:
    """Yield an item's limits, the consequences of its failure, and each instance that measures it, with its settings.

    Its texts, its owner and its number of attempts are not included.
    """
    yield [_limit(limit) for limit in item.expect]
    yield [(_limit(band.when), band.severity.value, _deadline(band.deadline)) for band in item.bands]
    row = item.matrix_row
    yield item.severity.value, row and (row.action, row.severity.value, _deadline(row.deadline))
    yield _deadline(item.escalate_after)
    sources = [one for one in configured.get(item.probe or "", ()) if not missing_metrics(item, one)]
    yield sorted((one.instance, one.source.name, one.source.config.claimed()) for one in sources)


def _limit(limit: Limit) -> tuple[str, float]:
    return str(limit), limit.floor


def _deadline(deadline: Deadline | None) -> tuple[float, str] | None:
    return (deadline.minutes, str(deadline.then)) if deadline else None
