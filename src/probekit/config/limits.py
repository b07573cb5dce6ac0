"""Hold an environment's own limits against the metrics that its probes give."""

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
        """The item with its other limits: those of a metric that the change neither names nor drops stay."""
        own = self.limits(item.probe or "", change.expect, (*keys, "expect"))
        for number, metric in enumerate(change.drop):
            self._check_drop(item, metric, own, (*keys, "drop", number))
        named = {limit.metric for limit in own}
        given_up = ({*change.drop} | self._claimed(item, keys)) - named
        expect = (*(limit for limit in item.expect if limit.metric not in given_up | named), *own)
        if not expect:
            self.complain((*keys, "drop"), "nothing would be left", "one limit at least", "; see 'not_applicable'")
        return _with_limits(item, expect, given_up, change.reason)

    def as_claimed(self, item: Item, keys: Keys) -> Item:
        """The item without its limits on metrics of which its probe's own settings say which values are good.

        A standby may be declared to answer 429: the checklist's `status == 200` would fail it for that. What the
        settings do not accept is counted by the kind itself.
        """
        given_up = self._claimed(item, keys)
        if not given_up:
            return item
        expect = tuple(limit for limit in item.expect if limit.metric not in given_up)
        reason = f"the assertions of probe '{item.probe}' say which {', '.join(sorted(given_up))} is good"
        return _with_limits(item, expect, given_up, reason)

    def _claimed(self, item: Item, keys: Keys) -> set[str]:
        """The metrics for which the probe's settings accept a value that the checklist's limit does not."""
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
                odd = f"an instance of '{item.probe}' accepts another {limit.metric} than '{limit}', and one names none"
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
        """Return the limits on a probe's metrics that the texts state; what is wrong with one is complained of."""
        parsed = (self._limit(probe, text, (*keys, number)) for number, text in enumerate(texts))
        return tuple(limit for limit in parsed if limit)

    def check(self, item: Item) -> None:
        """The checklist's limits of an item must be decidable too, by the kinds that this file chooses."""
        for limit in item.expect:
            for found, expected in self._misfits(item.probe or "", limit):
                self.complain(("checklist",), f"{item.id}: {found}", expected)

    def _misfits(self, probe: str, limit: Limit) -> dict[tuple[str, str], None]:
        """What keeps the kinds of a probe from proving or refuting a limit, each once."""
        metrics = (metric for metric in self._metrics(probe) if metric.name == limit.metric)
        return dict.fromkeys(found for metric in metrics if (found := _misfit(metric, limit)))

    def _check_drop(self, item: Item, metric: str, own: Sequence[Limit], keys: Keys) -> None:
        known = list(dict.fromkeys(limit.metric for limit in item.expect))
        if metric not in known:
            expected = f"a metric that the checklist limits here: {', '.join(known)}"
            self.complain(keys, f"no limit of '{metric}'", expected, nearest(metric, known))
        elif any(limit.metric == metric for limit in own):
            self.complain(keys, f"'{metric}' has a limit in 'expect'", "one of the two")

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
            expected = f"one of probe '{probe}': {', '.join(units)}"
            self.complain(keys, f"unknown metric '{limit.metric}'", expected, hint)
        elif limit.of == "baseline" and limit.value == 0:
            self.complain(keys, "a tolerance of 0 % allows nothing", "more than 0 %")
        elif limit.of == "value" and (due := units[limit.metric]) is not None and limit.unit != due:
            expected = f"'{due}', in which {limit.metric} is measured" if due else f"none: {limit.metric} is a count"
            self.complain(keys, f"unit '{limit.unit}'" if limit.unit else "no unit", expected)
        else:
            for found, expected in self._misfits(probe, limit):
                self.complain(keys, found, expected)
        return limit

    def _units(self, probe: str) -> Mapping[str, str | None]:
        """Every metric of the probe with its unit, the checklist's first; None: only a probe's settings name it."""
        units = dict[str, str | None](self.checklist.probes[probe].metrics)
        for metric in self._metrics(probe):
            units.setdefault(metric.name, metric.unit)
        for name in (name for source in self._sources.get(probe, ()) for name in source.provided):
            units.setdefault(name, None)
        return units

    def _metrics(self, probe: str) -> Iterator[Metric]:
        """The metrics of the probe's kinds: the configured ones, else the one that fills it by default."""
        sources = self._sources.get(probe, ())
        default = self.checklist.probes[probe].default_kind if probe in self.checklist.probes else None
        if not sources and probes.is_kind_installed(default):
            yield from probes.load_kind(default).metrics
        for source in sources:
            yield from self._reported(probe, source.provided) if source.reported else source.metrics

    def _reported(self, probe: str, names: frozenset[str]) -> Iterator[Metric]:
        """What the checklist says of the metrics that a program reports."""
        requirement = self.checklist.probes[probe]
        for name in sorted(names & set(requirement.metrics)):
            if name not in requirement.unbounded:
                unit = requirement.metrics[name]
                yield Metric(name=name, unit=unit, help="", high=100 if unit == "%" else inf)


def _with_limits(item: Item, expect: tuple[Limit, ...], given_up: Collection[str], reason: str) -> Item:
    """The item with other limits; a band of a metric that is given up would make another failure graver."""
    bands = tuple(band for band in item.bands if band.when.metric not in given_up)
    return replace(item, expect=expect, bands=bands, changed_from=item.expect, changed_reason=reason)


def _misfit(metric: Metric, limit: Limit) -> tuple[str, str] | None:
    """What is wrong with that limit on the metric, and what is expected; None where nothing is."""
    if limit.of == "baseline":
        summary = f"{limit.metric} may be zero, and a percentage of zero allows nothing", "a limit in %"
        return summary if metric.is_share else None
    if not (metric.quantile or metric.is_share):
        span = f"{metric.low:g} to {metric.high:g}"
        summary = f"'{limit}' decides nothing", f"a limit that one value of {span} keeps and another breaks"
        return summary if limit.is_idle(metric.low, metric.high) else None
    if limit.op not in ("<", "<=", ">", ">="):
        return f"'{limit}' can never be decided by a sample", "one of <, <=, >, >="
    if metric.is_share and not 0 < limit.value < 100:  # noqa: PLR2004  # percent
        return f"'{limit}' can never be decided by a sample", "more than 0 % and less than 100 %"
    return None
