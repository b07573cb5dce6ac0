"""Check the limits that an environment changes against the metrics of its probes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

from probekit import probes
from probekit.checklist import Checklist
from probekit.config.complaints import Complaints, Keys
from probekit.config.settings import Change
from probekit.config.target import Configured, sources_by_probe
from probekit.model.checklist import Item
from probekit.model.limit import Limit, parse_limit
from probekit.probe import ConfiguredKind, Metric
from probekit.toml_file import nearest


@dataclass(frozen=True, kw_only=True)
class LimitReader:
    """Reads the limits that an environment changes, item by item."""

    checklist: Checklist
    configured: Sequence[Configured]
    complain: Complaints

    def changed(self, item: Item, change: Change, keys: Keys) -> Item:
        """The item with the changed limits; limits on other metrics stay."""
        own = self.limits(item.probe or "", change.expect, (*keys, "expect"))
        for number, metric in enumerate(change.drop):
            self._check_drop(item, metric, own, (*keys, "drop", number))
        named = {limit.metric for limit in own}
        given_up = ({*change.drop} | self._claimed(item, keys)) - named
        expect = (*(limit for limit in item.expect if limit.metric not in given_up | named), *own)
        if not expect:
            self.complain((*keys, "drop"), "no limit would remain", "at least one limit", "see 'not_applicable'")
        return _with_limits(item, expect, given_up, change.reason)

    def as_claimed(self, item: Item, keys: Keys) -> Item:
        """The item without its limits on metrics whose accepted values the probe's settings assert.

        A standby may be declared to answer 429, which the checklist's `status == 200` would fail. The kind itself
        counts the values that the settings do not accept.
        """
        given_up = self._claimed(item, keys)
        if not given_up:
            return item
        expect = tuple(limit for limit in item.expect if limit.metric not in given_up)
        reason = f"the assertions of probe '{item.probe}' define the accepted {', '.join(sorted(given_up))}"
        return _with_limits(item, expect, given_up, reason)

    def _claimed(self, item: Item, keys: Keys) -> set[str]:
        """The metrics for which the probe's settings accept a value that the checklist's limit does not accept."""
        if item.is_own:
            return set()
        sources = self._sources.get(item.probe or "", ())
        found = set[str]()
        for limit in item.expect:
            accepted = {value for source in sources for value in source.claims.get(limit.metric, ())}
            if limit.of == "baseline" or all(map(limit.holds, accepted)):
                continue
            found.add(limit.metric)
            if not all(limit.metric in source.claims for source in sources):
                odd = f"one instance of '{item.probe}' asserts another {limit.metric} than '{limit}', one asserts none"
                self.complain(
                    (*keys[:-2], "probes", item.probe or ""),
                    odd,
                    f"an assertion on the {limit.metric} in each instance",
                )
        return found

    @cached_property
    def _sources(self) -> Mapping[str, Sequence[ConfiguredKind]]:
        return sources_by_probe(self.configured)

    def limits(self, probe: str, texts: Sequence[str], keys: Keys) -> tuple[Limit, ...]:
        """Return the limits on a probe's metrics that the texts state; mistakes are reported."""
        parsed = (self._limit(probe, text, (*keys, number)) for number, text in enumerate(texts))
        return tuple(limit for limit in parsed if limit)

    def check(self, item: Item) -> None:
        """Check that the configured kinds can decide the checklist's limits of an item."""
        for limit in item.expect:
            for found, expected in self._misfits(item.probe or "", limit):
                self.complain(("checklist",), f"{item.id}: {found}", expected)

    def _misfits(self, probe: str, limit: Limit) -> dict[tuple[str, str], None]:
        """The reasons why the kinds of a probe cannot decide a limit, each once."""
        metrics = (metric for metric in self._metrics(probe) if metric.name == limit.metric)
        return dict.fromkeys(found for metric in metrics if (found := _misfit(metric, limit)))

    def _check_drop(self, item: Item, metric: str, own: Sequence[Limit], keys: Keys) -> None:
        known = list(dict.fromkeys(limit.metric for limit in item.expect))
        if metric not in known:
            expected = f"a metric that it limits: {', '.join(known)}"
            self.complain(keys, f"the item has no limit on '{metric}'", expected, nearest(metric, known))
        elif any(limit.metric == metric for limit in own):
            self.complain(keys, f"'{metric}' also has a limit in 'expect'", "one of the two")

    def _limit(self, probe: str, text: str, keys: Keys) -> Limit | None:
        try:
            limit = parse_limit(text)
        except ValueError as error:
            self.complain(keys, str(error), "")
            return None
        units = self._units(probe)
        if limit.metric not in units:
            promises = self.checklist.probes
            owners = [f"'{name}'" for name, promise in promises.items() if limit.metric in promise.metrics]
            hint = f"it is a metric of probe {', '.join(owners)}" if owners else nearest(limit.metric, units)
            expected = f"a metric of probe '{probe}': {', '.join(units)}"
            self.complain(keys, f"unknown metric '{limit.metric}'", expected, hint)
        elif limit.of == "baseline" and limit.value == 0:
            self.complain(keys, "a tolerance of 0 % allows nothing", "more than 0 %")
        elif limit.of == "value" and (due := units[limit.metric]) is not None and limit.unit != due:
            expected = f"'{due}', the unit of {limit.metric}" if due else f"no unit: {limit.metric} is a count"
            self.complain(keys, f"wrong unit '{limit.unit}'" if limit.unit else "missing unit", expected)
        else:
            for found, expected in self._misfits(probe, limit):
                self.complain(keys, found, expected)
        return limit

    def _units(self, probe: str) -> Mapping[str, str | None]:
        """Every metric of the probe with its unit, the checklist's first; None: the unit is not known."""
        units = dict[str, str | None](self.checklist.probes[probe].metrics)
        for metric in self._metrics(probe):
            units.setdefault(metric.name, metric.unit)
        for name in (name for source in self._sources.get(probe, ()) for name in source.provided):
            units.setdefault(name, None)
        return units

    def _metrics(self, probe: str) -> Iterator[Metric]:
        """The metrics of the configured kinds of the probe, else of its default kind."""
        sources = self._sources.get(probe, ())
        default = self.checklist.probes[probe].default_kind if probe in self.checklist.probes else None
        if not sources and probes.is_kind_installed(default):
            yield from probes.load_kind(default).metrics
        for source in sources:
            yield from self._reported(probe, source.provided) if source.reported else source.metrics

    def _reported(self, probe: str, names: frozenset[str]) -> Iterator[Metric]:
        """The metrics that a program reports, as the checklist describes them."""
        requirement = self.checklist.probes[probe]
        for name in sorted(names & set(requirement.metrics)):
            if name not in requirement.unbounded:
                unit = requirement.metrics[name]
                yield Metric(name=name, unit=unit, help="", high=100 if unit == "%" else inf)


def _with_limits(item: Item, expect: tuple[Limit, ...], given_up: Collection[str], reason: str) -> Item:
    """The item with other limits, and without the bands of metrics whose limits were removed."""
    bands = tuple(band for band in item.bands if band.when.metric not in given_up)
    return replace(item, expect=expect, bands=bands, changed_from=item.expect, changed_reason=reason)


def _misfit(metric: Metric, limit: Limit) -> tuple[str, str] | None:
    """The mistake in a limit on the metric and what is expected; None where there is none."""
    if limit.of == "baseline":
        summary = f"{limit.metric} may be zero, and a percentage of zero is zero", "a limit in %"
        return summary if metric.is_share else None
    if not (metric.quantile or metric.is_share):
        span = f"{metric.low:g} to {metric.high:g}"
        summary = f"'{limit}' has no effect", f"a limit that some values from {span} meet and others do not"
        return summary if limit.is_idle(metric.low, metric.high) else None
    if limit.op not in ("<", "<=", ">", ">="):
        return f"a sample cannot decide '{limit}'", "one of <, <=, >, >="
    if metric.is_share and not 0 < limit.value < 100:  # noqa: PLR2004  # percent
        return f"a sample cannot decide '{limit}'", "more than 0 % and less than 100 %"
    return None
