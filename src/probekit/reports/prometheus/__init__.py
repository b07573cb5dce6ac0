"""Write the report as metrics, for node exporter's textfile collector and for Pushgateway.

The form is the text-based format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats); names and units
follow prometheus.io/docs/practices/naming. Both readers refuse a sample with a timestamp, so no sample has one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric

from probekit.model.report import Report
from probekit.reports import PLAIN, Format, View
from probekit.reports._support.decision import decision_words, main_reason
from probekit.reports._support.labels import distinct, label
from probekit.reports.prometheus.families import FAMILIES
from probekit.reports.prometheus.family import Named
from probekit.reports.prometheus.readings import families as of_readings

_OF_ALL: Final = ("environment", "phase")  # labels of every sample, since runs of several may lie in one folder
_INFO: Final = "The run that the other metrics are of: its target, what it was made with, its release and its reason."


@dataclass(frozen=True, slots=True, eq=False)  # the registry needs a hash
class _Collector:
    """The metrics of one report, in the form that prometheus_client collects."""

    report: Report

    def collect(self) -> Iterator[Metric]:
        """Yield each metric that has a sample."""
        report = self.report
        names = distinct(label(one.item.id) for one in report.verdicts)
        named: Named = list(zip(names, report.verdicts, strict=True))
        common = (label(report.run.environment), label(report.run.phase or ""))
        info = InfoMetricFamily("probekit_run", _INFO, labels=_OF_ALL)
        info.add_metric(common, {name: label(text) for name, text in _info(report)})
        yield info
        for family in (*FAMILIES, *of_readings()):
            metric = GaugeMetricFamily(family.name, family.help, labels=(*_OF_ALL, *family.labels))
            for values, number in family.rows(report, named):
                metric.add_metric((*common, *values), number)
            if metric.samples:
                yield metric


def _info(report: Report) -> Iterator[tuple[str, str]]:
    """Yield the labels of the run; for Prometheus an empty one is absent."""
    run, identity, release = report.run, report.situation.identity, report.situation.release
    yield "run", run.id
    yield "decision", decision_words(report)
    yield "reason", main_reason(report)
    yield "target", run.base_url
    yield "stage", run.stage
    yield "vantage", run.vantage
    yield "checklist", report.checklist
    yield "config_file", run.config_file
    yield "config_sha256", run.config_hash
    yield "version", run.version
    yield "release", identity.release or ""
    yield "commit", identity.commit or ""
    yield "expected", " or ".join(release.expected)
    yield "served", ", ".join(release.versions)
    yield "previous", identity.previous or ""


def render(report: Report, _view: View = PLAIN) -> str:
    """Return the metrics of a report; those of this process, which prometheus_client offers, are not among them."""
    registry = CollectorRegistry()
    registry.register(_Collector(report))
    return generate_latest(registry).decode("utf-8")


FORMAT = Format(
    name="prometheus", help="node exporter's textfile collector, and Pushgateway", render=render, is_collected=True
)
