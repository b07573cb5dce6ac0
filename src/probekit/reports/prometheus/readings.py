"""Make metrics of the observed numbers and their limits: one for each base unit, since a metric has a single unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import isnan
from typing import Final

from probekit.model.limit import Limit
from probekit.model.report import Report
from probekit.reports._support.labels import label
from probekit.reports.prometheus.family import Family, Named, Row, Rows

_ONE: Final = Decimal(1)
_UNITS: Final[Mapping[str, tuple[str, Decimal]]] = {  # unit of a limit -> suffix of the base unit, and the factor
    "": ("", _ONE),
    "%": ("_ratio", Decimal("0.01")),
    "MB": ("_bytes", Decimal(1_000_000)),
    "ms": ("_seconds", Decimal("0.001")),
    "s": ("_seconds", _ONE),
    "min": ("_seconds", Decimal(60)),
    "h": ("_seconds", Decimal(3600)),
    "d": ("_seconds", Decimal(86_400)),
}
_DESCRIBED: Final = {
    "": "without a unit: a count, or 1 for yes and 0 for no",
    "_seconds": "in seconds",
    "_ratio": "as a ratio: 0.05 for 5 percent",
    "_bytes": "in bytes",
}
_OF_LIMIT: Final = ("item", "metric", "operator")


def families() -> Iterator[Family]:
    """Yield a metric of the numbers and one of the limits for each base unit, then one of tolerances."""
    for suffix, described in _DESCRIBED.items():
        yield Family(
            name=f"probekit_item_reading{suffix}",
            help=f"The number that an item was judged by, {described}.",
            labels=("item", "metric"),
            rows=_readings(suffix),
        )
        yield Family(
            name=f"probekit_item_limit{suffix}",
            help=f"The limit of that number, {described}. An item meets it if: number operator limit.",
            labels=_OF_LIMIT,
            rows=_limits(suffix),
        )
    yield Family(
        name="probekit_item_tolerance_ratio",
        help="The tolerance of a number that is compared with a baseline, as a ratio: 0.1 for 10 percent.",
        labels=_OF_LIMIT,
        rows=_tolerances,
    )


def _readings(unit: str) -> Rows:
    """Return the rows of a base unit; NaN is not a reading, and a tolerance does not state the unit of its metric."""

    def rows(_report: Report, named: Named) -> Iterator[Row]:
        for name, one in named:
            suffix, factor = _UNITS[(one.limit.metric_unit or "") if one.limit else ""]
            if suffix == unit and one.observed is not None and not isnan(one.observed):
                yield (name, label(one.limit.metric) if one.limit else ""), _scaled(one.observed, factor)

    return rows


def _limits(unit: str) -> Rows:
    def rows(_report: Report, named: Named) -> Iterator[Row]:
        for name, limit in _limited(named, of="value"):
            suffix, factor = _UNITS[limit.unit]
            if suffix == unit:
                yield (name, label(limit.metric), limit.op), _scaled(limit.value, factor)

    return rows


def _tolerances(_report: Report, named: Named) -> Iterator[Row]:
    for name, limit in _limited(named, of="baseline"):
        yield (name, label(limit.metric), limit.op), _scaled(limit.value, _UNITS["%"][1])


def _limited(named: Named, *, of: str) -> Iterator[tuple[str, Limit]]:
    yield from ((name, one.limit) for name, one in named if one.limit is not None and one.limit.of == of)


def _scaled(value: float, factor: Decimal) -> float:
    """Return the product, rounded once: 4.8 % are 0.048."""
    return float(Decimal(repr(float(value))) * factor)
