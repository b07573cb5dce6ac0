"""Read the counters of each process behind an address from one page of metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final, TypeVar

from probekit.model.numbers import number
from probekit.probe import ProbeFailedError, Reason
from probekit.probes._support.exposition import Exposition, Sample, parse
from probekit.probes.scrape.settings import Scrape

_START: Final = "process_start_time_seconds"
_MOST: Final = 1e15  # of a counter and of a finite edge: beyond it a double does not count by ones
_SUMS: Final = frozenset({"total", "all", "*"})  # statuses of a series that is the sum of the others

_Key = TypeVar("_Key")
Labels = frozenset[tuple[str, str]]
Process = tuple[str, tuple[float, ...]]  # its label and its start time; empty where the page has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Counters of one process since its start, by their labels."""

    process: Process
    statuses: Mapping[Labels, float]
    buckets: Mapping[tuple[Labels, float], float]  # by upper edge, in the histogram's unit

    def since(self, earlier: Counters) -> Counters:
        """Return the growth since an earlier page of the same process; a new series began at 0.

        Raises:
            ProbeFailedError: `bad_response`: a counter fell or vanished, so that it is not the same process.
        """
        return Counters(
            process=self.process,
            statuses=_growth("requests", earlier.statuses, self.statuses),
            buckets=_growth("durations", earlier.buckets, self.buckets),
        )


@dataclass(slots=True)
class _Found:
    """The counted series of one process."""

    starts: list[float] = field(default_factory=list)
    statuses: dict[Labels, float] = field(default_factory=dict)
    buckets: dict[tuple[Labels, float], float] = field(default_factory=dict)

    def add_bucket(self, name: str, key: tuple[Labels, float], value: float) -> None:
        if key in self.buckets:  # one edge in two spellings, 1 and 1.0
            raise _twice(name)
        self.buckets[key] = value


def read(config: Scrape, body: bytes) -> list[Counters]:
    """Return the counters of each process on one page.

    Raises:
        ProbeFailedError: `bad_response`: the page is malformed, lacks what the settings name, or holds series that
            cannot be added up.
    """
    page = parse(body, frozenset(_names(config)))
    counter = _series(page, config.requests, ("", "_total"), "counter")
    bucket = _series(page, config.duration, ("_bucket",), "histogram")
    found: dict[str, _Found] = {} if config.process else {"": _Found()}
    for name, labels, value in _each_once(page.samples):
        process = found.setdefault(labels.get(config.process, "") if config.process else "", _Found())
        if name == _START:
            process.starts.append(value)
        elif name in (counter, bucket) and config.counts(labels):
            if not 0 <= value <= _MOST:  # not-a-number too
                raise _unusable(f"'{name}' is {number(value)}, which is not a valid counter")
            if name == counter:
                process.statuses[_with_status(config, name, labels)] = value
            else:
                process.add_bucket(name, (_without_edge(labels), _edge(labels)), value)
    shared = found[""].starts if "" in found else []
    return [
        Counters(process=(label, tuple(sorted(one.starts or shared))), statuses=one.statuses, buckets=one.buckets)
        for label, one in sorted(found.items())
    ]


def require_equal_edges(config: Scrape, pages: Sequence[Counters]) -> None:
    """Go on only where the buckets of all series end at the same edges, the last of them at infinity.

    Raises:
        ProbeFailedError: `bad_response`: they do not, so that requests between two edges would be lost.
    """
    different: set[frozenset[float]] = set()
    for page in pages:
        edges: dict[Labels, set[float]] = {}
        for labels, edge in page.buckets:
            edges.setdefault(labels, set()).add(edge)
        different |= {frozenset(found) for found in edges.values()}
    if any(inf not in found for found in different):
        raise _unusable(f"'{config.duration}' has no +Inf bucket, so requests slower than its last edge are missing")
    if len(different) > 1:
        raise _unusable(f"the buckets of '{config.duration}' have different edges, so they cannot be added up")


def _names(config: Scrape) -> Iterator[str]:
    yield _START
    if config.requests:
        yield from (config.requests, f"{config.requests}_total")
    if config.duration:
        yield from (f"{config.duration}_bucket", f"{config.duration}_count")


def _each_once(samples: Sequence[Sample]) -> Sequence[Sample]:
    seen: set[tuple[str, Labels]] = set()
    for name, labels, _ in samples:
        series = name, frozenset(labels.items())
        if series in seen:
            raise _twice(name)
        seen.add(series)
    return samples


def _series(page: Exposition, family: str | None, endings: Sequence[str], kind: str) -> str | None:
    """Return the name of a family's samples; None where the page declares it and it has counted nothing yet."""
    if family is None:
        return None
    present = {sample.name for sample in page.samples}
    if found := [family + ending for ending in endings if family + ending in present]:
        return found[0]
    known = (family, f"{family}_total", family.removesuffix("_total"))
    declared = {page.types[name] for name in known if name in page.types}
    is_counted = f"{family}_count" in present
    if declared == {kind} and not is_counted:
        return None
    what = f"it is declared as {' and '.join(sorted(declared))}" if declared else "it has no TYPE line either"
    what = f"there is only a '{family}_count'" if is_counted else what
    raise _unusable(f"the metrics have no series '{family}{endings[0]}' of a {kind}: {what}")


def _with_status(config: Scrape, name: str, labels: Mapping[str, str]) -> Labels:
    status = labels.get(config.status)
    if status is None:
        known = ", ".join(sorted(labels))
        raise _unusable(f"'{name}' has no label '{config.status}' for the status; its labels are {known}: set 'status'")
    if status.lower() in _SUMS:
        hint = f'exclude it with without = {{ {config.status} = ["{status}"] }}'
        raise _unusable(f"'{name}' has a series with {config.status} \"{status}\", the sum of the others: {hint}")
    return frozenset(labels.items())


def _without_edge(labels: Mapping[str, str]) -> Labels:
    return frozenset(pair for pair in labels.items() if pair[0] != "le")


def _edge(labels: Mapping[str, str]) -> float:
    try:
        edge = float(labels.get("le", ""))
    except ValueError:
        edge = -inf
    if not (0 <= edge <= _MOST or edge == inf):
        raise _unusable("a bucket has no valid edge")
    return edge


def _growth(what: str, before: Mapping[_Key, float], after: Mapping[_Key, float]) -> dict[_Key, float]:
    growth = {key: value - before.get(key, 0.0) for key, value in after.items()}
    if before.keys() - after.keys() or min(growth.values(), default=0.0) < 0:
        cause = "several processes answer at this address, or one was restarted"
        hint = f"set 'process', or let each process export {_START}"
        raise _unusable(f"a counter of {what} fell or vanished without a new start time: {cause}; {hint}")
    return growth


def _twice(name: str) -> ProbeFailedError:
    return _unusable(f"a series of '{name}' is listed twice, so neither of them is reliable")


def _unusable(detail: str) -> ProbeFailedError:
    return ProbeFailedError(Reason.BAD_RESPONSE, detail)
